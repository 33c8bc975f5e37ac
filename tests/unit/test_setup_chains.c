/*
 * test_setup_chains.c - what stands in a chain, and several chains of one
 * source.
 */
#include "../harness/tempdir.h"
#include "setup.h"
#include "whole_conf.h"

/* ---- Chains -------------------------------------------------------------- */

#define BASE INGEST("http") HANDLER("log") SINK("kafka") STORE("events")

static void
a_chain_begins_with_its_only_source(void **state)
{
	struct whole *whole = *state;

	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, kafka, "
		     "events } }\npipeline \"q\" { }",
		"pipeline \"q\"",
		"there is no chain; write chain = { \"SOURCE\", \"SINK\" "
		"}");
	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, events } }\n"
		     "pipeline \"q\" { chain = { kafka, events } }",
		"pipeline \"q\"",
		"chain begins with the sink \"kafka\"; only a source "
		"makes events");
	whole_assert_error(
		whole,
		BASE INGEST("udp") "pipeline \"p\" { chain = { http, log, "
				   "kafka, udp } }\n"
				   "pipeline \"q\" { chain = { udp, events } }",
		"pipeline \"p\"",
		"chain has the source \"udp\" in place 4; a source comes "
		"first");
	whole_assert_warning(
		whole, INGEST("http") "pipeline \"p\" { chain = http }",
		"pipeline \"p\"",
		"chain has nothing behind \"http\": its events are "
		"answered and forgotten");
}

static void
a_chain_names_instances_that_are_there_once_each(void **state)
{
	struct whole *whole = *state;

	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, kafka, "
		     "evnts, events } }",
		"pipeline \"p\"",
		"chain names \"evnts\", which is no instance; did you "
		"mean \"events\"?");
	whole_assert_error(whole,
			   BASE
			   "pipeline \"p\" { chain = { http, log, kafka, log, "
			   "events } }",
			   "pipeline \"p\"", "chain names \"log\" twice");
	whole_assert_error(
		whole,
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

	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, kafka, events "
		     "} optional = { log } }",
		"pipeline \"p\"",
		"optional names the handler \"log\"; only sinks and "
		"stores may stand there");
	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, kafka }\n"
		     "  optional = events on_fail = events }",
		"pipeline \"p\"",
		"optional names \"events\", which is not in the chain");
	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, kafka, events "
		     "} on_fail = { http } }",
		"pipeline \"p\"",
		"on_fail names the ingest \"http\"; only sinks and "
		"stores may stand there");
	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, kafka, events "
		     "} on_drop = { dlqueue } }",
		"pipeline \"p\"",
		"on_drop names \"dlqueue\", which is no instance");
	whole_assert_error(
		whole,
		BASE "pipeline \"p\" { chain = { http, log, kafka, events "
		     "} on_drop = { events, events } }",
		"pipeline \"p\"", "on_drop names \"events\" twice");
}

static void
an_instance_that_stands_nowhere_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	whole_assert_warning(
		whole,
		BASE "pipeline \"p\" { chain = { http, kafka, events } }",
		"handler \"log\"",
		"no pipeline and no option names it: it has nothing to "
		"do");
	whole_assert_warning(
		whole,
		INGEST("http") SOURCE("topic") SINK(
			"kafka") "pipeline \"p\" { chain = { http, kafka } }",
		"source \"topic\"",
		"no pipeline begins with it: it has nowhere to put "
		"events");
	/* A store that is only read from has something to do. */
	whole_assert_fine(
		whole,
		"ingest \"http\" { plugin = plain_source friend = events "
		"}\n" SINK("kafka") STORE(
			"events") "pipeline \"p\" { chain = { http, kafka } }");
}

static void
a_source_without_on_fail_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	whole_assert_warning(whole,
			     SOURCE("topic")
				     STORE("events") "pipeline \"p\" { chain "
						     "= { topic, events } }",
			     "pipeline \"p\"",
			     "it has no on_fail: an event that fails stops its "
			     "partition of \"topic\" until somebody looks");
}

static void
one_sink_at_least_is_not_optional(void **state)
{
	static const char sentence[] =
		"optional names every sink of the chain: while they are away "
		"an event would be answered although nobody has it; leave at "
		"least one of them out of optional";
	struct whole *whole = *state;

	whole_assert_error(whole,
			   BASE "pipeline \"p\" { chain = { http, log, kafka, "
				"events } optional = { kafka, events } }",
			   "pipeline \"p\"", sentence);
	whole_assert_error(
		whole,
		SOURCE("topic") STORE("events")
			SINK("dlq") "pipeline \"p\" { chain = { topic, events "
				    "}\n optional = events on_fail = dlq }",
		"pipeline \"p\"", sentence);
	whole_assert_fine(whole,
			  BASE "pipeline \"p\" { chain = { http, log, kafka, "
			       "events } optional = { kafka } }");
}

/* A pipeline "p" of a source, or of an ingest, beside one that all others stand
 * in: its chain behind that, and what follows. */
#define TOPIC(rest) SOURCE("topic") "pipeline \"p\" { chain = { topic, " rest
#define HTTP(rest)  INGEST("http") "pipeline \"p\" { chain = { http, " rest

static const char *
all_put(char ret_text[1024], const char *p)
{
	snprintf(ret_text, 1024,
		 INGEST("web") HANDLER("log") HANDLER("picky") SINK("kafka")
			 SINK("dlq") STORE("events")
				 STORE("other") "pipeline \"side\" { chain = { "
						"web, log, picky, kafka, dlq, "
						"events, other } }\n%s }\n",
		 p);
	return ret_text;
}

static void
who_may_fail_behind_the_store_that_keeps_it_is_refused(void **state)
{
	/* What stands there, what the row stays, and behind which store. */
	static const struct {
		const char *pipeline, *who, *is, *store;
	} late[] = {
		{ TOPIC("log, events, picky } on_fail = events"),
		  "handler \"picky\"", "processed", "events" },
		{ TOPIC("events, kafka } on_fail = events"), "sink \"kafka\"",
		  "processed", "events" },
		{ TOPIC("other, events } on_fail = other"), "store \"events\"",
		  "processed", "other" },
		{ TOPIC("events, picky, other, kafka }\n"
			"  on_fail = { events, other }"),
		  "sink \"kafka\"", "processed", "events" },
		{ HTTP("events, picky } on_fail = events"), "handler \"picky\"",
		  "pending", "events" },
		{ HTTP("events, kafka } on_fail = events"), "sink \"kafka\"",
		  "pending", "events" },
	};
	struct whole *whole = *state;

	for (size_t i = 0; i < sizeof(late) / sizeof(*late); i++) {
		char text[1024], sentence[512];

		all_put(text, late[i].pipeline);
		snprintf(sentence, sizeof(sentence),
			 "the %s stands behind the store \"%s\": an event that "
			 "it fails is a row there already, which stays %s, so "
			 "that nobody keeps the failure; put \"%s\" behind it, "
			 "or name another sink in on_fail",
			 late[i].who, late[i].store, late[i].is, late[i].store);
		whole_assert_error(whole, text, "pipeline \"p\"", sentence);
	}
}

static void
a_failure_that_a_store_behind_or_another_sink_keeps_is_fine(void **state)
{
	static const char *const pipelines[] = {
		TOPIC("events, picky, kafka, other } on_fail = other"),
		TOPIC("events, picky, kafka, other } on_fail = kafka"),
		TOPIC("events, picky, kafka, other }\n"
		      "  on_fail = { events, kafka }"),
		TOPIC("events, picky, kafka, other }\n"
		      "  on_fail = { events, other }"),
		HTTP("picky, kafka, events } on_fail = events"),
		/* Passed over, it fails nothing. */
		TOPIC("events, kafka } optional = kafka on_fail = events"),
	};
	struct whole *whole = *state;

	for (size_t i = 0; i < sizeof(pipelines) / sizeof(*pipelines); i++) {
		char text[1024];

		whole_assert_fine(whole, all_put(text, pipelines[i]));
	}
}

static void
a_drop_behind_the_store_that_is_to_keep_it_is_worth_a_warning(void **state)
{
	static const char *const fine[] = {
		TOPIC("picky, events, kafka } on_drop = events on_fail = dlq"),
		TOPIC("events, picky } on_drop = { events, kafka }\n"
		      "  on_fail = dlq"),
		/* A row that is pending may be dropped. */
		HTTP("events, picky } on_drop = events on_fail = dlq"),
	};
	struct whole *whole = *state;
	char text[1024];

	whole_assert_warning(
		whole,
		all_put(text, TOPIC("events, picky } on_drop = events\n"
				    "  on_fail = dlq")),
		"pipeline \"p\"",
		"the handler \"picky\" stands behind the store \"events\": an "
		"event that it drops is a row there already, which stays "
		"processed; put \"events\" behind it, or name another sink in "
		"on_drop");
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++)
		whole_assert_fine(whole, all_put(text, fine[i]));
}

static void
a_deadline_behind_a_source_is_refused(void **state)
{
	struct whole *whole = *state;
	char text[1024];

	whole_assert_error(
		whole,
		all_put(text, TOPIC("picky, events } on_fail = events\n"
				    "  deadline = 12s")),
		"pipeline \"p\"",
		"it has a deadline, but \"topic\" is a source, for which "
		"nobody waits: what is handed back late comes again behind "
		"others of its key; leave deadline out");
	whole_assert_fine(whole, all_put(text, HTTP("picky, events }\n"
						    "  deadline = 12s")));
}

/* ---- Several pipelines of one source ------------------------------------- */

#define TWO_STORES INGEST("http") STORE("a") STORE("b")

/* What is a test's own of three pipelines of one source, of which "p" writes
 * the store "a". */
struct three {
	const char *p_events, *q_chain, *q_events, *o_events;
};

static const char *
three_put(char ret_text[1024], struct three three)
{
	snprintf(ret_text, 1024,
		 INGEST("http") SINK("k") STORE(
			 "a") "pipeline \"p\" { chain = { http, a } %s }\n"
			      "pipeline \"q\" { %s %s }\n"
			      "pipeline \"o\" { chain = { http, k } %s }\n",
		 three.p_events, three.q_chain, three.q_events, three.o_events);
	return ret_text;
}

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
		struct three three = { overlaps[i][0],
				       "chain = { http, k } on_fail = a",
				       overlaps[i][1], "otherwise = yes" };

		whole_assert_warning(
			whole, three_put(text, three), "pipeline \"q\"",
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
		struct three three = { apart[i][0], "chain = { http, a }",
				       apart[i][1],
				       i == 0 ? "" : "otherwise = yes" };

		whole_assert_fine(whole, three_put(text, three));
	}
	/* Two stores, one for each. */
	whole_assert_fine(whole,
			  TWO_STORES "pipeline \"p\" { chain = { http, a } }\n"
				     "pipeline \"q\" { chain = { http, b } }");
}

static void
what_no_match_takes_is_worth_a_warning(void **state)
{
	struct whole *whole = *state;

	whole_assert_warning(
		whole,
		TWO_STORES "pipeline \"p\" { chain = { http, a } match = x }\n"
			   "pipeline \"q\" { chain = { http, b } match = y }",
		"ingest \"http\"",
		"every pipeline that it heads has match, and none has "
		"otherwise: events that none matches end there");
}

static void
otherwise_is_there_once_and_without_match(void **state)
{
	struct whole *whole = *state;

	whole_assert_error(
		whole,
		TWO_STORES "pipeline \"p\" { chain = { http, a } "
			   "otherwise = yes }\npipeline \"q\" { chain = { "
			   "http, b } otherwise = yes }",
		"pipeline \"q\"",
		"it and the pipeline \"p\" both have otherwise; of the "
		"pipelines of one source (\"http\") only one can");
	whole_assert_error(
		whole,
		TWO_STORES "pipeline \"p\" { chain = { http, a } match = "
			   "x otherwise = yes }\npipeline \"q\" { chain = "
			   "{ http, b } }",
		"pipeline \"p\"",
		"it has match and otherwise; otherwise takes just what "
		"no match of the others does");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, whole_setup, whole_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_chain_begins_with_its_only_source),
		TEST(a_chain_names_instances_that_are_there_once_each),
		TEST(optional_on_fail_and_on_drop_name_sinks),
		TEST(an_instance_that_stands_nowhere_is_worth_a_warning),
		TEST(a_source_without_on_fail_is_worth_a_warning),
		TEST(one_sink_at_least_is_not_optional),
		TEST(who_may_fail_behind_the_store_that_keeps_it_is_refused),
		TEST(a_failure_that_a_store_behind_or_another_sink_keeps_is_fine),
		TEST(a_drop_behind_the_store_that_is_to_keep_it_is_worth_a_warning),
		TEST(a_deadline_behind_a_source_is_refused),
		TEST(two_outcomes_of_one_event_are_worth_a_warning),
		TEST(events_that_go_one_way_only_are_fine),
		TEST(what_no_match_takes_is_worth_a_warning),
		TEST(otherwise_is_there_once_and_without_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
