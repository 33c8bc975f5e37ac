/*
 * drain.c - the sink that keeps nothing: answers OK within submit().
 */
#include <evh/plugin.h>

static int
drain_create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ctx;
	return 0;
}

static int
drain_submit(void *self, struct evh_event *const *evs, int n)
{
	struct evh_ctx *ctx = self;

	ctx->done(ctx, evs, n, EVH_OK);
	return n;
}

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,	 .kind = EVH_SINK,
	.threads = EVH_PARALLEL, .name = "drain",
	.version = "1",		 .summary = "takes everything, keeps nothing",
	.create = drain_create,	 .submit = drain_submit,
};
