/*
 * offsets.h - which messages of one partition are done, and so: how far may
 * be committed.
 *
 * Events are answered in any order, but Kafka keeps one number for a
 * partition: everything before it is done.  So each message that is taken
 * gets a slot in a ring, in the order of the partition; answers mark slots;
 * and the number moves over the marked ones in front.  A slot that was
 * answered with anything but "done" is lost: the number stops before it until
 * the partition is read again from there.
 *
 * A life of the ring has a number, its generation.  Whoever answers names the
 * generation under which it got the slot; after a rewind or a rebalance that
 * is an old one, and the answer changes nothing.
 *
 * Holes between offsets (transactions, compaction) are normal.  Pure: no
 * lock and no library in here.
 */
#ifndef KAFKA_SOURCE_OFFSETS_H
#define KAFKA_SOURCE_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

/* No ring grows beyond this many slots: 1 MiB for a partition. */
#define OFFSETS_MAX_SLOTS 65536u

struct offsets_slot;

struct offsets {
	struct offsets_slot *slots; /* n_slots of them, a power of two */
	uint32_t n_slots;
	uint32_t max_slots;
	uint32_t first;	     /* number of the oldest slot in use */
	uint32_t n;	     /* slots in use */
	uint32_t n_waiting;  /* of them: not answered */
	uint32_t generation; /* of this life */
	int64_t newest;	     /* the last offset taken; -1: none */
	int64_t missed;	     /* the first one read and not kept; -1: none */
	int64_t next;	     /* may be committed; -1: nothing new to say */
};

/* max_slots is a power of two.  Allocates nothing yet. */
void offsets_init(struct offsets *o, uint32_t max_slots);
void offsets_fini(struct offsets *o);

/* Begins a new life, knowing nothing of the partition. */
void offsets_reset(struct offsets *o, uint32_t generation);

/*
 * A slot for the message at this offset.  0 and its number; -ESTALE when it is
 * not beyond the newest one (it was delivered a second time).  -ENOSPC when
 * the ring is full, -ENOMEM: it is missed, only a rewind brings it back.
 */
int offsets_add(struct offsets *o, int64_t offset, uint32_t *ret_slot);
/* How many more can be added. */
uint32_t offsets_room(const struct offsets *o);

/* The first offset that is not known to be done; -1: nothing is known yet. */
int64_t offsets_position(const struct offsets *o);

/*
 * Forgets the newest n slots, whose messages will not be emitted: they are
 * missed.
 */
void offsets_cut(struct offsets *o, uint32_t n);

/*
 * The message is done.  1 when next has moved, 0 when it has not; -ESTALE for
 * another generation, -EINVAL for a slot that is not waiting.
 */
int offsets_done(struct offsets *o, uint32_t generation, uint32_t slot);
/* The message came back undone; ret_offset says which.  0, -ESTALE, -EINVAL. */
int offsets_lost(struct offsets *o, uint32_t generation, uint32_t slot,
		 int64_t *ret_offset);

/*
 * A new life that begins with the first message that is not done.  Returns
 * its offset: there the partition has to be read again; -1 when all that was
 * read is done, and nothing need be.
 */
int64_t offsets_rewind(struct offsets *o, uint32_t generation);

#endif
