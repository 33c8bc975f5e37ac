/*
 * test_gate.c - the example of a handler that holds works, and is what the
 * README shows.
 */
#include "tempdir.h"

#include "shown.h"
#include "stand.h"

static char file[128];

static int
gate_setup(void **state)
{
	struct tempdir *dir = calloc(1, sizeof(*dir));

	assert_non_null(dir);
	tempdir_init(dir);
	snprintf(file, sizeof(file), "%s/open", dir->path);
	*state = dir;
	return 0;
}

static int
gate_teardown(void **state)
{
	tempdir_fini(*state);
	free(*state);
	return 0;
}

static void
events_wait_until_the_file_is_there(void **state)
{
	struct stand st;

	stand_up(&st, "gate", SETTINGS("file", file), 1);
	for (int i = 0; i < 20; i++)
		stand_emit(&st, "user.created", "{}");
	stand_assert_ends(&st, 0, 0, 0);
	tempdir_write(*state, "open", "");
	stand_await(&st, 20);
	stand_assert_ends(&st, 20, 0, 0);
	for (uintptr_t i = 0; i < 20; i++)
		assert_int_equal(st.out.el.cookies[i], i);
	stand_down(&st);
}

static void
a_drain_hands_back_what_waits(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "gate", SETTINGS("file", file), 1);
	for (int i = 0; i < 3; i++)
		stand_emit(&st, "user.created", "{}");
	stand_down(&st); /* drains within its time, or fails */
	assert_int_equal(st.src.n_heard, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(st.src.results[i], EVH_RETRY);
}

static void
the_readme_shows_exactly_this_file(void **state)
{
	(void)state;
	shown_assert("README.md", "gate.c");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, gate_setup, gate_teardown)
	const struct CMUnitTest tests[] = {
		TEST(events_wait_until_the_file_is_there),
		TEST(a_drain_hands_back_what_waits),
		TEST(the_readme_shows_exactly_this_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
