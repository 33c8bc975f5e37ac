#include "answer.h"

#include "query.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
answer_init(struct answer *answer, size_t max_bytes)
{
	*answer = (struct answer){ .max_bytes = max_bytes, .total = -1 };
}

void
answer_fini(struct answer *answer)
{
	size_t i;

	for (i = 0; i < answer->n; i++)
		PQclear(answer->results[i]);
	free(answer->results);
	free(answer->rows);
}

void
answer_clear(struct answer *answer)
{
	size_t max_bytes = answer->max_bytes;

	answer_fini(answer);
	answer_init(answer, max_bytes);
}

static int
answer_grow(struct answer *answer)
{
	size_t max = answer->max ? answer->max * 2 : 16;
	struct evh_row *rows;
	PGresult **results;

	if (answer->n < answer->max)
		return 0;

	results = realloc(answer->results, max * sizeof(*results));
	if (!results)
		return -ENOMEM;
	answer->results = results;
	rows = realloc(answer->rows, max * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	answer->rows = rows;
	answer->max = max;
	return 0;
}

int
answer_take(void *arg, PGresult *row)
{
	struct answer *answer = arg;
	int rc = answer_grow(answer);

	if (rc < 0) {
		PQclear(row);
		return rc;
	}
	answer->bytes += query_row_size(row, 0);
	if (answer->bytes > answer->max_bytes) {
		PQclear(row);
		return -EMSGSIZE;
	}
	query_row(row, 0, &answer->rows[answer->n]);
	answer->results[answer->n++] = row;
	return 0;
}

int
answer_take_total(void *arg, PGresult *row)
{
	struct answer *answer = arg;
	uint64_t big;

	if (PQgetlength(row, 0, 0) == (int)sizeof(big)) {
		memcpy(&big, PQgetvalue(row, 0, 0), sizeof(big));
		answer->total = (int64_t)be64toh(big);
	}
	PQclear(row);
	return 0;
}

void
answer_give(const struct answer *answer, int rc, evh_rows *fn, void *arg)
{
	if (rc < 0)
		fn(arg, rc, NULL, 0, -1);
	else
		fn(arg, 0, answer->rows, answer->n, answer->total);
}
