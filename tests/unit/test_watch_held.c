/*
 * test_watch_held.c - events that are held beyond their time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "../harness/tempdir.h"
#include "instance.h"
#include "marks.h"
#include "pipeline.h"
#include "rig.h"
#include "watch_bench.h"

static void
a_held_event_whose_time_is_over_fails_when_it_is_resumed(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hold, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	rig_emit(&b.src, 2, "b", 0);
	rig_await_held(&b.look, 2);
	bench_await_late(&b, 2);
	bench_assert_state(&b, 0, "it holds event ");
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_non_null(strstr(gate_error(), "\"type\":\"timeout\""));
	rig_free(b.rig);
}

static void
a_held_event_that_is_resumed_in_time_goes_on(void **state)
{
	struct bench b;

	(void)state;
	bench_open_with(&b, handler_hold, 1, EVH_PARALLEL, 60000);
	rig_emit(&b.src, 1, "a", 0);
	rig_await_held(&b.look, 1);
	pipeline_poke(b.pipeline);
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_OK);
	rig_free(b.rig);
}

static void
a_hold_that_comes_late_fails_when_it_is_resumed(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	bench_await_late(&b, 1);
	gate_set(1, EVH_HOLD);
	rig_await_held(&b.look, 1);
	rig_emit(&b.src, 11, "b", 0);
	rig_await_heard(&b.src, 1);
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[1], EVH_DROP);
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_held_event_whose_time_is_over_fails_when_it_is_resumed),
		cmocka_unit_test(a_held_event_that_is_resumed_in_time_goes_on),
		cmocka_unit_test(
			a_hold_that_comes_late_fails_when_it_is_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
