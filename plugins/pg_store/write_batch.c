#include "write_batch.h"

#include "deadline.h"
#include "halving.h"
#include "writer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define AGAIN_FIRST_MS 10
#define AGAIN_LAST_MS  1000

struct attempt {
	struct writer *writer;
	enum write_batch outcome; /* when a try was stopped */
};

static int
statement_run(struct writer *writer)
{
	struct evh_ctx *ctx = writer->ctx;
	int64_t start = deadline_now();
	int rc = connection_execute(&writer->connection, WRITE_BATCH_STATEMENT,
				    &writer->rows.params, writer->deadline,
				    NULL, &writer->failure);

	if (rc == 0)
		ctx->record(writer->commit_seconds, deadline_now() - start);
	return rc;
}

/* The same statement, as long as it is only in somebody's way.  Deadlocks and
 * lock timeouts end; the deadline ends it where they do not. */
static int
statement_run_again(struct writer *writer)
{
	struct pollfd fd = { .fd = writer->cancel_fd, .events = POLLIN };
	struct backoff backoff;
	int64_t until;
	int rc;

	backoff_init(&backoff, AGAIN_FIRST_MS, AGAIN_LAST_MS);
	for (;;) {
		rc = statement_run(writer);
		if (rc != -EREMOTEIO ||
		    writer->failure.policy != SQLSTATE_AGAIN)
			return rc;

		until = deadline_min(deadline_in(backoff_next(&backoff)),
				     writer->deadline);
		if (poll(&fd, 1, deadline_left_ms(until)) > 0)
			return -ECANCELED;
		if (deadline_over(writer->deadline))
			return -ETIMEDOUT;
	}
}

/* The rounds of evs[at..at+n), one statement each.  A round that is repeated
 * after a later one has failed changes nothing. */
static int
rounds_run(struct writer *writer, size_t at, size_t n, bool as_raw)
{
	struct evh_event **evs = writer->evs + at;
	const uint32_t *positions;
	size_t round, n_rows;
	int rc;

	batch_plan(&writer->batch, evs, n);
	for (round = 0; round < writer->batch.n_rounds; round++) {
		n_rows = batch_round(&writer->batch, round, &positions);
		rc = rows_build(&writer->rows, evs, positions, n_rows, as_raw);
		if (rc < 0) {
			failure_set(&writer->failure,
				    "%zu rows cannot be put together: %s",
				    n_rows, strerror(-rc));
			return rc;
		}
		rc = statement_run_again(writer);
		if (rc < 0)
			return rc;
		writer->ctx->record(writer->batch_rows, (int64_t)n_rows);
	}
	return 0;
}

static void
range_settle(struct writer *writer, size_t at, size_t n)
{
	struct evh_ctx *ctx = writer->ctx;
	int64_t counts[EVH_DROPPED + 1] = { 0 };
	unsigned s;
	size_t i;

	for (i = at; i < at + n; i++) {
		writer->results[i] = EVH_OK;
		if (writer->evs[i]->status <= EVH_DROPPED)
			counts[writer->evs[i]->status]++;
	}
	for (s = EVH_PENDING; s <= EVH_DROPPED; s++)
		if (counts[s])
			ctx->record(writer->rows_by_status[s], counts[s]);
}

static enum halving
range_stop(struct attempt *attempt, enum write_batch outcome)
{
	attempt->outcome = outcome;
	return HALVING_STOPPED;
}

static enum halving
range_try(void *arg, size_t at, size_t n)
{
	struct attempt *attempt = arg;
	struct writer *writer = attempt->writer;
	int rc = rounds_run(writer, at, n, false);

	/* A failed event that is refused once more would be kept by nobody:
	 * its bytes as bytes are always taken. */
	if (rc == -EREMOTEIO && writer->failure.policy == SQLSTATE_ROW &&
	    n == 1 && writer->evs[at]->status == EVH_FAILED)
		rc = rounds_run(writer, at, n, true);

	switch (rc) {
	case 0:
		range_settle(writer, at, n);
		return HALVING_DONE;
	case -EREMOTEIO:
		if (writer->failure.policy == SQLSTATE_ROW)
			return HALVING_BAD;
		return range_stop(attempt, WRITE_BATCH_REFUSED);
	case -EMSGSIZE: /* too much for one message: half of it may do */
		return HALVING_BAD;
	case -ENOMEM:
		return range_stop(attempt, WRITE_BATCH_REFUSED);
	default:
		return range_stop(attempt, WRITE_BATCH_LOST);
	}
}

static void
culprit_note(void *arg, size_t at)
{
	struct attempt *attempt = arg;
	struct writer *writer = attempt->writer;
	struct evh_ctx *ctx = writer->ctx;

	writer->results[at] = EVH_FAIL;
	/* When even that is out of memory, the event has its FAIL. */
	(void)ctx->set_error(ctx, writer->evs[at],
			     *writer->failure.sqlstate
				     ? writer->failure.sqlstate
				     : "too_large",
			     "%s", writer->failure.text);
}

enum write_batch
write_batch(struct writer *writer)
{
	static const struct halving_ops ops = { .try = range_try,
						.bad = culprit_note };
	struct attempt attempt = { .writer = writer };
	unsigned splits = 0;
	size_t settled;

	memset(writer->results, 0, writer->n * sizeof(*writer->results));
	settled = halving_run(&ops, &attempt, writer->n, &splits);
	if (splits)
		writer->ctx->record(writer->bisections, splits);
	return settled == writer->n ? WRITE_BATCH_DONE : attempt.outcome;
}

void
write_batch_answer(struct writer *writer)
{
	struct evh_ctx *ctx = writer->ctx;
	size_t start = 0, i;

	for (i = 0; i < writer->n; i++)
		if (!writer->results[i])
			writer->results[i] = EVH_RETRY;

	for (i = 1; i <= writer->n; i++) {
		if (i < writer->n &&
		    writer->results[i] == writer->results[start])
			continue;
		ctx->done(ctx, writer->evs + start, (int)(i - start),
			  writer->results[start]);
		start = i;
	}
}
