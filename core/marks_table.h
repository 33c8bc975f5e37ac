/*
 * marks_table.h - the file of marks as it lies in memory.
 *
 * Places of processes with a slot for each of their threads, and the counts of
 * what ended processes left in them.  Each member is atomic, since threads of
 * other processes read them; counts are added to under the table's lock, and
 * taken away by anybody.
 */
#ifndef EVH_MARKS_TABLE_H
#define EVH_MARKS_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "marks.h"

/* "evhmark" and the number of this layout, and of what its states and places
 * mean. */
#define MARKS_MAGIC UINT64_C(0x026b72616d687665)

#define MARKS_WAYS    8 /* counts of one bucket */
#define MARKS_BUCKETS (MARKS_COUNTS / MARKS_WAYS)

enum marks_state {
	MARKS_EMPTY,
	MARKS_INSIDE, /* beside others */
	MARKS_LATE,   /* for longer than its timeout */
	MARKS_ALONE,  /* others come to the door at most */
	MARKS_LONG,   /* for so long that others came in, without a timeout */
};

/* A cache line each: every thread writes its own. */
struct marks_slot {
	_Alignas(64) _Atomic uint64_t id[2];
	_Atomic uint64_t place;
	atomic_uint state;
	atomic_uint is_taken; /* by a thread */
};

/* A process that ended on purpose: only who was late counts, whatever a thread
 * wrote that was about to enter. */
enum marks_use { MARKS_FREE, MARKS_USED, MARKS_LEFT };

struct marks_process {
	_Alignas(64) atomic_uint use;
	struct marks_slot slots[MARKS_THREADS];
};

struct marks_count {
	_Atomic uint64_t id[2];
	_Atomic uint64_t place;
	_Atomic int64_t when_ns; /* the last one, by the wall clock */
	atomic_uint n, n_late;
	atomic_uint is_used; /* written last */
};

struct marks_table {
	_Atomic uint64_t magic; /* written last */
	atomic_uint has_counts; /* else no look at them is needed */
	struct marks_process processes[MARKS_PROCESSES];
	struct marks_count counts[MARKS_BUCKETS][MARKS_WAYS];
};

/* An id as its two halves. */
void marks_id_split(const unsigned char id[16], uint64_t ret[2]);

/* Nobody has this place any more: counts what is in its slots, and frees it.
 * Forgets the oldest counts when there is no room.  Under the table's lock. */
void marks_table_bury(struct marks_table *table, struct marks_process *process);
/* Forgets what is a week old, and whether there are counts at all.  Under the
 * table's lock. */
void marks_table_tidy(struct marks_table *table);
/* [any] */
struct marks_ends marks_table_find(struct marks_table *table,
				   const unsigned char id[16], uint64_t place);
void marks_table_forget(struct marks_table *table, const unsigned char id[16],
			uint64_t place);

#endif
