/*
 * spool.h - a pipeline's log on disk, in front of its chain.
 *
 * While everything that the chain needs is ready and the spool is empty, events
 * pass it by.  Otherwise a new one goes into it: appended, fsynced together
 * with others, and then its source hears OK, with is_spooled set.  When the
 * chain is ready again, and nothing that passed by is left in it, the records
 * are emitted anew, in their order, by a source of the host's own; and what
 * comes meanwhile goes in behind them, until there are none.  A record is
 * released when the chain has answered it and all before it.
 *
 * One thread writes, reads and emits.  What it emits has no deadline, for
 * nobody waits, and goes to handlers by their worker's inbox, so that a slow
 * one does not keep the next fsync waiting.
 */
#ifndef EVH_SPOOL_H
#define EVH_SPOOL_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "event.h"
#include "loader.h"
#include "spool_log.h"

struct metrics;
struct pipeline;

#define SPOOL_WHY_MAX SPOOL_LOG_WHY_MAX

/* What became of a record that was emitted. */
enum spool_slot { SPOOL_SLOT_FREE, SPOOL_SLOT_OUT, SPOOL_SLOT_DONE };

struct spool {
	struct pipeline *pipeline;
	const struct config_pipeline *config;

	/* The source of what it emits. */
	struct loader_plugin loaded;
	struct config_instance section;
	struct instance *source;

	_Atomic uint64_t size;		/* of the log, */
	_Atomic uint64_t size_queued;	/* of what will be in it, */
	_Atomic uint64_t size_draining; /* and of its events in the pipeline */
	atomic_uint n_draining;		/* those events */
	atomic_uint n_passing;	/* and those in the pipeline that passed by */
	bool is_always;		/* none passes by */
	atomic_bool is_holding; /* new ones go in; true while one is there */
	atomic_bool accepts;	/* the log can be written */
	atomic_bool is_full;	/* for one that came, since a file went */
	atomic_bool is_stuck;	/* a record failed and nobody keeps it */
	atomic_bool is_dry;	/* reading has failed for good */
	atomic_bool is_waiting; /* the thread, for events to leave */

	pthread_mutex_t lock; /* guards: the next ones */
	pthread_cond_t wake;
	struct event_list queue; /* to be written */
	bool is_poked, is_stopping;
	bool is_due_again; /* from `base` on, when all that is out is back, */
	unsigned n_backoffs;
	int64_t again_ns;     /* and not before */
	uint64_t base;	      /* first record that is not released */
	unsigned char *slots; /* n_slots, by number: enum spool_slot */
	uint64_t stuck_at;    /* record */
	int64_t since_ns;     /* wall clock; when it began to hold */
	uint64_t n_records;
	char why_stuck[SPOOL_WHY_MAX];
	char why_closed[SPOOL_WHY_MAX];
	unsigned n_slots; /* never changes */

	/* The thread's. */
	bool is_started;
	pthread_t thread;
	struct spool_log log;
	struct event *ahead; /* read, not emitted */
	uint64_t ahead_number;
	int fault; /* of the last write; 0: it was fine */
	int persist_fault;
	int64_t reopen_ns;
	int64_t persist_ns; /* 0: nothing to persist */

	struct evh_metric *records, *bytes, *sync_seconds, *spooled, *drained;
};

/* Of a pipeline whose config has one and whose source is there.  NULL: out of
 * memory. */
struct spool *spool_new(struct pipeline *p, struct metrics *metrics);
void spool_free(struct spool *s); /* NULL is fine; stopped */

/* Opens the log and starts the thread; 0 or -errno, logged. [main] */
int spool_start(struct spool *s);
void spool_stop(struct spool *s); /* when no event is left; joins. [main] */

/* The log alone, without the thread.  0; damage is none: then it takes no
 * event; or -errno, logged. [main] */
int spool_open(struct spool *s);
/* One turn without waiting, of which the thread is a loop: what has come is
 * written, what may go on does.  When the next turn is due (monotonic ns).
 * [spool's thread, or who has opened it without one] */
int64_t spool_turn(struct spool *s);
/* When no event is left: notes what is delivered, and lets go of the log.
 * [main] */
void spool_close(struct spool *s);

/* Events pass it by, now. [any] */
bool spool_is_idle(const struct spool *s);
/* Whether it or the chain takes an event of this size now. [any] */
bool spool_has_room(struct spool *s, const struct event *ev);
/* An event that has room in the window: false when it passes by, or else takes
 * it. [any] */
bool spool_take(struct spool *s, struct event *ev);
/* An event has left the pipeline, and given its room back. [any] */
void spool_note_left(struct spool *s, const struct event *ev);
/* To look again at what it waits for. [any] */
void spool_poke(struct spool *s);

/* Events are taken, by it or by the chain, and none is stuck. [any] */
bool spool_is_ready(const struct spool *s);

struct spool_state {
	bool is_holding;
	uint64_t n_records, size;
	int64_t since_ns;	 /* wall clock, when it is holding */
	char why[SPOOL_WHY_MAX]; /* what is wrong with it; "": nothing */
};

void spool_state(struct spool *s, struct spool_state *ret); /* [any] */

/* Its thread: these are written and synced, and answered; what cannot be hears
 * RETRY.  Takes them. */
void spool_keep(struct spool *s, struct event_list *list, int64_t now_ns);
/* Its thread: what the log has goes on, as far as that may be.  When it wants
 * to be asked again (monotonic ns, INT64_MAX: when something changes). */
int64_t spool_drain(struct spool *s, int64_t now_ns);
/* The source's done(). [any] */
void spool_drain_done(void *self, struct evh_event *const *evs, int n,
		      enum evh_result result);
/* The main thread is to look at its readiness. */
void spool_tell(const struct spool *s);

#endif
