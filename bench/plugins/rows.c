/*
 * rows.c - a sink that builds the rows of an upsert as pg_store does, and
 * sends them nowhere: what a row costs before any server.
 */
#include <errno.h>
#include <stdlib.h>

#include "batch.h"
#include "rows.h"

#define BATCH_MAX 5000

struct sink {
	struct evh_ctx *ctx;
	struct batch batch;
	struct rows rows;
};

static int
sink_create(struct evh_ctx *ctx, void **ret_self)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (batch_init(&s->batch, BATCH_MAX) < 0) {
		free(s);
		return -ENOMEM;
	}
	s->ctx = ctx;
	rows_init(&s->rows);
	*ret_self = s;
	return 0;
}

static void
sink_destroy(void *self)
{
	struct sink *s = self;

	rows_fini(&s->rows);
	batch_fini(&s->batch);
	free(s);
}

static int
sink_submit(void *self, struct evh_event *const *evs, int n)
{
	struct sink *s = self;
	const uint32_t *positions;

	if (n > BATCH_MAX)
		n = BATCH_MAX;
	batch_plan(&s->batch, evs, NULL, (size_t)n);
	for (size_t round = 0; round < s->batch.n_rounds; round++) {
		size_t k = batch_round(&s->batch, round, &positions);

		if (rows_build(&s->rows, evs, positions, k, ROWS_WHOLE) < 0)
			return -ENOMEM;
	}
	s->ctx->done(s->ctx, evs, n, EVH_OK);
	return n;
}

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,       .kind = EVH_SINK,
	.threads = EVH_SERIAL, .name = "rows",
	.version = "1",	       .summary = "builds rows and sends them nowhere",
	.create = sink_create, .destroy = sink_destroy,
	.submit = sink_submit,
};
