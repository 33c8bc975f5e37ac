/*
 * test_watch.c - handlers that do not come back in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "../harness/tempdir.h"
#include "instance.h"
#include "marks.h"
#include "pipeline.h"
#include "rig.h"
#include "watch_bench.h"

static enum evh_result
hang_when_tried_again(struct rig_element *el, struct evh_event *ev)
{
	if (ev->attempt == 1 && ev->cookie < HANGS)
		return EVH_RETRY;
	return handler_hang(el, ev);
}

static enum evh_result
make_children_and_hang(struct rig_element *el, struct evh_event *ev)
{
	struct evh_spec spec = { .name = "child", .data = { "{}", 2 } };
	struct evh_event *child = el->ctx->event_new(el->ctx, &spec, ev);

	assert_non_null(child);
	assert_int_equal(el->ctx->emit(el->ctx, &child, 1, 0), 1);
	return handler_hang(el, ev);
}

static void
other_lanes_go_on_while_one_event_hangs(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	gate_await_inside(1);
	rig_emit(&b.src, 11, "a", 0);
	rig_emit(&b.src, 12, "b", 0);
	rig_emit(&b.src, 13, "c", 0);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.heard[0], 12);
	assert_int_equal(b.src.heard[1], 13);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 4);
	rig_free(b.rig);
}

static void
its_verdict_is_replaced_when_it_comes_late(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 2, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	rig_emit(&b.src, 11, "a", 0);
	bench_await_late(&b, 1);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.heard[0], 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	assert_int_equal(b.src.heard[1], 11);
	assert_int_equal(b.src.results[1], EVH_OK);
	assert_int_equal(b.dead.n_seen, 1);
	assert_string_equal(gate_error(),
			    "{\"stage\":\"look\",\"type\":\"timeout\","
			    "\"message\":\"its verdict came later than the "
			    "timeout of 300 ms\"}");
	assert_int_equal(b.look.in->late.n, 0);
	rig_free(b.rig);
}

static void
what_returns_in_time_is_not_late(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 2, EVH_PARALLEL);
	gate_set(HANGS, EVH_OK);
	for (unsigned i = 0; i < 1000; i++)
		rig_emit(&b.src, i, i % 2 ? "a" : NULL, -1);
	rig_await_heard(&b.src, 1000);
	assert_int_equal(b.dead.n_seen, 0);
	rig_free(b.rig);
}

static void
the_rest_of_its_run_goes_on_by_the_spare_thread(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_PARALLEL);
	assert_int_equal(rig_emit_many(&b.src, 9, 200, NULL), 200);
	rig_await_heard(&b.src, 199);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 200);
	assert_int_equal(b.out.n_seen, 199);
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
those_behind_it_keep_their_order(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_PARALLEL);
	assert_int_equal(rig_emit_many(&b.src, 9, 100, "a"), 100);
	bench_await_late(&b, 1);
	assert_int_equal(rig_emit_many(&b.src, 109, 50, "a"), 50);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 150);
	for (unsigned i = 0; i < 150; i++)
		assert_int_equal(b.src.heard[i], 9 + i);
	rig_free(b.rig);
}

static void
an_event_that_hangs_when_tried_again_is_late_too(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang_when_tried_again, 1, EVH_PARALLEL);
	assert_int_equal(rig_emit_many(&b.src, 9, 20, "a"), 20);
	rig_emit(&b.src, 50, "b", 0);
	bench_await_late(&b, 1);
	rig_emit(&b.src, 51, "b", 0);
	rig_await_heard(&b.src, 2);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 22);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(b.src.heard[2 + i], 9 + i);
	rig_free(b.rig);
}

static enum evh_result
hold_or_hang(struct rig_element *el, struct evh_event *ev)
{
	return ev->cookie == 11 ? handler_hold(el, ev) : handler_hang(el, ev);
}

static void
the_rest_of_its_inbox_goes_on_by_the_spare_thread(void **state)
{
	struct bench b;

	(void)state;
	bench_open_with(&b, hold_or_hang, 1, EVH_PARALLEL, 2000);
	/* 11 is held, and 9 behind it will hang. */
	rig_emit(&b.src, 11, "a", 0);
	rig_emit(&b.src, 9, "a", 0);
	rig_await_held(&b.look, 1);
	/* While 2 keeps the worker, all of this comes to its inbox. */
	rig_emit(&b.src, 2, "z", 0);
	gate_await_inside(1);
	rig_answer_held(&b.look, EVH_OK);
	for (unsigned i = 0; i < 20; i++)
		rig_emit(&b.src, 100 + i, NULL, 0);
	gate_set(2, EVH_OK);
	rig_await_heard(&b.src, 22);
	assert_int_equal(b.dead.n_seen, 0);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 23);
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
it_is_named_in_the_state_which_stays_ready(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	bench_await_late(&b, 1);
	bench_assert_state(&b, 0, "\"checks\":{\"look\":\"process() of event ");
	bench_assert_state(&b, 0, "\"reasons\":[]");
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 1);
	bench_assert_state(&b, 0, "\"checks\":{}");
	rig_free(b.rig);
}

static void
without_a_spare_thread_its_worker_stands_and_that_is_not_ready(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	bench_await_late(&b, 1);
	rig_emit(&b.src, 2, "b", 0);
	bench_await_late(&b, 2);
	rig_emit(&b.src, 11, "c", 0);
	bench_assert_state(&b, -EAGAIN,
			   "\"reasons\":[\"look: process() of event ");
	assert_int_equal(b.out.n_seen, 0);
	/* The first thread ends, and a spare one is there again. */
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.out.n_seen, 1);
	bench_assert_state(&b, 0, "\"reasons\":[]");
	gate_set(2, EVH_OK);
	rig_await_heard(&b.src, 3);
	assert_int_equal(b.dead.n_seen, 2);
	rig_free(b.rig);
}

static void
a_worker_that_stands_goes_on_when_process_returns(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 2, "a", 0);
	bench_await_late(&b, 1);
	rig_emit(&b.src, 1, "b", 0);
	bench_await_late(&b, 2);
	rig_emit(&b.src, 11, "c", 0);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.heard[0], 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	assert_int_equal(b.src.heard[1], 11);
	gate_set(2, EVH_OK);
	rig_await_heard(&b.src, 3);
	rig_free(b.rig);
}

static void
the_children_of_a_late_try_are_dropped(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, make_children_and_hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	bench_await_late(&b, 1);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.out.n_seen, 0);
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
many_that_hang_now_and_then_lose_nothing(void **state)
{
	struct bench b;
	const int n = 2000;

	(void)state;
	bench_open(&b, handler_hang, 2, EVH_PARALLEL);
	for (int i = 0; i < n; i++) {
		char key[8];

		snprintf(key, sizeof(key), "k%d", i % 7);
		if (i % 200 == 5)
			rig_emit(&b.src, (uintptr_t)(i / 200), key, -1);
		else
			rig_emit(&b.src, (uintptr_t)(HANGS + i), key, -1);
		if (i % 400 == 399)
			gate_set((unsigned)(i / 200), EVH_OK);
	}
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, n);
	rig_free(b.rig);
}

/* Some are tried again, are held, or take up to twice the timeout. */
static enum evh_result
misbehave(struct rig_element *el, struct evh_event *ev)
{
	unsigned dice = (unsigned)(ev->cookie * 2654435761u) >> 16;
	struct timespec work = { 0, (long)(dice % 97) * 50000 };

	if (ev->attempt == 1)
		(void)rig_note(el, ev);
	if (dice % 16 == 0)
		nanosleep(&work, NULL);
	if (dice % 23 == 0 && ev->attempt == 1)
		return EVH_RETRY;
	if (dice % 19 == 0) {
		el->ctx->resume(el->ctx, ev, EVH_OK);
		return EVH_HOLD;
	}
	return dice % 31 == 0 ? EVH_FAIL : EVH_OK;
}

static void
whoever_is_late_each_is_answered_once_and_keys_keep_their_order(void **state)
{
	enum { EVENTS = 4000, KEYS = 13 };
	uintptr_t last[KEYS] = { 0 };
	bool is_heard[EVENTS + 1] = { false };
	struct bench b;

	(void)state;
	bench_open_with(&b, misbehave, 3, EVH_PARALLEL, 2);
	for (uintptr_t i = 1; i <= EVENTS; i++) {
		char key[8];

		snprintf(key, sizeof(key), "k%u", (unsigned)(i % KEYS));
		assert_int_equal(rig_emit(&b.src, i, key, -1), 1);
	}
	rig_await_heard(&b.src, EVENTS);
	rig_free(b.rig);
	for (int i = 0; i < EVENTS; i++) {
		assert_false(is_heard[b.src.heard[i]]);
		is_heard[b.src.heard[i]] = true;
	}
	assert_int_equal(b.look.n_seen, EVENTS);
	for (int i = 0; i < EVENTS; i++) {
		uintptr_t cookie = b.look.cookies[i];

		assert_true(cookie > last[cookie % KEYS]);
		last[cookie % KEYS] = cookie;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_lanes_go_on_while_one_event_hangs),
		cmocka_unit_test(its_verdict_is_replaced_when_it_comes_late),
		cmocka_unit_test(what_returns_in_time_is_not_late),
		cmocka_unit_test(
			the_rest_of_its_run_goes_on_by_the_spare_thread),
		cmocka_unit_test(those_behind_it_keep_their_order),
		cmocka_unit_test(
			an_event_that_hangs_when_tried_again_is_late_too),
		cmocka_unit_test(
			the_rest_of_its_inbox_goes_on_by_the_spare_thread),
		cmocka_unit_test(it_is_named_in_the_state_which_stays_ready),
		cmocka_unit_test(
			without_a_spare_thread_its_worker_stands_and_that_is_not_ready),
		cmocka_unit_test(
			a_worker_that_stands_goes_on_when_process_returns),
		cmocka_unit_test(the_children_of_a_late_try_are_dropped),
		cmocka_unit_test(many_that_hang_now_and_then_lose_nothing),
		cmocka_unit_test(
			whoever_is_late_each_is_answered_once_and_keys_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
