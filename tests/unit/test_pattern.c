/*
 * test_pattern.c - names against patterns.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern.h"

static void
a_pattern_without_a_star_matches_only_itself(void **state)
{
	(void)state;
	assert_true(pattern_matches("user.created", "user.created"));
	assert_false(pattern_matches("user.created", "user.create"));
	assert_false(pattern_matches("user.created", "user.createdx"));
	assert_false(pattern_matches("user.created", ""));
	assert_true(pattern_matches("", ""));
}

static void
a_dot_is_only_a_dot(void **state)
{
	(void)state;
	assert_false(pattern_matches("user.created", "userxcreated"));
	assert_false(pattern_matches("user.?", "user.a"));
}

static void
a_star_stands_for_any_number_of_any_characters(void **state)
{
	(void)state;
	assert_true(pattern_matches("*", ""));
	assert_true(pattern_matches("*", "a.b.c"));
	assert_true(pattern_matches("user.*", "user."));
	assert_true(pattern_matches("user.*", "user.a.b"));
	assert_false(pattern_matches("user.*", "user"));
	assert_true(pattern_matches("*.created", "order.created"));
	assert_false(pattern_matches("*.created", "order.created2"));
	assert_true(pattern_matches("a*b*c", "aXbYbZc"));
	assert_false(pattern_matches("a*b*c", "aXbYbZ"));
	assert_true(pattern_matches("**", "x"));
}

static void
an_earlier_star_need_not_give_way(void **state)
{
	(void)state;
	assert_true(pattern_matches("*ab", "aab"));
	assert_true(pattern_matches("*aab", "aaab"));
	/* Would take for ever if each star were tried with each length. */
	assert_false(
		pattern_matches("*a*a*a*a*a*a*a*a*a*a*b",
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void
no_patterns_match_everything(void **state)
{
	char *none[] = { NULL };

	(void)state;
	assert_true(pattern_matches_any(NULL, "x"));
	assert_true(pattern_matches_any(none, "x"));
}

static void
one_of_several_patterns_is_enough(void **state)
{
	char one[] = "user.*", two[] = "order.created";
	char *list[] = { one, two, NULL };

	(void)state;
	assert_true(pattern_matches_any(list, "user.x"));
	assert_true(pattern_matches_any(list, "order.created"));
	assert_false(pattern_matches_any(list, "order.deleted"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_without_a_star_matches_only_itself),
		cmocka_unit_test(a_dot_is_only_a_dot),
		cmocka_unit_test(
			a_star_stands_for_any_number_of_any_characters),
		cmocka_unit_test(an_earlier_star_need_not_give_way),
		cmocka_unit_test(no_patterns_match_everything),
		cmocka_unit_test(one_of_several_patterns_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
