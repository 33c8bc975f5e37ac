#include "ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct evh_event events[16];

static int
setup(void **state)
{
	struct ledger *l = calloc(1, sizeof(*l));

	*state = l;
	return l == NULL ? -1 : ledger_init(l, 8);
}

static int
teardown(void **state)
{
	ledger_fini(*state);
	free(*state);
	return 0;
}

static uint64_t
take(struct ledger *l, int first, int n)
{
	struct evh_event *evs[16];
	uint64_t line = 0;

	for (int i = 0; i < n; i++)
		evs[i] = &events[first + i];
	assert_int_equal(n, ledger_take(l, evs, n, 0, &line));
	return line;
}

static void
answer_ok(struct ledger *l, uint64_t line, int number)
{
	struct evh_event *ev = NULL;

	assert_int_equal(1, ledger_answer(l, &line, 1, &ev));
	assert_ptr_equal(&events[number], ev);
}

static void
a_full_ledger_takes_the_first_that_fit(void **state)
{
	struct evh_event *evs[12];
	struct ledger *l = *state;
	uint64_t line = 99;

	for (int i = 0; i < 12; i++)
		evs[i] = &events[i];
	assert_int_equal(8, ledger_take(l, evs, 12, 0, &line));
	assert_int_equal(0, line);
	assert_int_equal(0, ledger_take(l, evs + 8, 4, 0, &line));
	/* The oldest line is what the ring is short of. */
	answer_ok(l, 3, 3);
	assert_int_equal(0, ledger_take(l, evs + 8, 4, 0, &line));
	answer_ok(l, 0, 0);
	assert_int_equal(1, ledger_take(l, evs + 8, 4, 0, &line));
	assert_int_equal(8, line);
}

static void
a_line_is_answered_once(void **state)
{
	struct evh_event *ev = NULL;
	struct ledger *l = *state;
	uint64_t line = take(l, 0, 2);

	answer_ok(l, line, 0);
	assert_int_equal(0, ledger_answer(l, &line, 1, &ev));
	assert_null(ledger_mark(l, line, EVH_RETRY));
	assert_int_equal(1, ledger_owed(l));
	/* Nor is a line that was never written. */
	line = 77;
	assert_int_equal(0, ledger_answer(l, &line, 1, &ev));
}

static void
a_marked_line_closes_the_ledger(void **state)
{
	struct evh_event *ev = &events[5];
	struct ledger *l = *state;
	uint64_t line = take(l, 0, 2), other;

	assert_ptr_equal(&events[1], ledger_mark(l, line + 1, EVH_FAIL));
	assert_int_equal(0, ledger_take(l, &ev, 1, 0, &other));
	ledger_open(l); /* a line is still marked */
	assert_int_equal(0, ledger_take(l, &ev, 1, 0, &other));
}

static void
marked_lines_are_settled_in_the_order_taken_behind_the_last_report(void **state)
{
	enum evh_result result = 0;
	struct evh_event *evs[8];
	struct ledger *l = *state;
	uint64_t line = take(l, 0, 5);

	ledger_mark(l, line + 4, EVH_RETRY);
	ledger_mark(l, line + 2, EVH_FAIL);
	ledger_mark(l, line + 1, EVH_RETRY);
	ledger_mark(l, line + 0, EVH_RETRY);
	assert_int_equal(0, ledger_settle(l, evs, 8, &result));
	answer_ok(l, line + 3, 3);

	assert_int_equal(2, ledger_settle(l, evs, 8, &result));
	assert_int_equal(EVH_RETRY, result);
	assert_ptr_equal(&events[0], evs[0]);
	assert_ptr_equal(&events[1], evs[1]);
	assert_int_equal(1, ledger_settle(l, evs, 8, &result));
	assert_int_equal(EVH_FAIL, result);
	assert_ptr_equal(&events[2], evs[0]);
	assert_int_equal(1, ledger_settle(l, evs, 8, &result));
	assert_int_equal(EVH_RETRY, result);
	assert_ptr_equal(&events[4], evs[0]);
	assert_int_equal(0, ledger_settle(l, evs, 8, &result));
	assert_int_equal(0, ledger_owed(l));
	ledger_open(l);
	take(l, 6, 1);
}

static void
settling_takes_at_most_what_there_is_room_for(void **state)
{
	enum evh_result result = 0;
	struct evh_event *evs[8];
	struct ledger *l = *state;

	take(l, 0, 5);
	assert_int_equal(5, ledger_give_up(l));
	assert_int_equal(3, ledger_settle(l, evs, 3, &result));
	assert_int_equal(2, ledger_settle(l, evs, 3, &result));
	assert_ptr_equal(&events[4], evs[1]);
	assert_int_equal(EVH_RETRY, result);
}

static void
a_cancelled_line_is_owed_nothing(void **state)
{
	struct ledger *l = *state;
	uint64_t line = take(l, 0, 5);

	ledger_cancel(l, line + 2, 3);
	assert_int_equal(2, ledger_owed(l));
	assert_int_equal(2, ledger_waiting(l));
	answer_ok(l, line, 0);
	answer_ok(l, line + 1, 1);
	assert_int_equal(0, ledger_owed(l));
	take(l, 8, 8);
}

static void
giving_up_leaves_verdicts_as_they_are(void **state)
{
	enum evh_result result = 0;
	struct evh_event *evs[8];
	struct ledger *l = *state;
	uint64_t line = take(l, 0, 2);

	ledger_mark(l, line, EVH_FAIL);
	assert_int_equal(1, ledger_give_up(l));
	assert_int_equal(1, ledger_settle(l, evs, 8, &result));
	assert_int_equal(EVH_FAIL, result);
}

static void
the_age_is_that_of_the_oldest_line(void **state)
{
	struct evh_event *ev = &events[0];
	struct ledger *l = *state;
	uint64_t line;

	assert_int_equal(0, ledger_age_ms(l, 5000));
	/* A clock of 32 bits wraps. */
	ledger_take(l, &ev, 1, UINT32_MAX - 99, &line);
	ledger_take(l, &ev, 1, 400, &line);
	assert_int_equal(600, ledger_age_ms(l, 500));
	line = 0;
	ledger_answer(l, &line, 1, &ev);
	assert_int_equal(100, ledger_age_ms(l, 500));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_ledger_takes_the_first_that_fit),
		TEST(a_line_is_answered_once),
		TEST(a_marked_line_closes_the_ledger),
		TEST(marked_lines_are_settled_in_the_order_taken_behind_the_last_report),
		TEST(settling_takes_at_most_what_there_is_room_for),
		TEST(a_cancelled_line_is_owed_nothing),
		TEST(giving_up_leaves_verdicts_as_they_are),
		TEST(the_age_is_that_of_the_oldest_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
