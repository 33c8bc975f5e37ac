/*
 * test_problems.c - the list of mistakes, and the nearest word.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "problems.h"

static const char *const words[] = { "brokers", "topic", "linger", "group",
				     NULL };

static void
a_problem_keeps_its_place_and_its_sentence(void **state)
{
	struct problems p = { 0 };

	(void)state;
	problems_add(&p, "a.conf", "%d is too many", 7);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.n_errors, 1);
	assert_false(p.list[0].is_warning);
	assert_string_equal(p.list[0].where, "a.conf");
	assert_string_equal(p.list[0].text, "7 is too many");
	problems_fini(&p);
	assert_int_equal(p.n, 0);
	assert_null(p.list);
}

static void
a_warning_is_no_error(void **state)
{
	struct problems p = { 0 };

	(void)state;
	problems_warn(&p, "", "mind the gap");
	assert_int_equal(p.n, 1);
	assert_int_equal(p.n_errors, 0);
	assert_true(p.list[0].is_warning);
	problems_fini(&p);
}

static void
the_order_of_finding_is_kept(void **state)
{
	struct problems p = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		problems_add(&p, "x", "%d", i);
	assert_int_equal(p.n_errors, 100);
	assert_string_equal(p.list[0].text, "0");
	assert_string_equal(p.list[99].text, "99");
	problems_fini(&p);
}

static void
a_slip_of_the_fingers_finds_its_word(void **state)
{
	(void)state;
	assert_string_equal(problems_nearest("broker", words), "brokers");
	assert_string_equal(problems_nearest("borkers", words), "brokers");
	assert_string_equal(problems_nearest("topics", words), "topic");
	assert_string_equal(problems_nearest("lingre", words), "linger");
	assert_string_equal(problems_nearest("grop", words), "group");
}

static void
a_word_like_none_is_not_guessed_at(void **state)
{
	(void)state;
	assert_null(problems_nearest("password", words));
	assert_null(problems_nearest("", words));
	assert_null(problems_nearest("x", words));
	assert_null(problems_nearest("brokersbrokersbrokersbrokersbrokersbroke"
				     "rsbrokersbrokersbrokersbrokersbrokers",
				     words));
}

static void
the_nearest_of_several_is_named(void **state)
{
	const char *const near[] = { "in_flight", "in_flight_size", NULL };

	(void)state;
	assert_string_equal(problems_nearest("in_fligth", near), "in_flight");
	assert_string_equal(problems_nearest("in_flight_siz", near),
			    "in_flight_size");
}

static void
a_word_that_was_begun_comes_before_one_of_its_length(void **state)
{
	const char *const begun[] = { "spool.dir", "spool.max_size", NULL };
	const char *const slips[] = { "in_flight_size", "in_flight", NULL };

	(void)state;
	assert_string_equal(problems_nearest("spool.max", begun),
			    "spool.max_size");
	/* One letter more is nearer still. */
	assert_string_equal(problems_nearest("in_fligh", slips), "in_flight");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_problem_keeps_its_place_and_its_sentence),
		cmocka_unit_test(a_warning_is_no_error),
		cmocka_unit_test(the_order_of_finding_is_kept),
		cmocka_unit_test(a_slip_of_the_fingers_finds_its_word),
		cmocka_unit_test(a_word_like_none_is_not_guessed_at),
		cmocka_unit_test(the_nearest_of_several_is_named),
		cmocka_unit_test(
			a_word_that_was_begun_comes_before_one_of_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
