/*
 * test_setup.c - configurations with real (plain) plugins, checked as a whole.
 */
#include "../harness/tempdir.h"

#include "setup.h"

struct whole {
	struct tempdir dir;
	struct problems problems;
	struct setup *setup;
};

static int
whole_setup(void **state)
{
	struct whole *whole = calloc(1, sizeof(*whole));

	assert_non_null(whole);
	tempdir_init(&whole->dir);
	unsetenv("EVH_T_NONE");
	*state = whole;
	return 0;
}

static int
whole_teardown(void **state)
{
	struct whole *whole = *state;

	setup_free(whole->setup);
	problems_fini(&whole->problems);
	tempdir_fini(&whole->dir);
	free(whole);
	return 0;
}

#define SOURCE(name)  "source \"" name "\" { plugin = plain_source }\n"
#define INGEST(name)  "ingest \"" name "\" { plugin = plain_source }\n"
#define HANDLER(name) "handler \"" name "\" { plugin = plain_handler }\n"
#define SINK(name)    "sink \"" name "\" { plugin = plain_sink host = h }\n"
#define STORE(name)   "store \"" name "\" { plugin = plain_sink host = h }\n"

static struct setup *
read_only_of(struct whole *whole, const char *only, const char *text)
{
	char full[4096];
	const char *build = getenv("EVH_BUILD_DIR");

	assert_non_null(build);
	setup_free(whole->setup);
	problems_fini(&whole->problems);
	snprintf(full, sizeof(full), "plugin_dir = \"%s/fixtures/plain\"\n%s",
		 build, text);
	/* No .env of whoever runs the test. */
	tempdir_write(&whole->dir, "env", "");
	{
		char env[128];

		snprintf(env, sizeof(env), "%s/env", whole->dir.path);
		whole->setup =
			setup_new(tempdir_write(&whole->dir, "a.conf", full),
				  env, only, &whole->problems);
	}
	return whole->setup;
}

static struct setup *
read_whole(struct whole *whole, const char *text)
{
	return read_only_of(whole, NULL, text);
}

/* The text's one problem, its place's end, and its sentence. */
static void
assert_one(struct whole *whole, bool is_warning, const char *text,
	   const char *where, const char *sentence)
{
	char expected[256];

	assert_non_null(read_whole(whole, text));
	if (whole->problems.n != 1)
		for (size_t i = 0; i < whole->problems.n; i++)
			print_error("%s: %s\n", whole->problems.list[i].where,
				    whole->problems.list[i].text);
	assert_int_equal(whole->problems.n, 1);
	assert_string_equal(whole->problems.list[0].text, sentence);
	snprintf(expected, sizeof(expected), "%s/a.conf: %s", whole->dir.path,
		 where);
	assert_string_equal(whole->problems.list[0].where, expected);
	assert_int_equal(whole->problems.list[0].is_warning, is_warning);
	assert_int_equal(whole->problems.n_errors, is_warning ? 0 : 1);
}

static void
assert_error(struct whole *whole, const char *text, const char *where,
	     const char *sentence)
{
	assert_one(whole, false, text, where, sentence);
}

static void
assert_warning(struct whole *whole, const char *text, const char *where,
	       const char *sentence)
{
	assert_one(whole, true, text, where, sentence);
}

static void
assert_fine(struct whole *whole, const char *text)
{
	assert_non_null(read_whole(whole, text));
	if (whole->problems.n > 0)
		print_error("%s\n", whole->problems.list[0].text);
	assert_int_equal(whole->problems.n, 0);
}

/* ---- What is right ----------------------------------------------------------
 */

static void
a_whole_service_is_fine(void **state)
{
	struct whole *whole = *state;

	assert_fine(whole,
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

/* ---- Plugins and kinds ------------------------------------------------------
 */

static void
a_plugin_of_another_kind_is_named(void **state)
{
	struct whole *whole = *state;

	assert_error(whole,
		     INGEST("http") "sink \"log\" { plugin = plain_handler }\n"
				    "pipeline \"p\" { chain = { http, log } }",
		     "sink \"log\"",
		     "the plugin plain_handler is a handler, so its section "
		     "is called handler, not sink");
	assert_error(whole,
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
	assert_error(whole,
		     INGEST("http") "sink \"s\" { plugin = plain_snik }\n"
				    "pipeline \"p\" { chain = { http, s } }",
		     "sink \"s\"", sentence);
}

static void
mistakes_of_file_plugin_options_and_chains_come_together(void **state)
{
	struct whole *whole = *state;

	assert_non_null(read_whole(
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

/* ---- Chains
 * ------------------------------------------------------------------- */

#define BASE INGEST("http") HANDLER("log") SINK("kafka") STORE("events")

static void
a_chain_begins_with_its_only_source(void **state)
{
	struct whole *whole = *state;

	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka, "
			  "events } }\npipeline \"q\" { }",
		     "pipeline \"q\"",
		     "there is no chain; write chain = { \"SOURCE\", \"SINK\" "
		     "}");
	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, events } }\n"
			  "pipeline \"q\" { chain = { kafka, events } }",
		     "pipeline \"q\"",
		     "chain begins with the sink \"kafka\"; only a source "
		     "makes events");
	assert_error(
		whole,
		BASE INGEST("udp") "pipeline \"p\" { chain = { http, log, "
				   "kafka, udp } }\n"
				   "pipeline \"q\" { chain = { udp, events } }",
		"pipeline \"p\"",
		"chain has the source \"udp\" in place 4; a source comes "
		"first");
	assert_warning(whole, INGEST("http") "pipeline \"p\" { chain = http }",
		       "pipeline \"p\"",
		       "chain has nothing behind \"http\": its events are "
		       "answered and forgotten");
}

static void
a_chain_names_instances_that_are_there_once_each(void **state)
{
	struct whole *whole = *state;

	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka, "
			  "evnts, events } }",
		     "pipeline \"p\"",
		     "chain names \"evnts\", which is no instance; did you "
		     "mean \"events\"?");
	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka, log, "
			  "events } }",
		     "pipeline \"p\"", "chain names \"log\" twice");
	assert_error(whole,
		     BASE "service \"admin\" { plugin = plain_service }\n"
			  "pipeline \"p\" { chain = { http, log, kafka, "
			  "admin, events } }",
		     "pipeline \"p\"",
		     "chain names \"admin\", a service, which has no events");
}

static void
optional_on_fail_and_on_drop_name_sinks(void **state)
{
	struct whole *whole = *state;

	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka, events "
			  "} optional = { log } }",
		     "pipeline \"p\"",
		     "optional names the handler \"log\"; only sinks and "
		     "stores may stand there");
	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka }\n"
			  "  optional = events on_fail = events }",
		     "pipeline \"p\"",
		     "optional names \"events\", which is not in the chain");
	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka, events "
			  "} on_fail = { http } }",
		     "pipeline \"p\"",
		     "on_fail names the ingest \"http\"; only sinks and "
		     "stores may stand there");
	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka, events "
			  "} on_drop = { dlqueue } }",
		     "pipeline \"p\"",
		     "on_drop names \"dlqueue\", which is no instance");
	assert_error(whole,
		     BASE "pipeline \"p\" { chain = { http, log, kafka, events "
			  "} on_drop = { events, events } }",
		     "pipeline \"p\"", "on_drop names \"events\" twice");
}

static void
an_instance_that_stands_nowhere_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	assert_warning(whole,
		       BASE
		       "pipeline \"p\" { chain = { http, kafka, events } }",
		       "handler \"log\"",
		       "no pipeline and no option names it: it has nothing to "
		       "do");
	assert_warning(
		whole,
		INGEST("http") SOURCE("topic") SINK(
			"kafka") "pipeline \"p\" { chain = { http, kafka } }",
		"source \"topic\"",
		"no pipeline begins with it: it has nowhere to put "
		"events");
	/* A store that is only read from has something to do. */
	assert_fine(
		whole,
		"ingest \"http\" { plugin = plain_source friend = events "
		"}\n" SINK("kafka") STORE(
			"events") "pipeline \"p\" { chain = { http, kafka } }");
}

#define LATE_HANDLER(words)                                                    \
	"handler \"h\" { plugin = plain_handler " words " }\n"
#define LATE_CHAIN(workers)                                                    \
	"pipeline \"p\" { chain = { topic, h, kafka } on_fail = kafka\n"       \
	"  workers = " workers " }\n"

static void
a_timeout_needs_a_pipeline_with_workers(void **state)
{
	struct whole *whole = *state;

	assert_fine(whole, SOURCE("topic") LATE_HANDLER("timeout = 30s")
				   SINK("kafka") LATE_CHAIN("1"));
	assert_error(
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

	assert_error(whole,
		     SOURCE("topic") LATE_HANDLER("on_timeout = abort")
			     SINK("kafka") LATE_CHAIN("1"),
		     "handler \"h\"",
		     "on_timeout is given and timeout is not; without one "
		     "nothing is late");
}

static void
on_timeout_abort_needs_a_place_where_ends_are_counted(void **state)
{
	struct whole *whole = *state;

	assert_error(
		whole,
		SOURCE("topic") LATE_HANDLER("timeout = 30s "
					     "on_timeout = abort") SINK("kafka")
			LATE_CHAIN("1"),
		"handler \"h\"",
		"on_timeout = \"abort\" needs state_dir, where the ends of "
		"evhd are counted: without it, evhd ends at the same "
		"event again and again");
	assert_fine(whole,
		    "state_dir = state\n" SOURCE("topic")
			    LATE_HANDLER("timeout = 30s on_timeout = abort")
				    SINK("kafka") LATE_CHAIN("1"));
}

static void
a_source_without_on_fail_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	assert_warning(whole,
		       SOURCE("topic") STORE("events") "pipeline \"p\" { chain "
						       "= { topic, events } }",
		       "pipeline \"p\"",
		       "it has no on_fail: an event that fails stops its "
		       "partition of \"topic\" until somebody looks");
}

/* ---- Several pipelines of one source --------------------------------------
 */

#define TWO_STORES INGEST("http") STORE("a") STORE("b")

static void
two_outcomes_of_one_event_are_worth_a_warning(void **state)
{
	static const char *const overlaps[][2] = {
		{ "", "" },
		{ "match = { \"user.*\" }", "" },
		{ "match = { \"user.*\" }", "match = { \"user.created\" }" },
		{ "match = { \"user.created\" }", "match = { \"user.*\" }" },
		{ "match = { a, b }", "match = { b, c }" },
		{ "match = { \"user.*\" }", "match = { \"*.created\" }" },
		{ "match = { x, \"a*c\" }", "match = { y, \"ab*\" }" },
	};
	struct whole *whole = *state;

	for (size_t i = 0; i < sizeof(overlaps) / sizeof(*overlaps); i++) {
		char text[1024];

		snprintf(text, sizeof(text),
			 INGEST("http") SINK("k")
				 STORE("a") "pipeline \"p\" { chain = { http, "
					    "a } %s }\n"
					    "pipeline \"q\" { chain = { http, "
					    "k } on_fail = a %s "
					    "}\npipeline \"o\" { chain = { "
					    "http, k } otherwise = "
					    "yes }\n",
			 overlaps[i][0], overlaps[i][1]);
		assert_warning(whole, text, "pipeline \"q\"",
			       "an event of \"http\" may be in it and in the "
			       "pipeline \"p\", and both write \"a\": a row "
			       "has one outcome, of whichever comes last");
	}
}

static void
events_that_go_one_way_only_are_fine(void **state)
{
	static const char *const apart[][2] = {
		{ "match = { \"user.*\" }", "otherwise = yes" },
		{ "match = { \"user.*\" }", "match = { \"order.*\" }" },
		{ "match = { a, b }", "match = { c, d }" },
		{ "match = { \"*.created\" }", "match = { \"*.deleted\" }" },
	};
	struct whole *whole = *state;

	for (size_t i = 0; i < sizeof(apart) / sizeof(*apart); i++) {
		char text[1024];

		snprintf(text, sizeof(text),
			 INGEST("http") SINK("k")
				 STORE("a") "pipeline \"p\" { chain = { http, "
					    "a } %s }\n"
					    "pipeline \"q\" { chain = { http, "
					    "a } %s }\n%s",
			 apart[i][0], apart[i][1],
			 i == 0 ? "pipeline \"o\" { chain = { http, k } }"
				: "pipeline \"o\" { chain = { http, k } "
				  "otherwise = yes }");
		assert_fine(whole, text);
	}
	/* Two stores, one for each. */
	assert_fine(whole, TWO_STORES "pipeline \"p\" { chain = { http, a } }\n"
				      "pipeline \"q\" { chain = { http, b } }");
}

static void
what_no_match_takes_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	assert_warning(whole,
		       TWO_STORES
		       "pipeline \"p\" { chain = { http, a } match = x }\n"
		       "pipeline \"q\" { chain = { http, b } match = y }",
		       "ingest \"http\"",
		       "every pipeline that it heads has match, and none has "
		       "otherwise: events that none matches end there");
}

static void
otherwise_is_there_once_and_without_match(void **state)
{
	struct whole *whole = *state;

	assert_error(whole,
		     TWO_STORES "pipeline \"p\" { chain = { http, a } "
				"otherwise = yes }\npipeline \"q\" { chain = { "
				"http, b } otherwise = yes }",
		     "pipeline \"q\"",
		     "it and the pipeline \"p\" both have otherwise; of the "
		     "pipelines of one source (\"http\") only one can");
	assert_error(whole,
		     TWO_STORES "pipeline \"p\" { chain = { http, a } match = "
				"x otherwise = yes }\npipeline \"q\" { chain = "
				"{ http, b } }",
		     "pipeline \"p\"",
		     "it has match and otherwise; otherwise takes just what "
		     "no match of the others does");
}

/* ---- Order
 * ------------------------------------------------------------------- */

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

	assert_fine(whole, INGEST("http") HANDLER("log")
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

	assert_fine(whole,
		    INGEST("http") HANDLER(
			    "log") "sink \"a\" { plugin = plain_sink host "
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

	assert_error(
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

/* ---- One instance only
 * ------------------------------------------------------- */

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

	assert_non_null(read_only_of(whole, "events", text));
	assert_int_equal(whole->problems.n, 0);
	assert_non_null(config_instance(whole->setup->config, "events"));
	assert_int_equal(whole->setup->config->n_instances, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(whole->setup->options[i] != NULL,
				 strcmp(whole->setup->config->instances[i].name,
					"events") == 0);

	assert_non_null(read_whole(whole, text));
	assert_true(whole->problems.n_errors >= 4);
}

static void
an_instance_that_is_not_there_is_said_to(void **state)
{
	struct whole *whole = *state;

	assert_non_null(read_only_of(whole, "evnts", STORE("events")));
	assert_int_equal(whole->problems.n_errors, 1);
	assert_string_equal(whole->problems.list[0].text,
			    "there is no instance \"evnts\"");
}

/* ---- Spools -----------------------------------------------------------------
 */

#define SPOOLED(chain, spool)                                                  \
	SINK("kafka")                                                          \
	"pipeline \"p\" { chain = { " chain " } on_fail = { kafka }\n"         \
	"  spool { dir = \"" spool "\" } }\n"

static void
a_spool_takes_what_an_ingest_brings(void **state)
{
	struct whole *whole = *state;

	assert_fine(whole, INGEST("s") SPOOLED("s, kafka", "."));
	assert_error(whole, SOURCE("s") SPOOLED("s, kafka", "."),
		     "pipeline \"p\"",
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
	assert_error(whole, INGEST("s") SPOOLED("s, kafka", "none"),
		     "pipeline \"p\"", sentence);
	assert_error(whole, INGEST("s") SPOOLED("s, kafka", "/tmp"),
		     "pipeline \"p\"",
		     "spool.dir = \"/tmp\": others may write in it; what evhd "
		     "delivers from it must be its own");
	snprintf(sentence, sizeof(sentence),
		 "spool.dir = \"%s/./\" is the pipeline \"p\"'s, too; each "
		 "needs a folder of its own",
		 whole->dir.path);
	assert_error(
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

	assert_warning(whole,
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
		TEST(a_chain_begins_with_its_only_source),
		TEST(a_chain_names_instances_that_are_there_once_each),
		TEST(optional_on_fail_and_on_drop_name_sinks),
		TEST(an_instance_that_stands_nowhere_is_worth_a_warning),
		TEST(a_timeout_needs_a_pipeline_with_workers),
		TEST(on_timeout_needs_a_timeout),
		TEST(on_timeout_abort_needs_a_place_where_ends_are_counted),
		TEST(a_source_without_on_fail_is_worth_a_warning),
		TEST(two_outcomes_of_one_event_are_worth_a_warning),
		TEST(events_that_go_one_way_only_are_fine),
		TEST(what_no_match_takes_is_worth_a_warning),
		TEST(otherwise_is_there_once_and_without_match),
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
