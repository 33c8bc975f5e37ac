/*
 * test_cli.c - the real evhd's command line: what it prints, how it ends.
 */
#include <jansson.h>

#include "command_line.h"

#define GOOD                                                                   \
	"ingest \"http\" { plugin = plain_source }\n"                          \
	"sink \"kafka\" { plugin = plain_sink host = h }\n"                    \
	"pipeline \"p\" { chain = { http, kafka } }\n"

/* ---- check --------------------------------------------------------------- */

static void
a_good_file_is_ok(void **state)
{
	struct line *line = *state;

	line_conf_write(line, GOOD);
	assert_int_equal(LINE_RUN(line, "check", "-c", "a.conf"), 0);
	line_assert_output(line, "a.conf: ok\n");
	assert_int_equal(LINE_RUN(line, "--config=a.conf", "check"), 0);
	line_assert_output(line, "a.conf: ok\n");
}

static void
a_warning_is_told_and_is_no_error(void **state)
{
	struct line *line = *state;

	line_conf_write(line,
			GOOD "handler \"h\" { plugin = plain_handler }\n");
	assert_int_equal(LINE_RUN(line, "check", "-c", "a.conf"), 0);
	line_assert_has(line,
			"evhd: warning: a.conf: handler \"h\": no pipeline "
			"and no option names it: it has nothing to do\n");
	line_assert_has(line, "a.conf: ok\n");
}

static void
every_mistake_is_a_line_and_the_exit_code_is_78(void **state)
{
	struct line *line = *state;

	line_conf_write(line, "log_levl = info\n"
			      "sink \"kafka\" { plugin = plain_sink prot = 1\n"
			      "  host = \"${EVH_T_NONE}\" }\n"
			      "pipeline \"p\" { chain = { http, kafka } }\n");
	assert_int_equal(
		LINE_RUN(line, "check", "-c", "a.conf", "--env-file", "env"),
		78);
	line_assert_output(
		line,
		"evhd: a.conf: unknown setting \"log_levl\"; did you mean "
		"\"log_level\"?\n"
		"evhd: a.conf: sink \"kafka\": unknown option \"prot\"; did "
		"you mean \"port\"?\n"
		"evhd: a.conf: sink \"kafka\": host needs the variable "
		"EVH_T_NONE, which is not set\n"
		"evhd: a.conf: pipeline \"p\": chain names \"http\", which is "
		"no instance\n");
	/* Running finds the same, before anything is opened. */
	assert_int_equal(LINE_RUN(line, "-c", "a.conf"), 78);
	line_assert_has(line, "evhd: a.conf: sink \"kafka\": host needs the "
			      "variable EVH_T_NONE, which is not set\n");
}

static void
who_is_named_has_to_offer_what_is_asked(void **state)
{
	static const char sentence[] =
		"rows = \"k\": that one's plugin, plain_sink, does not offer "
		"evh.store/1; name an instance that does, or leave rows out";
	struct line *line = *state;

	line_conf_write(line,
			"ingest \"http\" { plugin = plain_source rows = k }\n"
			"sink \"k\" { plugin = plain_sink host = h }\n"
			"pipeline \"p\" { chain = { http, k } }\n");
	assert_int_equal(LINE_RUN(line, "check", "-c", "a.conf"), 78);
	line_assert_has(line, "evhd: a.conf: ingest \"http\": ");
	line_assert_has(line, sentence);
	/* It does not run, either. */
	assert_int_equal(LINE_RUN(line, "-c", "a.conf"), 78);
	line_assert_has(line, "plain_sink, does not offer evh.store/1");
}

static void
check_speaks_json(void **state)
{
	struct line *line = *state;
	json_t *json, *list, *row;

	line_conf_write(line, "log_levl = info\n" GOOD);
	assert_int_equal(LINE_RUN(line, "check", "--json", "-c", "a.conf"), 78);
	json = json_loads(line->output, 0, NULL);
	assert_non_null(json);
	assert_true(json_is_false(json_object_get(json, "ok")));
	list = json_object_get(json, "problems");
	assert_int_equal(json_array_size(list), 1);
	row = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(row, "level")),
			    "error");
	assert_string_equal(json_string_value(json_object_get(row, "where")),
			    "a.conf");
	json_decref(json);
}

static void
variables_come_from_the_env_file(void **state)
{
	struct line *line = *state;

	line_conf_write(line, "ingest \"http\" { plugin = plain_source }\n"
			      "sink \"k\" { plugin = plain_sink\n"
			      "  host = \"${EVH_T_NONE}\" }\n"
			      "pipeline \"p\" { chain = { http, k } }\n");
	tempdir_write(&line->dir, "other.env", "EVH_T_NONE=localhost\n");
	assert_int_equal(LINE_RUN(line, "check", "-c", "a.conf", "--env-file",
				  "other.env"),
			 0);
	assert_int_equal(LINE_RUN(line, "check", "-c", "a.conf"), 78);
	tempdir_write(&line->dir, ".env", "EVH_T_NONE=localhost\n");
	assert_int_equal(LINE_RUN(line, "check", "-c", "a.conf"), 0);
	assert_int_equal(LINE_RUN(line, "check", "-c", "a.conf", "--env-file",
				  "nowhere"),
			 78);
	line_assert_has(line, "evhd: nowhere: cannot be read: No such file or "
			      "directory\n");
}

/* ---- Words of plugins ---------------------------------------------------- */

static void
a_plugins_word_gets_its_arguments(void **state)
{
	struct line *line = *state;

	line_conf_write(line, GOOD);
	/* plain_sink's greet returns how many it got. */
	assert_int_equal(LINE_RUN(line, "greet", "-c", "a.conf", "-1", "--yes"),
			 3);
	assert_int_equal(LINE_RUN(line, "-c", "a.conf", "greet", "--json",
				  "--help", "x", "--env-file", "env"),
			 4);
}

static void
a_word_of_several_instances_needs_a_name(void **state)
{
	struct line *line = *state;

	line_conf_write(line, "sink \"a\" { plugin = plain_sink host = h }\n"
			      "sink \"b\" { plugin = plain_sink }\n");
	assert_int_equal(LINE_RUN(line, "greet", "-c", "a.conf"), 64);
	line_assert_output(line,
			   "evhd: \"greet\" is offered by \"a\" and \"b\"; "
			   "say which with --on INSTANCE\n");
	assert_int_equal(LINE_RUN(line, "greet", "-c", "a.conf", "--on", "a"),
			 1);
	assert_int_equal(
		LINE_RUN(line, "greet", "-c", "a.conf", "--instance=b"), 78);
	line_assert_output(line,
			   "evhd: a.conf: sink \"b\": host is missing (where "
			   "it is)\n");
	assert_int_equal(LINE_RUN(line, "greet", "-c", "a.conf", "--on", "c"),
			 78);
	line_assert_output(line, "evhd: a.conf: there is no instance \"c\"\n");
}

static void
unknown_words_and_options_are_guessed_at(void **state)
{
	static const struct {
		const char *args[4];
		const char *output;
	} cases[] = {
		{ { "chekc" },
		  "evhd: unknown word \"chekc\"; did you mean \"check\"?\n" },
		{ { "greet" },
		  "evhd: unknown word \"greet\"; a plugin's word needs -c "
		  "FILE\n" },
		{ { "migrate" },
		  "evhd: \"migrate\", a word of the plugin pg_store, needs a "
		  "configuration: evhd migrate -c FILE ...\n" },
		{ { "migrat", "upgrade", "head" },
		  "evhd: unknown word \"migrat\"; did you mean "
		  "\"migrate\"?\n" },
		{ { "-c", "a.conf", "gret" },
		  "evhd: unknown word \"gret\"; did you mean \"greet\"?\n" },
		{ { "-c", "a.conf", "xyzzy" },
		  "evhd: unknown word \"xyzzy\": neither evhd nor a plugin of "
		  "the file has it\n" },
		{ { "--jsno" },
		  "evhd: unknown option --jsno; did you mean --json?\n" },
		{ { "-x" },
		  "evhd: unknown option -x; `evhd --help` lists them\n" },
		{ { "check", "-c" }, "evhd: the option -c needs a value\n" },
		{ { "check" }, "evhd: which file? evhd check -c FILE\n" },
		{ { "check", "a.conf" }, "evhd: check takes no \"a.conf\"\n" },
	};
	struct line *line = *state;

	line_conf_write(line, GOOD);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(line_run(line, cases[i].args), 64);
		line_assert_output(line, cases[i].output);
	}
}

static void
a_log_that_cannot_be_opened_is_told_once(void **state)
{
	struct line *line = *state;
	const char *first;

	line_conf_write(line, "log_file = \"/nowhere/evhd.log\"\n" GOOD);
	assert_int_equal(LINE_RUN(line, "-c", "a.conf"), 71);
	first = strstr(line->output, "/nowhere/evhd.log: No such file");
	assert_non_null(first);
	assert_null(strstr(first + 1, "/nowhere"));
}

static void
help_and_version_are_told(void **state)
{
	struct line *line = *state;

	assert_int_equal(LINE_RUN(line, "--help"), 0);
	line_assert_has(line, "evhd check -c FILE");
	assert_int_equal(LINE_RUN(line, "help"), 0);
	assert_int_equal(LINE_RUN(line, "--version"), 0);
	line_assert_has(line, "(ABI 1)\n");
	assert_int_equal(line_run(line, (const char *const[]){ NULL }), 64);
}

/* ---- The files that come with evhd --------------------------------------- */

static void
the_shipped_files_are_right(void **state)
{
	static const char *const names[] = { "api", "consumer", "evh" };
	struct line *line = *state;

	tempdir_write(&line->dir, "env",
		      "EVENT_HANDLER_SERVICE_POSTGRES_USER=u\n"
		      "EVENT_HANDLER_SERVICE_POSTGRES_PASSWORD=p\n"
		      "EVENT_HANDLER_SERVICE_POSTGRES_HOST=localhost\n"
		      "EVENT_HANDLER_SERVICE_POSTGRES_DB=d\n"
		      "EVENT_HANDLER_SERVICE_KAFKA_HOST=localhost\n"
		      "EVENT_HANDLER_SERVICE_TOPIC_NAME=t\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char file[256], expected[300];

		snprintf(file, sizeof(file), "%s/conf/%s.conf",
			 getenv("EVH_SOURCE_DIR"), names[i]);
		snprintf(expected, sizeof(expected), "%s: ok\n", file);
		LINE_RUN(line, "check", "-c", file, "--env-file", "env");
		line_assert_output(line, expected);
	}
}

static void
the_shipped_files_name_each_variable_that_is_missing(void **state)
{
	static const char *const names[] = {
		"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_HOST",
		"POSTGRES_DB",	 "KAFKA_HOST",	      "TOPIC_NAME",
	};
	struct line *line = *state;
	char file[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char name[128];

		snprintf(name, sizeof(name), "EVENT_HANDLER_SERVICE_%s",
			 names[i]);
		unsetenv(name);
	}
	snprintf(file, sizeof(file), "%s/conf/api.conf",
		 getenv("EVH_SOURCE_DIR"));
	assert_int_equal(LINE_RUN(line, "check", "-c", file), 78);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char part[128];

		snprintf(part, sizeof(part),
			 " needs the variable EVENT_HANDLER_SERVICE_%s, which "
			 "is not set\n",
			 names[i]);
		line_assert_has(line, part);
	}
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, line_setup, line_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_good_file_is_ok),
		TEST(a_warning_is_told_and_is_no_error),
		TEST(every_mistake_is_a_line_and_the_exit_code_is_78),
		TEST(who_is_named_has_to_offer_what_is_asked),
		TEST(check_speaks_json),
		TEST(variables_come_from_the_env_file),
		TEST(a_plugins_word_gets_its_arguments),
		TEST(a_word_of_several_instances_needs_a_name),
		TEST(unknown_words_and_options_are_guessed_at),
		TEST(a_log_that_cannot_be_opened_is_told_once),
		TEST(help_and_version_are_told),
		TEST(the_shipped_files_are_right),
		TEST(the_shipped_files_name_each_variable_that_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
