#include "update.h"

#include "range.h"
#include "rows.h"

#include <errno.h>

static void
changed_settle(struct write_batch *hand, const PGresult *changed,
	       const uint32_t *positions, size_t n)
{
	size_t at;
	int i;

	for (i = 0; i < PQntuples(changed); i++) {
		at = range_place(changed, i, positions, n);
		if (at != RANGE_NOWHERE)
			range_settle(hand, at, 1);
	}
}

/* What a batch says of the next one's ids. */
static void
ids_guess(struct write_batch *hand, size_t n_changed, size_t n)
{
	if (2 * n_changed >= n) {
		hand->ids = WRITE_IDS_OLD;
		return;
	}
	/* They were old and are not any more: COPY need not wait for its turn.
	 */
	if (hand->ids == WRITE_IDS_OLD)
		hand->copy_pause = hand->copy_left = 0;
	hand->ids = WRITE_IDS_NEW;
}

enum halving
update_run(struct write_batch *hand)
{
	const uint32_t *positions;
	PGresult *changed = NULL;
	size_t n, n_changed;
	int rc;

	if (hand->ids == WRITE_IDS_NEW ||
	    !range_plan(hand, 0, hand->n, &positions, &n))
		return HALVING_BAD;
	rc = range_build(hand, 0, positions, n, ROWS_OUTCOME);
	if (rc == 0)
		rc = range_execute(hand, UPDATE_STATEMENT, &changed);
	if (rc == -EREMOTEIO || rc == -EMSGSIZE) {
		hand->ids = WRITE_IDS_NEW;
		return HALVING_BAD; /* the server's word on the upsert counts */
	}
	if (rc < 0)
		return range_end(hand, rc);

	n_changed = (size_t)PQntuples(changed);
	changed_settle(hand, changed, positions, n);
	PQclear(changed);
	hand->ctx->record(hand->batch_rows, (int64_t)n_changed);
	ids_guess(hand, n_changed, n);
	return n_changed == n ? HALVING_DONE : HALVING_BAD;
}
