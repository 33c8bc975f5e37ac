/*
 * test_timer.c - what is due when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "timer.h"

#define N 500

static void
timers_come_in_the_order_of_their_times(void **state)
{
	struct timer timers[N] = { 0 };
	struct timer_heap heap = { 0 };
	struct timer *timer;
	int64_t last = 0;
	int n = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < N; i++)
		timer_set(&heap, &timers[i], rand() % 1000);
	while ((timer = timer_pop(&heap, 1000))) {
		assert_true(timer->due_ns >= last);
		last = timer->due_ns;
		n++;
	}
	assert_int_equal(n, N);
}

static void
a_cleared_timer_never_comes_and_a_moved_one_once(void **state)
{
	struct timer timers[N] = { 0 };
	struct timer_heap heap = { 0 };
	int n = 0;

	(void)state;
	srand(2);
	for (int i = 0; i < N; i++)
		timer_set(&heap, &timers[i], rand() % 1000);
	for (int i = 0; i < N; i += 3)
		timer_clear(&heap, &timers[i]);
	for (int i = 1; i < N; i += 3)
		timer_set(&heap, &timers[i], 2000 + rand() % 10);
	for (struct timer *t; (t = timer_pop(&heap, 1999)); n++)
		assert_int_equal((t - timers) % 3, 2);
	assert_int_equal(n, N / 3);
	for (struct timer *t; (t = timer_pop(&heap, 3000)); n++)
		assert_int_equal((t - timers) % 3, 1);
	assert_int_equal(n, N / 3 + (N + 1) / 3);
}

static void
nothing_is_due_before_its_time(void **state)
{
	struct timer timer = { 0 };
	struct timer_heap heap = { 0 };

	(void)state;
	timer_set(&heap, &timer, 5000000);
	assert_null(timer_pop(&heap, 4999999));
	assert_int_equal(timer_wait_ms(&heap, 0, 100), 5);
	assert_int_equal(timer_wait_ms(&heap, 4999999, 100), 1);
	assert_int_equal(timer_wait_ms(&heap, 0, 3), 3);
	assert_ptr_equal(timer_pop(&heap, 5000000), &timer);
	assert_int_equal(timer_wait_ms(&heap, 0, 100), 100);
}

static void
backoff_doubles_up_to_its_limit_give_or_take_a_fifth(void **state)
{
	static const int64_t want_ms[] = { 100, 200, 400, 800, 1000, 1000 };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		for (int j = 0; j < 100; j++) {
			int64_t ns = timer_backoff_ns(i + 2, 100, 1000);

			assert_in_range(ns, want_ms[i] * 800000,
					want_ms[i] * 1200000);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_come_in_the_order_of_their_times),
		cmocka_unit_test(
			a_cleared_timer_never_comes_and_a_moved_one_once),
		cmocka_unit_test(nothing_is_due_before_its_time),
		cmocka_unit_test(
			backoff_doubles_up_to_its_limit_give_or_take_a_fifth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
