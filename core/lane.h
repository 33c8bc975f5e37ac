/*
 * lane.h - order: who waits behind whom.
 *
 * The events of a pipeline that share a key (or a partition, without a key)
 * are one lane, and a lane belongs to one worker.  While its foremost event
 * is held by a handler or waits to be tried again, the lane stands: those
 * that come to the same element wait behind it, and no others do.
 *
 * Only standing lanes exist at all.  A lane is its foremost event, in a table
 * by lane and element, and the list of those behind it; so nothing is
 * allocated, and the common case, no lane stands, costs one comparison.
 * A table belongs to its worker's thread.
 */
#ifndef EVH_LANE_H
#define EVH_LANE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "event.h"
#include "timer.h"

#define LANE_BUCKETS 256
#define LANE_SHARES  1024

/*
 * How much of a pipeline's window each lane has, so that one that stands, or
 * whose worker is busy for long, does not take all of the room: a lane that
 * stands may have a quarter of it, and any lane no more than a quarter once
 * half of the window is taken.  Lanes whose hashes share a counter share its
 * room, which costs them speed and nothing else.  Atomic, by any thread.
 */
struct lane_shares {
	unsigned limit; /* a quarter of the window, 1 at least */
	atomic_uint n[LANE_SHARES];
	atomic_uint n_standing[LANE_SHARES];
	/* At a stop: one of it was handed back, so that what follows it may not
	 * be done before it comes again. */
	atomic_bool is_handed_back[LANE_SHARES];
};

struct lanes {
	struct event *buckets[LANE_BUCKETS];
	unsigned n;	       /* standing lanes */
	struct timer_heap due; /* of those that wait for a time */
};

/* Finds what the event's `lane` and `is_ordered` are: by key, else by topic
 * and partition, else it has no order and its id spreads it. */
void lane_find(struct event *ev);

/* Room is taken, given back. [any] */
void lane_share_take(struct lane_shares *shares, const struct event *ev);
void lane_share_give(struct lane_shares *shares, const struct event *ev);
/* Its lane begins to stand (1), or goes on (-1). */
void lane_share_stand(struct lane_shares *shares, const struct event *ev,
		      int change);
/* No more room for this lane; is_scarce: half of the window is taken. */
bool lane_share_is_full(const struct lane_shares *shares,
			const struct event *ev, bool is_scarce);

/* ev is handed back to its source; has one of its lane been? */
void lane_share_hand_back(struct lane_shares *shares, const struct event *ev);
bool lane_share_is_handed_back(const struct lane_shares *shares,
			       const struct event *ev);

/* The foremost event of the lane that ev would wait in, or NULL. */
struct event *lanes_find(const struct lanes *lanes, const struct event *ev);
/* Is ev the foremost of a lane. */
bool lanes_have(const struct lanes *lanes, const struct event *ev);
/* ev is foremost from now on; due_ns 0: until somebody resumes it. */
void lanes_stand(struct lanes *lanes, struct event *ev, int64_t due_ns);
/* Takes the lane away; ret gets those who waited, in their order. */
void lanes_leave(struct lanes *lanes, struct event *head,
		 struct event_list *ret);
/* A foremost event that is due, still standing; or NULL. */
struct event *lanes_due(struct lanes *lanes, int64_t now_ns);
/* Makes all that wait for a time due at now_ns. */
void lanes_hurry(struct lanes *lanes, int64_t now_ns);

#endif
