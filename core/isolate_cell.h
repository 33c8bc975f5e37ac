/*
 * isolate_cell.h - the place of one process of an isolated handler.
 *
 *   ABSENT ─▶ CREATING ─▶ CREATED ─▶ STARTING ─▶ SERVING ─▶ STOPPING
 *     ▲           │          │          │           │          │
 *     └───────────┴──────────┴─ ENDING ◀┴───────────┴──────────┘
 *
 * A process that ends, or breaks a rule, or is late, is killed, reaped, and
 * after a back-off another one takes its place.  Of the events that it had, the
 * one in process() is to blame, or if there was none all that it held; the
 * others go back as if nothing had happened.  All on the keeper's thread.
 */
#ifndef EVH_ISOLATE_CELL_H
#define EVH_ISOLATE_CELL_H

#include <poll.h>
#include <stdbool.h>

#include "isolate_frame.h"
#include "isolate_process.h"
#include "isolate_task.h"

struct evh_metric;
struct isolate;

enum cell_state {
	CELL_ABSENT,
	CELL_CREATING,
	CELL_CREATED,
	CELL_STARTING,
	CELL_SERVING,
	CELL_STOPPING,
	CELL_ENDING,
};

/* For create() and for start(); they may wait, but not for long. */
#define CELL_LIFE_MAX_NS INT64_C(10000000000)
#define CELL_WHY_MAX	 256
#define CELL_METRICS_MAX 1000

struct isolate_cell {
	struct isolate *iso;
	enum cell_state state;
	struct isolate_process process;
	struct frame_buffer in, out;
	struct task_list queue; /* sent; the first is in process() */
	struct task_list held;	/* the longest first */
	int64_t due_ns;	    /* ABSENT: when to start one; else the state's end
			     * (INT64_MAX: none) */
	int64_t partial_ns; /* a frame stands half sent since; 0: none does */
	unsigned n_ends;    /* since one has answered */
	bool is_ready;	    /* the handler says so, */
	bool has_spoken;    /* or has said anything of it */
	bool is_slow;	    /* to stop: killed */
	char why[CELL_WHY_MAX];	     /* it is not ready, or it was killed */
	struct isolate_task *late;   /* killed for this one's sake */
	struct evh_metric **metrics; /* CELL_METRICS_MAX, or NULL */
};

void cell_init(struct isolate_cell *cell, struct isolate *iso);
void cell_fini(struct isolate_cell *cell);

/* What it is waited for: its socket with something to read, or to send, and the
 * end of its process.  How many of the two. */
#define CELL_FDS 2
nfds_t cell_poll(const struct isolate_cell *cell, struct pollfd ret[CELL_FDS]);

/* It can take events, and room for how many more. */
unsigned cell_room(const struct isolate_cell *cell);
/* Sends it the event.  Takes the task; 0, or -errno and not. */
int cell_give(struct isolate_cell *cell, struct isolate_task *task);
/* Tells it who it is, secrets and all: they go by no other way.  0 or -errno.
 */
int cell_put_config(struct isolate_cell *cell);
/* Tells it to start, to flush, to stop. */
void cell_start(struct isolate_cell *cell);
void cell_flush(struct isolate_cell *cell, unsigned timeout_ms);
void cell_stop(struct isolate_cell *cell, unsigned timeout_ms);
/* All that it has is given back, and what it says of that is ignored. */
void cell_give_back(struct isolate_cell *cell);

/* What is due now: a start, a kill. */
void cell_turn(struct isolate_cell *cell, int64_t now_ns);
/* When that will be. */
int64_t cell_due_ns(const struct isolate_cell *cell);
/* Its socket: reads and obeys, to the last word when its process has ended; or
 * sends. */
void cell_serve(struct isolate_cell *cell, int64_t now_ns, bool has_ended);
void cell_send(struct isolate_cell *cell, int64_t now_ns);
/* It is in another state, until then. */
void cell_go(struct isolate_cell *cell, enum cell_state state, int64_t due_ns);
/* It breaks the rules, and has to go. */
void cell_end(struct isolate_cell *cell, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What a frame of it means (isolate_said.c); false when it means nothing. */
bool cell_hear(struct isolate_cell *cell, struct frame *frame, int64_t now_ns);

#endif
