/*
 * test_config_mistakes.c - what is wrong in a file, each with its place.
 */
#include "../harness/tempdir.h"
#include "conf_file.h"
#include "config.h"
#include "home.h"

static void
a_file_that_is_not_there_is_named(void **state)
{
	struct conf *conf = *state;

	conf->config = config_new("/nonexistent/x.conf", &conf->problems);
	assert_null(conf->config);
	assert_int_equal(conf->problems.n, 1);
	assert_string_equal(conf->problems.list[0].where,
			    "/nonexistent/x.conf");
	assert_string_equal(conf->problems.list[0].text,
			    "cannot be read: No such file or directory");
}

static void
a_file_with_a_nul_in_it_is_refused(void **state)
{
	struct conf *conf = *state;
	char path[128];
	FILE *out;

	/* A text that ends early would hide what stands behind it. */
	snprintf(path, sizeof(path), "%s/nul.conf", conf->dir.path);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite("debug = true\n\0x", 1, 15, out), 15);
	assert_int_equal(fclose(out), 0);
	conf->config = config_new(path, &conf->problems);
	assert_null(conf->config);
	assert_string_equal(conf->problems.list[0].text,
			    "cannot be read: Invalid or incomplete multibyte "
			    "or wide character");
}

static void
what_is_no_configuration_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *where, *sentence;
	} cases[] = {
		{ "sink \"s\" {\n plugin = \"x\n", ":3",
		  "premature end of file" },
		{ "sink \"s\" {\n plugin = x\n", ":3",
		  "a closing brace is missing" },
		{ "}\n", ":1", "unexpected closing brace" },
		{ "word\n", ":2", "premature end of file" },
		{ "sink \"s\" { plugin = p nested { a = 1 } }", ":1",
		  "missing equal sign after option 'nested'" },
		{ "sink \"s\" { }\nsink \"s\" { }\n", ":2",
		  "another section of this kind is called 's'" },
		{ "a = /* no end\n", ":2", "premature end of file" },
	};
	struct conf *conf = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(conf_parse(conf, cases[i].text));
		assert_int_equal(conf->problems.n, 1);
		conf_assert_problem(conf, 0, cases[i].where, cases[i].sentence);
	}
}

static void
a_setting_that_is_given_twice_is_refused_with_both_lines(void **state)
{
	struct conf *conf = *state;

	assert_non_null(conf_parse(conf, "debug = true\n"
					 "sink \"s\" { plugin = p\n"
					 "  # text = \"none\"\n"
					 "  text = \"text = 1\"\n"
					 "  list = { a, b }\n"
					 "  m.a = 1 m.b = 2\n"
					 "  'text' = \"two\" text = three }\n"
					 "pipeline \"p\" { workers = 1\n"
					 "  workers = 2 }\n"
					 "debug = false\n"));
	assert_int_equal(conf->problems.n, 4);
	conf_assert_problem(
		conf, 0, ":7",
		"\"text\" is set twice in this section, first in line "
		"4; one is enough");
	conf_assert_problem(
		conf, 1, ":7",
		"\"text\" is set twice in this section, first in line "
		"4; one is enough");
	conf_assert_problem(
		conf, 2, ":9",
		"\"workers\" is set twice in this section, first in "
		"line 8; one is enough");
	conf_assert_problem(
		conf, 3, ":10",
		"\"debug\" is set twice in this section, first in line "
		"1; one is enough");
}

static void
sections_lists_and_includes_may_set_the_same_again(void **state)
{
	struct conf *conf = *state;

	tempdir_write(&conf->dir, "base.conf", "a = 1\nl = { x }\n");
	assert_non_null(conf_parse(conf,
				   "sink \"s\" { plugin = p a = 0\n"
				   "  include(\"base.conf\")\n"
				   "  a = 2\n"
				   "  k = { x } k += { y }\n"
				   "  b = 'it = is' }\n"
				   "sink \"t\" { plugin = p a = 3 b = 4 }\n"));
	assert_int_equal(conf->problems.n, 1);
	conf_assert_problem(
		conf, 0, ":3",
		"\"a\" is set twice in this section, first in line 1; "
		"one is enough");
	conf_assert_fine(conf, "sink \"s\" { plugin = p\n"
			       "  include(\"base.conf\")\n"
			       "  a = 2\n"
			       "  k = { x } k += { y }\n"
			       "  b = 'it = is' }\n"
			       "sink \"t\" { plugin = p a = 3 b = 4 }\n");
	conf_assert_value(conf, "a", "2");
	assert_int_equal(conf_setting(conf, "k")->n_values, 2);
}

static void
a_pipeline_has_no_more_workers_than_evhd_starts(void **state)
{
	struct conf *conf = *state;

	conf_assert_fine(conf, "pipeline \"p\" { workers = 64 }");
	assert_non_null(conf_parse(conf, "pipeline \"p\" { workers = 65 }"));
	assert_int_equal(conf->problems.n, 1);
	conf_assert_problem(conf, 0, ": pipeline \"p\"",
			    "workers = \"65\": this must be from 0 to 64");
}

/* Somewhere in the list: the order is the file's only within one keyword. */
static void
assert_said(const struct conf *conf, const char *where, const char *text)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "%s/a.conf%s", conf->dir.path,
		 where);
	for (size_t i = 0; i < conf->problems.n; i++)
		if (strcmp(conf->problems.list[i].text, text) == 0 &&
		    strcmp(conf->problems.list[i].where, expected) == 0)
			return;
	for (size_t i = 0; i < conf->problems.n; i++)
		print_error("said: %s: %s\n", conf->problems.list[i].where,
			    conf->problems.list[i].text);
	fail_msg("not said: %s: %s", expected, text);
}

static void
every_mistake_is_found_in_one_go_with_its_own_sentence(void **state)
{
	struct conf *conf = *state;

	assert_non_null(conf_parse(
		conf,
		"logg_level = info\n"
		"log_format = jsn\n"
		"shutdown_timeout = soon\n"
		"snik \"a\" { x = { 1 } }\n"
		"madeup \"b\" { }\n"
		"list = { 1, 2 }\n"
		"sink \"c\" { }\n"
		"store \"c\" { plugin = { a, b } }\n"
		"sink \"d e\" { plugin = p }\n"
		"pipeline \"p\" { workers = many in_flight = 0\n"
		"  in_flight_size = 1X otherwise = maybe deadline = { a, b }\n"
		"  backoff = 10s backoff_max = 1s on_fial = { x } }\n"));
	assert_said(conf, "",
		    "log_format = \"jsn\": this must be logfmt or json; did "
		    "you mean \"json\"?");
	assert_said(conf, "",
		    "unknown setting \"logg_level\"; did you mean "
		    "\"log_level\"?");
	assert_said(conf, "", "unknown setting \"list\"");
	assert_said(conf, "",
		    "shutdown_timeout = \"soon\": this should be a time like "
		    "1500ms, 30s or 5m");
	assert_said(conf, "",
		    "unknown section snik \"a\"; did you mean \"sink\"?");
	assert_said(conf, "",
		    "unknown section madeup \"b\"; the sections are ingest, "
		    "source, handler, sink, store, service and pipeline");
	assert_said(conf, ": sink \"c\"",
		    "there is no plugin; write plugin = \"NAME\"");
	assert_said(conf, ": store \"c\"",
		    "the name is taken by the sink \"c\"; an instance's name "
		    "is its own in the whole file");
	assert_said(conf, ": store \"c\"",
		    "plugin takes one value, not a list of 2");
	assert_said(conf, ": sink \"d e\"",
		    "a name is 1 to 64 letters, digits, '_', '-' and '.'");
	assert_said(conf, ": pipeline \"p\"",
		    "workers = \"many\": this should be a whole number like "
		    "4");
	assert_said(conf, ": pipeline \"p\"",
		    "in_flight = \"0\": this must be from 1 to 10000000");
	assert_said(conf, ": pipeline \"p\"",
		    "in_flight_size = \"1X\": this should be a size like 64M");
	assert_said(conf, ": pipeline \"p\"",
		    "otherwise = \"maybe\": this should be true or false (or "
		    "1/0, yes/no, on/off)");
	assert_said(conf, ": pipeline \"p\"",
		    "deadline takes one value, not a list of 2");
	assert_said(conf, ": pipeline \"p\"",
		    "backoff is 10000 ms, longer than backoff_max, which is "
		    "1000 ms");
	assert_said(conf, ": pipeline \"p\"",
		    "unknown setting \"on_fial\"; did you mean \"on_fail\"?");
	assert_int_equal(conf->problems.n_errors, 17);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, conf_setup, conf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_is_not_there_is_named),
		TEST(a_file_with_a_nul_in_it_is_refused),
		TEST(what_is_no_configuration_is_refused_with_its_line),
		TEST(a_setting_that_is_given_twice_is_refused_with_both_lines),
		TEST(sections_lists_and_includes_may_set_the_same_again),
		TEST(a_pipeline_has_no_more_workers_than_evhd_starts),
		TEST(every_mistake_is_found_in_one_go_with_its_own_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
