#include "update.h"

#include "range.h"
#include "rows.h"

#include <errno.h>
#include <stdlib.h>

/* What a batch that did not find all of its rows says of the next one's. */
static void
ids_guess(struct write_batch *hand, unsigned long n_changed)
{
	/* They were old, and now none is: the next COPY need not wait. */
	if (hand->ids == WRITE_IDS_OLD && n_changed == 0)
		hand->copy_pause = hand->copy_left = 0;
	hand->ids = WRITE_IDS_NEW;
}

enum halving
update_run(struct write_batch *hand)
{
	const uint32_t *positions;
	PGresult *result = NULL;
	unsigned long n_changed;
	size_t n;
	int rc;

	if (hand->ids == WRITE_IDS_NEW ||
	    !range_plan(hand, 0, hand->n, &positions, &n))
		return HALVING_BAD;
	rc = range_build(hand, 0, positions, n, ROWS_OUTCOME);
	if (rc == 0)
		rc = range_execute(hand, UPDATE_STATEMENT, &result);
	if (rc < 0) {
		ids_guess(hand, n);
		return range_end(hand, rc) == HALVING_STOPPED ? HALVING_STOPPED
							      : HALVING_BAD;
	}

	n_changed = strtoul(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	if (n_changed < n) {
		ids_guess(hand, n_changed);
		return HALVING_BAD;
	}
	hand->ids = WRITE_IDS_OLD;
	hand->ctx->record(hand->batch_rows, (int64_t)n);
	range_settle(hand, 0, hand->n);
	return HALVING_DONE;
}
