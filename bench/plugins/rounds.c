/*
 * rounds.c - a source that measures its pipeline: `count` events, `ahead` of
 * them under way at a time, and then evhd ends.
 *
 * With ahead = 1 the time of one is a round trip; with more, what one costs.
 */
#include <evh/plugin.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct rounds {
	struct evh_ctx *ctx;
	int64_t count, ahead, size;
	char *data;
	pthread_t thread;
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	int64_t n_done;
	bool stops;
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int
rounds_create(struct evh_ctx *ctx, void **ret_self)
{
	struct rounds *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->ctx = ctx;
	r->count = ctx->opt_int(ctx, "count");
	r->ahead = ctx->opt_int(ctx, "ahead");
	r->size = ctx->opt_int(ctx, "size");
	r->data = calloc(1, (size_t)r->size);
	if (!r->data) {
		free(r);
		return -ENOMEM;
	}
	memset(r->data, ' ', (size_t)r->size);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	*ret_self = r;
	return 0;
}

/* True when there is to be one more. */
static bool
wait_turn(struct rounds *r, int64_t n)
{
	bool stops;

	pthread_mutex_lock(&r->lock);
	while (!r->stops && n - r->n_done >= r->ahead)
		pthread_cond_wait(&r->changed, &r->lock);
	stops = r->stops;
	pthread_mutex_unlock(&r->lock);
	return !stops;
}

static bool
emit(struct rounds *r, int64_t n)
{
	struct evh_ctx *ctx = r->ctx;
	struct evh_spec spec = { .name = "round",
				 .data = { r->data, (size_t)r->size },
				 .key = { &n, sizeof(n) } };
	struct evh_event *ev = ctx->event_new(ctx, &spec, NULL);
	int k;

	if (!ev)
		return false;
	do {
		k = ctx->emit(ctx, &ev, 1, 1000);
	} while (k == 0 || k == -EAGAIN);
	if (k < 0)
		ctx->event_free(ctx, &ev, 1);
	return k == 1;
}

static void *
rounds_main(void *arg)
{
	struct rounds *r = arg;
	int64_t begin_ns = 0, took_ns;

	/* The first one waits until all is ready. */
	for (int64_t n = 0; n < r->count && wait_turn(r, n); n++) {
		if (!emit(r, n))
			return NULL;
		if (n == 0)
			begin_ns = now_ns();
	}
	r->ahead = 1;
	(void)wait_turn(r, r->count);
	took_ns = now_ns() - begin_ns;
	printf("%lld events, %.2f us each\n", (long long)r->count,
	       (double)took_ns / 1000 / (double)r->count);
	fflush(stdout);
	kill(getpid(), SIGTERM);
	return NULL;
}

static int
rounds_start(void *arg)
{
	struct rounds *r = arg;

	return -pthread_create(&r->thread, NULL, rounds_main, r);
}

static void
rounds_done(void *arg, struct evh_event *const *evs, int n,
	    enum evh_result result)
{
	struct rounds *r = arg;

	(void)evs;
	(void)result;
	pthread_mutex_lock(&r->lock);
	r->n_done += n;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void
rounds_stop(void *arg, int timeout_ms)
{
	struct rounds *r = arg;

	(void)timeout_ms;
	pthread_mutex_lock(&r->lock);
	r->stops = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
}

static void
rounds_destroy(void *arg)
{
	struct rounds *r = arg;

	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r->data);
	free(r);
}

static const struct evh_option options[] = {
	{ .name = "count", .type = EVH_INT, .def = "100000" },
	{ .name = "ahead", .type = EVH_INT, .def = "1" },
	{ .name = "size", .type = EVH_SIZE, .def = "200" },
	{ 0 },
};

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_SOURCE,
	.threads = EVH_PARALLEL,
	.name = "rounds",
	.version = "1",
	.summary = "measures its pipeline",
	.options = options,
	.create = rounds_create,
	.start = rounds_start,
	.stop = rounds_stop,
	.destroy = rounds_destroy,
	.done = rounds_done,
};
