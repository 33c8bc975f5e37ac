/* welcome.c - greets new users; what a handler looks like. */
#include <evh/plugin.h>

static int
welcome_create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ctx; /* all that it needs to remember */
	return 0;
}

static enum evh_result
welcome_process(void *self, struct evh_event *ev)
{
	struct evh_ctx *ctx = self;
	const char *text = ctx->opt_str(ctx, "text");

	if (ev->data.len <= 2) { /* {} */
		ctx->set_error(ctx, ev, "empty", "nobody to greet");
		return EVH_FAIL; /* off to the pipeline's on_fail */
	}
	if (ctx->set_header(ctx, ev, "greeting", text) < 0)
		return EVH_RETRY; /* no memory: again later */
	return EVH_OK;
}

static const struct evh_option welcome_options[] = {
	{ .name = "text", .type = EVH_STR, .def = "Hi", .help = "a greeting" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "welcome",
	.version = "1.0",
	.summary = "greets new users",
	.options = welcome_options,
	.create = welcome_create,
	.process = welcome_process,
};
