/*
 * noop.c - the handler that does nothing: what the host itself costs.
 */
#include <evh/plugin.h>

static int
noop_create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ctx;
	return 0;
}

static enum evh_result
noop_process(void *self, struct evh_event *ev)
{
	(void)self;
	(void)ev;
	return EVH_OK;
}

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,	 .kind = EVH_HANDLER,
	.threads = EVH_PARALLEL, .name = "noop",
	.version = "1",		 .summary = "does nothing",
	.create = noop_create,	 .process = noop_process,
};
