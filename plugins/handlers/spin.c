/*
 * spin.c - stands in for CPU-bound work: keeps a worker busy for a number of
 * rounds, or for a length of processor time.
 */
#include <evh/plugin.h>

#include <errno.h>
#include <stdlib.h>

#include "clock.h"

/* So many rounds between two looks at the clock, about a microsecond. */
#define ROUNDS_A_LOOK 1000

struct spin {
	int64_t rounds;
	int64_t time_ns; /* 0: by rounds */
};

static int
spin_create(struct evh_ctx *ctx, void **ret_self)
{
	struct spin *spin = calloc(1, sizeof(*spin));

	if (!spin)
		return -ENOMEM;
	spin->rounds = ctx->opt_int(ctx, "rounds");
	spin->time_ns = ctx->opt_int(ctx, "time") * NS_PER_MS;
	*ret_self = spin;
	return 0;
}

/*
 * Each square needs the one before, and the last one is kept: no compiler can
 * leave any out or do several at once.
 */
static uint64_t
squares(uint64_t x, int64_t rounds)
{
	for (int64_t i = 0; i < rounds; i++)
		x = x * x + (uint64_t)i;
	return x;
}

/* Of this thread's own processor time: the same work on a busy machine. */
static int64_t
busy_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static enum evh_result
spin_process(void *self, struct evh_event *ev)
{
	const struct spin *spin = self;
	volatile uint64_t kept = ev->id[15];
	int64_t until_ns;

	if (spin->time_ns == 0) {
		kept = squares(kept, spin->rounds);
		return EVH_OK;
	}
	until_ns = busy_ns() + spin->time_ns;
	while (busy_ns() < until_ns)
		kept = squares(kept, ROUNDS_A_LOOK);
	return EVH_OK;
}

static void
spin_destroy(void *self)
{
	free(self);
}

static const struct evh_option spin_options[] = {
	{ .name = "rounds",
	  .type = EVH_INT,
	  .def = "1000000",
	  .values = "1..10000000000",
	  .help = "squares that an event takes" },
	{ .name = "time",
	  .type = EVH_MSEC,
	  .def = "0",
	  .values = "0..1m",
	  .help = "processor time that it takes, instead of rounds" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "spin",
	.version = EVH_VERSION,
	.summary = "stands in for CPU-bound work of a given length",
	.options = spin_options,
	.create = spin_create,
	.destroy = spin_destroy,
	.process = spin_process,
};
