#include "write_batch.h"

#include "copy.h"
#include "look.h"
#include "range.h"
#include "sieve.h"
#include "status.h"
#include "update.h"
#include "upsert.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
metrics_make(struct write_batch *hand)
{
	struct evh_ctx *ctx = hand->ctx;
	char labels[32];
	unsigned s;

	hand->commit_seconds =
		ctx->metric(ctx, EVH_HISTOGRAM, "store_commit_seconds", NULL,
			    "from sending a batch's rows to their commit");
	hand->batch_rows = ctx->metric(ctx, EVH_HISTOGRAM, "store_batch_rows",
				       NULL, "rows in a transaction");
	hand->bisections =
		ctx->metric(ctx, EVH_COUNTER, "store_bisections", NULL,
			    "how often a batch or a part of one was taken "
			    "apart for a bad row");
	for (s = EVH_PENDING; s <= EVH_DROPPED; s++) {
		snprintf(labels, sizeof(labels), "status=%s",
			 status_word((enum evh_status)s));
		hand->rows_by_status[s] = ctx->metric(
			ctx, EVH_COUNTER, "store_rows", labels,
			"events that the table has, by the status they came "
			"with");
	}
}

int
write_batch_init(struct write_batch *hand, struct evh_ctx *ctx,
		 struct connection *connection, struct failure *failure,
		 size_t max)
{
	int rc;

	*hand = (struct write_batch){
		.ctx = ctx,
		.connection = connection,
		.failure = failure,
		.evs = calloc(max, sizeof(*hand->evs)),
		.results = calloc(max, sizeof(*hand->results)),
		.is_there = calloc(max, sizeof(*hand->is_there)),
	};
	rows_init(&hand->rows);
	rc = batch_init(&hand->batch, max);
	if (rc < 0 || !hand->evs || !hand->results || !hand->is_there) {
		write_batch_fini(hand);
		return -ENOMEM;
	}
	metrics_make(hand);
	return 0;
}

void
write_batch_fini(struct write_batch *hand)
{
	rows_fini(&hand->rows);
	fields_fini(&hand->copy);
	batch_fini(&hand->batch);
	free(hand->evs);
	free(hand->results);
	free(hand->is_there);
}

static int
prepare(struct write_batch *hand, const char *name, const char *sql,
	enum rows_part part, int64_t deadline)
{
	int rc = range_build(hand, 0, NULL, 0, part);

	if (rc < 0)
		return rc;
	return connection_prepare(hand->connection, name, sql,
				  &hand->rows.params, deadline, hand->failure);
}

int
write_batch_prepare(struct write_batch *hand, int64_t deadline)
{
	int rc;

	hand->sieve = WRITE_SIEVE_UNKNOWN;
	rc = prepare(hand, LOOK_STATEMENT, upsert_look_sql, ROWS_ID, deadline);
	if (rc < 0)
		return rc;
	rc = prepare(hand, UPDATE_STATEMENT, upsert_update_sql, ROWS_OUTCOME,
		     deadline);
	if (rc < 0)
		return rc;
	rc = prepare(hand, RANGE_STATEMENT, upsert_sql, ROWS_WHOLE, deadline);
	if (rc < 0)
		return rc;
	return connection_execute(hand->connection, RANGE_STATEMENT,
				  &hand->rows.params, deadline, NULL,
				  hand->failure);
}

static enum halving
halving_try(void *arg, size_t at, size_t n)
{
	struct write_batch *hand = arg;
	enum halving halving;

	halving = range_try(hand, at, n);
	if (halving != HALVING_BAD || n == 1)
		return halving;
	return sieve_run(hand, at, n);
}

static void
halving_bad(void *arg, size_t at)
{
	range_fail(arg, at);
}

enum write_outcome
write_batch_run(struct write_batch *hand)
{
	static const struct halving_ops ops = { .try = halving_try,
						.bad = halving_bad };
	unsigned splits = 0;
	size_t settled;

	memset(hand->results, 0, hand->n * sizeof(*hand->results));
	memset(hand->is_there, 0, hand->n * sizeof(*hand->is_there));
	hand->is_halving = false;
	hand->outcome = WRITE_BATCH_DONE;
	if (copy_run(hand) != HALVING_BAD || update_run(hand) != HALVING_BAD)
		return hand->outcome;
	/* What was seen to be settled is asked for once more. */
	memset(hand->results, 0, hand->n * sizeof(*hand->results));
	settled = halving_run(&ops, hand, hand->n, &splits);
	assert(settled == hand->n || hand->outcome != WRITE_BATCH_DONE);
	if (splits)
		hand->ctx->record(hand->bisections, splits);
	return hand->outcome;
}

void
write_batch_answer(struct write_batch *hand)
{
	struct evh_ctx *ctx = hand->ctx;
	size_t start = 0, i;

	for (i = 0; i < hand->n && hand->results[i]; i++)
		;
	for (; i < hand->n; i++)
		hand->results[i] = EVH_RETRY;

	for (i = 1; i <= hand->n; i++) {
		if (i < hand->n && hand->results[i] == hand->results[start])
			continue;
		ctx->done(ctx, hand->evs + start, (int)(i - start),
			  hand->results[start]);
		start = i;
	}
}
