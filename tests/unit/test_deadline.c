/*
 * test_deadline.c - the end of a wait, and what is left of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>

#include "clock.h"
#include "condition.h"
#include "deadline.h"

static void
what_is_over_leaves_nothing(void **state)
{
	int64_t now = clock_ns();

	(void)state;
	assert_true(deadline_over(now));
	assert_int_equal(deadline_left_ms(now), 0);
	assert_int_equal(deadline_left_ms(now - NS_PER_MS), 0);
}

/* A part of a millisecond is one: who polls for less would spin. */
static void
what_is_left_is_rounded_up(void **state)
{
	int64_t before = clock_ns();
	int64_t deadline = deadline_in(60000);
	int left_ms = deadline_left_ms(deadline);
	int64_t took_ms = (clock_ns() - before) / NS_PER_MS;

	(void)state;
	assert_false(deadline_over(deadline));
	assert_in_range(left_ms, 60000 - took_ms, 60000);
	assert_int_equal(deadline_left_ms(clock_ns() + INT64_C(1) * 3600 * 24 *
							       365 * 1000 *
							       NS_PER_MS),
			 INT_MAX);
}

static void
the_earlier_of_two_ends_the_wait(void **state)
{
	(void)state;
	assert_int_equal(deadline_min(3, 5), 3);
	assert_int_equal(deadline_min(5, 3), 3);
}

static void
a_wait_for_what_nobody_says_ends_by_its_deadline(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never;
	int64_t deadline;

	(void)state;
	assert_int_equal(condition_init(&never), 0);
	pthread_mutex_lock(&lock);
	deadline = deadline_in(20);
	while (condition_wait(&never, &lock, deadline))
		;
	assert_true(deadline_over(deadline));
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&never);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_over_leaves_nothing),
		cmocka_unit_test(what_is_left_is_rounded_up),
		cmocka_unit_test(the_earlier_of_two_ends_the_wait),
		cmocka_unit_test(
			a_wait_for_what_nobody_says_ends_by_its_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
