/*
 * Faults under load on the side that processes events, while a handler takes
 * its time, so that events are in flight within a consumer when it strikes.
 */
#include "crew.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define WAIT_MS	  60000
#define IN_FLIGHT "evh_in_flight{pipeline=\"process\"}"
#define SHORT_SESSION                                                          \
	"group = \"", "rdkafka.session.timeout.ms = 6000\n"                    \
		      "\trdkafka.heartbeat.interval.ms = 1000\n\t"             \
		      "group = \""

/* Each event is a lane of its own and takes longer than the second between two
 * commits of offsets: what is in flight has waited while others around it were
 * done and committed. */
static const char *const by_id[] = { "store = \"events\"\n}",
				     "store = \"events\"\n\tkey = \"id\"\n}",
				     NULL };
static const char *const slow[] = {
	CREW_HANDLER("\tplugin = \"fail\"\n\tverdict = \"retry\"\n\tevery = 3\n"
		     "\tuntil = 1\n\tbackoff = \"1500ms\""),
	SHORT_SESSION, NULL
};

static const char *const short_session[] = { SHORT_SESSION, NULL };

/* An API and consumers that are slow, under load; events are in flight in the
 * first one when this returns. */
static int
service_begin(struct crew *crew, struct daemon **consumers, int n)
{
	static const char *const names[] = { "one", "two", "three" };
	double in_flight;

	crew_ready(crew, "api", "api.conf", by_id);
	for (int i = 0; i < n; i++)
		consumers[i] =
			crew_start(crew, names[i], "consumer.conf", slow);
	for (int i = 0; i < n; i++)
		daemon_await_ready(consumers[i], CREW_READY_MS);
	crew_load_begin(crew);
	/* So long that offsets were committed, several times. */
	load_await(crew->load, 0, 600, WAIT_MS);
	in_flight = crew_await_metric(consumers[0], IN_FLIGHT, 20, WAIT_MS);
	load_phase(crew->load, 1);
	return (int)in_flight;
}

static bool
is_committed(void *arg)
{
	const struct crew *crew = arg;

	return topic_committed(&crew->w) == topic_count(&crew->w);
}

/* All rows being there is not all being done: what came once more after the
 * fault may still be in back-off, and a stop hands that back. */
static void
all_commit(struct crew *crew)
{
	world_await(is_committed, crew, WAIT_MS, "all offsets committed");
	crew_end(crew);
	assert_true(is_committed(crew));
}

static void
sigterm_of_a_consumer_loses_nothing_and_exits_with_0(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumers[2];
	int in_flight = service_begin(crew, consumers, 2);

	/* What is in back-off is handed back, not waited for. */
	assert_int_equal(daemon_stop(consumers[0], 15000), 0);
	assert_int_equal(daemon_logged(consumers[0], "msg=drained"), 1);
	crew_load_end(crew, "SIGTERM of a consumer", in_flight);
	all_commit(crew);
}

static void
kill_9_of_a_consumer_loses_nothing(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumers[2];
	int in_flight = service_begin(crew, consumers, 2);

	daemon_kill(consumers[0]);
	crew_ready(crew, "three", "consumer.conf", slow);
	crew_load_end(crew, "kill -9 of a consumer", in_flight);
	all_commit(crew);
}

static void
kill_9_of_the_only_consumer_loses_nothing(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer;
	int in_flight = service_begin(crew, &consumer, 1);

	daemon_kill(consumer);
	crew_ready(crew, "again", "consumer.conf", slow);
	crew_load_end(crew, "kill -9 of the only consumer", in_flight);
	crew_end(crew);
}

static void
a_kill_of_postgresql_loses_nothing(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer;
	int in_flight = service_begin(crew, &consumer, 1);

	world_servers("kill-postgres");
	world_servers("start-postgres");
	crew_load_end(crew, "kill of PostgreSQL", in_flight);
	all_commit(crew);
}

static void
a_kill_of_kafka_under_consumers_loses_nothing(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumers[2];
	int in_flight = service_begin(crew, consumers, 2);

	world_servers("kill-kafka");
	world_servers("start-kafka");
	crew_load_end(crew, "kill -9 of Kafka under two consumers", in_flight);
	all_commit(crew);
}

/* A handler that takes far longer than anybody waits. */
/* What a handler holds is handed back once nothing moves any more; but the
 * store has all of these in one transaction, which waits for a lock. */
static void
a_second_sigterm_ends_the_wait_and_what_was_held_comes_again(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer;
	struct table_lock *lock;
	long begin_ms;

	topic_create(&crew->w, 2);
	consumer = crew_ready(crew, "stuck", "consumer.conf", short_session);
	lock = table_lock(&crew->w);
	topic_fill(&crew->w, "n", 20);
	crew_await_metric(consumer, IN_FLIGHT, 20, WAIT_MS);
	assert_int_equal(kill(consumer->pid, SIGTERM), 0);
	daemon_await_logged(consumer, "draining", WAIT_MS);
	/* It waits for them. */
	begin_ms = world_now_ms();
	while (world_now_ms() < begin_ms + 1000) {
		const struct timespec pause = { 0, 50 * 1000 * 1000 };

		assert_int_equal(kill(consumer->pid, 0), 0);
		assert_int_equal(daemon_logged(consumer, "drained"), 0);
		nanosleep(&pause, NULL);
	}
	assert_int_equal(daemon_stop(consumer, 20000), 0);
	assert_int_equal(table_count(&crew->w, "SELECT count(*) FROM events"),
			 0);
	table_release(lock);
	crew_ready(crew, "quick", "consumer.conf", NULL);
	table_await(&crew->w,
		    "SELECT count(*) FROM events WHERE status = 'processed'",
		    20, WAIT_MS);
	crew_end(crew);
}

static void
a_stop_ends_in_time_whatever_a_handler_does(void **state)
{
	static const char *const blocked[] = {
		CREW_HANDLER("\tplugin = \"sleep\"\n\ttime = \"10m\"\n"
			     "\thold = no"),
		"\nsource \"topic\" {",
		"\nshutdown_timeout = \"2s\"\n\nsource \"topic\" {",
		SHORT_SESSION, NULL
	};
	struct crew *crew = *state;
	struct daemon *consumer;

	topic_create(&crew->w, 2);
	consumer = crew_ready(crew, "blocked", "consumer.conf", blocked);
	topic_fill(&crew->w, "n", 20);
	crew_await_metric(consumer, IN_FLIGHT, 20, WAIT_MS);
	/* Two seconds, and a few to stop. */
	assert_int_equal(daemon_stop(consumer, WAIT_MS), 0);
	crew_ready(crew, "quick", "consumer.conf", NULL);
	table_await(&crew->w,
		    "SELECT count(*) FROM events WHERE status = 'processed'",
		    20, WAIT_MS);
	crew_end(crew);
}

#define FAULT(test)                                                            \
	cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT(sigterm_of_a_consumer_loses_nothing_and_exits_with_0),
		FAULT(kill_9_of_a_consumer_loses_nothing),
		FAULT(kill_9_of_the_only_consumer_loses_nothing),
		FAULT(a_kill_of_postgresql_loses_nothing),
		FAULT(a_kill_of_kafka_under_consumers_loses_nothing),
		FAULT(a_second_sigterm_ends_the_wait_and_what_was_held_comes_again),
		FAULT(a_stop_ends_in_time_whatever_a_handler_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
