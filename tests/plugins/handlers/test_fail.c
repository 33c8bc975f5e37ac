/*
 * test_fail.c - each rule hits whom it names, and nobody else.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stand.h"

static void
by_default_everything_fails_with_a_sentence(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", NULL, 0);
	stand_emit(&st, "a", "{}");
	stand_await(&st, 1);
	stand_assert_ends(&st, 0, 0, 1);
	assert_non_null(strstr(st.failed.error, "by a rule"));
	stand_down(&st);
}

static void
the_message_is_the_configurations(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("message", "no such user"), 0);
	stand_emit(&st, "a", "{}");
	stand_await(&st, 1);
	assert_non_null(strstr(st.failed.error, "\"no such user\""));
	stand_down(&st);
}

static void
the_verdict_is_drop(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("verdict", "drop"), 0);
	stand_emit(&st, "a", "{}");
	stand_await(&st, 1);
	stand_assert_ends(&st, 0, 1, 0);
	stand_down(&st);
}

static void
match_chooses_by_name(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("match", "bad.*"), 0);
	stand_emit(&st, "bad.a", "{}");
	stand_emit(&st, "good.a", "{}");
	stand_await(&st, 2);
	stand_assert_ends(&st, 1, 0, 1);
	assert_int_equal(st.failed.el.cookies[0], 0);
	stand_down(&st);
}

static void
every_third_fails(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("every", "3"), 0);
	for (int i = 0; i < 9; i++)
		stand_emit(&st, "a", "{}");
	stand_await(&st, 9);
	stand_assert_ends(&st, 6, 0, 3);
	for (uintptr_t i = 0; i < 3; i++)
		assert_int_equal(st.failed.el.cookies[i], 3 * i + 2);
	stand_down(&st);
}

static void
until_two_the_third_try_succeeds(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("verdict", "retry", "until", "2"), 1);
	stand_emit(&st, "a", "{}");
	stand_await(&st, 1);
	stand_assert_ends(&st, 1, 0, 0);
	stand_down(&st);
	/* The rig gives up after three tries: so the second one has failed. */
	stand_up(&st, "fail", SETTINGS("verdict", "retry", "until", "3"), 1);
	stand_emit(&st, "a", "{}");
	stand_await(&st, 1);
	stand_assert_ends(&st, 0, 0, 1);
	stand_down(&st);
}

static void
tries_made_before_count(void **state)
{
	struct evh_spec spec = { .name = "a",
				 .data = { "{}", 2 },
				 .status = EVH_PROCESSED,
				 .attempts = 2 };
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("until", "2"), 0);
	assert_int_equal(rig_emit_spec(&st.src, &spec), 1);
	stand_await(&st, 1);
	stand_assert_ends(&st, 1, 0, 0);
	spec.attempts = 1;
	assert_int_equal(rig_emit_spec(&st.src, &spec), 1);
	stand_await(&st, 2);
	stand_assert_ends(&st, 1, 0, 1);
	stand_down(&st);
}

static void
every_second_that_is_retried_stays_chosen(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("verdict", "retry", "every", "2"), 1);
	for (int i = 0; i < 4; i++)
		stand_emit(&st, "a", "{}");
	stand_await(&st, 4);
	stand_assert_ends(&st, 2, 0, 2);
	stand_down(&st);
}

static void
a_field_of_the_data_chooses(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail",
		 SETTINGS("field", "/fail", "equals", "yes", "equals", "true"),
		 0);
	stand_emit(&st, "a", "{\"fail\":true}");
	stand_emit(&st, "a", "{\"fail\":\"yes\"}");
	stand_emit(&st, "a", "{\"fail\":false}");
	stand_emit(&st, "a", "{}");
	stand_await(&st, 4);
	stand_assert_ends(&st, 2, 0, 2);
	stand_down(&st);
}

static void
a_header_chooses(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "fail", SETTINGS("header", "x-fail", "equals", "1"), 0);
	stand_emit_header(&st, "x-fail", "1");
	stand_emit_header(&st, "x-fail", "11");
	stand_emit_header(&st, "x-other", "1");
	stand_await(&st, 3);
	stand_assert_ends(&st, 2, 0, 1);
	assert_int_equal(st.failed.el.cookies[0], 0);
	stand_down(&st);
}

static void
rules_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	assert_int_equal(stand_try("fail", SETTINGS("equals", "1")), -EINVAL);
	assert_int_equal(stand_try("fail", SETTINGS("field", "a")), -EINVAL);
	assert_int_equal(
		stand_try("fail", SETTINGS("field", "/a", "header", "a")),
		-EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_default_everything_fails_with_a_sentence),
		cmocka_unit_test(the_message_is_the_configurations),
		cmocka_unit_test(the_verdict_is_drop),
		cmocka_unit_test(match_chooses_by_name),
		cmocka_unit_test(every_third_fails),
		cmocka_unit_test(until_two_the_third_try_succeeds),
		cmocka_unit_test(tries_made_before_count),
		cmocka_unit_test(every_second_that_is_retried_stays_chosen),
		cmocka_unit_test(a_field_of_the_data_chooses),
		cmocka_unit_test(a_header_chooses),
		cmocka_unit_test(rules_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
