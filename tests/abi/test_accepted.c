/*
 * test_accepted.c - plugins that are taken, older and newer ones too.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "loader.h"
#include "loader_place.h"

static void
a_good_plugin_is_described(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = place_open(place, "good");

	assert_non_null(p);
	assert_int_equal(place->problems.n, 0);
	assert_string_equal(p->plugin.name, "good");
	assert_string_equal(p->plugin.version, "1.2.3");
	assert_int_equal(p->plugin.kind, EVH_HANDLER);
	assert_int_equal(p->plugin.threads, EVH_PARALLEL);
	assert_int_equal(p->n_options, 1);
	assert_string_equal(p->options[0].name, "greeting");
	assert_null(p->options[1].name);
	assert_int_equal(p->n_commands, 1);
	assert_string_equal(p->commands[0].name, "greet");
	assert_null(p->commands[1].name);
	assert_ptr_equal(p->plugin.options, p->options);
	assert_ptr_equal(p->plugin.commands, p->commands);
	assert_int_equal(p->file[0], '/');
	assert_int_equal(p->plugin.process(NULL, NULL), EVH_OK);
}

static void
a_plugin_of_a_newer_host_is_cut_to_size(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = place_open(place, "size_long");

	assert_non_null(p);
	assert_true(p->plugin.size > sizeof(struct evh_plugin));
	assert_string_equal(p->plugin.name, "good");
	assert_non_null(p->plugin.process);
}

static void
what_an_older_plugin_does_not_know_is_null(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = place_open(place, "size_enough");

	assert_non_null(p);
	assert_int_equal(p->plugin.size, offsetof(struct evh_plugin, service));
	assert_non_null(p->plugin.process);
	/* Something stands there in the file, behind its end. */
	assert_null(p->plugin.service);
}

static void
tables_are_walked_with_the_plugins_own_stride(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = place_open(place, "option_size_long");

	assert_non_null(p);
	assert_int_equal(p->n_options, 2);
	assert_string_equal(p->options[0].name, "one");
	assert_string_equal(p->options[1].name, "two");
	assert_int_equal(p->options[1].type, EVH_INT);
	assert_null(p->options[2].name);

	p = place_open(place, "command_size_long");
	assert_non_null(p);
	assert_int_equal(p->n_commands, 2);
	assert_string_equal(p->commands[1].name, "leave");
	assert_null(p->commands[2].name);
}

static void
a_plugin_that_is_open_is_given_again(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p = place_open(place, "good");
	char path[512];

	assert_ptr_equal(place_open(place, "good"), p);
	snprintf(path, sizeof(path), "%s/good.so", place->fixtures);
	assert_ptr_equal(place_open(place, path), p);
}

static void
two_plugins_in_a_row_are_two(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *one, *two;

	/* One that is refused first: its descriptor's number comes free. */
	assert_null(place_open(place, "wrong_abi"));
	one = place_open(place, "good");
	two = place_open(place, "other_good");
	assert_non_null(one);
	assert_non_null(two);
	assert_string_equal(one->plugin.name, "good");
	assert_string_equal(two->plugin.name, "other_good");
	assert_ptr_not_equal(one->plugin.process, two->plugin.process);
}

static void
a_second_loader_sees_the_files_that_are_there_then(void **state)
{
	struct place *place = *state;
	const struct loader_plugin *p;

	place_copy(place, "good", "mine.so", 0644);
	p = place_open(place, "./mine.so");
	assert_non_null(p);
	assert_string_equal(p->plugin.name, "good");

	/* Another file under the same name, by a loader that reuses whatever
	 * the first gave back. */
	loader_free(place->loader);
	place->loader = loader_new(place->fixtures);
	assert_non_null(place->loader);
	place_copy(place, "other_good", "new.so", 0644);
	{
		char from[128], to[128];

		snprintf(from, sizeof(from), "%s/new.so", place->dir);
		snprintf(to, sizeof(to), "%s/mine.so", place->dir);
		assert_int_equal(rename(from, to), 0);
	}
	p = place_open(place, "./mine.so");
	assert_non_null(p);
	assert_string_equal(p->plugin.name, "other_good");
}

static void
a_name_that_is_nearly_one_is_guessed(void **state)
{
	struct place *place = *state;
	char expected[512];

	assert_null(place_open(place, "othr_good"));
	snprintf(expected, sizeof(expected),
		 "plugin \"othr_good\": there is none in %s; did you mean "
		 "\"other_good\"?",
		 place->fixtures);
	assert_string_equal(place->problems.list[0].text, expected);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_good_plugin_is_described),
		TEST(a_plugin_of_a_newer_host_is_cut_to_size),
		TEST(what_an_older_plugin_does_not_know_is_null),
		TEST(tables_are_walked_with_the_plugins_own_stride),
		TEST(a_plugin_that_is_open_is_given_again),
		TEST(two_plugins_in_a_row_are_two),
		TEST(a_second_loader_sees_the_files_that_are_there_then),
		TEST(a_name_that_is_nearly_one_is_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
