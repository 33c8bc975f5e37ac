/*
 * test_listing.c - what the real evhd says of its plugins: plugins, describe.
 */
#include <jansson.h>

#include "command_line.h"

static void
plugins_are_listed_the_broken_ones_with_their_reason(void **state)
{
	struct line *line = *state;
	char expected[1024];

	line_conf_write(line, "sink \"s\" { plugin = \"./broken.so\" }\n");
	tempdir_write(&line->dir, "broken.so", "hello\n");
	assert_int_equal(LINE_RUN(line, "plugins", "-c", "a.conf"), 0);
	line_assert_has(line, "PLUGIN         KIND     VERSION  ABI  FILE\n");
	snprintf(expected, sizeof(expected),
		 "plain_handler  handler  1        1    %s/plain_handler.so\n",
		 line->plain);
	line_assert_has(line, expected);
	snprintf(expected, sizeof(expected),
		 "./broken.so    broken   -        -    %s/broken.so: it is no "
		 "shared object (it does not begin like an ELF file)\n",
		 line->dir.path);
	line_assert_has(line, expected);
}

static void
plugins_speak_json(void **state)
{
	struct line *line = *state;
	json_t *json, *row;

	line_conf_write(line, "sink \"s\" { plugin = \"./broken.so\" }\n");
	tempdir_write(&line->dir, "broken.so", "hello\n");
	assert_int_equal(LINE_RUN(line, "plugins", "--json", "-c", "a.conf"),
			 0);
	json = json_loads(line->output, 0, NULL);
	assert_int_equal(json_array_size(json), 5);
	row = json_array_get(json, 2);
	assert_string_equal(json_string_value(json_object_get(row, "plugin")),
			    "plain_sink");
	assert_string_equal(json_string_value(json_object_get(row, "kind")),
			    "sink");
	assert_int_equal(json_integer_value(json_object_get(row, "abi")), 1);
	row = json_array_get(json, 4);
	assert_non_null(json_object_get(row, "error"));
	json_decref(json);
}

static void
a_plugin_is_described_without_its_secrets(void **state)
{
	struct line *line = *state;

	line_conf_write(line, "");
	assert_int_equal(
		LINE_RUN(line, "describe", "plain_sink", "-c", "a.conf"), 0);
	line_assert_has(line, "plain_sink 1, a sink: does nothing\n");
	line_assert_has(line,
			"OPTION    TYPE      DEFAULT   VALUES    HELP\n"
			"topic     text      -         -         anything\n"
			"port      number    1         1..65535  \n"
			"friend    instance  -         -         \n"
			"host      text      required  -         where it is\n"
			"password  secret    (hidden)  -         \n");
	line_assert_has(line, "evhd greet -c FILE NAME ...\n");
	assert_int_equal(LINE_RUN(line, "describe", "plain_sink", "--json",
				  "-c", "a.conf"),
			 0);
	assert_null(strstr(line->output, "changeit"));
	/* A handler's has the host's words. */
	assert_int_equal(
		LINE_RUN(line, "describe", "plain_handler", "-c", "a.conf"), 0);
	line_assert_has(line, "backoff_max        time");
}

static void
a_description_says_how_a_time_is_written(void **state)
{
	struct line *line = *state;

	line_conf_write(line, "");
	assert_int_equal(
		LINE_RUN(line, "describe", "plain_handler", "-c", "a.conf"), 0);
	line_assert_has(line,
			"time: with its unit, like 100ms, 30s, 5m, 1h or 1d; "
			"a bare number is milliseconds\n");
	/* Where there is none, nothing is said. */
	assert_int_equal(
		LINE_RUN(line, "describe", "plain_sink", "-c", "a.conf"), 0);
	assert_null(strstr(line->output, "milliseconds"));
}

static void
a_plugin_that_is_not_there_cannot_be_described(void **state)
{
	struct line *line = *state;
	char expected[512];

	line_conf_write(line, "");
	assert_int_equal(
		LINE_RUN(line, "describe", "plain_snik", "-c", "a.conf"), 78);
	snprintf(expected, sizeof(expected),
		 "evhd: plugin \"plain_snik\": there is none in %s; did you "
		 "mean \"plain_sink\"?\n",
		 line->plain);
	line_assert_output(line, expected);
	assert_int_equal(LINE_RUN(line, "describe"), 64);
	line_assert_output(line, "evhd: which plugin? evhd describe PLUGIN\n");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, line_setup, line_teardown)
	const struct CMUnitTest tests[] = {
		TEST(plugins_are_listed_the_broken_ones_with_their_reason),
		TEST(plugins_speak_json),
		TEST(a_plugin_is_described_without_its_secrets),
		TEST(a_description_says_how_a_time_is_written),
		TEST(a_plugin_that_is_not_there_cannot_be_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
