/*
 * test_route.c - a source that heads several pipelines, and shutdown.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "event.h"
#include "instance.h"
#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

struct bench {
	struct rig *rig;
	struct rig_element src, a, b, c;
};

static void
bench_open(struct bench *t)
{
	*t = (struct bench){ .rig = rig_new() };
	t->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	t->a = (struct rig_element){ .name = "a",
				     .kind = EVH_SINK,
				     .submit = rig_keep };
	t->b = (struct rig_element){ .name = "b",
				     .kind = EVH_SINK,
				     .submit = rig_keep };
	t->c = (struct rig_element){ .name = "c",
				     .kind = EVH_SINK,
				     .submit = rig_keep };
	rig_add(t->rig, &t->src);
	rig_add(t->rig, &t->a);
	rig_add(t->rig, &t->b);
	rig_add(t->rig, &t->c);
}

static void
fan_out_is_done_when_all_are_with_the_least_finished(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .name = (char *)"pa",
					       .chain = LIST("src", "a") });
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .name = (char *)"pb",
					       .chain = LIST("src", "b") });
	rig_start(t.rig);
	assert_int_equal(rig_emit(&t.src, 1, NULL, 0), 1);
	assert_memory_equal(t.a.held[0]->id, t.b.held[0]->id, 16);
	assert_ptr_equal(t.a.held[0]->data.data, t.b.held[0]->data.data);
	rig_answer(&t.a, 1, EVH_FAIL);
	assert_int_equal(t.src.n_heard, 0);
	rig_answer(&t.b, 1, EVH_OK);
	assert_int_equal(t.src.n_heard, 1);
	assert_int_equal(t.src.results[0], EVH_FAIL);
	rig_free(t.rig);
}

static void
room_is_taken_in_all_pipelines_or_in_none(void **state)
{
	struct bench t;
	struct pipeline *wide;

	(void)state;
	bench_open(&t);
	wide = rig_pipeline(
		t.rig, (struct config_pipeline){ .name = (char *)"pa",
						 .chain = LIST("src", "a") });
	rig_pipeline(t.rig, (struct config_pipeline){ .name = (char *)"pb",
						      .chain = LIST("src", "b"),
						      .in_flight = 1 });
	rig_start(t.rig);
	assert_int_equal(rig_emit(&t.src, 1, NULL, 0), 1);
	assert_int_equal(rig_emit(&t.src, 2, NULL, 0), -EAGAIN);
	assert_int_equal(window_used(&wide->window), 1);
	rig_answer(&t.b, 1, EVH_OK);
	assert_int_equal(rig_emit(&t.src, 2, NULL, 0), 1);
	rig_answer(&t.a, 2, EVH_OK);
	rig_answer(&t.b, 1, EVH_OK);
	assert_int_equal(t.src.n_heard, 2);
	rig_free(t.rig);
}

static void
what_a_source_adds_before_emit_counts_in_the_window(void **state)
{
	struct evh_spec spec = { .name = "x", .data = { "{}", 2 } };
	static const char large[600];
	struct evh_event *ev;
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig, (struct config_pipeline){ .chain = LIST("src", "a"),
						      .in_flight_size = 1024 });
	rig_start(t.rig);
	for (int i = 0; i < 2; i++) {
		ev = t.src.ctx->event_new(t.src.ctx, &spec, NULL);
		assert_non_null(ev);
		assert_int_equal(
			t.src.ctx->set_data(t.src.ctx, ev,
					    (struct evh_bytes){ large, 600 }),
			0);
		assert_int_equal(t.src.ctx->emit(t.src.ctx, &ev, 1, 0),
				 i == 0 ? 1 : -EAGAIN);
	}
	t.src.ctx->event_free(t.src.ctx, &ev, 1);
	rig_answer(&t.a, 1, EVH_OK);
	rig_free(t.rig);
}

static void
match_routes_and_otherwise_takes_the_rest(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .name = (char *)"pa",
					       .chain = LIST("src", "a"),
					       .match = LIST("user.*") });
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .name = (char *)"pb",
					       .chain = LIST("src", "b"),
					       .match = LIST("*.created") });
	rig_pipeline(t.rig, (struct config_pipeline){ .name = (char *)"pc",
						      .chain = LIST("src", "c"),
						      .otherwise = true });
	rig_start(t.rig);
	rig_emit_named(&t.src, 1, "user.created");
	rig_emit_named(&t.src, 2, "user.deleted");
	rig_emit_named(&t.src, 3, "order.paid");
	assert_int_equal(t.a.n_held, 2);
	assert_int_equal(t.b.n_held, 1);
	assert_int_equal(t.c.n_held, 1);
	assert_int_equal(t.c.held[0]->cookie, 3);
	rig_answer(&t.a, 2, EVH_OK);
	rig_answer(&t.b, 1, EVH_OK);
	rig_answer(&t.c, 1, EVH_OK);
	assert_int_equal(t.src.n_heard, 3);
	rig_free(t.rig);
}

static void
what_no_pipeline_wants_ends_at_once(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .chain = LIST("src", "a"),
					       .match = LIST("user.*") });
	rig_start(t.rig);
	assert_int_equal(rig_emit_named(&t.src, 1, "order.paid"), 1);
	assert_int_equal(t.src.n_heard, 1);
	assert_int_equal(t.src.results[0], EVH_DROP);
	rig_free(t.rig);
}

static void
an_event_that_its_source_failed_goes_straight_to_on_fail(void **state)
{
	struct evh_spec spec = { .name = "", .data = { "junk", 4 } };
	struct bench t;
	struct evh_event *ev;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig, (struct config_pipeline){ .chain = LIST("src", "a"),
						      .on_fail = LIST("b") });
	rig_start(t.rig);
	ev = t.src.ctx->event_new(t.src.ctx, &spec, NULL);
	t.src.ctx->set_error(t.src.ctx, ev, "invalid", "this is no JSON");
	assert_int_equal(t.src.ctx->emit(t.src.ctx, &ev, 1, 0), 1);
	rig_await_held(&t.b, 1);
	assert_int_equal(t.b.held[0]->status, EVH_FAILED);
	assert_int_equal(t.b.held[0]->attempts, 0);
	assert_string_equal(t.b.held[0]->error,
			    "{\"stage\":\"src\",\"type\":\"invalid\","
			    "\"message\":\"this is no JSON\"}");
	rig_answer(&t.b, 1, EVH_OK);
	assert_int_equal(t.src.results[0], EVH_DROP);
	assert_int_equal(t.a.n_seen, 0);
	rig_free(t.rig);
}

static void
draining_refuses_new_events_and_answers_the_old(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .chain = LIST("src", "a") });
	rig_start(t.rig);
	rig_emit(&t.src, 1, NULL, 0);
	instance_drain(t.src.in);
	assert_int_equal(rig_emit(&t.src, 2, NULL, -1), -ESHUTDOWN);
	rig_answer(&t.a, 1, EVH_OK);
	assert_int_equal(t.src.n_heard, 1);
	rig_free(t.rig);
}

static void
at_shutdown_what_waits_before_a_sink_hears_retry(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .chain = LIST("src", "a") });
	rig_start(t.rig);
	rig_emit(&t.src, 1, NULL, 0);
	t.a.ctx->ready(t.a.ctx, "its server is away");
	rig_answer(&t.a, 1, EVH_RETRY);
	assert_int_equal(t.src.n_heard, 0);
	rig_free(t.rig);
	assert_int_equal(t.src.n_heard, 1);
	assert_int_equal(t.src.results[0], EVH_RETRY);
}

static enum evh_result
hold_all(struct rig_element *el, struct evh_event *ev)
{
	struct evh_event *evs[] = { ev };

	rig_keep(el, evs, 1);
	return EVH_HOLD;
}

static void
a_lane_that_stands_fills_a_quarter_of_the_window_and_no_more(void **state)
{
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = hold_all };
	struct pipeline *p;
	struct bench t;
	int n = 0;

	(void)state;
	bench_open(&t);
	rig_add(t.rig, &look);
	p = rig_pipeline(t.rig,
			 (struct config_pipeline){ .chain = LIST("src", "look"),
						   .workers = 1,
						   .in_flight = 40 });
	rig_start(t.rig);
	rig_emit(&t.src, 1, "slow", 0);
	rig_await_standing(p);
	while (rig_emit(&t.src, 2, "slow", 0) == 1)
		n++;
	assert_int_equal(n, 9);
	assert_int_equal(rig_emit(&t.src, 3, "other", 0), 1);
	for (int i = 0; i < n + 2; i++) {
		rig_await_held(&look, 1);
		rig_answer_held(&look, EVH_OK);
	}
	rig_await_heard(&t.src, n + 2);
	assert_int_equal(rig_emit(&t.src, 4, "slow", 1000), 1);
	rig_await_held(&look, 1);
	rig_answer_held(&look, EVH_OK);
	rig_await_heard(&t.src, n + 3);
	rig_free(t.rig);
}

static enum evh_result
hold_the_first(struct rig_element *el, struct evh_event *ev)
{
	return ev->cookie == 1 ? hold_all(el, ev) : EVH_OK;
}

static void
a_lane_that_goes_on_has_its_room_again(void **state)
{
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = hold_the_first };
	struct pipeline *p;
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_add(t.rig, &look);
	p = rig_pipeline(t.rig, (struct config_pipeline){
					.chain = LIST("src", "look", "a"),
					.workers = 1,
					.in_flight = 40 });
	rig_start(t.rig);
	rig_emit(&t.src, 1, "slow", 0);
	rig_await_standing(p);
	rig_answer_held(&look, EVH_OK);
	rig_await_held(&t.a, 1);
	/* More than a quarter, not yet half. */
	for (uintptr_t i = 2; i < 18; i++)
		assert_int_equal(rig_emit(&t.src, i, "slow", 0), 1);
	rig_await_held(&t.a, 17);
	rig_answer(&t.a, 17, EVH_OK);
	rig_await_heard(&t.src, 17);
	/* All of it was given back: the same once more. */
	for (uintptr_t i = 2; i < 18; i++)
		assert_int_equal(rig_emit(&t.src, i, "slow", 0), 1);
	rig_await_held(&t.a, 16);
	rig_answer(&t.a, 16, EVH_OK);
	rig_free(t.rig);
}

static void *
emit_slow(void *arg)
{
	struct bench *t = arg;

	return (void *)(intptr_t)rig_emit(&t->src, 99, "slow", 8000);
}

static void
who_waits_for_room_in_a_lane_has_it_when_the_lane_goes_on(void **state)
{
	const struct timespec pause = { 0, 1000000 };
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = hold_the_first };
	struct pipeline *p;
	pthread_t thread;
	struct bench t;
	void *said;

	(void)state;
	bench_open(&t);
	rig_add(t.rig, &look);
	p = rig_pipeline(t.rig, (struct config_pipeline){
					.chain = LIST("src", "look", "a"),
					.workers = 1,
					.in_flight = 40 });
	rig_start(t.rig);
	rig_emit(&t.src, 1, "slow", 0);
	rig_await_standing(p);
	for (uintptr_t i = 2; i < 11; i++)
		assert_int_equal(rig_emit(&t.src, i, "slow", 0), 1);
	assert_int_equal(pthread_create(&thread, NULL, emit_slow, &t), 0);
	/* About to look, or waiting: what changes now, it must not miss. */
	for (int i = 0; atomic_load(&p->window.n_waiting) == 0; i++) {
		assert_true(i < 60000);
		nanosleep(&pause, NULL);
	}
	rig_answer_held(&look, EVH_OK);
	pthread_join(thread, &said);
	assert_int_equal((intptr_t)said, 1);
	rig_await_held(&t.a, 11);
	rig_answer(&t.a, 11, EVH_OK);
	rig_free(t.rig);
}

static enum evh_result
make_a_child(struct rig_element *el, struct evh_event *ev)
{
	struct evh_spec spec = { .name = "child", .data = { "{}", 2 } };
	struct evh_event *child = el->ctx->event_new(el->ctx, &spec, ev);

	assert_non_null(child);
	assert_int_equal(el->ctx->emit(el->ctx, &child, 1, 0), 1);
	return EVH_OK;
}

/* One pipeline makes a child of it, whose failure on_fail keeps; in the other
 * it fails and nobody keeps it. */
static void
children_copies_and_failures_end_in_one_result(void **state)
{
	struct rig_element look = { .name = "look",
				    .kind = EVH_HANDLER,
				    .process = make_a_child };
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_add(t.rig, &look);
	rig_pipeline(t.rig, (struct config_pipeline){
				    .name = (char *)"pa",
				    .chain = LIST("src", "look", "a"),
				    .on_fail = LIST("c") });
	rig_pipeline(t.rig,
		     (struct config_pipeline){ .name = (char *)"pb",
					       .chain = LIST("src", "b") });
	rig_start(t.rig);
	for (uintptr_t i = 0; i < 2; i++) {
		rig_emit(&t.src, i, NULL, 0);
		rig_await_held(&t.a, 2);
		assert_string_equal(t.a.held[1]->name, "child");
		rig_answer(&t.a, 1, EVH_OK);
		rig_answer(&t.a, 1, EVH_FAIL);
		rig_await_held(&t.c, 1);
		assert_string_equal(t.c.held[0]->name, "child");
		rig_answer(&t.b, 1, i == 0 ? EVH_FAIL : EVH_OK);
		assert_int_equal(t.src.n_heard, i);
		rig_answer(&t.c, 1, EVH_OK);
		assert_int_equal(t.src.n_heard, i + 1);
	}
	assert_int_equal(t.src.results[0], EVH_FAIL);
	assert_int_equal(t.src.results[1], EVH_OK);
	rig_free(t.rig);
}

static void
emit_waits_for_room_as_long_as_it_is_told(void **state)
{
	struct bench t;

	(void)state;
	bench_open(&t);
	rig_pipeline(t.rig, (struct config_pipeline){ .chain = LIST("src", "a"),
						      .in_flight = 1 });
	rig_start(t.rig);
	t.a.ctx->ready(t.a.ctx, "away");
	assert_int_equal(rig_emit(&t.src, 1, NULL, 20), -EAGAIN);
	t.a.ctx->ready(t.a.ctx, NULL);
	assert_int_equal(rig_emit(&t.src, 1, NULL, -1), 1);
	rig_answer(&t.a, 1, EVH_OK);
	rig_free(t.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			fan_out_is_done_when_all_are_with_the_least_finished),
		cmocka_unit_test(room_is_taken_in_all_pipelines_or_in_none),
		cmocka_unit_test(
			what_a_source_adds_before_emit_counts_in_the_window),
		cmocka_unit_test(match_routes_and_otherwise_takes_the_rest),
		cmocka_unit_test(what_no_pipeline_wants_ends_at_once),
		cmocka_unit_test(
			an_event_that_its_source_failed_goes_straight_to_on_fail),
		cmocka_unit_test(
			draining_refuses_new_events_and_answers_the_old),
		cmocka_unit_test(
			at_shutdown_what_waits_before_a_sink_hears_retry),
		cmocka_unit_test(
			a_lane_that_stands_fills_a_quarter_of_the_window_and_no_more),
		cmocka_unit_test(a_lane_that_goes_on_has_its_room_again),
		cmocka_unit_test(
			who_waits_for_room_in_a_lane_has_it_when_the_lane_goes_on),
		cmocka_unit_test(
			children_copies_and_failures_end_in_one_result),
		cmocka_unit_test(emit_waits_for_room_as_long_as_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
