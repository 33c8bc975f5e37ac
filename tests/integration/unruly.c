/*
 * unruly.c - a handler that crashes the process at events whose name's last
 * word is "crash", does not return from those with "hang", and takes a while
 * for the others, for those with "slow" a longer one.
 */
#include <evh/plugin.h>

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <string.h>

static int
unruly_create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ctx;
	return 0;
}

/* Until that file is there, if one is named; two seconds at least. */
static void
hang(const char *until)
{
	const struct timespec at_least = { 2, 0 };

	nanosleep(&at_least, NULL);
	while (!*until || access(until, F_OK) != 0)
		nanosleep(&at_least, NULL);
}

static enum evh_result
unruly_process(void *self, struct evh_event *ev)
{
	struct evh_ctx *ctx = self;
	const char *dot = strrchr(ev->name, '.');
	const char *word = dot ? dot + 1 : ev->name;
	const struct timespec work = { 0, strcmp(word, "slow") == 0 ? 50000000
								    : 5000000 };

	if (strcmp(word, "crash") == 0) {
		/* Under a sanitizer, too. */
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	if (strcmp(word, "hang") == 0)
		hang(ctx->opt_str(ctx, "until"));
	nanosleep(&work, NULL);
	return EVH_OK;
}

static const struct evh_option unruly_options[] = {
	{ .name = "until",
	  .type = EVH_STR,
	  .def = "",
	  .help = "what hangs returns when this file is there" },
	{ 0 },
};

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "unruly",
	.version = "1",
	.summary = "crashes and hangs at events of these names",
	.options = unruly_options,
	.create = unruly_create,
	.process = unruly_process,
};
