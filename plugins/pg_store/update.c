#include "update.h"

#include "range.h"
#include "rows.h"

#include <errno.h>

/* What a batch says of the next one's ids. */
static void
ids_guess(struct write_batch *hand, size_t n_changed, size_t n)
{
	hand->ids = 2 * n_changed >= n ? WRITE_IDS_OLD : WRITE_IDS_MIXED;
}

static int
update(struct write_batch *hand, const uint32_t *positions, size_t n)
{
	PGresult *changed = NULL;
	size_t at;
	int rc, i;

	rc = range_build(hand, 0, positions, n, ROWS_OUTCOME);
	if (rc == 0)
		rc = range_attempt(hand, UPDATE_STATEMENT, &changed);
	if (rc < 0) {
		hand->ids = WRITE_IDS_MIXED;
		return rc;
	}
	for (i = 0; i < PQntuples(changed); i++) {
		at = range_place(changed, i, positions, n);
		if (at != RANGE_NOWHERE)
			range_mark(hand, at);
	}
	ids_guess(hand, (size_t)PQntuples(changed), n);
	PQclear(changed);
	return 0;
}

enum halving
update_run(struct write_batch *hand)
{
	const uint32_t *positions;
	size_t n;
	int rc;

	if (hand->ids != WRITE_IDS_OLD || hand->n < WRITE_ROWS_MIN ||
	    !range_plan(hand, 0, hand->n, &positions, &n))
		return HALVING_BAD;
	rc = range_begin(hand);
	if (rc == 0)
		rc = update(hand, positions, n);
	return range_finish(hand, rc);
}
