#include "feed.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int
feed_init(struct feed *feed, struct evh_ctx *ctx)
{
	int rc;

	feed->ctx = ctx;
	feed->count = ctx->opt_int(ctx, "count");
	feed->ahead = ctx->opt_int(ctx, "ahead");
	feed->batch = (int)ctx->opt_int(ctx, "batch");
	if (feed->ahead < feed->batch)
		feed->ahead = feed->batch;
	rc = pthread_mutex_init(&feed->lock, NULL);
	if (rc != 0)
		return -rc;
	rc = pthread_cond_init(&feed->changed, NULL);
	if (rc != 0)
		pthread_mutex_destroy(&feed->lock);
	return -rc;
}

void
feed_fini(struct feed *feed)
{
	pthread_cond_destroy(&feed->changed);
	pthread_mutex_destroy(&feed->lock);
}

/* Until at most `most` events are under way.  True when there is to be more. */
static bool
await_room(struct feed *feed, int64_t n_emitted, int64_t most)
{
	if (n_emitted - atomic_load(&feed->n_done) <= most)
		return !atomic_load(&feed->stops);

	pthread_mutex_lock(&feed->lock);
	while (!atomic_load(&feed->stops) &&
	       n_emitted - atomic_load(&feed->n_done) > most)
		pthread_cond_wait(&feed->changed, &feed->lock);
	pthread_mutex_unlock(&feed->lock);
	return !atomic_load(&feed->stops);
}

void
feed_done(struct feed *feed, int n)
{
	atomic_fetch_add(&feed->n_done, n);
	pthread_mutex_lock(&feed->lock);
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
}

/* All of them, however many emit() takes at a time.  False: it is over. */
static bool
emit_all(struct feed *feed, struct evh_event *const *evs, int n)
{
	struct evh_ctx *ctx = feed->ctx;
	int taken = 0;

	while (taken < n) {
		int k = ctx->emit(ctx, evs + taken, n - taken, 1000);

		if (k < 0 && k != -EAGAIN) {
			ctx->event_free(ctx, evs + taken, n - taken);
			return false;
		}
		taken += k > 0 ? k : 0;
	}
	return true;
}

/* Makes and emits events from number i on; how many, or negative. */
static int
feed_once(struct feed *feed, int64_t i)
{
	struct evh_ctx *ctx = feed->ctx;
	struct evh_event *evs[FEED_BATCH_MAX];
	int n = feed->batch;
	int k;

	if (feed->count > 0 && feed->count - i < n)
		n = (int)(feed->count - i);
	for (k = 0; k < n; k++) {
		struct evh_spec spec = { 0 };

		if (feed->spec(feed->self, i + k, &spec) < 0)
			break;
		evs[k] = ctx->event_new(ctx, &spec, NULL);
		if (!evs[k])
			break;
	}
	if (k < n) {
		ctx->event_free(ctx, evs, k);
		return -ENOMEM;
	}
	return emit_all(feed, evs, n) ? n : -ESHUTDOWN;
}

static void *
feed_main(void *arg)
{
	struct feed *feed = arg;
	int64_t begin_ns = now_ns(CLOCK_MONOTONIC);
	int64_t begin_cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	int64_t i = 0;

	while ((!feed->count || i < feed->count) &&
	       await_room(feed, i, feed->ahead - feed->batch)) {
		int n = feed_once(feed, i);

		if (n < 0)
			return NULL;
		i += n;
	}
	if (!await_room(feed, i, 0))
		return NULL;

	printf("events %lld wall_ns %.1f cpu_ns %.1f\n", (long long)i,
	       (double)(now_ns(CLOCK_MONOTONIC) - begin_ns) / (double)i,
	       (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu_ns) /
		       (double)i);
	fflush(stdout);
	kill(getpid(), SIGTERM);
	return NULL;
}

int
feed_start(struct feed *feed)
{
	return -pthread_create(&feed->thread, NULL, feed_main, feed);
}

void
feed_stop(struct feed *feed)
{
	atomic_store(&feed->stops, true);
	pthread_mutex_lock(&feed->lock);
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
	pthread_join(feed->thread, NULL);
}
