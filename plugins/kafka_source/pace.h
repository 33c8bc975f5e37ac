/*
 * pace.h - how fast what waits of a partition goes, and so whether librdkafka
 * is to bring more of it.
 *
 * Messages of all partitions come through one queue, so one whose events do
 * not go on keeps the others from being read.  It is paused then; but a pause
 * throws away what was fetched, so first it has to be slow for a while: what
 * waits at some moment has not gone a second later.  From then on it is paused
 * as soon as its run is full, until a few of such runs have gone quickly. Pure:
 * the caller has the clock.
 */
#ifndef KAFKA_SOURCE_PACE_H
#define KAFKA_SOURCE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	unsigned n_ahead;  /* of those that waited then, still do */
	int64_t marked_ms; /* when that was */
	int64_t paused_ms; /* for its pace, the last time */
	unsigned n_quick;  /* runs since then, one after the other */
	bool is_slow;
};

/* Nothing waits, nothing is known. */
void pace_reset(struct pace *pace);
/* Some of what waited has gone, so many are left. */
void pace_offered(struct pace *pace, unsigned n_gone, unsigned n_left,
		  int64_t now_ms);
/* What waits was given back. */
void pace_dropped(struct pace *pace);

/* Should it be paused, when its run is full, or half so? */
bool pace_is_slow(const struct pace *pace, bool is_full, int64_t now_ms);
void pace_paused(struct pace *pace, int64_t now_ms);
/* All that waited has gone. */
void pace_resumed(struct pace *pace, int64_t now_ms);

#endif
