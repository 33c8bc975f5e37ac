#include "sieve.h"

#include "range.h"
#include "upsert.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define STATEMENT "upsert_sieve"

/* The server finds the k-th element of an array by passing k, and each row that
 * was written alone is a subtransaction, of which other sessions know 64 at a
 * glance: parts of this size keep both small. */
#define PART_ROWS 512

/* Once a connection.  Who may make no function is not asked again. */
static int
prepare(struct write_batch *hand)
{
	char sql[UPSERT_SIEVE_SQL_MAX];
	int rc;

	if (hand->sieve != WRITE_SIEVE_UNKNOWN)
		return hand->sieve == WRITE_SIEVE_READY ? 0 : -EREMOTEIO;

	upsert_sieve_make_sql(sql);
	rc = connection_run(hand->connection, sql, hand->deadline, NULL,
			    hand->failure);
	if (rc == 0)
		rc = connection_prepare(hand->connection, STATEMENT,
					upsert_sieve_sql, &hand->rows.params,
					hand->deadline, hand->failure);
	if (rc == 0)
		hand->sieve = WRITE_SIEVE_READY;
	else if (rc == -EREMOTEIO && hand->failure->policy == SQLSTATE_CONFIG)
		hand->sieve = WRITE_SIEVE_NONE;
	return rc;
}

/*
 * The results of a part that is written but for those that the answer names.
 * Of these, failed events are left to be tried alone: EVH_RETRY.
 */
static enum halving
results_note(struct write_batch *hand, size_t at, size_t n,
	     const uint32_t *positions, size_t n_rows, const PGresult *refused)
{
	size_t culprit;
	int i;

	for (i = 0; i < PQntuples(refused); i++)
		if (range_place(refused, i, positions, n_rows) == RANGE_NOWHERE)
			return HALVING_BAD;
	for (i = 0; i < PQntuples(refused); i++) {
		culprit = at + range_place(refused, i, positions, n_rows);
		if (hand->evs[culprit]->status == EVH_FAILED) {
			hand->results[culprit] = EVH_RETRY;
			continue;
		}
		failure_set_sqlstate(hand->failure, PQgetvalue(refused, i, 1),
				     NULL);
		range_fail(hand, culprit);
	}
	range_settle(hand, at, n);
	return HALVING_DONE;
}

static enum halving
left_try(struct write_batch *hand, size_t at, size_t n)
{
	enum halving halving = HALVING_DONE;
	size_t i;

	for (i = at; i < at + n && halving != HALVING_STOPPED; i++) {
		if (hand->results[i] != EVH_RETRY)
			continue;
		hand->results[i] = 0;
		halving = range_try(hand, i, 1);
		if (halving == HALVING_BAD)
			range_fail(hand, i);
	}
	return halving == HALVING_STOPPED ? halving : HALVING_DONE;
}

static enum halving
part_run(struct write_batch *hand, size_t at, size_t n)
{
	uint32_t positions[PART_ROWS];
	const uint32_t *planned;
	PGresult *refused = NULL;
	enum halving halving;
	size_t n_rows;
	int rc;

	assert(n <= PART_ROWS);
	if (!range_plan(hand, at, n, &planned, &n_rows))
		return n_rows ? HALVING_BAD : HALVING_DONE;
	memcpy(positions, planned, n_rows * sizeof(*positions));
	rc = range_build(hand, at, positions, n_rows, ROWS_WHOLE);
	if (rc == 0)
		rc = range_execute(hand, STATEMENT, &refused);
	if (rc == -EREMOTEIO) {
		if (hand->failure->policy == SQLSTATE_CONFIG)
			hand->sieve = WRITE_SIEVE_NONE;
		return HALVING_BAD;
	}
	if (rc < 0)
		return range_end(hand, rc);

	hand->ctx->record(hand->batch_rows,
			  (int64_t)n_rows - PQntuples(refused));
	halving = results_note(hand, at, n, positions, n_rows, refused);
	PQclear(refused);
	return halving == HALVING_DONE ? left_try(hand, at, n) : halving;
}

enum halving
sieve_run(struct write_batch *hand, size_t at, size_t n)
{
	enum halving halving = HALVING_DONE;
	const uint32_t *positions;
	size_t done, part, n_rows;
	int rc;

	if (hand->is_halving || !range_plan(hand, at, n, &positions, &n_rows))
		return HALVING_BAD;
	rc = prepare(hand);
	if (rc == -EREMOTEIO) {
		hand->is_halving = true;
		return HALVING_BAD;
	}
	if (rc < 0)
		return range_end(hand, rc);

	hand->ctx->record(hand->bisections, 1);
	for (done = 0; done < n && halving == HALVING_DONE; done += part) {
		part = n - done < PART_ROWS ? n - done : PART_ROWS;
		halving = part_run(hand, at + done, part);
	}
	hand->is_halving = halving == HALVING_BAD;
	return halving;
}
