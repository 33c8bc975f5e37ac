#include "range.h"

#include "backoff.h"
#include "clock.h"
#include "deadline.h"
#include "stale_copy.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#define AGAIN_FIRST_MS 10
#define AGAIN_LAST_MS  1000
#define LOCK_TIMEOUT   "55P03"

/* ---- Statements ---------------------------------------------------------- */

/* The parameters are hand->rows's; ret_refused may be NULL. */
int
range_attempt(struct write_batch *hand, const char *name,
	      PGresult **ret_refused)
{
	return connection_execute(hand->connection, name, &hand->rows.params,
				  hand->deadline, ret_refused, hand->failure);
}

void
range_committed(struct write_batch *hand, int64_t began_ns)
{
	hand->ctx->record(hand->commit_seconds, clock_ns() - began_ns);
}

/* Whoever stood before us may be one that nobody else ends. */
static int
way_clear(struct write_batch *hand)
{
	return strcmp(hand->failure->sqlstate, LOCK_TIMEOUT) == 0
		       ? stale_copy_end(hand)
		       : 0;
}

int
range_execute(struct write_batch *hand, const char *name,
	      PGresult **ret_refused)
{
	struct pollfd fd = { .fd = hand->connection->cancel_fd,
			     .events = POLLIN };
	struct backoff backoff;
	int64_t until, began;
	int rc;

	backoff_init(&backoff, AGAIN_FIRST_MS, AGAIN_LAST_MS);
	for (;;) {
		began = clock_ns();
		rc = range_attempt(hand, name, ret_refused);
		if (rc == 0)
			range_committed(hand, began);
		if (rc != -EREMOTEIO || hand->failure->policy != SQLSTATE_AGAIN)
			return rc;
		rc = way_clear(hand);
		if (rc < 0 && rc != -EREMOTEIO)
			return rc;

		until = deadline_min(deadline_in(backoff_next(&backoff)),
				     hand->deadline);
		if (poll(&fd, 1, deadline_left_ms(until)) > 0)
			return -ECANCELED;
		if (deadline_over(hand->deadline))
			return -ETIMEDOUT;
	}
}

int
range_build(struct write_batch *hand, size_t at, const uint32_t *positions,
	    size_t n_rows, enum rows_part part)
{
	int rc = rows_build(&hand->rows, hand->evs + at, positions, n_rows,
			    part);

	if (rc < 0)
		failure_set(hand->failure,
			    "%zu rows cannot be put together: %s", n_rows,
			    strerror(-rc));
	return rc;
}

/* The rounds of evs[at..at+n), one statement each.  A round that is repeated
 * after a later one has failed changes nothing. */
static int
rounds_run(struct write_batch *hand, size_t at, size_t n, enum rows_part part)
{
	const uint32_t *positions;
	size_t round, n_rows;
	int rc;

	batch_plan(&hand->batch, hand->evs + at, hand->results + at, n);
	for (round = 0; round < hand->batch.n_rounds; round++) {
		n_rows = batch_round(&hand->batch, round, &positions);
		rc = range_build(hand, at, positions, n_rows, part);
		if (rc < 0)
			return rc;
		rc = range_execute(hand, RANGE_STATEMENT, NULL);
		if (rc < 0)
			return rc;
		hand->ctx->record(hand->batch_rows, (int64_t)n_rows);
	}
	return 0;
}

bool
range_plan(struct write_batch *hand, size_t at, size_t n,
	   const uint32_t **ret_positions, size_t *ret_n)
{
	batch_plan(&hand->batch, hand->evs + at, hand->results + at, n);
	*ret_n = hand->batch.n;
	return hand->batch.n_rounds == 1 &&
	       batch_round(&hand->batch, 0, ret_positions) == hand->batch.n;
}

size_t
range_place(const PGresult *answer, int i, const uint32_t *positions, size_t n)
{
	uint32_t place;

	memcpy(&place, PQgetvalue(answer, i, 0), sizeof(place));
	place = be32toh(place);
	return place >= 1 && place <= n ? positions[place - 1] : RANGE_NOWHERE;
}

/* ---- Results ------------------------------------------------------------- */

void
range_settle(struct write_batch *hand, size_t at, size_t n)
{
	struct evh_ctx *ctx = hand->ctx;
	int64_t counts[EVH_DROPPED + 1] = { 0 };
	unsigned s;
	size_t i;

	for (i = at; i < at + n; i++) {
		if (hand->results[i])
			continue;
		hand->results[i] = EVH_OK;
		if (hand->evs[i]->status <= EVH_DROPPED)
			counts[hand->evs[i]->status]++;
	}
	for (s = EVH_PENDING; s <= EVH_DROPPED; s++)
		if (counts[s])
			ctx->record(hand->rows_by_status[s], counts[s]);
}

void
range_fail(struct write_batch *hand, size_t at)
{
	struct evh_ctx *ctx = hand->ctx;

	hand->results[at] = EVH_FAIL;
	/* When even that is out of memory, the event has its FAIL. */
	(void)ctx->set_error(ctx, hand->evs[at],
			     *hand->failure->sqlstate ? hand->failure->sqlstate
						      : "too_large",
			     "%s", hand->failure->text);
}

static enum halving
range_stop(struct write_batch *hand, enum write_outcome outcome)
{
	hand->outcome = outcome;
	return HALVING_STOPPED;
}

enum halving
range_end(struct write_batch *hand, int rc)
{
	switch (rc) {
	case -EREMOTEIO:
		if (hand->failure->policy == SQLSTATE_ROW)
			return HALVING_BAD;
		return range_stop(hand, WRITE_BATCH_REFUSED);
	case -EMSGSIZE: /* too much for one message: half of it may do */
		return HALVING_BAD;
	case -ENOMEM:
		return range_stop(hand, WRITE_BATCH_REFUSED);
	default:
		return range_stop(hand, WRITE_BATCH_LOST);
	}
}

enum halving
range_try(struct write_batch *hand, size_t at, size_t n)
{
	int rc = rounds_run(hand, at, n, ROWS_WHOLE);

	/* A failed event that is refused once more would be kept by nobody:
	 * its bytes as bytes are always taken. */
	if (rc == -EREMOTEIO && hand->failure->policy == SQLSTATE_ROW &&
	    n == 1 && hand->evs[at]->status == EVH_FAILED)
		rc = rounds_run(hand, at, n, ROWS_RAW);
	if (rc < 0)
		return range_end(hand, rc);
	range_settle(hand, at, n);
	return HALVING_DONE;
}

/* ---- Two statements ------------------------------------------------------ */

static int
command_run(struct write_batch *hand, const char *sql,
	    struct failure *ret_failure)
{
	return connection_run(hand->connection, sql, hand->deadline, NULL,
			      ret_failure);
}

int
range_begin(struct write_batch *hand)
{
	size_t i;

	hand->n_rows = 0;
	for (i = 0; i < hand->n; i++)
		hand->n_rows += !hand->results[i];
	hand->began_ns = clock_ns();
	return command_run(hand, "BEGIN", hand->failure);
}

void
range_mark(struct write_batch *hand, size_t at)
{
	hand->results[at] = EVH_OK;
}

static int
unmarked_write(struct write_batch *hand)
{
	const uint32_t *positions;
	size_t n;
	int rc;

	if (!range_plan(hand, 0, hand->n, &positions, &n)) {
		/* All is marked: of ids that come once there is one round. */
		assert(n == 0);
		return 0;
	}
	rc = range_build(hand, 0, positions, n, ROWS_WHOLE);
	if (rc == 0)
		rc = range_attempt(hand, RANGE_STATEMENT, NULL);
	return rc;
}

/* What was refused the upsert finds out, and its word counts. */
static enum halving
roll_back(struct write_batch *hand)
{
	struct failure failure;
	int rc = command_run(hand, "ROLLBACK", &failure);

	if (rc < 0) {
		*hand->failure = failure;
		return range_stop(hand, WRITE_BATCH_LOST);
	}
	rc = way_clear(hand);
	return rc < 0 && rc != -EREMOTEIO ? range_end(hand, rc) : HALVING_BAD;
}

enum halving
range_finish(struct write_batch *hand, int rc)
{
	if (rc == 0)
		rc = unmarked_write(hand);
	if (rc == 0)
		rc = command_run(hand, "COMMIT", hand->failure);
	memset(hand->results, 0, hand->n * sizeof(*hand->results));
	if (rc == -EREMOTEIO || rc == -EMSGSIZE || rc == -ENOMEM)
		return roll_back(hand);
	if (rc < 0)
		return range_end(hand, rc);

	range_committed(hand, hand->began_ns);
	hand->ctx->record(hand->batch_rows, (int64_t)hand->n_rows);
	range_settle(hand, 0, hand->n);
	return HALVING_DONE;
}
