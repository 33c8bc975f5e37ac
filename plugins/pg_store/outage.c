#include "outage.h"

#include "clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIRST_MS 100
#define LAST_MS	 10000
#define CALM_MS	 30000
/* Strewn, and longer than LAST_MS is: each who waits has tried by then. */
#define VAIN_MS 20000

void
outage_init(struct outage *outage, struct evh_ctx *ctx, unsigned n)
{
	*outage = (struct outage){
		.ctx = ctx,
		.n_closed = n,
		.incomplete = clock_ns(),
	};
	backoff_init(&outage->patiences, VAIN_MS, VAIN_MS);
	outage->patience_ms = backoff_next(&outage->patiences);
	pthread_mutex_init(&outage->lock, NULL);
}

void
outage_fini(struct outage *outage)
{
	pthread_mutex_destroy(&outage->lock);
}

void
standing_init(struct standing *standing, struct outage *outage)
{
	*standing = (struct standing){ .outage = outage, .is_closed = true };
	backoff_init(&standing->backoff, FIRST_MS, LAST_MS);
}

/* ---- Under the lock ------------------------------------------------------ */

static void
away(struct standing *standing)
{
	struct outage *outage = standing->outage;
	int64_t now = clock_ns();

	standing->is_away = true;
	/* A server that comes for a moment and goes again is asked less and
	 * less often. */
	if (now - standing->connected > CALM_MS * NS_PER_MS)
		backoff_reset(&standing->backoff);
	if (outage->n_away++ > 0)
		return;
	outage->since = now;
	outage->reason[0] = '\0';
}

static void
back(struct standing *standing)
{
	struct outage *outage = standing->outage;
	struct evh_ctx *ctx = outage->ctx;
	int64_t ms = (clock_ns() - outage->since) / NS_PER_MS;

	standing->is_away = false;
	standing->by_statement = false;
	assert(outage->n_away > 0);
	if (--outage->n_away == 0)
		ctx->log(ctx, EVH_INFO,
			 "PostgreSQL is there after %lld.%03lld s",
			 (long long)(ms / 1000), (long long)(ms % 1000));
}

static void
closed(struct standing *standing)
{
	struct outage *outage = standing->outage;

	if (standing->is_closed)
		return;
	standing->is_closed = true;
	if (outage->n_closed++ > 0)
		return;
	outage->incomplete = clock_ns();
	outage->patience_ms = backoff_next(&outage->patiences);
}

static void
reason_take(struct outage *outage, const struct failure *failure)
{
	struct evh_ctx *ctx = outage->ctx;

	if (strcmp(outage->reason, failure->text) == 0)
		return;
	snprintf(outage->reason, sizeof(outage->reason), "%s", failure->text);
	/* What mends by itself is told by ready(). */
	if (failure->policy == SQLSTATE_CONFIG)
		ctx->log(ctx, EVH_ERROR, "%s%s%s", failure->text,
			 failure->sqlstate[0] ? "; SQLSTATE " : "",
			 failure->sqlstate);
}

/* ---- What a writer says ---------------------------------------------------
 */

void
standing_lost(struct standing *standing, const struct failure *failure,
	      bool by_statement)
{
	struct outage *outage = standing->outage;

	pthread_mutex_lock(&outage->lock);
	if (!standing->is_away)
		away(standing);
	standing->by_statement = by_statement;
	closed(standing);
	reason_take(outage, failure);
	outage->ctx->ready(outage->ctx, outage->reason);
	pthread_mutex_unlock(&outage->lock);
}

void
standing_connected(struct standing *standing)
{
	struct outage *outage = standing->outage;

	standing->connected = clock_ns();
	pthread_mutex_lock(&outage->lock);
	if (standing->is_away && !standing->by_statement)
		back(standing);
	if (standing->is_closed) {
		standing->is_closed = false;
		outage->n_closed--;
	}
	if (outage->n_closed == 0)
		outage->ctx->ready(outage->ctx, NULL);
	pthread_mutex_unlock(&outage->lock);
}

void
standing_committed(struct standing *standing)
{
	struct outage *outage = standing->outage;

	backoff_reset(&standing->backoff);
	if (!standing->is_away)
		return;
	pthread_mutex_lock(&outage->lock);
	back(standing);
	pthread_mutex_unlock(&outage->lock);
}

bool
standing_yields(struct standing *standing)
{
	struct outage *outage = standing->outage;
	int64_t since;
	bool yields;

	pthread_mutex_lock(&outage->lock);
	since = outage->incomplete > standing->connected ? outage->incomplete
							 : standing->connected;
	yields = outage->n_closed > 0 &&
		 clock_ns() - since > outage->patience_ms * NS_PER_MS;
	if (yields) {
		if (!standing->is_away)
			away(standing);
		closed(standing);
	}
	pthread_mutex_unlock(&outage->lock);
	return yields;
}
