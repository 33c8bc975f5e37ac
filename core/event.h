/*
 * event.h - an event as the host keeps it.
 *
 * What plugins see (struct evh_event) stands in front; behind it is who has
 * the event, where in which pipeline it is, how many completions it is owed,
 * and its arena: memory for whatever hangs off it, gone with it at once.
 *
 * One counter decides when an event ends.  It is owed one completion for
 * itself, and one more for each child that a handler made of it or each copy
 * that runs in another pipeline; at zero its payload is released.
 *
 * The memory of events is recycled and never unmapped, so that a plugin's
 * stale pointer can be looked at, and its mistake named, without a fault.
 */
#ifndef EVH_EVENT_H
#define EVH_EVENT_H

#include <evh/plugin.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "event_list.h"
#include "marks.h"
#include "timer.h"

struct delivery;
struct instance;
struct pipeline;

/* The part of an event that a handler may change. */
struct event_face {
	struct evh_bytes data;
	struct evh_bytes key;
	const struct evh_header *headers;
	uint32_t n_headers;
};

/* Why an event lies in a worker's inbox. */
enum event_mail {
	EVENT_ARRIVES = 1, /* it has come to its element */
	EVENT_STANDS,	   /* its handler said RETRY or HOLD elsewhere */
	EVENT_RESUMED,	   /* its handler gave its verdict by resume() */
};

/* A handler's hold, which resume() may end before process() has returned. */
enum event_hold {
	EVENT_FREE_OF_HOLD,
	EVENT_LOOKED_AT,
	EVENT_HELD,
	EVENT_LET_GO
};

/* What a RETRY says of an isolated handler's process, which ended: it counts
 * although nobody is ready, or does not although somebody is. */
enum event_blame { EVENT_UNBLAMED, EVENT_BLAMED, EVENT_BLAMELESS };

struct event {
	struct evh_event pub; /* first: plugins' pointers are pointers to us */
	uint32_t magic;

	struct event *next; /* in the one list it is in */
	/* Which instance has it; NULL is the host.  Every hand-over goes
	 * through here, so that a second done(), or a stranger's, is seen. */
	_Atomic(struct instance *) holder;
	struct instance *source;  /* whose it was first: hears done() */
	struct event *origin;	  /* parent, or what it is a copy of; or NULL */
	atomic_uint owed;	  /* completions: itself, children, copies */
	atomic_int joined;	  /* the least finished result so far */
	uint32_t n_children;	  /* made so far, for their ids */
	uint32_t n_children_kept; /* of tries that stayed */
	struct event_list children; /* of the try in hand */

	struct pipeline *pipeline;
	unsigned pos;	  /* its element there */
	bool has_room;	  /* counts in the pipeline's window */
	bool is_ordered;  /* lane means something */
	bool is_diverted; /* counts in the pipeline's diverted */
	/* A sink has answered it: it goes to its worker by the inbox, where
	 * those that it answered before may be still. */
	bool goes_by_inbox;
	bool is_kept;	 /* an on_fail or on_drop sink has it */
	bool is_marked;	 /* processes ended while a handler had it: a suspect */
	bool is_used_up; /* by such ends, it has failed: they stay counted */
	bool is_passing; /* its pipeline's spool counts it: it passed by, */
	bool is_drained; /* or comes out of it */
	bool is_patient; /* nobody waits: it has no deadline */
	atomic_bool has_spooled; /* of what it waits for, something is */
	bool is_failed;		 /* on its way through on_fail */
	uint64_t lane;		 /* hash of what keeps its order */
	size_t size;		 /* bytes that it takes in the window */
	/* Tries before it was sent this time.  A retry sends it with more, so
	 * this tells one sending from the next. */
	uint32_t attempts_before;
	int64_t born_ns;  /* monotonic, at emit */
	int64_t stage_ns; /* monotonic, handed to its element */
	uint64_t seq;	  /* its turn at the sink it is at */

	/* At a handler: the try in hand. */
	enum event_mail mail;
	enum evh_result verdict;
	enum event_blame blame;
	struct marks_ends ends;	 /* of processes, here, before its first try */
	struct marks_slot *slot; /* its thread's while it is tried; or NULL */
	atomic_int hold;	 /* enum event_hold */
	bool face_saved;	 /* changed in this try: undo to `saved` */
	bool face_remade; /* changed since emit: on_fail sees `emitted` */
	bool is_pinned;	  /* some of the try's memory was given away for as
			   * long as the event lives */

	/* At the head of a standing lane: when to go on (0: when resumed, or
	 * when the handler is ready, if it awaits that), who waits behind. */
	int64_t stand_until_ns;
	bool awaits_ready;
	struct timer timer;
	int64_t held_ns; /* since when (watch_now_ns()), by a handler with a
			    timeout */
	bool is_late;	 /* longer than that: whatever is said now, it failed */
	struct event *lane_next; /* in the table of lanes */
	struct event_list behind;

	const char *error_code; /* set_error()'s; or NULL */
	const char *error_text;
	char *error_memory; /* for both, used again: a sink may say RETRY */
	size_t error_room;  /* and why for days */

	void (*release)(void *arg);
	void *release_arg;

	/* From here on nothing is cleared in a new event: of what these are,
	 * the bools above say whether it is anything. */
	struct event_face saved;
	struct event_face emitted;
	struct arena_mark mark; /* where the memory of the try begins that goes
				 * with undoing it, unless it is pinned */
	struct arena arena;
};

/*
 * A new event of `source`, made as spec says; holder is the source.  With a
 * parent it is a child: same pipeline, lane, place of origin; its id follows
 * from its parent's and its number.  NULL when out of memory (then spec's
 * release is not called). [any]
 */
struct event *event_new(struct instance *source, const struct evh_spec *spec,
			struct event *parent);
/* A copy that runs in another pipeline and borrows its origin's bytes; the
 * origin must be owed one more completion first. */
struct event *event_copy(struct event *origin);
/* Releases the payload, if that has not been done.  What it borrowed is gone
 * then, the event itself is not. [any] */
void event_release(struct event *ev);
/* Releases the payload and recycles the memory.  Takes it. [any] */
void event_free(struct event *ev);

/* Memory that lives as long as the event; NULL when out of memory. */
void *event_alloc(struct event *ev, size_t n);

/* Changes, by whoever has the event; copied.  0, -ENOMEM or -EINVAL. */
int event_set_data(struct event *ev, struct evh_bytes data);
int event_set_key(struct event *ev, struct evh_bytes key);
int event_set_header(struct event *ev, const char *name, const char *value);
int event_set_error(struct event *ev, const char *code, const char *text);

/* As it is now it is emitted: no try and no failure goes back behind this, and
 * so much it takes in the window. */
void event_settle(struct event *ev);
/* Undoes what this try has changed; makes the event again as emitted. */
void event_undo(struct event *ev);
void event_remake(struct event *ev);
/* The try is over and what it changed stays. */
void event_keep(struct event *ev);

/* Renders pub.error from set_error()'s words: {"stage","type","message"},
 * "sqlstate" where the code is one, and "replays" where dead letters were
 * retried before and this one of them.  0 or -ENOMEM (pub.error is then a
 * constant that says so). */
int event_render_error(struct event *ev, const char *stage, const char *type,
		       const char *text);

/* Is this the address of a live event.  Never faults on memory that was one. */
bool event_is_live(const struct event *ev);

/* Result `a` or `b`: whichever is less finished. */
enum evh_result event_join(enum evh_result a, enum evh_result b);

/* How many are live now: 0 when nothing leaked. */
unsigned long event_count(void);
/* How many of them this instance has.  Slow. [any] */
unsigned event_count_held(const struct instance *holder);

#endif
