/*
 * batch.h - in which order, and in how many rounds, events become rows.
 *
 * Rows are sent sorted by id, because two writers that lock the same rows in
 * different orders deadlock.  One statement may touch a row only once, so an
 * id that comes again goes into the next round, after what came first for it.
 * Most of these change nothing by the table's rule (a redelivery says what was
 * said before) and are left out, which is as good as written.  Pure.
 */
#ifndef PG_STORE_BATCH_H
#define PG_STORE_BATCH_H

#include <evh/plugin.h>

#include <stddef.h>
#include <stdint.h>

struct batch {
	uint32_t *order;  /* positions in evs, round after round */
	uint32_t *rounds; /* of each sorted position; scratch */
	uint32_t *sorted; /* scratch */
	uint32_t *starts; /* where in order each round ends */
	size_t max;	  /* room of these four */
	size_t n;	  /* events planned, those left out included */
	size_t n_rounds;
};

/* Room for at most max events; 0 or -ENOMEM. */
int batch_init(struct batch *batch, size_t max);
void batch_fini(struct batch *batch);

/* Plans those of evs, n <= max, oldest first, that have no result yet (results
 * NULL: all of them).  At least one round if there are any. */
void batch_plan(struct batch *batch, struct evh_event *const *evs,
		const enum evh_result *results, size_t n);

/*
 * The positions of one round, ascending by id; returns how many.  Borrowed
 * until the next batch_plan().
 */
size_t batch_round(const struct batch *batch, size_t round,
		   const uint32_t **ret_positions);

#endif
