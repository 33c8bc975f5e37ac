/*
 * test_options.c - settings as a plugin asks for them.
 */
#include <errno.h>

#include "../harness/tempdir.h"
#include "loader.h"
#include "option_section.h"
#include "options.h"

/* ---- What comes out ------------------------------------------------------ */

static void
defaults_are_applied(void **state)
{
	struct section *s = *state;
	const struct options *o = section_read_sink(s, "topic = t");

	assert_non_null(o);
	assert_string_equal(options_str(o, "topic"), "t");
	assert_string_equal(options_str(o, "mode"), "fast");
	assert_int_equal(options_int(o, "port"), 5432);
	assert_string_equal(options_str(o, "port"), "5432");
	assert_string_equal(options_str(o, "loops"), "auto");
	assert_int_equal(options_int(o, "create"), 1);
	assert_int_equal(options_int(o, "size"), 1 << 20);
	assert_int_equal(options_int(o, "wait"), 30000);
	assert_string_equal(options_str(o, "password"), "");
	assert_string_equal(options_at(o, "names", 0, NULL), "user.*");
	assert_string_equal(options_at(o, "names", 1, NULL), "order.*");
	assert_null(options_at(o, "names", 2, NULL));
	assert_null(options_at(o, "levels", 0, NULL));
	assert_null(options_at(o, "rdkafka", 0, NULL));
	assert_null(options_str(o, "store"));
	assert_null(options_instance(o, 0));
}

static void
settings_are_converted_to_their_types(void **state)
{
	struct section *s = *state;
	const struct options *o = section_read_sink(
		s, "topic = t mode = safe port = 1 loops = 64 create = off\n"
		   "size = 64M wait = 1500ms password = \"p w\"\n"
		   "names = { \"a\" } levels = { a, b } store = events\n"
		   "rdkafka.linger.ms = 5 rdkafka.acks = all");
	const char *key = NULL;

	assert_non_null(o);
	assert_string_equal(options_str(o, "mode"), "safe");
	assert_int_equal(options_int(o, "port"), 1);
	assert_int_equal(options_int(o, "loops"), 64);
	assert_int_equal(options_int(o, "create"), 0);
	assert_int_equal(options_int(o, "size"), 64 << 20);
	assert_int_equal(options_int(o, "wait"), 1500);
	assert_string_equal(options_str(o, "password"), "p w");
	assert_string_equal(options_at(o, "names", 0, NULL), "a");
	assert_null(options_at(o, "names", 1, NULL));
	assert_string_equal(options_at(o, "levels", 1, NULL), "b");
	assert_string_equal(options_at(o, "rdkafka", 0, &key), "5");
	assert_string_equal(key, "linger.ms");
	assert_string_equal(options_at(o, "rdkafka", 1, &key), "all");
	assert_string_equal(key, "acks");
	assert_null(options_at(o, "rdkafka", 2, &key));
	assert_string_equal(options_str(o, "store"), "events");
	assert_string_equal(options_instance(o, 0), "events");
	assert_null(options_instance(o, 1));
}

static void
asking_for_what_is_not_in_the_table_gives_nothing(void **state)
{
	struct section *s = *state;
	const struct options *o = section_read_sink(s, "topic = t");

	assert_null(options_str(o, "nonsense"));
	assert_int_equal(options_int(o, "nonsense"), 0);
	assert_null(options_at(o, "nonsense", 0, NULL));
	assert_null(options_str(o, "names"));
	assert_null(options_str(o, "match"));
}

static void
empty_counts_as_missing(void **state)
{
	struct section *s = *state;
	const struct options *o = section_read_sink(
		s, "topic = t port = \"\" mode = \"\" store = \"\"\n"
		   "levels = { \"\", a, \"\" }");

	assert_non_null(o);
	assert_int_equal(options_int(o, "port"), 5432);
	assert_string_equal(options_str(o, "mode"), "fast");
	assert_string_equal(options_at(o, "levels", 0, NULL), "a");
	assert_null(options_at(o, "levels", 1, NULL));

	assert_null(section_read_sink(s, "topic = \"\""));
	assert_string_equal(s->problems.list[0].text,
			    "topic is missing (where to)");
}

static void
a_list_takes_a_single_value(void **state)
{
	struct section *s = *state;
	const struct options *o =
		section_read_sink(s, "topic = { t } levels = b");

	assert_non_null(o);
	assert_string_equal(options_str(o, "topic"), "t");
	assert_string_equal(options_at(o, "levels", 0, NULL), "b");
}

/* ---- What is wrong ------------------------------------------------------- */

static void
each_mistake_says_what_would_be_right(void **state)
{
	static const struct {
		const char *setting, *sentence;
	} cases[] = {
		{ "port = 70000", "port = \"70000\": this must be 1..65535" },
		{ "port = 0", "port = \"0\": this must be 1..65535" },
		{ "port = -1", "port = \"-1\": this must be 1..65535" },
		{ "port = 80x",
		  "port = \"80x\": this must be a whole number, 1..65535" },
		{ "port = 99999999999999999999",
		  "port = \"99999999999999999999\": this must be a whole "
		  "number, 1..65535" },
		{ "port = { 1, 2 }", "port takes one value, not a list of 2" },
		{ "port = {}", "port takes one value, not a list of 0" },
		{ "mode = slow", "mode = \"slow\": this must be fast|safe" },
		{ "loops = 65", "loops = \"65\": this must be auto|1..64" },
		{ "create = maybe",
		  "create = \"maybe\": this must be true or false (or 1/0, "
		  "yes/no, on/off)" },
		{ "size = 64MB",
		  "size = \"64MB\": this must be a size like 512K, 64M or 1G, "
		  "1K..1G" },
		{ "size = 2G", "size = \"2G\": this must be 1K..1G" },
		{ "size = 99999999999G",
		  "size = \"99999999999G\": this must be a size like 512K, 64M "
		  "or 1G, 1K..1G" },
		{ "wait = 6m", "wait = \"6m\": this must be 1ms..5m" },
		{ "wait = -5s",
		  "wait = \"-5s\": this must be a time like 1500ms, 30s or "
		  "5m, 1ms..5m" },
		{ "levels = { a, c }", "levels = \"c\": this must be a|b" },
		{ "prot = 1",
		  "unknown option \"prot\"; did you mean \"port\"?" },
		{ "rdkafka = x",
		  "rdkafka is a map; write rdkafka.KEY = \"VALUE\"" },
		{ "port.x = 1",
		  "unknown option \"port.x\"; did you mean \"port\"?" },
		{ "store = evnts",
		  "store = \"evnts\": there is no instance of that name; did "
		  "you mean \"events\"?" },
		{ "store = x",
		  "store = \"x\": an instance cannot name itself" },
		{ "mode = \"${EVH_T_NONE}\"",
		  "mode needs the variable EVH_T_NONE, which is not set" },
		{ "password_file = \"${EVH_T_NONE}\"",
		  "password_file needs the variable EVH_T_NONE, which is not "
		  "set" },
		{ "rdkafka.a = \"x${EVH_T_NONE}\"",
		  "rdkafka.a needs the variable EVH_T_NONE, which is not set" },
	};
	struct section *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		section_assert_refused(s, cases[i].setting, cases[i].sentence);
}

/* "./p.so" is looked for from the file's folder, and p in its plugin_dir. */
static void
an_option_like_none_is_described_with_the_file(void **state)
{
	struct section *s = *state;
	char sentence[300];

	snprintf(sentence, sizeof(sentence),
		 "unknown option \"attempts\"; `evhd describe p -c %s/a.conf` "
		 "lists what there is",
		 s->dir.path);
	section_assert_refused(s, "attempts = 3", sentence);
}

static void
a_required_option_names_its_variable(void **state)
{
	struct section *s = *state;

	assert_null(section_read_sink(s, "topic = \"${EVH_T_NONE}\""));
	assert_int_equal(s->problems.n_errors, 1);
	assert_string_equal(s->problems.list[0].text,
			    "topic needs the variable EVH_T_NONE, which is "
			    "not set");
}

static void
all_mistakes_are_told_at_once(void **state)
{
	struct section *s = *state;

	assert_null(section_read_sink(s, "port = 0 wiat = 5s mode = x\n"
					 "store = nobody password = { a, b }"));
	assert_int_equal(s->problems.n_errors, 6);
}

static void
a_secret_is_never_in_a_sentence(void **state)
{
	struct section *s = *state;

	s->plugin.options[7].values = "x|y";
	section_assert_refused(s, "password = hunter2",
			       "password: this must be x|y");
}

/* ---- A handler's section ------------------------------------------------- */

static void
a_handler_has_the_hosts_words(void **state)
{
	struct section *s = *state;
	const struct options *o =
		section_read(s, "handler",
			     "topic = t match = { \"user.*\", b }\n"
			     "attempts = 5 backoff = 1s timeout = 30s\n"
			     "on_timeout = abort");

	assert_non_null(o);
	assert_string_equal(options_at(o, "match", 0, NULL), "user.*");
	assert_string_equal(options_at(o, "match", 1, NULL), "b");
	assert_int_equal(options_int(o, "attempts"), 5);
	assert_int_equal(options_int(o, "backoff"), 1000);
	assert_int_equal(options_int(o, "backoff_max"), 0);
	assert_int_equal(options_int(o, "timeout"), 30000);
	assert_string_equal(options_str(o, "on_timeout"), "abort");

	o = section_read(s, "handler", "topic = t");
	assert_non_null(o);
	assert_null(options_at(o, "match", 0, NULL));
	assert_int_equal(options_int(o, "attempts"), 0);
	assert_int_equal(options_int(o, "timeout"), 0);
	assert_string_equal(options_str(o, "on_timeout"), "wait");
}

static void
only_handlers_have_a_process_of_their_own(void **state)
{
	struct section *s = *state;
	const struct options *o =
		section_read(s, "handler",
			     "topic = t isolate = process "
			     "timeout = 5s isolate_processes = 3");

	assert_non_null(o);
	assert_string_equal(options_str(o, "isolate"), "process");
	assert_int_equal(options_int(o, "timeout"), 5000);
	assert_int_equal(options_int(o, "isolate_processes"), 3);
	assert_null(section_read(s, "handler", "topic = t isolate = yes"));
	assert_null(section_read(s, "sink", "topic = t isolate = process"));
	assert_string_equal(s->problems.list[0].text,
			    "isolate: only a handler can run in a process of "
			    "its own");
}

static void
the_hosts_words_are_reserved(void **state)
{
	static const char *const words[] = { "plugin",		 "match",
					     "attempts",	 "backoff",
					     "backoff_max",	 "timeout",
					     "on_timeout",	 "isolate",
					     "isolate_processes" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		assert_true(options_is_reserved(words[i]));
	assert_false(options_is_reserved("topic"));
}

/* ---- Units --------------------------------------------------------------- */

static void
times_and_sizes_have_units(void **state)
{
	int64_t n = -7;
	bool yes;

	(void)state;
	assert_int_equal(options_parse_msec("250", &n), 0);
	assert_int_equal(n, 250);
	assert_int_equal(options_parse_msec("2h", &n), 0);
	assert_int_equal(n, 7200000);
	assert_int_equal(options_parse_msec("1d", &n), 0);
	assert_int_equal(n, 86400000);
	assert_int_equal(options_parse_size("3K", &n), 0);
	assert_int_equal(n, 3072);
	assert_int_equal(options_parse_size("2G", &n), 0);
	assert_int_equal(n, (int64_t)2 << 30);

	n = -7;
	assert_int_equal(options_parse_msec("", &n), -EINVAL);
	assert_int_equal(options_parse_msec("s", &n), -EINVAL);
	assert_int_equal(options_parse_msec("1 s", &n), -EINVAL);
	assert_int_equal(options_parse_msec("1.5s", &n), -EINVAL);
	assert_int_equal(options_parse_msec("+1", &n), -EINVAL);
	assert_int_equal(options_parse_msec("9223372036854775807d", &n),
			 -ERANGE);
	assert_int_equal(options_parse_size("9999999999999999999", &n),
			 -ERANGE);
	assert_int_equal(n, -7);

	assert_int_equal(options_parse_bool("TRUE", &yes), 0);
	assert_true(yes);
	assert_int_equal(options_parse_bool("off", &yes), 0);
	assert_false(yes);
	assert_int_equal(options_parse_bool("2", &yes), -EINVAL);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, section_setup, section_teardown)
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_applied),
		TEST(settings_are_converted_to_their_types),
		TEST(asking_for_what_is_not_in_the_table_gives_nothing),
		TEST(empty_counts_as_missing),
		TEST(a_list_takes_a_single_value),
		TEST(each_mistake_says_what_would_be_right),
		TEST(an_option_like_none_is_described_with_the_file),
		TEST(a_required_option_names_its_variable),
		TEST(all_mistakes_are_told_at_once),
		TEST(a_secret_is_never_in_a_sentence),
		TEST(a_handler_has_the_hosts_words),
		TEST(only_handlers_have_a_process_of_their_own),
		TEST(the_hosts_words_are_reserved),
		TEST(times_and_sizes_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
