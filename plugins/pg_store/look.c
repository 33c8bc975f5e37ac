#include "look.h"

#include "range.h"
#include "rows.h"

static struct look
found_note(struct write_batch *hand, const PGresult *found,
	   const uint32_t *positions, size_t n)
{
	struct look look = { 0 };
	size_t at;
	int i;

	for (i = 0; i < PQntuples(found); i++) {
		at = range_place(found, i, positions, n);
		if (at == RANGE_NOWHERE)
			continue;
		if (*PQgetvalue(found, i, 1) && look.n_settled + 1 < n) {
			range_mark(hand, at);
			look.n_settled++;
		} else {
			hand->is_there[at] = true;
			look.n_there++;
		}
	}
	return look;
}

int
look_run(struct write_batch *hand, const uint32_t *positions, size_t n,
	 struct look *ret)
{
	PGresult *found = NULL;
	int rc = range_build(hand, 0, positions, n, ROWS_ID);

	if (rc == 0)
		rc = range_attempt(hand, LOOK_STATEMENT, &found);
	if (rc < 0)
		return rc;
	*ret = found_note(hand, found, positions, n);
	PQclear(found);
	return 0;
}
