/*
 * commits.h - which messages of a partition may be committed, as the oracle
 * sees it.
 *
 * A partition has lives: one begins when it is assigned, and when it is read
 * again from some offset.  A message is done when it was answered so under
 * the life in which it was emitted; what is before the life's base is done
 * since before.  No offset may be stored beyond a message that is not done,
 * and each that may be has to be.
 */
#ifndef SIMULATE_COMMITS_H
#define SIMULATE_COMMITS_H

#include <stdbool.h>
#include <stdint.h>

/* Offsets of a schedule; holes are allowed. */
#define COMMITS_MAX 256

struct commits {
	int32_t partition;
	unsigned life;
	int64_t base;
	bool exists[COMMITS_MAX];
	bool is_done[COMMITS_MAX]; /* in this life, or before its base */
	int64_t stored;		   /* the last that was stored; -1: none */
};

void commits_begin(struct commits *c, int32_t partition);
void commits_produced(struct commits *c, int64_t offset);
/* Ours from this offset on, or nobody's we know of any more. */
void commits_assigned(struct commits *c, int64_t position);
void commits_revoked(struct commits *c);
/* It is read again from here; is_exact: nothing that is done is. */
void commits_sought(struct commits *c, int64_t offset, bool is_exact);
/* An event of this message and life was answered OK or DROP. */
void commits_done(struct commits *c, int64_t offset, unsigned life);
/* librdkafka was told to commit this. */
void commits_stored(struct commits *c, int64_t next);
/* It is to commit this at once. */
void commits_asked(const struct commits *c, int64_t next);
/* After the answers: what may be stored is. */
void commits_look(const struct commits *c);
/* Before this everything is done. */
int64_t commits_prefix(const struct commits *c);

#endif
