/*
 * test_status.c - the words for an event's status.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "status.h"

static void
each_word_is_read_as_it_is_written(void **state)
{
	static const char *const words[] = { "pending", "processed", "failed",
					     "dropped" };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		enum evh_status status =
			status_read(words[i], strlen(words[i]));

		assert_int_equal(status, EVH_PENDING + i);
		assert_string_equal(status_word(status), words[i]);
	}
}

static void
what_is_no_status_has_no_number_and_a_question_mark(void **state)
{
	(void)state;
	assert_int_equal(status_read("", 0), 0);
	assert_int_equal(status_read("Failed", 6), 0);
	assert_int_equal(status_read("failed!", 7), 0);
	assert_int_equal(status_read("faile", 5), 0);
	assert_string_equal(status_word((enum evh_status)0), "?");
	assert_string_equal(status_word((enum evh_status)5), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_is_read_as_it_is_written),
		cmocka_unit_test(
			what_is_no_status_has_no_number_and_a_question_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
