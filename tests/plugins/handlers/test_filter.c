/*
 * test_filter.c - who goes on and who ends here.
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
keep_lets_only_matching_names_go_on(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "filter", SETTINGS("keep", "user.*", "keep", "order.new"),
		 0);
	stand_emit(&st, "user.created", "{}");
	stand_emit(&st, "order.new", "{}");
	stand_emit(&st, "order.newer", "{}");
	stand_await(&st, 3);
	stand_assert_ends(&st, 2, 1, 0);
	assert_int_equal(st.dropped.el.cookies[0], 2);
	stand_down(&st);
}

static void
drop_ends_matching_names_even_those_that_keep_matches(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "filter", SETTINGS("keep", "user.*", "drop", "*.test"),
		 0);
	stand_emit(&st, "user.test", "{}");
	stand_emit(&st, "user.created", "{}");
	stand_await(&st, 2);
	stand_assert_ends(&st, 1, 1, 0);
	assert_int_equal(st.out.el.cookies[0], 1);
	stand_down(&st);
}

static void
only_events_whose_field_is_one_of_equals_go_on(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "filter",
		 SETTINGS("field", "/user/role", "equals", "admin", "equals",
			  "1.0"),
		 0);
	stand_emit(&st, "a", "{\"user\":{\"role\":\"admin\"}}");
	stand_emit(&st, "a", "{\"user\":{\"role\":\"adm\\u0069n\"}}");
	stand_emit(&st, "a", "{\"user\":{\"role\":1.0}}");
	stand_emit(&st, "a", "{\"user\":{\"role\":1}}");
	stand_emit(&st, "a", "{\"user\":{\"role\":\"admin2\"}}");
	stand_emit(&st, "a", "{\"user\":{\"role\":\"admin\\u0000\"}}");
	stand_emit(&st, "a", "{\"role\":\"admin\"}");
	stand_await(&st, 7);
	stand_assert_ends(&st, 3, 4, 0);
	assert_int_equal(st.out.el.cookies[2], 2);
	stand_down(&st);
}

static void
then_drop_turns_it_round(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "filter",
		 SETTINGS("field", "/test", "equals", "true", "then", "drop"),
		 0);
	stand_emit(&st, "a", "{\"test\":true}");
	stand_emit(&st, "a", "{\"test\":false}");
	stand_emit(&st, "a", "{}");
	stand_await(&st, 3);
	stand_assert_ends(&st, 2, 1, 0);
	assert_int_equal(st.dropped.el.cookies[0], 0);
	stand_down(&st);
}

static void
a_field_without_equals_has_only_to_be_there(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "filter", SETTINGS("field", "/list/1"), 0);
	stand_emit(&st, "a", "{\"list\":[0,null]}");
	stand_emit(&st, "a", "{\"list\":[0]}");
	stand_await(&st, 2);
	stand_assert_ends(&st, 1, 1, 0);
	stand_down(&st);
}

static void
data_that_is_no_json_fails(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "filter", SETTINGS("field", "/a"), 0);
	stand_emit(&st, "a", "{\"a\":");
	stand_await(&st, 1);
	stand_assert_ends(&st, 0, 0, 1);
	assert_non_null(strstr(st.failed.error, "no JSON"));
	stand_down(&st);
}

static void
rules_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	assert_int_equal(stand_try("filter", NULL), -EINVAL);
	assert_int_equal(stand_try("filter", SETTINGS("equals", "1")), -EINVAL);
	assert_int_equal(
		stand_try("filter", SETTINGS("keep", "a", "equals", "1")),
		-EINVAL);
	assert_int_equal(stand_try("filter", SETTINGS("field", "user")),
			 -EINVAL);
	assert_int_equal(stand_try("filter", SETTINGS("field", "/a~2")),
			 -EINVAL);
	assert_int_equal(stand_try("filter", SETTINGS("field", "/a~1b")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keep_lets_only_matching_names_go_on),
		cmocka_unit_test(
			drop_ends_matching_names_even_those_that_keep_matches),
		cmocka_unit_test(
			only_events_whose_field_is_one_of_equals_go_on),
		cmocka_unit_test(then_drop_turns_it_round),
		cmocka_unit_test(a_field_without_equals_has_only_to_be_there),
		cmocka_unit_test(data_that_is_no_json_fails),
		cmocka_unit_test(rules_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
