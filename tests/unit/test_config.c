/*
 * test_config.c - configuration files as structs.
 */
#include "../harness/tempdir.h"
#include "conf_file.h"
#include "config.h"
#include "home.h"

/* ---- What is in a file --------------------------------------------------- */

static void
an_empty_file_has_defaults(void **state)
{
	struct conf *conf = *state;
	struct config *c = conf_parse(conf, "");

	assert_non_null(c);
	assert_int_equal(conf->problems.n, 0);
	assert_int_equal(c->n_instances, 0);
	assert_int_equal(c->n_pipelines, 0);
	assert_false(c->debug);
	assert_string_equal(c->log_level, "info");
	assert_string_equal(c->log_format, "logfmt");
	assert_null(c->log_file);
	assert_null(c->state_dir);
	assert_int_equal(c->shutdown_timeout_ms, 30000);
	assert_string_equal(c->dir, conf->dir.path);
	assert_int_equal(c->plugin_dir[0], '/');
	assert_string_equal(getenv("EVH_CONF_DIR"), conf->dir.path);
	assert_non_null(getenv("EVH_SHARE_DIR"));
}

static void
global_settings_are_read(void **state)
{
	struct conf *conf = *state;
	struct config *c = conf_parse(conf, "plugin_dir = \"lib\"\n"
					    "debug = on\n"
					    "log_level = warn\n"
					    "log_format = json\n"
					    "log_file = \"/tmp/x.log\"\n"
					    "state_dir = \"state\"\n"
					    "shutdown_timeout = 1500ms\n");
	char dir[128];

	assert_non_null(c);
	assert_int_equal(conf->problems.n, 0);
	snprintf(dir, sizeof(dir), "%s/lib", conf->dir.path);
	assert_string_equal(c->plugin_dir, dir);
	assert_true(c->debug);
	assert_string_equal(c->log_level, "warn");
	assert_string_equal(c->log_format, "json");
	assert_string_equal(c->log_file, "/tmp/x.log");
	snprintf(dir, sizeof(dir), "%s/state", conf->dir.path);
	assert_string_equal(c->state_dir, dir);
	assert_int_equal(c->shutdown_timeout_ms, 1500);
}

static void
each_keyword_has_its_kind(void **state)
{
	static const struct {
		const char *keyword;
		enum evh_kind kind;
	} kinds[] = {
		{ "ingest", EVH_SOURCE },   { "source", EVH_SOURCE },
		{ "handler", EVH_HANDLER }, { "sink", EVH_SINK },
		{ "store", EVH_SINK },	    { "service", EVH_SERVICE },
	};
	struct conf *conf = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char text[64], where[256];
		const struct config_instance *in;

		snprintf(text, sizeof(text), "%s \"x\" { plugin = p }",
			 kinds[i].keyword);
		conf_assert_fine(conf, text);
		in = config_instance(conf->config, "x");
		assert_non_null(in);
		assert_int_equal(in->kind, kinds[i].kind);
		assert_string_equal(in->keyword, kinds[i].keyword);
		assert_string_equal(in->plugin, "p");
		assert_int_equal(in->n_settings, 0);
		snprintf(where, sizeof(where), "%s/a.conf: %s \"x\"",
			 conf->dir.path, kinds[i].keyword);
		assert_string_equal(in->where, where);
	}
}

static void
settings_of_any_name_are_kept(void **state)
{
	struct conf *conf = *state;

	conf_assert_fine(conf, "sink \"s\" {\n"
			       "  plugin = \"./x.so\"\n"
			       "  rdkafka.linger.ms = 5\n"
			       "  negative = -7\n"
			       "  text = \"a \\\"b\\\" c\"\n"
			       "  raw = '${EVH_T_SET} \\n'\n"
			       "}\n");
	conf_assert_value(conf, "rdkafka.linger.ms", "5");
	conf_assert_value(conf, "negative", "-7");
	conf_assert_value(conf, "text", "a \"b\" c");
	conf_assert_value(conf, "raw", "${EVH_T_SET} \\n");
	assert_null(conf_setting(conf, "plugin"));
	assert_string_equal(config_instance(conf->config, "s")->plugin,
			    "./x.so");
}

static void
lists_are_read_in_every_section_without_being_declared(void **state)
{
	struct conf *conf = *state;
	const struct config_setting *s;

	conf_assert_fine(conf, "sink \"s\" { plugin = p\n"
			       "  one = { \"a\" } two = { \"b\", 'c' }\n"
			       "  none = {} more += { x, y, z } }\n"
			       "sink \"t\" { plugin = p two = \"alone\" }\n"
			       "handler \"h\" { plugin = p two = \"d\" }\n");
	s = conf_setting(conf, "two");
	assert_int_equal(s->n_values, 2);
	assert_string_equal(s->values[0], "b");
	assert_string_equal(s->values[1], "c");
	assert_null(s->values[2]);
	assert_int_equal(conf_setting(conf, "one")->n_values, 1);
	assert_non_null(conf_setting(conf, "none"));
	assert_int_equal(conf_setting(conf, "none")->n_values, 0);
	assert_int_equal(conf_setting(conf, "more")->n_values, 3);
	/* What one section has as a list, another may have as one value, or
	 * not at all. */
	assert_int_equal(config_instance(conf->config, "t")->n_settings, 1);
	assert_string_equal(
		config_instance(conf->config, "h")->settings[0].values[0], "d");
}

static void
a_pipeline_has_defaults(void **state)
{
	struct conf *conf = *state;
	const struct config_pipeline *p;

	conf_assert_fine(conf, "pipeline \"p\" { chain = { a, b } }");
	assert_int_equal(conf->config->n_pipelines, 1);
	p = &conf->config->pipelines[0];
	assert_string_equal(p->name, "p");
	assert_string_equal(p->chain[0], "a");
	assert_string_equal(p->chain[1], "b");
	assert_null(p->chain[2]);
	assert_non_null(p->optional);
	assert_null(p->optional[0]);
	assert_null(p->on_fail[0]);
	assert_null(p->on_drop[0]);
	assert_null(p->match[0]);
	assert_false(p->otherwise);
	assert_int_equal(p->workers, 0);
	assert_int_equal(p->in_flight, 10000);
	assert_int_equal(p->in_flight_size, 64 << 20);
	assert_int_equal(p->attempts, 3);
	assert_int_equal(p->backoff_ms, 100);
	assert_int_equal(p->backoff_max_ms, 10000);
	assert_int_equal(p->deadline_ms, 0);
	assert_null(p->spool_dir);
}

static void
a_pipeline_is_read(void **state)
{
	struct conf *conf = *state;
	const struct config_pipeline *p;

	conf_assert_fine(
		conf, "pipeline \"p\" { chain = { a, b, c } optional = { c }\n"
		      "  on_fail = c on_drop = { b, c } match = { \"u.*\" }\n"
		      "  otherwise = yes workers = 4 in_flight = 7\n"
		      "  in_flight_size = 2M attempts = 9 backoff = 1s\n"
		      "  backoff_max = 1m deadline = \"10s\" }");
	p = &conf->config->pipelines[0];
	assert_string_equal(p->optional[0], "c");
	assert_string_equal(p->on_fail[0], "c");
	assert_string_equal(p->on_drop[1], "c");
	assert_string_equal(p->match[0], "u.*");
	assert_true(p->otherwise);
	assert_int_equal(p->workers, 4);
	assert_int_equal(p->in_flight, 7);
	assert_int_equal(p->in_flight_size, 2 << 20);
	assert_int_equal(p->attempts, 9);
	assert_int_equal(p->backoff_ms, 1000);
	assert_int_equal(p->backoff_max_ms, 60000);
	assert_int_equal(p->deadline_ms, 10000);
}

static void
a_spool_is_a_section_in_a_pipeline(void **state)
{
	struct conf *conf = *state;
	const struct config_pipeline *p;
	char dir[300];

	setenv("EVH_T_SET", "set", 1);
	conf_assert_fine(conf, "pipeline \"p\" { chain = { a, b }\n"
			       "  spool { dir = \"/x/${EVH_T_SET}\"\n"
			       "    max_size = 2G when = always }\n"
			       "  deadline = 3s }\n"
			       "pipeline \"q\" { spool { dir = y } }\n");
	p = &conf->config->pipelines[0];
	assert_string_equal(p->spool_dir, "/x/set");
	assert_string_equal(p->spool_when, "always");
	assert_int_equal(p->spool_max_size, UINT64_C(2) << 30);
	assert_int_equal(p->deadline_ms, 3000);
	p = &conf->config->pipelines[1];
	snprintf(dir, sizeof(dir), "%s/y", conf->config->dir);
	assert_string_equal(p->spool_dir, dir);
	assert_string_equal(p->spool_when, "outage");
	assert_int_equal(p->spool_max_size, UINT64_C(1) << 30);
}

static void
what_is_wrong_in_a_spool_is_told(void **state)
{
	struct conf *conf = *state;

	assert_non_null(conf_parse(conf, "pipeline \"p\" { spool { } }\n"
					 "pipeline \"q\" { spool { dir = d\n"
					 "  when = outtage max_sise = 1M\n"
					 "  max_size = 3 } }\n"));
	conf_assert_problem(conf, 0, ": pipeline \"p\"",
			    "the spool has no folder; write spool { dir = "
			    "\"/var/lib/evh/spool\" }");
	conf_assert_problem(conf, 1, ": pipeline \"q\"",
			    "unknown setting \"spool.max_sise\"; did you mean "
			    "\"spool.max_size\"?");
	conf_assert_problem(
		conf, 2, ": pipeline \"q\"",
		"spool.max_size = \"3\": this must be from 1048576 to "
		"1125899906842624 bytes");
	conf_assert_problem(conf, 3, ": pipeline \"q\"",
			    "spool.when = \"outtage\": this must be outage or "
			    "always; did you mean \"outage\"?");
	assert_int_equal(conf->problems.n, 4);
}

/* ---- Comments, includes, lines ------------------------------------------- */

static void
comments_of_all_three_kinds_are_skipped(void **state)
{
	struct conf *conf = *state;

	conf_assert_fine(conf, "# one \"\n"
			       "// two ' ${EVH_T_NONE}\n"
			       "/* three\n * { # */ sink \"s\" {\n"
			       "  plugin = p # four\n"
			       "  url = http://x//y // five\n"
			       "  text = \"# no // comment /* here */\"\n"
			       "}\n");
	conf_assert_value(conf, "url", "http://x//y");
	conf_assert_value(conf, "text", "# no // comment /* here */");
}

static void
a_mistake_has_its_line_behind_comments_too(void **state)
{
	struct conf *conf = *state;

	assert_null(conf_parse(conf, "# one\n"
				     "/* two\n"
				     "   three */\n"
				     "sink \"s\" {\n"
				     "  # five\n"
				     "  plugin \"p\"\n"
				     "}\n"));
	assert_int_equal(conf->problems.n, 1);
	conf_assert_problem(conf, 0, ":6",
			    "missing equal sign after option 'plugin'");
}

static void
included_files_are_read_in_their_place(void **state)
{
	struct conf *conf = *state;

	tempdir_write(&conf->dir, "more.conf",
		      "a = \"${EVH_T_NONE}\" # comment\nb = { x, y }\n");
	tempdir_write(&conf->dir, "all.conf",
		      "sink \"s\" { plugin = p include(\"more.conf\") c = 3 }");
	conf_assert_fine(conf, "include(\"all.conf\")\ndebug = true\n");
	assert_string_equal(conf_setting(conf, "a")->missing[0], "EVH_T_NONE");
	assert_int_equal(conf_setting(conf, "b")->n_values, 2);
	conf_assert_value(conf, "c", "3");
	assert_true(conf->config->debug);
}

static void
a_mistake_in_an_included_file_has_its_name(void **state)
{
	struct conf *conf = *state;
	char where[128];

	tempdir_write(&conf->dir, "more.conf", "\nsink { }\n");
	assert_null(conf_parse(conf, "include(\"more.conf\")\n"));
	snprintf(where, sizeof(where), "%s/more.conf:2", conf->dir.path);
	assert_string_equal(conf->problems.list[0].where, where);
	assert_string_equal(conf->problems.list[0].text,
			    "missing title for section 'sink'");

	assert_null(conf_parse(conf, "include(\"nowhere.conf\")\n"));
	snprintf(where, sizeof(where), "%s/nowhere.conf", conf->dir.path);
	assert_string_equal(conf->problems.list[0].where, where);
	assert_string_equal(conf->problems.list[0].text,
			    "cannot be read: No such file or directory");
}

static void
files_that_include_each_other_end(void **state)
{
	struct conf *conf = *state;

	assert_null(conf_parse(conf, "include(\"a.conf\")\n"));
	conf_assert_problem(
		conf, 0, ":1",
		"a.conf: more than 10 files that include each other");
}

static void
many_lists_in_an_included_file_are_no_trouble(void **state)
{
	struct conf *conf = *state;
	char text[4096];
	size_t n = 0;

	/* Each is learnt by reading the files once more. */
	n += (size_t)snprintf(text, sizeof(text), "sink \"s\" { plugin = p\n");
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "l%u = { a, b }\n", i);
	snprintf(text + n, sizeof(text) - n, "}\n");
	tempdir_write(&conf->dir, "more.conf", text);
	conf_assert_fine(conf, "include(\"more.conf\")\n");
	assert_int_equal(config_instance(conf->config, "s")->n_settings, 40);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, conf_setup, conf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_file_has_defaults),
		TEST(global_settings_are_read),
		TEST(each_keyword_has_its_kind),
		TEST(settings_of_any_name_are_kept),
		TEST(lists_are_read_in_every_section_without_being_declared),
		TEST(a_pipeline_has_defaults),
		TEST(a_pipeline_is_read),
		TEST(a_spool_is_a_section_in_a_pipeline),
		TEST(what_is_wrong_in_a_spool_is_told),
		TEST(comments_of_all_three_kinds_are_skipped),
		TEST(a_mistake_has_its_line_behind_comments_too),
		TEST(included_files_are_read_in_their_place),
		TEST(a_mistake_in_an_included_file_has_its_name),
		TEST(files_that_include_each_other_end),
		TEST(many_lists_in_an_included_file_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
