/*
 * test_config_variables.c - what the environment brings into a file.
 */
#include "../harness/tempdir.h"
#include "conf_file.h"
#include "config.h"
#include "home.h"

static void
variables_are_expanded_in_double_quotes(void **state)
{
	struct conf *conf = *state;

	conf_assert_fine(conf, "sink \"s\" { plugin = p\n"
			       "  a = \"<${EVH_T_SET}:${EVH_T_NONE:-9092}>\"\n"
			       "  b = ${EVH_T_SET}\n"
			       "  c = \"${EVH_T_NONE:-}\"\n"
			       "  d = \"${EVH_T_NONE:-http://x/?a=b#c}\"\n"
			       "  e = \"${EVH_T_SET:-other}\" }");
	conf_assert_value(conf, "a", "<set:9092>");
	conf_assert_value(conf, "b", "set");
	conf_assert_value(conf, "c", "");
	conf_assert_value(conf, "d", "http://x/?a=b#c");
	conf_assert_value(conf, "e", "set");
}

static void
an_empty_variable_takes_the_default(void **state)
{
	struct conf *conf = *state;

	assert_non_null(conf_parse(conf, "sink \"s\" { plugin = p\n"
					 "  a = \"${EVH_T_EMPTY:-default}\"\n"
					 "  b = ${EVH_T_EMPTY:-8000} }"));
	conf_assert_value(conf, "a", "default");
	conf_assert_value(conf, "b", "8000");
	/* The environment itself is left alone. */
	assert_string_equal(getenv("EVH_T_EMPTY"), "");
}

static void
a_variable_without_default_leaves_its_name(void **state)
{
	struct conf *conf = *state;
	const struct config_setting *s;

	conf_assert_fine(conf,
			 "sink \"s\" { plugin = p\n"
			 "  a = \"${EVH_T_NONE}:${EVH_T_EMPTY}\"\n"
			 "  b = ${EVH_T_EMPTY}\n"
			 "  c = { \"x\", \"${EVH_T_NONE}\" }\n"
			 "  d = \"${EVH_T_NONE:-a default for it here}\" }");
	s = conf_setting(conf, "a");
	assert_string_equal(s->values[0], ":");
	assert_string_equal(s->missing[0], "EVH_T_NONE");
	assert_string_equal(s->missing[1], "EVH_T_EMPTY");
	assert_null(s->missing[2]);
	s = conf_setting(conf, "b");
	assert_string_equal(s->values[0], "");
	assert_string_equal(s->missing[0], "EVH_T_EMPTY");
	s = conf_setting(conf, "c");
	assert_string_equal(s->values[1], "");
	assert_string_equal(s->missing[0], "EVH_T_NONE");
	assert_null(s->missing[1]);
	assert_null(conf_setting(conf, "d")->missing);
}

static void
the_hosts_own_settings_name_the_variable(void **state)
{
	struct conf *conf = *state;

	assert_non_null(conf_parse(
		conf, "log_level = \"${EVH_T_NONE}\"\n"
		      "sink \"s\" { plugin = \"${EVH_T_NONE}\" }\n"
		      "pipeline \"p\" { workers = \"${EVH_T_EMPTY}\" }"));
	assert_int_equal(conf->problems.n_errors, 3);
	conf_assert_problem(
		conf, 0, "",
		"log_level needs the variable EVH_T_NONE, which is not "
		"set");
	conf_assert_problem(
		conf, 1, ": sink \"s\"",
		"plugin needs the variable EVH_T_NONE, which is not "
		"set");
	conf_assert_problem(
		conf, 2, ": pipeline \"p\"",
		"workers needs the variable EVH_T_EMPTY, which is not "
		"set");
}

static void
all_variables_that_a_setting_misses_are_told_at_once(void **state)
{
	struct conf *conf = *state;

	assert_non_null(conf_parse(
		conf, "log_level = \"${EVH_T_NONE}${EVH_T_EMPTY}\"\n"
		      "pipeline \"p\" { chain = { \"${EVH_T_EMPTY}\",\n"
		      "  \"${EVH_T_NONE2}\", \"${EVH_T_NONE}\" } }"));
	assert_int_equal(conf->problems.n_errors, 2);
	conf_assert_problem(conf, 0, "",
			    "log_level needs the variables EVH_T_NONE and "
			    "EVH_T_EMPTY, which are not set");
	conf_assert_problem(
		conf, 1, ": pipeline \"p\"",
		"chain needs the variables EVH_T_EMPTY, EVH_T_NONE2 and "
		"EVH_T_NONE, which are not set");
}

static void
the_confs_folder_is_a_variable(void **state)
{
	struct conf *conf = *state;

	assert_non_null(conf_parse(conf, "sink \"s\" { plugin = p\n"
					 "  a = \"${EVH_CONF_DIR}/x\" }"));
	assert_int_equal(strncmp(conf_setting(conf, "a")->values[0],
				 conf->dir.path, strlen(conf->dir.path)),
			 0);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, conf_setup, conf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(variables_are_expanded_in_double_quotes),
		TEST(an_empty_variable_takes_the_default),
		TEST(a_variable_without_default_leaves_its_name),
		TEST(the_hosts_own_settings_name_the_variable),
		TEST(all_variables_that_a_setting_misses_are_told_at_once),
		TEST(the_confs_folder_is_a_variable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
