/*
 * test_contract.c - plugins that break a rule at run time: each is named in
 * the log with a sentence of its own, and evhd and the events go on.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest.h"

#define STOP_MS 60000

/* ---- Contained: the events go on, evhd drains ---------------------------- */

static const struct fault {
	const char *source, *handler, *sink;
	const char *sentence; /* for each of the three events */
	int n;		      /* how often, 0: it is a life without blame */
	const char *heard;
} faults[] = {
	{ "", "", "", "plugin faulty", 0, "OK" },
	{ "", "zero", "",
	  "instance=look msg=\"plugin faulty_handler: process() returned 0, "
	  "which is no verdict: the event counts as failed\" event=",
	  3, "DROP" },
	{ "", "nonsense", "",
	  "instance=look msg=\"plugin faulty_handler: process() returned 99, "
	  "which is no verdict: the event counts as failed\" event=",
	  3, "DROP" },
	{ "", "resume_twice", "",
	  "instance=look msg=\"plugin faulty_handler: resume() of an event "
	  "that it does not hold: ignored\"",
	  3, "OK" },
	{ "", "resume_and_verdict", "",
	  "instance=look msg=\"plugin faulty_handler: resume() and a verdict "
	  "for the same event: the verdict counts\" event=",
	  3, "OK" },
	{ "", "no_child", "",
	  "instance=look msg=\"plugin faulty_handler: event_new(): a handler "
	  "makes children of the event it is at, a source events without a "
	  "parent\"",
	  3, "OK" },
	{ "", "no_child", "",
	  "instance=look msg=\"plugin faulty_handler: emit() of what is no "
	  "child of the event it is at: refused\"",
	  3, "OK" },
	{ "", "forget_child", "",
	  "instance=look msg=\"plugin faulty_handler: 3 events that it made "
	  "were neither emitted nor given back\"",
	  1, "OK" },
	{ "", "free", "",
	  "instance=look msg=\"plugin faulty_handler: event_free() of an event "
	  "that it did not make: ignored\" event=",
	  3, "OK" },
	{ "", "done", "",
	  "instance=look msg=\"plugin faulty_handler: done(): only sinks "
	  "answer so\"",
	  3, "OK" },
	{ "", "bad_utf8_here", "",
	  "instance=look msg=\"\xef\xbf\xbd\xef\xbf\xbd\" event=", 3, "OK" },
	{ "", "no_option", "",
	  "instance=look msg=\"plugin faulty_handler: it asks for an option "
	  "\\\"txet\\\", which it does not have\"",
	  1, "OK" },
	{ "", "no_option", "", "it asks for an option", 1, "OK" },
	{ "", "long_labels", "",
	  "instance=look msg=\"plugin faulty_handler: metric odd: its labels "
	  "have 2013 bytes, more than 1023: it is not counted\"",
	  3, "OK" },
	{ "", "", "too_many",
	  "instance=out msg=\"plugin faulty_sink: submit() of 1 events took "
	  "2\"",
	  3, "OK" },
	{ "", "", "untaken",
	  "instance=out msg=\"plugin faulty_sink: done() of an event that its "
	  "submit() did not take: it counts as answered\"",
	  3, "OK" },
	{ "", "", "done_twice",
	  "instance=out msg=\"plugin faulty_sink: done() of an event that it "
	  "does not have: ignored\" event=",
	  3, "OK" },
	{ "", "", "drop",
	  "instance=out msg=\"plugin faulty_sink: done() with 2, which a sink "
	  "cannot say: counts as FAIL\"",
	  3, "DROP" },
	{ "", "", "emit",
	  "instance=out msg=\"plugin faulty_sink: emit(): only sources and "
	  "handlers emit\"",
	  3, "OK" },
	{ "", "", "event_new",
	  "instance=out msg=\"plugin faulty_sink: event_new(): only sources "
	  "and handlers make events\"",
	  3, "OK" },
	{ "", "", "set_data",
	  "instance=out msg=\"plugin faulty_sink: set_data(): a sink changes "
	  "no event\" event=",
	  3, "OK" },
	{ "", "", "resume",
	  "instance=out msg=\"plugin faulty_sink: resume(): only handlers "
	  "hold\"",
	  3, "OK" },
	{ "done", "", "",
	  "instance=src msg=\"plugin faulty_source: done(): only sinks answer "
	  "so\"",
	  1, "OK" },
	{ "forget", "", "",
	  "instance=src msg=\"plugin faulty_source: 1 events that it made were "
	  "neither emitted nor given back\"",
	  1, "OK" },
	{ "emit_after_drain", "", "",
	  "instance=src msg=\"emit() said -ESHUTDOWN\"", 1, "OK" },
	{ "early_ready", "", "", "instance=src msg=\"not ready: not quite\"", 1,
	  "OK" },
	{ "", "early_ready", "early_ready", "msg=\"not ready: not quite\"", 2,
	  "OK" },
	{ "bad_utf8", "", "",
	  "instance=src msg=\"gr\xef\xbf\xbd\xef\xbf\xbd"
	  "e\"",
	  1, "OK" },
};

static void
run_fault(struct guest *g, const struct fault *fault, const char *workers)
{
	char heard[32];

	print_message("           %s%s%s: %.60s\n", fault->source,
		      fault->handler, fault->sink, fault->sentence);
	guest_start_with(g, fault->source, fault->handler, fault->sink, workers,
			 "");
	snprintf(heard, sizeof(heard), "heard %s", fault->heard);
	guest_await(g, heard, 3);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	guest_assert_logged(g, "heard", 3);
	guest_assert_logged(g, heard, 3);
	guest_assert_logged(g, fault->sentence, fault->n);
	guest_assert_logged(g, "msg=drained", 1);
	guest_assert_logged(g, "life: destroy", 4);
}

static void
each_broken_rule_has_its_sentence_and_the_events_go_on(void **state)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		run_fault(*state, &faults[i], "workers = 0");
}

static void
with_workers_it_is_the_same(void **state)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (*faults[i].handler)
			run_fault(*state, &faults[i], "workers = 2");
}

static void
a_done_by_a_stranger_is_named_and_ignored(void **state)
{
	struct guest *g = *state;

	guest_start(
		g,
		"shutdown_timeout = \"400ms\"\n"
		"source \"src\" { plugin = \"faulty_source\" count = 1 }\n"
		"sink \"out\" { plugin = \"faulty_sink\" fault = \"keep\" }\n"
		"sink \"thief\" { plugin = \"faulty_sink\" "
		"fault = \"stranger\" }\n"
		"pipeline \"p\" { chain = { \"src\", \"out\", \"thief\" } }\n");
	guest_await(g,
		    "instance=thief msg=\"plugin faulty_sink: done() of an "
		    "event that it does not have: ignored\"",
		    1);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	guest_assert_logged(g, "heard", 0);
}

/* ---- Never answered: evhd ends all the same, and says who has them ------- */

static void
ends_and_names(struct guest *g, const char *handler, const char *sink,
	       int n_kept, const char *sentence)
{
	long begin_ms;

	guest_start_with(g, "", handler, sink, "workers = 1",
			 "shutdown_timeout = \"1s\"");
	guest_await(g, "evhd is ready", 1);
	guest_await(g, "life: keeps one", n_kept);
	begin_ms = world_now_ms();
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	/* Five sixths of it for what is in flight, the rest for the stops. */
	assert_in_range(world_now_ms() - begin_ms, 750, STOP_MS);
	guest_assert_logged(g, "heard OK", 0);
	guest_assert_logged(g, sentence, 1);
	guest_assert_logged(g, "the time to stop is over with", 1);
	guest_assert_logged(g, "msg=stopped", 1);
	guest_assert_order(
		g, (const char *const[]){ "msg=\"SIGTERM: stopping\"",
					  "instance=src msg=\"life: drain\"",
					  "instance=src msg=\"life: stop\"",
					  NULL });
}

static void
a_sink_that_never_answers_is_named_when_evhd_stops(void **state)
{
	ends_and_names(*state, "", "keep", 3,
		       "instance=out msg=\"stopping with 3 events in its hands "
		       "and 0 waiting for it\" pipeline=p");
}

static void
a_handler_that_holds_for_ever_is_named_when_evhd_stops(void **state)
{
	ends_and_names(*state, "hold", "", 1,
		       "instance=look msg=\"stopping with 1 events in its "
		       "hands\"");
}

static void
a_handler_that_does_not_return_is_named_when_evhd_stops(void **state)
{
	ends_and_names(*state, "stuck", "", 1,
		       "instance=look msg=\"stopping with 1 events in its "
		       "hands\"");
}

static void
a_source_that_was_stopped_hears_no_done(void **state)
{
	struct guest *g = *state;

	guest_start_with(g, "slow_stop", "", "late", "workers = 0",
			 "shutdown_timeout = \"1s\"");
	guest_await(g, "evhd is ready", 1);
	guest_await(g, "life: keeps one", 3);
	guest_assert_logged(g, "heard", 0);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	guest_assert_logged(g, "done after stop", 0);
}

/* ---- Refused at the start ------------------------------------------------ */

static void
start_refused(struct guest *g, const char *source, const char *handler,
	      const char *sink, int code)
{
	guest_start_with(g, source, handler, sink, "", "");
	assert_int_equal(daemon_wait(&g->daemon, STOP_MS), code);
}

static void
a_create_that_fails_ends_evhd_and_undoes_the_others(void **state)
{
	struct guest *g = *state;

	start_refused(g, "", "create", "", 78);
	guest_assert_logged(g,
			    "instance=look msg=\"create failed: Invalid "
			    "argument\"",
			    1);
	guest_assert_logged(g, "life: start", 0);
	/* All others are asked, for their mistakes; and destroyed. */
	guest_assert_logged(g, "life: create", 3);
	guest_assert_logged(g, "life: destroy", 3);
	guest_assert_order(
		g, (const char *const[]){ "instance=out msg=\"life: create\"",
					  "instance=dead msg=\"life: create\"",
					  "instance=look msg=\"create failed",
					  "instance=dead msg=\"life: destroy\"",
					  "instance=out msg=\"life: destroy\"",
					  NULL });
}

static void
a_start_that_fails_ends_evhd_with_its_code_and_stops_the_others(void **state)
{
	struct guest *g = *state;

	start_refused(g, "start", "", "", 78);
	guest_assert_logged(
		g, "instance=src msg=\"start failed: Invalid argument\"", 1);
	guest_assert_order(
		g, (const char *const[]){ "instance=out msg=\"life: start\"",
					  "instance=dead msg=\"life: start\"",
					  "instance=look msg=\"life: start\"",
					  "instance=src msg=\"life: start\"",
					  "instance=src msg=\"start failed",
					  "instance=look msg=\"life: stop\"",
					  "instance=dead msg=\"life: stop\"",
					  "instance=out msg=\"life: stop\"",
					  "instance=src msg=\"life: destroy\"",
					  "instance=look msg=\"life: destroy\"",
					  "instance=dead msg=\"life: destroy\"",
					  "instance=out msg=\"life: destroy\"",
					  NULL });
	guest_assert_logged(g, "instance=src msg=\"life: stop\"", 0);
	start_refused(g, "", "start_os", "", 71);
	guest_assert_logged(g,
			    "instance=look msg=\"start failed: Address already "
			    "in use\"",
			    1);
	guest_assert_logged(g, "instance=src msg=\"life: start\"", 0);
	start_refused(g, "", "", "start_odd", 70);
	guest_assert_logged(
		g, "instance=out msg=\"start failed: Input/output error\"", 1);
	guest_assert_logged(g, "life: stop", 0);
	guest_assert_logged(g, "life: destroy", 4);
}

static void
a_fatal_fault_drains_and_ends_with_70(void **state)
{
	struct guest *g = *state;

	guest_start_with(g, "", "", "fatal", "", "");
	assert_int_equal(daemon_wait(&g->daemon, STOP_MS), 70);
	guest_assert_logged(
		g,
		"instance=out msg=\"can never work again: fenced by another\"",
		1);
	guest_assert_logged(g, "life: stop", 4);
	guest_assert_logged(g, "msg=drained", 1);
}

static void
a_service_is_there_from_start_on_and_not_before(void **state)
{
	struct guest *g = *state;

	/* In the file the asker stands first; its option says otherwise. */
	guest_start(g, "sink \"asks\" { plugin = \"faulty_sink\" "
		       "friend = \"offers\" }\n"
		       "sink \"offers\" { plugin = \"faulty_sink\" }\n"
		       "source \"src\" { plugin = \"faulty_source\" }\n"
		       "pipeline \"p\" { chain = { \"src\", \"asks\", "
		       "\"offers\" } }\n");
	guest_await(g, "heard OK", 3);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	guest_assert_order(
		g,
		(const char *const[]){
			"instance=asks msg=\"in create its service is not "
			"there\"",
			"instance=offers msg=\"life: start\"",
			"instance=asks msg=\"in start its service is there\"",
			"instance=asks msg=\"life: stop\"",
			"instance=offers msg=\"life: stop\"", NULL });
}

int
main(void)
{
#define GUEST_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, guest_setup, guest_teardown)
	const struct CMUnitTest tests[] = {
		GUEST_TEST(
			each_broken_rule_has_its_sentence_and_the_events_go_on),
		GUEST_TEST(with_workers_it_is_the_same),
		GUEST_TEST(a_done_by_a_stranger_is_named_and_ignored),
		GUEST_TEST(a_sink_that_never_answers_is_named_when_evhd_stops),
		GUEST_TEST(
			a_handler_that_holds_for_ever_is_named_when_evhd_stops),
		GUEST_TEST(
			a_handler_that_does_not_return_is_named_when_evhd_stops),
		GUEST_TEST(a_source_that_was_stopped_hears_no_done),
		GUEST_TEST(a_create_that_fails_ends_evhd_and_undoes_the_others),
		GUEST_TEST(
			a_start_that_fails_ends_evhd_with_its_code_and_stops_the_others),
		GUEST_TEST(a_fatal_fault_drains_and_ends_with_70),
		GUEST_TEST(a_service_is_there_from_start_on_and_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
