/*
 * test_spin.c - the work is really done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "stand.h"

static int64_t
process_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Processor time that two events take. */
static int64_t
cost_ms(const char *const *settings)
{
	int64_t begin_ms;
	struct stand st;

	stand_up(&st, "spin", settings, 0);
	begin_ms = process_cpu_ms();
	stand_emit(&st, "cpu.spin", "{}");
	stand_emit(&st, "cpu.spin", "{}");
	stand_await(&st, 2);
	begin_ms = process_cpu_ms() - begin_ms;
	assert_int_equal(st.out.el.n_seen, 2);
	stand_down(&st);
	return begin_ms;
}

static void
more_rounds_take_longer(void **state)
{
	int64_t few_ms = cost_ms(SETTINGS("rounds", "1"));
	int64_t many_ms = cost_ms(SETTINGS("rounds", "40000000"));

	(void)state;
	/* No processor squares 80 million times in 10 ms, one by one. */
	assert_true(many_ms >= few_ms + 10);
}

static void
a_time_is_processor_time(void **state)
{
	(void)state;
	assert_true(cost_ms(SETTINGS("time", "40ms", "rounds", "1")) >= 80);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_rounds_take_longer),
		cmocka_unit_test(a_time_is_processor_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
