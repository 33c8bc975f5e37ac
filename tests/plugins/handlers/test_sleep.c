/*
 * test_sleep.c - waiting with and without a worker, and being cut short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stand.h"
#include "timer.h"

#define MS INT64_C(1000000)

static int64_t
elapsed_ms(int64_t begin_ns)
{
	return (timer_now_ns() - begin_ns) / MS;
}

static void
emit_many(struct stand *st, int n)
{
	for (int i = 0; i < n; i++)
		stand_emit(st, "io.sleep", "{}");
}

static void
a_held_event_leaves_its_worker_to_others(void **state)
{
	int64_t begin_ns = timer_now_ns();
	struct stand st;

	(void)state;
	stand_up(&st, "sleep", SETTINGS("time", "500ms"), 1);
	emit_many(&st, 50);
	stand_await(&st, 50);
	/* One after the other they would take 25 s. */
	assert_in_range(elapsed_ms(begin_ns), 500, 20000);
	assert_int_equal(st.out.el.n_seen, 50);
	stand_down(&st);
}

static void
whoever_came_first_goes_on_first(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "sleep", SETTINGS("time", "20ms"), 1);
	emit_many(&st, 30);
	stand_await(&st, 30);
	for (uintptr_t i = 0; i < 30; i++)
		assert_int_equal(st.out.el.cookies[i], i);
	stand_down(&st);
}

static void
without_hold_the_worker_waits(void **state)
{
	int64_t begin_ns = timer_now_ns();
	struct stand st;

	(void)state;
	stand_up(&st, "sleep", SETTINGS("time", "30ms", "hold", "no"), 1);
	emit_many(&st, 5);
	stand_await(&st, 5);
	assert_true(elapsed_ms(begin_ns) >= 5 * 30);
	assert_int_equal(st.out.el.n_seen, 5);
	stand_down(&st);
}

/* Emits three, drains, and checks that all three were answered so. */
static void
assert_drained(const char *time, const char *hold, enum evh_result result)
{
	int64_t begin_ns = timer_now_ns();
	struct stand st;

	stand_up(&st, "sleep", SETTINGS("time", time, "hold", hold), 4);
	emit_many(&st, 3);
	stand_down(&st);
	assert_int_equal(st.src.n_heard, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(st.src.results[i], result);
	assert_true(elapsed_ms(begin_ns) < 20000);
}

static void
a_drain_hands_long_sleepers_back(void **state)
{
	(void)state;
	assert_drained("1h", "yes", EVH_RETRY);
	assert_drained("1h", "no", EVH_RETRY);
}

static void
a_drain_waits_for_short_sleepers(void **state)
{
	(void)state;
	assert_drained("50ms", "yes", EVH_OK);
	assert_drained("50ms", "no", EVH_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_held_event_leaves_its_worker_to_others),
		cmocka_unit_test(whoever_came_first_goes_on_first),
		cmocka_unit_test(without_hold_the_worker_waits),
		cmocka_unit_test(a_drain_hands_long_sleepers_back),
		cmocka_unit_test(a_drain_waits_for_short_sleepers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
