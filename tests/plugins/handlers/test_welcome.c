/*
 * test_welcome.c - the README's example works, and is what the README shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shown.h"
#include "stand.h"

static void
a_new_user_is_greeted(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "welcome",
		 SETTINGS("match", "user.created", "text", "Hello!"), 0);
	stand_emit(&st, "user.deleted", "{}");
	stand_await(&st, 1);
	assert_string_equal(st.out.headers, "");
	stand_emit(&st, "user.created", "{\"user_id\":123}");
	stand_await(&st, 2);
	assert_string_equal(st.out.headers, "greeting=Hello!;");
	stand_assert_ends(&st, 2, 0, 0);
	stand_down(&st);
}

static void
an_event_without_a_user_fails(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "welcome", NULL, 0);
	stand_emit(&st, "user.created", "{}");
	stand_await(&st, 1);
	stand_assert_ends(&st, 0, 0, 1);
	assert_non_null(strstr(st.failed.error, "nobody to greet"));
	stand_down(&st);
}

static void
both_readmes_show_exactly_this_file(void **state)
{
	(void)state;
	shown_assert("README.md", "welcome.c");
	shown_assert("../../README.md", "welcome.c");
}

static void
it_is_about_forty_lines_long(void **state)
{
	(void)state;
	shown_assert_lines("welcome.c", 30, 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_user_is_greeted),
		cmocka_unit_test(an_event_without_a_user_fails),
		cmocka_unit_test(both_readmes_show_exactly_this_file),
		cmocka_unit_test(it_is_about_forty_lines_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
