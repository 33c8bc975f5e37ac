/*
 * test_unruly.c - handlers that crash evhd or never come back, on the real
 * consumer: the one event is dead, and nothing else is lost.
 */
#include "crew.h"
#include "http_client.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#define WAIT_MS 60000
#define N_FINE	60
/* At 50 ms and four at a time they are more than the four that are killed ever
 * get done, however late a look at them is. */
#define N_SLOW	  600
#define PROCESSED "SELECT count(*) FROM events WHERE status = 'processed'"
#define FAILED	  "SELECT count(*) FROM events WHERE status = 'failed'"

/* A crashed member is given up by the group after 6 s. */
#define SHORT_SESSION                                                          \
	"group = \"", "rdkafka.session.timeout.ms = 6000\n"                    \
		      "\trdkafka.heartbeat.interval.ms = 1000\n\t"             \
		      "group = \""
#define UNRULY(more)                                                           \
	CREW_HANDLER("\tplugin = \"${EVH_BUILD_DIR}/tests/unruly.so\"\n" more)
#define WITH_STATE                                                             \
	"\"${EVENT_HANDLER_SERVICE_STATE_DIR:-}\"",                            \
		"\"state\"\nshutdown_timeout = \"4s\""

static void
put(struct crew *crew, int partition, const char *name)
{
	char value[64];
	int len = snprintf(value, sizeof(value),
			   "{\"name\":\"%s\",\"data\":{}}", name);

	(void)topic_put(&crew->w, partition, NULL, value, (size_t)len, NULL);
}

/* Four partitions, one of which begins with this one; each has N_FINE / 4. */
static void
topic_with(struct crew *crew, const char *name)
{
	topic_create(&crew->w, 4);
	put(crew, 0, name);
	for (int i = 0; i < N_FINE; i++)
		put(crew, i % 4, "fine");
}

/* The consumer ends so three times, and runs on the fourth. */
static void
end_three_times(struct crew *crew, service_changes changes, int exit_code)
{
	static const char *const names[] = { "first", "second", "third" };

	for (int i = 0; i < 3; i++) {
		struct daemon *d =
			crew_start(crew, names[i], "consumer.conf", changes);

		assert_int_equal(daemon_wait(d, WAIT_MS), exit_code);
	}
	crew_ready(crew, "fourth", "consumer.conf", changes);
	table_await(&crew->w, FAILED, 1, WAIT_MS);
	table_await(&crew->w, PROCESSED, N_FINE, WAIT_MS);
	assert_int_equal(table_count(&crew->w, "SELECT count(*) FROM events"),
			 N_FINE + 1);
}

static void
check_error(struct crew *crew, const char *expected)
{
	char *error = table_ask(&crew->w, "SELECT error FROM events WHERE "
					  "status = 'failed'");

	assert_string_equal(error, expected);
	free(error);
	assert_int_equal(table_count(&crew->w, "SELECT attempts FROM events "
					       "WHERE status = 'failed'"),
			 3);
}

static void
an_event_that_crashes_evhd_is_dead_after_three_ends(void **state)
{
	static const char *const crashes[] = { UNRULY(""), WITH_STATE,
					       SHORT_SESSION, NULL };
	struct crew *crew = *state;

	topic_with(crew, "crash");
	end_three_times(crew, crashes, -SIGSEGV);
	check_error(crew, "{\"stage\":\"mine\",\"type\":\"handler\","
			  "\"message\":\"the process ended 3 times while it "
			  "was here\"}");
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), topic_count(&crew->w));
}

static void
with_abort_an_event_that_hangs_is_dead_after_three_ends(void **state)
{
	static const char *const aborts[] = {
		UNRULY("\ttimeout = \"2s\"\n\ton_timeout = \"abort\"\n"),
		WITH_STATE, SHORT_SESSION, NULL
	};
	struct crew *crew = *state;

	topic_with(crew, "hang");
	end_three_times(crew, aborts, EX_SOFTWARE);
	check_error(crew,
		    "{\"stage\":\"mine\",\"type\":\"timeout\",\"message\":"
		    "\"the process ended 3 times while it was here, for longer "
		    "than the timeout\"}");
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), topic_count(&crew->w));
}

static bool
names_late_event(void *arg)
{
	struct http_answer a = http_call(daemon_admin_port(arg), "GET",
					 "/readyz?verbose", NULL, 0, NULL);
	bool names = a.status == 200 &&
		     strstr(a.body, "\"mine\":\"process() of event ") &&
		     strstr(a.body, " has not returned for ");

	http_answer_fini(&a);
	return names;
}

static void
while_one_event_hangs_the_others_go_on_and_a_stop_is_in_time(void **state)
{
	static const char *const hangs[] = { UNRULY("\ttimeout = \"2s\"\n"),
					     "workers = 4",
					     "workers = 1",
					     WITH_STATE,
					     SHORT_SESSION,
					     NULL };
	struct crew *crew = *state;
	struct daemon *d;
	long begin_ms;

	topic_with(crew, "hang");
	d = crew_ready(crew, "hangs", "consumer.conf", hangs);
	table_await(&crew->w, PROCESSED, N_FINE / 4 * 3, WAIT_MS);
	world_await(names_late_event, d, WAIT_MS, "the late event's name");
	daemon_await_logged(d, "process() has not returned", WAIT_MS);
	assert_int_equal(daemon_logged(d, "process() has not returned"), 1);
	begin_ms = world_now_ms();
	assert_int_equal(daemon_stop(d, WAIT_MS), 0);
	/* Four seconds, a little to stop its sources, and a busy machine. */
	assert_in_range(world_now_ms() - begin_ms, 0, 25000);
	assert_int_equal(table_count(&crew->w, "SELECT count(*) FROM events"),
			 N_FINE / 4 * 3);
	assert_int_equal(topic_committed(&crew->w), N_FINE / 4 * 3);
	/* With a handler that does not hang, it is there again. */
	crew_ready(crew, "after", "consumer.conf", NULL);
	table_await(&crew->w, PROCESSED, N_FINE + 1, WAIT_MS);
	crew_end(crew);
}

static void
kill_9_of_a_healthy_consumer_makes_no_event_dead(void **state)
{
	static const char *const names[] = { "first", "second", "third",
					     "fourth" };
	static const char *const healthy[] = { UNRULY(""), WITH_STATE,
					       SHORT_SESSION, NULL };
	struct crew *crew = *state;

	topic_create(&crew->w, 4);
	topic_fill(&crew->w, "slow", N_SLOW);
	/* Each is killed at events of its own. */
	for (int i = 0; i < 4; i++) {
		struct daemon *d =
			crew_ready(crew, names[i], "consumer.conf", healthy);

		crew_await_metric(d,
				  "evh_events_total{instance=\"mine\","
				  "pipeline=\"process\",result=\"ok\"}",
				  20 * (i + 1), WAIT_MS);
		daemon_kill(d);
	}
	crew_ready(crew, "last", "consumer.conf", healthy);
	table_await(&crew->w, PROCESSED, N_SLOW, WAIT_MS);
	assert_int_equal(table_count(&crew->w, FAILED), 0);
	assert_true(daemon_logged(&crew->list[4],
				  "ended while a handler had event") > 0);
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), N_SLOW);
}

#define TEST(test)                                                             \
	cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_that_crashes_evhd_is_dead_after_three_ends),
		TEST(with_abort_an_event_that_hangs_is_dead_after_three_ends),
		TEST(kill_9_of_a_healthy_consumer_makes_no_event_dead),
		TEST(while_one_event_hangs_the_others_go_on_and_a_stop_is_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
