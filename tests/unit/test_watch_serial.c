/*
 * test_watch_serial.c - a serial handler that does not come back in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "../harness/tempdir.h"
#include "instance.h"
#include "marks.h"
#include "pipeline.h"
#include "rig.h"
#include "watch_bench.h"

static atomic_uint n_here; /* in be_alone() */

/* Fails when two are here. */
static enum evh_result
be_alone(struct rig_element *el, struct evh_event *ev)
{
	const struct timespec work = { 0, 50000 };
	unsigned before = atomic_fetch_add(&n_here, 1);

	(void)rig_note(el, ev);
	nanosleep(&work, NULL);
	atomic_fetch_sub(&n_here, 1);
	return before == 0 ? EVH_OK : EVH_FAIL;
}

static void
a_serial_handler_holds_up_those_that_need_it_until_it_returns(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, handler_hang, 1, EVH_SERIAL);
	rig_emit(&b.src, 1, "a", 0);
	bench_await_late(&b, 1);
	rig_emit(&b.src, 11, "b", 0);
	rig_await_standing(b.pipeline);
	bench_assert_state(&b, -EAGAIN,
			   "\"reasons\":[\"look: process() of event ");
	assert_int_equal(b.look.n_seen, 0);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.out.n_seen, 1);
	rig_free(b.rig);
}

static void
a_serial_handler_that_hangs_holds_up_nobody_that_it_does_not_look_at(
	void **state)
{
	struct bench b;

	(void)state;
	bench_fill(&b, handler_hang, EVH_SERIAL, TIMEOUT_MS);
	b.look.match[0] = (char *)"slow";
	bench_start(&b, 2);
	for (unsigned i = 1; i <= 8; i++)
		rig_emit_named(&b.src, i, "slow");
	gate_await_inside(1);
	for (unsigned i = 1; i <= 8; i++)
		rig_emit_named(&b.src, HANGS + i, "quick");
	rig_await_heard(&b.src, 8);
	assert_int_equal(b.out.n_seen, 8);
	bench_await_late(&b, 1);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 16);
	/* Those behind the one that hung were only waiting. */
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
many_workers_take_turns_at_a_serial_handler(void **state)
{
	struct bench b;

	(void)state;
	bench_open_with(&b, be_alone, 4, EVH_SERIAL, 60000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(rig_emit(&b.src, HANGS + i, NULL, -1), 1);
	rig_await_heard(&b.src, 1000);
	assert_int_equal(b.out.n_seen, 1000);
	rig_free(b.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_serial_handler_holds_up_those_that_need_it_until_it_returns),
		cmocka_unit_test(
			a_serial_handler_that_hangs_holds_up_nobody_that_it_does_not_look_at),
		cmocka_unit_test(many_workers_take_turns_at_a_serial_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
