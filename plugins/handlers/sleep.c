/*
 * sleep.c - stands in for I/O-bound work: each event takes a while.
 *
 * It shows how a handler waits without keeping a worker: process() says HOLD,
 * and a thread of the handler's own resumes the event when its time has come.
 * With `hold = no` the worker waits instead, as a handler does that calls a
 * blocking library; then `workers` bounds how many wait at once.
 *
 * All wait for the same time, so whoever came first is due first: a plain
 * queue, whose links lie in the events' own memory.
 */
#include <evh/plugin.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "clock.h"
#include "condition.h"

struct sleeper {
	struct sleeper *next;
	struct evh_event *ev;
	int64_t due_ns; /* monotonic */
};

struct sleeping {
	struct evh_ctx *ctx;
	int64_t time_ns;
	bool holds;
	pthread_t thread;

	/* guards: all below */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sleeper *first;
	struct sleeper **last_next;
	unsigned n_resuming;	/* taken off the queue, not yet resumed */
	unsigned n_flushes;	/* so far, and whom the last one let sleep */
	int64_t flush_until_ns; /* on: until then, monotonic */
	bool stops;
};

/* Under the lock: until somebody signals, or until due. */
static void
wait_until(struct sleeping *s, int64_t due_ns)
{
	(void)condition_wait(&s->changed, &s->lock, due_ns);
}

/* Takes all sleepers from *at on off the queue, which may be none. */
static struct sleeper *
queue_cut(struct sleeping *s, struct sleeper **at)
{
	struct sleeper *cut = *at;

	*at = NULL;
	s->last_next = at;
	return cut;
}

/* Takes off those that are due. */
static struct sleeper *
queue_take_due(struct sleeping *s, int64_t at_ns)
{
	struct sleeper *first = s->first;
	struct sleeper **end = &s->first;

	while (*end && (*end)->due_ns <= at_ns)
		end = &(*end)->next;
	if (end == &s->first)
		return NULL;
	s->first = *end;
	*end = NULL;
	if (!s->first)
		s->last_next = &s->first;
	return first;
}

/* Without the lock.  A sleeper is gone with its event. */
static unsigned
resume_all(struct sleeping *s, struct sleeper *first, enum evh_result verdict)
{
	unsigned n = 0;

	while (first) {
		struct sleeper *next = first->next;

		s->ctx->resume(s->ctx, first->ev, verdict);
		first = next;
		n++;
	}
	return n;
}

static unsigned
count(const struct sleeper *first)
{
	unsigned n = 0;

	for (; first; first = first->next)
		n++;
	return n;
}

/* A turn of the thread, under the lock: resumes who is due, or waits. */
static void
turn(struct sleeping *s)
{
	struct sleeper *due = queue_take_due(s, clock_ns());

	if (!due) {
		/* Nobody sleeps: until somebody comes, whatever the time. */
		wait_until(s, s->first ? s->first->due_ns
				       : clock_ns() + 3600 * NS_PER_S);
		return;
	}
	s->n_resuming += count(due);
	pthread_mutex_unlock(&s->lock);
	unsigned n = resume_all(s, due, EVH_OK);
	pthread_mutex_lock(&s->lock);
	s->n_resuming -= n;
	pthread_cond_broadcast(&s->changed);
}

static void *
sleep_thread(void *arg)
{
	struct sleeping *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stops)
		turn(s);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- Work ---------------------------------------------------------------- */

static enum evh_result
hold(struct sleeping *s, struct evh_event *ev)
{
	struct sleeper *sleeper =
		s->ctx->event_alloc(s->ctx, ev, sizeof(*sleeper));

	if (!sleeper)
		return EVH_RETRY;
	pthread_mutex_lock(&s->lock);
	*sleeper =
		(struct sleeper){ .ev = ev, .due_ns = clock_ns() + s->time_ns };
	*s->last_next = sleeper;
	s->last_next = &sleeper->next;
	if (s->first == sleeper)
		pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return EVH_HOLD;
}

/* Here, on the worker; a flush() ends it early. */
static enum evh_result
block(struct sleeping *s)
{
	int64_t due_ns = clock_ns() + s->time_ns;
	enum evh_result verdict = EVH_OK;
	unsigned n_flushes;

	pthread_mutex_lock(&s->lock);
	n_flushes = s->n_flushes;
	while (verdict == EVH_OK && clock_ns() < due_ns) {
		wait_until(s, due_ns);
		if (s->n_flushes != n_flushes && due_ns > s->flush_until_ns)
			verdict = EVH_RETRY;
	}
	pthread_mutex_unlock(&s->lock);
	return verdict;
}

static enum evh_result
sleep_process(void *self, struct evh_event *ev)
{
	struct sleeping *s = self;

	return s->holds ? hold(s, ev) : block(s);
}

/* Whoever is due in time may sleep on, the others come again later. */
static void
sleep_flush(void *self, int timeout_ms)
{
	struct sleeping *s = self;
	int64_t until_ns = clock_ns() + timeout_ms * NS_PER_MS;
	struct sleeper **late = &s->first;
	struct sleeper *cut;

	pthread_mutex_lock(&s->lock);
	s->n_flushes++;
	s->flush_until_ns = until_ns;
	pthread_cond_broadcast(&s->changed);
	while (*late && (*late)->due_ns <= until_ns)
		late = &(*late)->next;
	cut = queue_cut(s, late);
	pthread_mutex_unlock(&s->lock);
	(void)resume_all(s, cut, EVH_RETRY);

	pthread_mutex_lock(&s->lock);
	while ((s->first || s->n_resuming > 0) && clock_ns() < until_ns)
		wait_until(s, until_ns);
	cut = queue_cut(s, &s->first);
	pthread_mutex_unlock(&s->lock);
	(void)resume_all(s, cut, EVH_RETRY);

	/* What the thread is resuming just now is owed, too, whatever the time:
	 * resume() does not wait. */
	pthread_mutex_lock(&s->lock);
	while (s->n_resuming > 0)
		wait_until(s, clock_ns() + NS_PER_S);
	pthread_mutex_unlock(&s->lock);
}

/* ---- Life ---------------------------------------------------------------- */

static int
sleep_create(struct evh_ctx *ctx, void **ret_self)
{
	struct sleeping *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->ctx = ctx;
	s->time_ns = ctx->opt_int(ctx, "time") * NS_PER_MS;
	s->holds = ctx->opt_int(ctx, "hold");
	s->last_next = &s->first;
	err = -pthread_mutex_init(&s->lock, NULL);
	if (err < 0)
		goto fail_lock;
	err = condition_init(&s->changed);
	if (err < 0)
		goto fail_changed;
	*ret_self = s;
	return 0;
fail_changed:
	pthread_mutex_destroy(&s->lock);
fail_lock:
	free(s);
	return err;
}

static int
sleep_start(void *self)
{
	struct sleeping *s = self;
	int err;

	if (!s->holds)
		return 0;
	err = pthread_create(&s->thread, NULL, sleep_thread, s);
	if (err != 0) {
		s->ctx->log(s->ctx, EVH_ERROR, "no thread to wait with");
		return -err;
	}
	(void)pthread_setname_np(s->thread, "evh-sleep");
	return 0;
}

static void
sleep_stop(void *self, int timeout_ms)
{
	struct sleeping *s = self;

	(void)timeout_ms; /* the thread only waits, and is woken here */
	if (!s->holds)
		return;
	pthread_mutex_lock(&s->lock);
	s->stops = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

static void
sleep_destroy(void *self)
{
	struct sleeping *s = self;

	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct evh_option sleep_options[] = {
	{ .name = "time",
	  .type = EVH_MSEC,
	  .def = "2s",
	  .values = "0..1h",
	  .help = "how long an event takes" },
	{ .name = "hold",
	  .type = EVH_BOOL,
	  .def = "yes",
	  .help = "whether the worker is free meanwhile; no: it waits" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "sleep",
	.version = EVH_VERSION,
	.summary = "stands in for I/O-bound work of a given length",
	.options = sleep_options,
	.create = sleep_create,
	.start = sleep_start,
	.flush = sleep_flush,
	.stop = sleep_stop,
	.destroy = sleep_destroy,
	.process = sleep_process,
};
