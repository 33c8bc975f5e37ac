/*
 * unruly.c - a handler that crashes the process at events named "crash", never
 * returns from those named "hang", and takes a while for the others, for those
 * named "slow" a longer one.
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

static enum evh_result
unruly_process(void *self, struct evh_event *ev)
{
	const struct timespec work = { 0, strcmp(ev->name, "slow") == 0
						  ? 50000000
						  : 5000000 };

	(void)self;
	if (strcmp(ev->name, "crash") == 0) {
		/* Under a sanitizer, too. */
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
	}
	while (strcmp(ev->name, "hang") == 0)
		pause();
	nanosleep(&work, NULL);
	return EVH_OK;
}

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "unruly",
	.version = "1",
	.summary = "crashes and hangs at events of these names",
	.create = unruly_create,
	.process = unruly_process,
};
