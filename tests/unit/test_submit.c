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

#include "clock.h"
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

/* done() with RETRY waits for a second until submit() returns, and no longer:
 * on a busy machine nothing is to be seen then. */
static bool
has_host_given_up(int64_t begin_ns)
{
	return timer_now_ns() - begin_ns >= NS_PER_S;
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
	gave_up = has_host_given_up(begin_ns);
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

/* Two threads meet at a sink: one is within submit() while the other answers
 * an earlier event with RETRY. */
struct meeting {
	struct bench *bench;
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	int n_submits;
	bool is_in_submit, may_return, has_answered;
	bool gave_up; /* the host, after a second of waiting for submit() */
};

static struct meeting *meeting; /* submit() is told its element only */

static int
keep_and_wait(struct rig_element *el, struct evh_event *const *evs, int n)
{
	struct meeting *m = meeting;
	bool keeps;

	pthread_mutex_lock(&m->lock);
	keeps = m->n_submits++ != 1;
	if (!keeps) {
		m->is_in_submit = true;
		pthread_cond_broadcast(&m->changed);
	}
	while (!keeps && !m->may_return)
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
	return keeps ? rig_keep(el, evs, n) : 0;
}

static void *
emit_second(void *arg)
{
	struct meeting *m = arg;

	rig_emit(&m->bench->src, 1, "k", 0);
	return NULL;
}

static void *
answer_first_retry(void *arg)
{
	struct meeting *m = arg;
	int64_t begin_ns = timer_now_ns();

	rig_answer(&m->bench->out, 1, EVH_RETRY);
	pthread_mutex_lock(&m->lock);
	m->has_answered = true;
	m->gave_up = has_host_given_up(begin_ns);
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* Far shorter than the host would wait, far longer than it takes to return. */
static bool
answers_before_the_other_returns(struct meeting *m)
{
	struct timespec until;
	bool has_answered;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 300000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&m->lock);
	while (!m->has_answered && rc == 0)
		rc = pthread_cond_timedwait(&m->changed, &m->lock, &until);
	/* On a machine so busy that the host gave up, nothing is to be seen. */
	has_answered = m->has_answered && !m->gave_up;
	m->may_return = true;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	return has_answered;
}

static void
a_sink_that_says_retry_goes_on_when_all_its_submits_have_returned(void **state)
{
	struct meeting m = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .changed = PTHREAD_COND_INITIALIZER };
	pthread_t emitter, answerer;
	bool was_early;
	struct bench b;

	(void)state;
	meeting = &m;
	m.bench = &b;
	bench_open(&b, keep_and_wait);
	rig_emit(&b.src, 0, "k", 0);
	assert_int_equal(pthread_create(&emitter, NULL, emit_second, &m), 0);
	pthread_mutex_lock(&m.lock);
	while (!m.is_in_submit)
		pthread_cond_wait(&m.changed, &m.lock);
	pthread_mutex_unlock(&m.lock);
	assert_int_equal(
		pthread_create(&answerer, NULL, answer_first_retry, &m), 0);
	was_early = answers_before_the_other_returns(&m);
	pthread_join(emitter, NULL);
	pthread_join(answerer, NULL);
	assert_false(was_early);
	rig_await_held(&b.out, 2);
	rig_answer(&b.out, 2, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.heard[0], 0);
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_retry_no_further_batch_is_handed_over),
		cmocka_unit_test(
			a_sink_that_says_retry_goes_on_when_all_its_submits_have_returned),
		cmocka_unit_test(
			done_with_retry_outlasts_a_submit_that_does_not_know_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
