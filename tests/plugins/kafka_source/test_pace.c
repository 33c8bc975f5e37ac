#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pace.h"

static struct pace
slow_pace(void)
{
	struct pace pace;

	pace_reset(&pace);
	pace_offered(&pace, 0, 256, 1000);
	pace_paused(&pace, 2001);
	return pace;
}

static void
what_waits_for_a_second_is_slow(void **state)
{
	struct pace pace;

	(void)state;
	pace_reset(&pace);
	assert_false(pace_is_slow(&pace, true, 5000));
	pace_offered(&pace, 0, 256, 5000);
	assert_false(pace_is_slow(&pace, true, 6000));
	assert_true(pace_is_slow(&pace, true, 6001));
	pace_dropped(&pace);
	assert_false(pace_is_slow(&pace, true, 6001));
}

/* Never empty, but all that waited has gone. */
static void
what_is_followed_by_more_is_quick(void **state)
{
	struct pace pace;

	(void)state;
	pace_reset(&pace);
	pace_offered(&pace, 0, 100, 1000);
	pace_offered(&pace, 60, 256, 1500);
	pace_offered(&pace, 40, 256, 1900);
	assert_false(pace_is_slow(&pace, true, 2100));
	pace_offered(&pace, 255, 256, 2200);
	assert_true(pace_is_slow(&pace, true, 2901));
}

static void
once_slow_a_full_run_is_enough(void **state)
{
	struct pace pace = slow_pace();

	(void)state;
	pace_offered(&pace, 256, 0, 3000);
	pace_resumed(&pace, 3000);
	pace_offered(&pace, 0, 255, 3001);
	assert_false(pace_is_slow(&pace, false, 3002));
	assert_true(pace_is_slow(&pace, true, 3002));
}

static void
eight_quick_runs_in_a_row_make_it_quick(void **state)
{
	struct pace pace = slow_pace();

	(void)state;
	for (int64_t at_ms = 3000; at_ms < 3007; at_ms++) {
		pace_paused(&pace, at_ms);
		pace_resumed(&pace, at_ms + 249);
		assert_true(pace_is_slow(&pace, true, at_ms));
	}
	pace_paused(&pace, 4000);
	pace_resumed(&pace, 4250);
	for (int64_t at_ms = 5000; at_ms < 5008; at_ms++) {
		assert_true(pace_is_slow(&pace, true, at_ms));
		pace_paused(&pace, at_ms);
		pace_resumed(&pace, at_ms + 249);
	}
	assert_false(pace_is_slow(&pace, true, 5008));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waits_for_a_second_is_slow),
		cmocka_unit_test(what_is_followed_by_more_is_quick),
		cmocka_unit_test(once_slow_a_full_run_is_enough),
		cmocka_unit_test(eight_quick_runs_in_a_row_make_it_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
