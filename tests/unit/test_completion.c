/*
 * test_completion.c - how events end: what is released when, who is told, and
 * that evhd does not stop before.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "event.h"
#include "instance.h"
#include "metrics.h"
#include "pipeline.h"
#include "rig.h"
#include "shutdown.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

struct bench {
	struct rig *rig;
	struct pipeline *pa, *pb;
	struct rig_element src, a, b;
	int emitted; /* what emit() said within done() */
	atomic_bool is_telling, is_told;
};

/* Where the functions of the elements find it. */
static struct bench *bench;

static void
bench_open(struct bench *t, unsigned in_flight, bool has_two)
{
	*t = (struct bench){ .rig = rig_new() };
	bench = t;
	t->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	t->a = (struct rig_element){ .name = "a",
				     .kind = EVH_SINK,
				     .submit = rig_keep };
	t->b = (struct rig_element){ .name = "b",
				     .kind = EVH_SINK,
				     .submit = rig_keep };
	rig_add(t->rig, &t->src);
	rig_add(t->rig, &t->a);
	rig_add(t->rig, &t->b);
	t->pa = rig_pipeline(
		t->rig, (struct config_pipeline){ .name = (char *)"pa",
						  .chain = LIST("src", "a"),
						  .in_flight = in_flight });
	if (has_two)
		t->pb = rig_pipeline(t->rig, (struct config_pipeline){
						     .name = (char *)"pb",
						     .chain = LIST("src", "b"),
						     .in_flight = in_flight });
}

static void
note_the_room(void *arg)
{
	*(unsigned *)arg = window_used(&bench->pa->window);
}

static void
a_payload_is_released_before_its_room_is_given_back(void **state)
{
	struct bench t;
	unsigned used = 99;
	struct evh_spec spec = { .name = "x",
				 .data = { "{}", 2 },
				 .release = note_the_room,
				 .release_arg = &used };

	(void)state;
	bench_open(&t, 10, false);
	rig_start(t.rig);
	assert_int_equal(rig_emit_spec(&t.src, &spec), 1);
	rig_answer(&t.a, 1, EVH_OK);
	assert_int_equal(used, 1);
	assert_int_equal(window_used(&t.pa->window), 0);
	rig_free(t.rig);
}

static void
emit_again(struct rig_element *el, struct evh_event *const *evs, int n,
	   enum evh_result result)
{
	(void)n;
	(void)result;
	if (evs[0]->cookie == 1)
		bench->emitted = rig_emit(el, 2, NULL, -1);
}

static void
emit_within_done_never_waits(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t, 1, false);
	t.src.on_done = emit_again;
	rig_start(t.rig);
	rig_emit(&t.src, 1, NULL, 0);
	rig_answer(&t.a, 1, EVH_OK);
	assert_int_equal(t.emitted, -EAGAIN);
	rig_free(t.rig);
}

static void
emit_within_done_goes_on_behind_it(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t, 2, false);
	t.src.on_done = emit_again;
	rig_start(t.rig);
	rig_emit(&t.src, 1, NULL, 0);
	rig_answer(&t.a, 1, EVH_OK);
	assert_int_equal(t.emitted, 1);
	/* The sink's done() was on the stack: the pump brings it. */
	rig_await_held(&t.a, 1);
	rig_answer(&t.a, 1, EVH_OK);
	rig_await_heard(&t.src, 2);
	rig_free(t.rig);
}

static void
be_long_in_done(struct rig_element *el, struct evh_event *const *evs, int n,
		enum evh_result result)
{
	const struct timespec pause = { 0, 200000000 };

	(void)el;
	(void)evs;
	(void)n;
	(void)result;
	atomic_store(&bench->is_telling, true);
	nanosleep(&pause, NULL); /* a source that takes its time */
	atomic_store(&bench->is_told, true);
}

static void *
answer_both(void *arg)
{
	struct bench *t = arg;

	rig_answer(&t->a, 1, EVH_OK);
	rig_answer(&t->b, 1, EVH_OK);
	return NULL;
}

static bool
never(struct host *host)
{
	(void)host;
	return false;
}

static void
evhd_is_not_drained_while_a_source_is_being_told(void **state)
{
	const struct timespec pause = { 0, 1000000 };
	struct bench t;
	pthread_t thread;

	(void)state;
	bench_open(&t, 10, true);
	t.src.on_done = be_long_in_done;
	rig_start(t.rig);
	rig_emit(&t.src, 1, NULL, 0);
	assert_int_equal(pthread_create(&thread, NULL, answer_both, &t), 0);
	while (!atomic_load(&t.is_telling))
		nanosleep(&pause, NULL);
	assert_int_equal(shutdown_drain(t.src.in->host, never), 0);
	assert_true(atomic_load(&t.is_told));
	pthread_join(thread, NULL);
	rig_free(t.rig);
}

static void *
emit_until_told_to_stop(void *arg)
{
	struct bench *t = arg;
	uintptr_t i = 0;

	while (rig_emit(&t->src, i++, NULL, 0) != -ESHUTDOWN)
		sched_yield();
	return NULL;
}

static int
answer_at_once(struct rig_element *el, struct evh_event *const *evs, int n)
{
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
forget(struct rig_element *el, struct evh_event *const *evs, int n,
       enum evh_result result)
{
	(void)evs;
	(void)n;
	(void)result;
	el->n_heard = 0;
}

/* What an emit() has begun when evhd stops is waited for, too. */
static void
evhd_is_not_drained_while_a_source_emits(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct bench t;
		pthread_t thread;

		bench_open(&t, 10, false);
		t.a.submit = answer_at_once;
		t.src.on_done = forget;
		rig_start(t.rig);
		assert_int_equal(pthread_create(&thread, NULL,
						emit_until_told_to_stop, &t),
				 0);
		while (metric_value(t.pa->elements[0].results[EVH_OK]) == 0)
			sched_yield();
		assert_int_equal(shutdown_drain(t.src.in->host, never), 0);
		t.a.submit = rig_keep; /* nothing comes here any more */
		pthread_join(thread, NULL);
		assert_int_equal(t.a.n_held, 0);
		rig_free(t.rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_payload_is_released_before_its_room_is_given_back),
		cmocka_unit_test(emit_within_done_goes_on_behind_it),
		cmocka_unit_test(
			evhd_is_not_drained_while_a_source_is_being_told),
		cmocka_unit_test(evhd_is_not_drained_while_a_source_emits),
		cmocka_unit_test(emit_within_done_never_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
