/*
 * test_setup.c - configurations with real (plain) plugins, checked as a whole.
 */
#include "../harness/tempdir.h"
#include "setup.h"
#include "whole_conf.h"

/* ---- What is right ------------------------------------------------------- */

static void
a_whole_service_is_fine(void **state)
{
	struct whole *whole = *state;

	whole_assert_fine(
		whole,
		INGEST("http") SOURCE("topic") HANDLER("log") SINK("kafka")
			STORE("events") "pipeline \"create\" { chain = { "
					"http, kafka, events }\n"
					"  optional = { events } }\n"
					"pipeline \"process\" { chain = { "
					"topic, log, events }\n"
					"  on_fail = { events } on_drop = "
					"{ events } }\n");
	for (unsigned i = 0; i < 5; i++) {
		assert_non_null(whole->setup->plugins[i]);
		assert_non_null(whole->setup->options[i]);
	}
}

/* ---- Plugins and kinds --------------------------------------------------- */

static void
a_plugin_of_another_kind_is_named(void **state)
{
	struct whole *whole = *state;

	whole_assert_error(
		whole,
		INGEST("http") "sink \"log\" { plugin = plain_handler }\n"
			       "pipeline \"p\" { chain = { http, log } }",
		"sink \"log\"",
		"the plugin plain_handler is a handler, so its section "
		"is called handler, not sink");
	whole_assert_error(
		whole,
		"handler \"h\" { plugin = plain_sink host = h }\n" INGEST(
			"http") "pipeline \"p\" { chain = { http, h } }",
		"handler \"h\"",
		"the plugin plain_sink is a sink, so its section is "
		"called sink or store, not handler");
}

static void
a_plugin_that_is_not_there_is_guessed_at(void **state)
{
	struct whole *whole = *state;
	char sentence[512];

	snprintf(sentence, sizeof(sentence),
		 "plugin \"plain_snik\": there is none in %s/fixtures/plain; "
		 "did you mean \"plain_sink\"?",
		 getenv("EVH_BUILD_DIR"));
	whole_assert_error(
		whole,
		INGEST("http") "sink \"s\" { plugin = plain_snik }\n"
			       "pipeline \"p\" { chain = { http, s } }",
		"sink \"s\"", sentence);
}

static void
mistakes_of_file_plugin_options_and_chains_come_together(void **state)
{
	struct whole *whole = *state;

	assert_non_null(whole_read(
		whole,
		"logg_level = info\n" INGEST(
			"http") "sink \"s\" { plugin = nowhere }\n"
				"sink \"t\" { plugin = plain_sink port = 0 }\n"
				"pipeline \"p\" { chain = { http, s, t, u } "
				"}"));
	/* the word, the plugin, port, host, u */
	assert_int_equal(whole->problems.n_errors, 5);
	assert_null(whole->setup->options[1]);
}

/* ---- Chains -------------------------------------------------------------- */

#define LATE_HANDLER(words)                                                    \
	"handler \"h\" { plugin = plain_handler " words " }\n"
#define LATE_CHAIN(workers)                                                    \
	"pipeline \"p\" { chain = { topic, h, kafka } on_fail = kafka\n"       \
	"  workers = " workers " }\n"

static void
a_timeout_needs_a_pipeline_with_workers(void **state)
{
	struct whole *whole = *state;

	whole_assert_fine(whole, SOURCE("topic") LATE_HANDLER("timeout = 30s")
					 SINK("kafka") LATE_CHAIN("1"));
	whole_assert_error(
		whole,
		SOURCE("topic") LATE_HANDLER("timeout = 30s") SINK("kafka")
			LATE_CHAIN("0"),
		"handler \"h\"",
		"it has a timeout, and the pipeline \"p\" has workers = 0: "
		"whoever emits would wait for it all the same; give the "
		"pipeline workers");
}

static void
on_timeout_needs_a_timeout(void **state)
{
	struct whole *whole = *state;

	whole_assert_error(
		whole,
		SOURCE("topic") LATE_HANDLER("on_timeout = abort") SINK("kafka")
			LATE_CHAIN("1"),
		"handler \"h\"",
		"on_timeout is given and timeout is not; without one "
		"nothing is late");
}

static void
on_timeout_abort_needs_a_place_where_ends_are_counted(void **state)
{
	struct whole *whole = *state;

	whole_assert_error(
		whole,
		SOURCE("topic") LATE_HANDLER("timeout = 30s "
					     "on_timeout = abort") SINK("kafka")
			LATE_CHAIN("1"),
		"handler \"h\"",
		"on_timeout = \"abort\" needs state_dir, where the ends of "
		"evhd are counted: without it, evhd ends at the same "
		"event again and again");
	whole_assert_fine(
		whole, "state_dir = state\n" SOURCE("topic")
			       LATE_HANDLER("timeout = 30s on_timeout = abort")
				       SINK("kafka") LATE_CHAIN("1"));
}

static void
processes_without_isolate_are_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	whole_assert_warning(
		whole,
		SOURCE("topic") LATE_HANDLER("isolate_processes = 2")
			SINK("kafka") LATE_CHAIN("1"),
		"handler \"h\"",
		"isolate_processes is given and isolate is not: it runs in "
		"evhd itself; write isolate = \"process\", or leave "
		"isolate_processes out");
	whole_assert_fine(whole,
			  SOURCE("topic") LATE_HANDLER("isolate = process "
						       "isolate_processes = 2")
				  SINK("kafka") LATE_CHAIN("1"));
}

static void
a_deadline_behind_the_answer_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	whole_assert_warning(
		whole,
		INGEST("http") SINK("kafka") "pipeline \"p\" { chain = { http, "
					     "kafka } deadline = 14s }",
		"pipeline \"p\"",
		"its deadline, 14000 ms, is beyond the answer_timeout of "
		"\"http\", 13000 ms: clients are answered before it is over, "
		"and do not hear what became of their events");
	whole_assert_fine(
		whole,
		INGEST("http") SINK(
			"kafka") "pipeline \"p\" { chain = { http, kafka }\n"
				 "  deadline = 12s }");
}

static void
a_state_dir_that_cannot_be_is_worth_a_warning(void **state)
{
	static const struct {
		const char *dir, *sentence;
	} cases[] = {
		{ "/nowhere/state",
		  "state_dir = \"/nowhere/state\": evhd makes it, but cannot "
		  "in "
		  "/nowhere (No such file or directory); make it, for evhd's "
		  "user" },
		{ "/tmp",
		  "state_dir = \"/tmp\": everybody may write in it, and "
		  "so decide which events count as failed" },
		{ "/dev/null", "state_dir = \"/dev/null\": it is no folder" },
	};
	struct whole *whole = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 "state_dir = \"%s\"\n" INGEST("http")
				 SINK("kafka") "pipeline \"p\" { chain = { "
					       "http, kafka } }\n",
			 cases[i].dir);
		assert_non_null(whole_read(whole, text));
		assert_int_equal(whole->problems.n, 1);
		assert_true(whole->problems.list[0].is_warning);
		assert_string_equal(whole->problems.list[0].text,
				    cases[i].sentence);
	}
	/* evhd makes this one. */
	whole_assert_fine(whole, "state_dir = state\n" INGEST("http")
					 SINK("kafka") "pipeline \"p\" { chain "
						       "= { http, kafka } }\n");
}

/* ---- Order --------------------------------------------------------------- */

static void
assert_order(const struct whole *whole, const char *const *names)
{
	const struct setup *setup = whole->setup;

	for (unsigned i = 0; i < setup->config->n_instances; i++) {
		unsigned at = setup->order[i];

		assert_true(at < setup->config->n_instances);
		assert_string_equal(setup->config->instances[at].name,
				    names[i]);
	}
}

static void
services_start_first_and_sources_last(void **state)
{
	static const char *const names[] = { "admin", "kafka", "log", "http" };
	struct whole *whole = *state;

	whole_assert_fine(whole,
			  INGEST("http") HANDLER("log")
				  SINK("kafka") "service \"admin\" { plugin = "
						"plain_service }\n"
						"pipeline \"p\" { chain = { "
						"http, log, kafka } }");
	assert_order(whole, names);
}

static void
who_is_named_starts_before_who_names(void **state)
{
	static const char *const names[] = { "b", "a", "admin", "log", "http" };
	struct whole *whole = *state;

	whole_assert_fine(
		whole,
		INGEST("http")
			HANDLER("log") "sink \"a\" { plugin = plain_sink host "
				       "= h friend = b }\n" SINK(
					       "b") "service \"admin\" { "
						    "plugin = plain_service "
						    "friend = a }\n"
						    "pipeline \"p\" { chain = "
						    "{ http, log, a, b } }");
	assert_order(whole, names);
}

static void
a_circle_of_names_is_spelt_out(void **state)
{
	struct whole *whole = *state;

	whole_assert_error(
		whole,
		INGEST("http") "sink \"a\" { plugin = plain_sink host = h "
			       "friend = b }\n"
			       "sink \"b\" { plugin = plain_sink host = h "
			       "friend = c }\n"
			       "sink \"c\" { plugin = plain_sink host = h "
			       "friend = b }\n"
			       "pipeline \"p\" { chain = { http, a, b, c } }",
		"sink \"c\"",
		"instances name each other in a circle, so none can "
		"start first: \"c\" names \"b\" names \"c\"");
}

/* ---- One instance only --------------------------------------------------- */

static void
for_a_command_only_its_instance_must_be_right(void **state)
{
	static const char text[] =
		"ingest \"http\" { plugin = nowhere x = \"${EVH_T_NONE}\" }\n"
		"sink \"s\" { plugin = \"${EVH_T_NONE}\" }\n" STORE(
			"events") "pipeline \"p\" { chain = { nobody } workers "
				  "= "
				  "\"${EVH_T_NONE}\" }";
	struct whole *whole = *state;

	assert_non_null(whole_read_only(whole, "events", text));
	assert_int_equal(whole->problems.n, 0);
	assert_non_null(config_instance(whole->setup->config, "events"));
	assert_int_equal(whole->setup->config->n_instances, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(whole->setup->options[i] != NULL,
				 strcmp(whole->setup->config->instances[i].name,
					"events") == 0);

	assert_non_null(whole_read(whole, text));
	assert_true(whole->problems.n_errors >= 4);
}

static void
an_instance_that_is_not_there_is_said_to(void **state)
{
	struct whole *whole = *state;

	assert_non_null(whole_read_only(whole, "evnts", STORE("events")));
	assert_int_equal(whole->problems.n_errors, 1);
	assert_string_equal(whole->problems.list[0].text,
			    "there is no instance \"evnts\"");
}

/* ---- Spools -------------------------------------------------------------- */

#define SPOOLED(chain, spool)                                                  \
	SINK("kafka")                                                          \
	"pipeline \"p\" { chain = { " chain " } on_fail = { kafka }\n"         \
	"  spool { dir = \"" spool "\" } }\n"

static void
a_spool_takes_what_an_ingest_brings(void **state)
{
	struct whole *whole = *state;

	whole_assert_fine(whole, INGEST("s") SPOOLED("s, kafka", "."));
	whole_assert_error(
		whole, SOURCE("s") SPOOLED("s, kafka", "."), "pipeline \"p\"",
		"it has a spool, but \"s\" is a source; only what an "
		"ingest takes can be told that it is spooled, others wait "
		"by themselves");
}

static void
a_spool_has_a_folder_of_its_own(void **state)
{
	struct whole *whole = *state;
	char sentence[300];

	snprintf(sentence, sizeof(sentence),
		 "spool.dir = \"%s/none\": there is no such folder; make it, "
		 "for evhd's user alone",
		 whole->dir.path);
	whole_assert_error(whole, INGEST("s") SPOOLED("s, kafka", "none"),
			   "pipeline \"p\"", sentence);
	whole_assert_error(
		whole, INGEST("s") SPOOLED("s, kafka", "/tmp"),
		"pipeline \"p\"",
		"spool.dir = \"/tmp\": others may write in it; what evhd "
		"delivers from it must be its own");
	snprintf(sentence, sizeof(sentence),
		 "spool.dir = \"%s/./\" is the pipeline \"p\"'s, too; each "
		 "needs a folder of its own",
		 whole->dir.path);
	whole_assert_error(
		whole,
		INGEST("s") INGEST("t") SPOOLED(
			"s, kafka",
			".") "pipeline \"q\" { chain = { t, kafka }\n"
			     "  on_fail = { kafka } spool { dir = \"./\" } }",
		"pipeline \"q\"", sentence);
}

static void
a_spool_without_on_fail_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	whole_assert_warning(
		whole,
		INGEST("s") SINK("k") "pipeline \"p\" { chain = { s, k "
				      "} spool { dir = \".\" } }",
		"pipeline \"p\"",
		"it has a spool and no on_fail: a spooled event that "
		"fails, which its client was told is safe, stops those "
		"behind it until it goes through");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, whole_setup, whole_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_whole_service_is_fine),
		TEST(a_plugin_of_another_kind_is_named),
		TEST(a_plugin_that_is_not_there_is_guessed_at),
		TEST(mistakes_of_file_plugin_options_and_chains_come_together),
		TEST(a_timeout_needs_a_pipeline_with_workers),
		TEST(on_timeout_needs_a_timeout),
		TEST(on_timeout_abort_needs_a_place_where_ends_are_counted),
		TEST(a_state_dir_that_cannot_be_is_worth_a_warning),
		TEST(processes_without_isolate_are_worth_a_warning),
		TEST(a_deadline_behind_the_answer_is_worth_a_warning),
		TEST(services_start_first_and_sources_last),
		TEST(who_is_named_starts_before_who_names),
		TEST(a_circle_of_names_is_spelt_out),
		TEST(for_a_command_only_its_instance_must_be_right),
		TEST(an_instance_that_is_not_there_is_said_to),
		TEST(a_spool_takes_what_an_ingest_brings),
		TEST(a_spool_has_a_folder_of_its_own),
		TEST(a_spool_without_on_fail_is_worth_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
