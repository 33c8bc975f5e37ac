/*
 * test_backoff.c - waits that double, and are strewn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "backoff.h"

static const int64_t want_ms[] = { 100, 200, 400, 800, 1000, 1000 };

static void
a_wait_doubles_up_to_the_last(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(backoff_wait(i, 100, 1000), want_ms[i]);
	assert_int_equal(backoff_wait(UINT_MAX, 1, INT64_C(1) << 61),
			 INT64_C(1) << 61);
	/* The last one is the most, whatever the first. */
	assert_int_equal(backoff_wait(0, 100, 50), 50);
}

static void
a_wait_is_strewn_by_a_fifth_either_way(void **state)
{
	(void)state;
	assert_int_equal(backoff_strew(1000, 0), 800);
	assert_int_equal(backoff_strew(1000, 0.5), 1000);
	assert_int_equal(backoff_strew(1000, 1), 1200);
}

static void
who_counts_the_waits_begins_anew_when_all_is_well(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, 100, 1000);
	for (int round = 0; round < 100; round++) {
		for (unsigned i = 0; i < 6; i++)
			assert_in_range(backoff_next(&backoff),
					want_ms[i] * 8 / 10,
					want_ms[i] * 12 / 10);
		backoff_reset(&backoff);
	}
}

static void
two_that_failed_together_do_not_come_back_together(void **state)
{
	struct backoff a, b;
	int n_same = 0;

	(void)state;
	backoff_init(&a, 10000, 10000);
	backoff_init(&b, 10000, 10000);
	for (int i = 0; i < 100; i++)
		n_same += backoff_next(&a) == backoff_next(&b);
	assert_in_range(n_same, 0, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_doubles_up_to_the_last),
		cmocka_unit_test(a_wait_is_strewn_by_a_fifth_either_way),
		cmocka_unit_test(
			who_counts_the_waits_begins_anew_when_all_is_well),
		cmocka_unit_test(
			two_that_failed_together_do_not_come_back_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
