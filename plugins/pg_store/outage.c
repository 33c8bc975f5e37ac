#include "outage.h"

#include "clock.h"

#include <stdio.h>
#include <string.h>

#define FIRST_MS 100
#define LAST_MS	 10000
#define CALM_MS	 30000

void
outage_init(struct outage *outage, struct evh_ctx *ctx)
{
	*outage = (struct outage){ .ctx = ctx };
	backoff_init(&outage->backoff, FIRST_MS, LAST_MS);
}

void
outage_note(struct outage *outage, const struct failure *failure,
	    bool by_statement)
{
	struct evh_ctx *ctx = outage->ctx;

	if (!outage->on) {
		outage->on = true;
		outage->since = clock_ns();
		outage->reason[0] = '\0';
		/* A server that comes for a moment and goes again is asked
		 * less and less often. */
		if (outage->since - outage->connected > CALM_MS * NS_PER_MS)
			backoff_reset(&outage->backoff);
	}
	outage->by_statement = by_statement;

	if (strcmp(outage->reason, failure->text)) {
		snprintf(outage->reason, sizeof(outage->reason), "%s",
			 failure->text);
		/* What mends by itself is told by ready(). */
		if (failure->policy == SQLSTATE_CONFIG)
			ctx->log(ctx, EVH_ERROR, "%s%s%s", failure->text,
				 failure->sqlstate[0] ? "; SQLSTATE " : "",
				 failure->sqlstate);
	}
	ctx->ready(ctx, outage->reason);
}

static void
outage_end(struct outage *outage)
{
	struct evh_ctx *ctx = outage->ctx;
	int64_t ms = (clock_ns() - outage->since) / NS_PER_MS;

	outage->on = false;
	ctx->log(ctx, EVH_INFO, "PostgreSQL is there after %lld.%03lld s",
		 (long long)(ms / 1000), (long long)(ms % 1000));
}

void
outage_connected(struct outage *outage)
{
	outage->connected = clock_ns();
	if (outage->on && !outage->by_statement)
		outage_end(outage);
	outage->ctx->ready(outage->ctx, NULL);
}

void
outage_committed(struct outage *outage)
{
	backoff_reset(&outage->backoff);
	if (outage->on)
		outage_end(outage);
}
