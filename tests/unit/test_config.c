/*
 * test_config.c - configuration files as structs, and what is wrong in them.
 */
#include "../harness/tempdir.h"

#include "config.h"
#include "home.h"

struct conf {
	struct tempdir dir;
	struct problems problems;
	struct config *config;
};

static int
conf_setup(void **state)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	assert_non_null(conf);
	tempdir_init(&conf->dir);
	unsetenv("EVH_T_NONE");
	assert_int_equal(setenv("EVH_T_SET", "set", 1), 0);
	assert_int_equal(setenv("EVH_T_EMPTY", "", 1), 0);
	*state = conf;
	return 0;
}

static int
conf_teardown(void **state)
{
	struct conf *conf = *state;

	config_free(conf->config);
	problems_fini(&conf->problems);
	tempdir_fini(&conf->dir);
	free(conf);
	return 0;
}

static struct config *
parse(struct conf *conf, const char *text)
{
	const char *file = tempdir_write(&conf->dir, "a.conf", text);

	config_free(conf->config);
	problems_fini(&conf->problems);
	conf->config = config_new(file, &conf->problems);
	return conf->config;
}

/* That this is the i-th problem, of a place in a.conf: ":3", ": sink ...". */
static void
assert_problem(const struct conf *conf, size_t i, const char *where,
	       const char *text)
{
	char expected[256];

	assert_true(i < conf->problems.n);
	snprintf(expected, sizeof(expected), "%s/a.conf%s", conf->dir.path,
		 where);
	assert_string_equal(conf->problems.list[i].text, text);
	assert_string_equal(conf->problems.list[i].where, expected);
}

/* Reads one value of the sink "s", as it was after expansion. */
static const struct config_setting *
setting(const struct conf *conf, const char *name)
{
	const struct config_instance *in = config_instance(conf->config, "s");

	assert_non_null(in);
	for (unsigned i = 0; i < in->n_settings; i++)
		if (strcmp(in->settings[i].name, name) == 0)
			return &in->settings[i];
	return NULL;
}

static void
assert_value(const struct conf *conf, const char *name, const char *value)
{
	const struct config_setting *s = setting(conf, name);

	assert_non_null(s);
	assert_int_equal(s->n_values, 1);
	assert_string_equal(s->values[0], value);
	assert_null(s->missing);
}

/* ---- What is in a file --------------------------------------------------- */

static void
an_empty_file_has_defaults(void **state)
{
	struct conf *conf = *state;
	struct config *c = parse(conf, "");

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
	struct config *c = parse(conf, "plugin_dir = \"lib\"\n"
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
		assert_non_null(parse(conf, text));
		assert_int_equal(conf->problems.n, 0);
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

	assert_non_null(parse(conf, "sink \"s\" {\n"
				    "  plugin = \"./x.so\"\n"
				    "  rdkafka.linger.ms = 5\n"
				    "  negative = -7\n"
				    "  text = \"a \\\"b\\\" c\"\n"
				    "  raw = '${EVH_T_SET} \\n'\n"
				    "}\n"));
	assert_int_equal(conf->problems.n, 0);
	assert_value(conf, "rdkafka.linger.ms", "5");
	assert_value(conf, "negative", "-7");
	assert_value(conf, "text", "a \"b\" c");
	assert_value(conf, "raw", "${EVH_T_SET} \\n");
	assert_null(setting(conf, "plugin"));
	assert_string_equal(config_instance(conf->config, "s")->plugin,
			    "./x.so");
}

static void
lists_are_read_in_every_section_without_being_declared(void **state)
{
	struct conf *conf = *state;
	const struct config_setting *s;

	assert_non_null(parse(conf,
			      "sink \"s\" { plugin = p\n"
			      "  one = { \"a\" } two = { \"b\", 'c' }\n"
			      "  none = {} more += { x, y, z } }\n"
			      "sink \"t\" { plugin = p two = \"alone\" }\n"
			      "handler \"h\" { plugin = p two = \"d\" }\n"));
	assert_int_equal(conf->problems.n, 0);
	s = setting(conf, "two");
	assert_int_equal(s->n_values, 2);
	assert_string_equal(s->values[0], "b");
	assert_string_equal(s->values[1], "c");
	assert_null(s->values[2]);
	assert_int_equal(setting(conf, "one")->n_values, 1);
	assert_non_null(setting(conf, "none"));
	assert_int_equal(setting(conf, "none")->n_values, 0);
	assert_int_equal(setting(conf, "more")->n_values, 3);
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

	assert_non_null(parse(conf, "pipeline \"p\" { chain = { a, b } }"));
	assert_int_equal(conf->problems.n, 0);
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

	assert_non_null(parse(
		conf, "pipeline \"p\" { chain = { a, b, c } optional = { c }\n"
		      "  on_fail = c on_drop = { b, c } match = { \"u.*\" }\n"
		      "  otherwise = yes workers = 4 in_flight = 7\n"
		      "  in_flight_size = 2M attempts = 9 backoff = 1s\n"
		      "  backoff_max = 1m deadline = \"10s\" }"));
	assert_int_equal(conf->problems.n, 0);
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
	assert_non_null(parse(conf, "pipeline \"p\" { chain = { a, b }\n"
				    "  spool { dir = \"/x/${EVH_T_SET}\"\n"
				    "    max_size = 2G when = always }\n"
				    "  deadline = 3s }\n"
				    "pipeline \"q\" { spool { dir = y } }\n"));
	assert_int_equal(conf->problems.n, 0);
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

	assert_non_null(parse(conf, "pipeline \"p\" { spool { } }\n"
				    "pipeline \"q\" { spool { dir = d\n"
				    "  when = outtage max_sise = 1M\n"
				    "  max_size = 3 } }\n"));
	assert_problem(conf, 0, ": pipeline \"p\"",
		       "the spool has no folder; write spool { dir = "
		       "\"/var/lib/evh/spool\" }");
	assert_problem(conf, 1, ": pipeline \"q\"",
		       "unknown setting \"spool.max_sise\"; did you mean "
		       "\"spool.max_size\"?");
	assert_problem(conf, 2, ": pipeline \"q\"",
		       "spool.max_size = \"3\": this must be from 1048576 to "
		       "1125899906842624 bytes");
	assert_problem(conf, 3, ": pipeline \"q\"",
		       "spool.when = \"outtage\": this must be outage or "
		       "always; did you mean \"outage\"?");
	assert_int_equal(conf->problems.n, 4);
}

/* ---- Variables ------------------------------------------------------------
 */

static void
variables_are_expanded_in_double_quotes(void **state)
{
	struct conf *conf = *state;

	assert_non_null(parse(conf,
			      "sink \"s\" { plugin = p\n"
			      "  a = \"<${EVH_T_SET}:${EVH_T_NONE:-9092}>\"\n"
			      "  b = ${EVH_T_SET}\n"
			      "  c = \"${EVH_T_NONE:-}\"\n"
			      "  d = \"${EVH_T_NONE:-http://x/?a=b#c}\"\n"
			      "  e = \"${EVH_T_SET:-other}\" }"));
	assert_int_equal(conf->problems.n, 0);
	assert_value(conf, "a", "<set:9092>");
	assert_value(conf, "b", "set");
	assert_value(conf, "c", "");
	assert_value(conf, "d", "http://x/?a=b#c");
	assert_value(conf, "e", "set");
}

static void
an_empty_variable_takes_the_default(void **state)
{
	struct conf *conf = *state;

	assert_non_null(parse(conf, "sink \"s\" { plugin = p\n"
				    "  a = \"${EVH_T_EMPTY:-default}\"\n"
				    "  b = ${EVH_T_EMPTY:-8000} }"));
	assert_value(conf, "a", "default");
	assert_value(conf, "b", "8000");
	/* The environment itself is left alone. */
	assert_string_equal(getenv("EVH_T_EMPTY"), "");
}

static void
a_variable_without_default_leaves_its_name(void **state)
{
	struct conf *conf = *state;
	const struct config_setting *s;

	assert_non_null(parse(
		conf, "sink \"s\" { plugin = p\n"
		      "  a = \"${EVH_T_NONE}:${EVH_T_EMPTY}\"\n"
		      "  b = ${EVH_T_EMPTY}\n"
		      "  c = { \"x\", \"${EVH_T_NONE}\" }\n"
		      "  d = \"${EVH_T_NONE:-a default for it here}\" }"));
	assert_int_equal(conf->problems.n, 0);
	s = setting(conf, "a");
	assert_string_equal(s->values[0], ":");
	assert_string_equal(s->missing[0], "EVH_T_NONE");
	assert_string_equal(s->missing[1], "EVH_T_EMPTY");
	assert_null(s->missing[2]);
	s = setting(conf, "b");
	assert_string_equal(s->values[0], "");
	assert_string_equal(s->missing[0], "EVH_T_EMPTY");
	s = setting(conf, "c");
	assert_string_equal(s->values[1], "");
	assert_string_equal(s->missing[0], "EVH_T_NONE");
	assert_null(s->missing[1]);
	assert_null(setting(conf, "d")->missing);
}

static void
the_hosts_own_settings_name_the_variable(void **state)
{
	struct conf *conf = *state;

	assert_non_null(
		parse(conf, "log_level = \"${EVH_T_NONE}\"\n"
			    "sink \"s\" { plugin = \"${EVH_T_NONE}\" }\n"
			    "pipeline \"p\" { workers = \"${EVH_T_EMPTY}\" }"));
	assert_int_equal(conf->problems.n_errors, 3);
	assert_problem(conf, 0, "",
		       "log_level needs the variable EVH_T_NONE, which is not "
		       "set");
	assert_problem(conf, 1, ": sink \"s\"",
		       "plugin needs the variable EVH_T_NONE, which is not "
		       "set");
	assert_problem(conf, 2, ": pipeline \"p\"",
		       "workers needs the variable EVH_T_EMPTY, which is not "
		       "set");
}

static void
all_variables_that_a_setting_misses_are_told_at_once(void **state)
{
	struct conf *conf = *state;

	assert_non_null(parse(conf,
			      "log_level = \"${EVH_T_NONE}${EVH_T_EMPTY}\"\n"
			      "pipeline \"p\" { chain = { \"${EVH_T_EMPTY}\",\n"
			      "  \"${EVH_T_NONE2}\", \"${EVH_T_NONE}\" } }"));
	assert_int_equal(conf->problems.n_errors, 2);
	assert_problem(conf, 0, "",
		       "log_level needs the variables EVH_T_NONE and "
		       "EVH_T_EMPTY, which are not set");
	assert_problem(conf, 1, ": pipeline \"p\"",
		       "chain needs the variables EVH_T_EMPTY, EVH_T_NONE2 and "
		       "EVH_T_NONE, which are not set");
}

static void
the_confs_folder_is_a_variable(void **state)
{
	struct conf *conf = *state;

	assert_non_null(parse(conf, "sink \"s\" { plugin = p\n"
				    "  a = \"${EVH_CONF_DIR}/x\" }"));
	assert_int_equal(strncmp(setting(conf, "a")->values[0], conf->dir.path,
				 strlen(conf->dir.path)),
			 0);
}

/* ---- Comments, includes, lines ------------------------------------------- */

static void
comments_of_all_three_kinds_are_skipped(void **state)
{
	struct conf *conf = *state;

	assert_non_null(parse(conf, "# one \"\n"
				    "// two ' ${EVH_T_NONE}\n"
				    "/* three\n * { # */ sink \"s\" {\n"
				    "  plugin = p # four\n"
				    "  url = http://x//y // five\n"
				    "  text = \"# no // comment /* here */\"\n"
				    "}\n"));
	assert_int_equal(conf->problems.n, 0);
	assert_value(conf, "url", "http://x//y");
	assert_value(conf, "text", "# no // comment /* here */");
}

static void
a_mistake_has_its_line_behind_comments_too(void **state)
{
	struct conf *conf = *state;

	assert_null(parse(conf, "# one\n"
				"/* two\n"
				"   three */\n"
				"sink \"s\" {\n"
				"  # five\n"
				"  plugin \"p\"\n"
				"}\n"));
	assert_int_equal(conf->problems.n, 1);
	assert_problem(conf, 0, ":6",
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
	assert_non_null(parse(conf, "include(\"all.conf\")\ndebug = true\n"));
	assert_int_equal(conf->problems.n, 0);
	assert_string_equal(setting(conf, "a")->missing[0], "EVH_T_NONE");
	assert_int_equal(setting(conf, "b")->n_values, 2);
	assert_value(conf, "c", "3");
	assert_true(conf->config->debug);
}

static void
a_mistake_in_an_included_file_has_its_name(void **state)
{
	struct conf *conf = *state;
	char where[128];

	tempdir_write(&conf->dir, "more.conf", "\nsink { }\n");
	assert_null(parse(conf, "include(\"more.conf\")\n"));
	snprintf(where, sizeof(where), "%s/more.conf:2", conf->dir.path);
	assert_string_equal(conf->problems.list[0].where, where);
	assert_string_equal(conf->problems.list[0].text,
			    "missing title for section 'sink'");

	assert_null(parse(conf, "include(\"nowhere.conf\")\n"));
	snprintf(where, sizeof(where), "%s/nowhere.conf", conf->dir.path);
	assert_string_equal(conf->problems.list[0].where, where);
	assert_string_equal(conf->problems.list[0].text,
			    "cannot be read: No such file or directory");
}

static void
files_that_include_each_other_end(void **state)
{
	struct conf *conf = *state;

	assert_null(parse(conf, "include(\"a.conf\")\n"));
	assert_problem(conf, 0, ":1",
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
	assert_non_null(parse(conf, "include(\"more.conf\")\n"));
	assert_int_equal(conf->problems.n, 0);
	assert_int_equal(config_instance(conf->config, "s")->n_settings, 40);
}

/* ---- Mistakes ---------------------------------------------------------------
 */

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
		assert_null(parse(conf, cases[i].text));
		assert_int_equal(conf->problems.n, 1);
		assert_problem(conf, 0, cases[i].where, cases[i].sentence);
	}
}

static void
a_setting_that_is_given_twice_is_refused_with_both_lines(void **state)
{
	struct conf *conf = *state;

	assert_non_null(parse(conf, "debug = true\n"
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
	assert_problem(conf, 0, ":7",
		       "\"text\" is set twice in this section, first in line "
		       "4; one is enough");
	assert_problem(conf, 1, ":7",
		       "\"text\" is set twice in this section, first in line "
		       "4; one is enough");
	assert_problem(conf, 2, ":9",
		       "\"workers\" is set twice in this section, first in "
		       "line 8; one is enough");
	assert_problem(conf, 3, ":10",
		       "\"debug\" is set twice in this section, first in line "
		       "1; one is enough");
}

static void
sections_lists_and_includes_may_set_the_same_again(void **state)
{
	struct conf *conf = *state;

	tempdir_write(&conf->dir, "base.conf", "a = 1\nl = { x }\n");
	assert_non_null(parse(conf, "sink \"s\" { plugin = p a = 0\n"
				    "  include(\"base.conf\")\n"
				    "  a = 2\n"
				    "  k = { x } k += { y }\n"
				    "  b = 'it = is' }\n"
				    "sink \"t\" { plugin = p a = 3 b = 4 }\n"));
	assert_int_equal(conf->problems.n, 1);
	assert_problem(conf, 0, ":3",
		       "\"a\" is set twice in this section, first in line 1; "
		       "one is enough");
	assert_non_null(parse(conf, "sink \"s\" { plugin = p\n"
				    "  include(\"base.conf\")\n"
				    "  a = 2\n"
				    "  k = { x } k += { y }\n"
				    "  b = 'it = is' }\n"
				    "sink \"t\" { plugin = p a = 3 b = 4 }\n"));
	assert_int_equal(conf->problems.n, 0);
	assert_value(conf, "a", "2");
	assert_int_equal(setting(conf, "k")->n_values, 2);
}

static void
a_pipeline_has_no_more_workers_than_evhd_starts(void **state)
{
	struct conf *conf = *state;

	assert_non_null(parse(conf, "pipeline \"p\" { workers = 64 }"));
	assert_int_equal(conf->problems.n, 0);
	assert_non_null(parse(conf, "pipeline \"p\" { workers = 65 }"));
	assert_int_equal(conf->problems.n, 1);
	assert_problem(conf, 0, ": pipeline \"p\"",
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

	assert_non_null(parse(
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

/* ---- Where evhd lives ---------------------------------------------------- */

static void
assert_home(const struct conf *conf, char *path, const char *expected)
{
	char full[256];

	assert_non_null(path);
	snprintf(full, sizeof(full), "%s/%s", conf->dir.path, expected);
	assert_string_equal(path, full);
	free(path);
}

static void
dir_make(const struct conf *conf, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", conf->dir.path, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
a_build_tree_has_its_plugins_beside_evhd(void **state)
{
	struct conf *conf = *state;
	char exe[128];

	dir_make(conf, "plugins");
	dir_make(conf, "share");
	snprintf(exe, sizeof(exe), "%s/evhd", conf->dir.path);
	assert_home(conf, home_plugin_dir(exe), "plugins");
	assert_home(conf, home_share_dir(exe), "share");
}

static void
an_installation_has_them_in_lib_and_share(void **state)
{
	struct conf *conf = *state;
	char exe[128];

	dir_make(conf, "bin");
	dir_make(conf, "lib");
	dir_make(conf, "lib/evh");
	dir_make(conf, "lib/evh/plugins");
	snprintf(exe, sizeof(exe), "%s/bin/evhd", conf->dir.path);
	assert_home(conf, home_plugin_dir(exe), "lib/evh/plugins");
	assert_home(conf, home_share_dir(exe), "share/evh");
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
		TEST(variables_are_expanded_in_double_quotes),
		TEST(an_empty_variable_takes_the_default),
		TEST(a_variable_without_default_leaves_its_name),
		TEST(the_hosts_own_settings_name_the_variable),
		TEST(all_variables_that_a_setting_misses_are_told_at_once),
		TEST(the_confs_folder_is_a_variable),
		TEST(comments_of_all_three_kinds_are_skipped),
		TEST(a_mistake_has_its_line_behind_comments_too),
		TEST(included_files_are_read_in_their_place),
		TEST(a_mistake_in_an_included_file_has_its_name),
		TEST(files_that_include_each_other_end),
		TEST(many_lists_in_an_included_file_are_no_trouble),
		TEST(a_file_that_is_not_there_is_named),
		TEST(a_file_with_a_nul_in_it_is_refused),
		TEST(what_is_no_configuration_is_refused_with_its_line),
		TEST(a_setting_that_is_given_twice_is_refused_with_both_lines),
		TEST(sections_lists_and_includes_may_set_the_same_again),
		TEST(a_pipeline_has_no_more_workers_than_evhd_starts),
		TEST(every_mistake_is_found_in_one_go_with_its_own_sentence),
		TEST(a_build_tree_has_its_plugins_beside_evhd),
		TEST(an_installation_has_them_in_lib_and_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
