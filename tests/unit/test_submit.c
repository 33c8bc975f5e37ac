/*
 * test_submit.c - events handed to a sink that answers RETRY meanwhile.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "pipeline.h"
#include "rig.h"
#include "timer.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* More than one submit() is given. */
#define MANY 600

struct bench {
	struct rig *rig;
	struct rig_element src, out;
};

static void
bench_open(struct bench *b,
	   int (*submit)(struct rig_element *, struct evh_event *const *, int))
{
	*b = (struct bench){ .rig = rig_new() };
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = submit };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->out);
	rig_pipeline(b->rig,
		     (struct config_pipeline){ .chain = LIST("src", "out") });
	rig_start(b->rig);
}

/* Has no server the first time, and takes one after the other then. */
static int
retry_first_batch(struct rig_element *el, struct evh_event *const *evs, int n)
{
	if (el->limit++ == 0) {
		el->ctx->done(el->ctx, evs, n, EVH_RETRY);
		return n;
	}
	for (int i = 0; i < n; i++)
		el->cookies[el->n_seen++] = evs[i]->cookie;
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
after_a_retry_no_further_batch_is_handed_over(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, retry_first_batch);
	rig_emit_many(&b.src, 0, MANY, "k");
	rig_await_heard(&b.src, MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(b.out.cookies[i], i);
	rig_free(b.rig);
}

/* Of the sink's own thread, which answers while submit() is under way. */
static struct {
	pthread_t thread;
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	unsigned n_calls; /* of submit() */
	bool has_answered;
	bool has_returned;	    /* submit() has, nearly */
	bool was_under_way_at_last; /* when done() returned */
} other = { .lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER };

static void *
answer_retry(void *arg)
{
	int64_t begin_ns = timer_now_ns();
	bool gave_up;

	rig_answer(arg, 1, EVH_RETRY);
	/* The host, on a busy machine: it waits for a second and no longer. */
	gave_up = timer_now_ns() - begin_ns >= INT64_C(1000000000);
	pthread_mutex_lock(&other.lock);
	other.has_answered = true;
	other.was_under_way_at_last = !other.has_returned && !gave_up;
	pthread_cond_signal(&other.changed);
	pthread_mutex_unlock(&other.lock);
	return NULL;
}

/* Keeps the first; while the second is offered, the first is answered. */
static int
answer_meanwhile(struct rig_element *el, struct evh_event *const *evs, int n)
{
	struct timespec due;
	bool is_second;
	int rc = 0;

	pthread_mutex_lock(&other.lock);
	is_second = ++other.n_calls == 2;
	pthread_mutex_unlock(&other.lock);
	if (!is_second)
		return rig_keep(el, evs, n);
	assert_int_equal(pthread_create(&other.thread, NULL, answer_retry, el),
			 0);
	clock_gettime(CLOCK_REALTIME, &due);
	due.tv_nsec += 30000000;
	due.tv_sec += due.tv_nsec / 1000000000;
	due.tv_nsec %= 1000000000;
	pthread_mutex_lock(&other.lock);
	while (!other.has_answered && rc == 0)
		rc = pthread_cond_timedwait(&other.changed, &other.lock, &due);
	other.has_returned = true;
	pthread_mutex_unlock(&other.lock);
	return 0;
}

static void
done_with_retry_outlasts_a_submit_that_does_not_know_of_it(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, answer_meanwhile);
	rig_emit(&b.src, 0, "k", 0);
	rig_emit(&b.src, 1, "k", 0);
	pthread_join(other.thread, NULL);
	assert_false(other.was_under_way_at_last);
	for (int i = 1; i <= 2; i++) {
		rig_await_held(&b.out, 1);
		rig_answer(&b.out, 1, EVH_OK);
		rig_await_heard(&b.src, i);
	}
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_retry_no_further_batch_is_handed_over),
		cmocka_unit_test(
			done_with_retry_outlasts_a_submit_that_does_not_know_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
