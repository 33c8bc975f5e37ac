/*
 * log.c - says in the log what passes: id, name and attempt, never the data.
 */
#include <evh/plugin.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct passing {
	struct evh_ctx *ctx;
	enum evh_level level;
};

static enum evh_level
level_of(const char *word)
{
	static const char *const words[] = {
		[EVH_DEBUG] = "debug", [EVH_INFO] = "info", [EVH_WARN] = "warn"
	};

	for (enum evh_level level = EVH_DEBUG; level <= EVH_WARN; level++)
		if (strcmp(word, words[level]) == 0)
			return level;
	return EVH_ERROR;
}

static int
log_create(struct evh_ctx *ctx, void **ret_self)
{
	struct passing *passing = calloc(1, sizeof(*passing));

	if (!passing)
		return -ENOMEM;
	passing->ctx = ctx;
	passing->level = level_of(ctx->opt_str(ctx, "level"));
	*ret_self = passing;
	return 0;
}

static enum evh_result
log_process(void *self, struct evh_event *ev)
{
	struct passing *passing = self;

	/* The host adds id, place and the attempt at this element. */
	passing->ctx->log(passing->ctx, passing->level,
			  "%s passes, tried %u times before", ev->name,
			  ev->attempts > 0 ? ev->attempts - 1 : 0);
	return EVH_OK;
}

static void
log_destroy(void *self)
{
	free(self);
}

static const struct evh_option log_options[] = {
	{ .name = "level",
	  .type = EVH_STR,
	  .def = "info",
	  .values = "debug|info|warn|error",
	  .help = "how important these lines are" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "log",
	.version = EVH_VERSION,
	.summary = "says in the log what passes, never the data",
	.options = log_options,
	.create = log_create,
	.destroy = log_destroy,
	.process = log_process,
};
