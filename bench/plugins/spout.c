/*
 * spout.c - the source that does nothing: events out of one piece of memory,
 * for what the host itself costs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"

#define NAMES_MAX 64

struct spout {
	struct feed feed;
	size_t size;
	char *data;
	int64_t n_names;
	char names[NAMES_MAX][16]; /* n0, n1 and so on, by turns */
};

static void
spout_release(void *arg)
{
	(void)arg; /* the memory is everybody's, and stays */
}

static int
spout_spec(void *self, int64_t i, struct evh_spec *ret)
{
	struct spout *s = self;

	*ret = (struct evh_spec){
		.name = s->names[i % s->n_names],
		.data = { s->data, s->size },
		.status = EVH_PROCESSED,
		.topic = "spout",
		.partition = (int32_t)(i & 3),
		.offset = i,
		.release = spout_release,
	};
	return 0;
}

static int
spout_create(struct evh_ctx *ctx, void **ret_self)
{
	struct spout *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->size = (size_t)ctx->opt_int(ctx, "size");
	s->data = malloc(s->size);
	if (!s->data)
		goto fail_data;
	memset(s->data, ' ', s->size);
	s->n_names = ctx->opt_int(ctx, "names");
	for (int64_t i = 0; i < s->n_names; i++)
		snprintf(s->names[i], sizeof(s->names[i]), "n%d", (int)i);
	rc = feed_init(&s->feed, ctx);
	if (rc < 0)
		goto fail_feed;
	s->feed.spec = spout_spec;
	s->feed.self = s;
	*ret_self = s;
	return 0;

fail_feed:
	free(s->data);
fail_data:
	free(s);
	return rc;
}

static int
spout_start(void *self)
{
	struct spout *s = self;

	return feed_start(&s->feed);
}

static void
spout_done(void *self, struct evh_event *const *evs, int n,
	   enum evh_result result)
{
	struct spout *s = self;

	(void)evs;
	(void)result;
	feed_done(&s->feed, n);
}

static void
spout_stop(void *self, int timeout_ms)
{
	struct spout *s = self;

	(void)timeout_ms;
	feed_stop(&s->feed);
}

static void
spout_destroy(void *self)
{
	struct spout *s = self;

	feed_fini(&s->feed);
	free(s->data);
	free(s);
}

static const struct evh_option options[] = {
	FEED_OPTIONS,
	{ .name = "names",
	  .type = EVH_INT,
	  .def = "1",
	  .values = "1..64",
	  .help = "different names, for pipelines to match" },
	{ .name = "size",
	  .type = EVH_SIZE,
	  .def = "200",
	  .values = "1..1048576",
	  .help = "bytes of each event's data" },
	{ 0 },
};

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,	  .kind = EVH_SOURCE,
	.threads = EVH_PARALLEL,  .name = "spout",
	.version = "1",		  .summary = "emits events that are nothing",
	.options = options,	  .create = spout_create,
	.start = spout_start,	  .stop = spout_stop,
	.destroy = spout_destroy, .done = spout_done,
};
