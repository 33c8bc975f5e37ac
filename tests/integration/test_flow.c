/*
 * The whole way of an event, by the shipped configurations: HTTP, Kafka, one
 * or more consumers, the table.
 */
#include "crew.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLIENTS	   8
#define PARTITIONS 6
#define FLOW_MS	   60000

#define HAS_PARTITIONS "evh_kafka_partitions{instance=\"topic\"}"
#define STORE_IS_READY "evh_instance_ready{instance=\"events\"}"
#define IS_KEPT                                                                \
	"evh_events_total{instance=\"events\",pipeline=\"process\","           \
	"result=\"ok\"}"

/* So many answers 201, then the load ends. */
static void
load_run(struct crew *crew, int n)
{
	crew->load = load_start(crew->api_port, CLIENTS, "user.created", 0);
	load_await(crew->load, 0, n, FLOW_MS);
	load_stop(crew->load);
	assert_int_equal(load_refused(crew->load), 0);
	assert_int_equal(load_broken(crew->load), 0);
	load_check(crew->load, &crew->w, "processed", FLOW_MS);
}

static void
load_end(struct crew *crew)
{
	load_free(crew->load);
	crew->load = NULL;
}

/* Every message became one row, with its place and one attempt. */
static void
table_check_all(struct crew *crew)
{
	long n = (long)topic_count(&crew->w);

	assert_true(n > 0);
	assert_int_equal(
		table_count(&crew->w,
			    "SELECT count(*) FROM events "
			    "WHERE status = 'processed' AND attempts = 1 AND "
			    "processed_at >= created_at AND error IS NULL AND "
			    "data IS NOT NULL"),
		n);
	assert_int_equal(
		table_count(&crew->w,
			    "SELECT count(DISTINCT (kafka_topic, "
			    "kafka_partition, kafka_offset)) FROM events "
			    "WHERE kafka_topic = current_database()"),
		n);
	assert_int_equal(table_count(&crew->w, "SELECT count(*) FROM events"),
			 n);
}

struct sharing {
	struct daemon **list;
	int n;
	double each;
};

/* Whether each of them has as many partitions. */
static bool
is_shared(void *arg)
{
	struct sharing *s = arg;

	for (int i = 0; i < s->n; i++) {
		double has = crew_metric(s->list[i], HAS_PARTITIONS);

		if (has < s->each || has > s->each)
			return false;
	}
	return true;
}

static void
sharing_await(struct daemon **list, int n)
{
	struct sharing s = { list, n, (double)PARTITIONS / n };

	world_await(is_shared, &s, FLOW_MS, "the partitions are shared");
}

static void
posted_events_pass_kafka_and_three_consumers_and_are_processed(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumers[3];

	crew_ready(crew, "api", "api.conf", NULL);
	consumers[0] = crew_start(crew, "one", "consumer.conf", NULL);
	consumers[1] = crew_start(crew, "two", "consumer.conf", NULL);
	consumers[2] = crew_start(crew, "three", "consumer.conf", NULL);
	for (int i = 0; i < 3; i++)
		daemon_await_ready(consumers[i], CREW_READY_MS);
	sharing_await(consumers, 3);
	load_run(crew, 600);
	for (int i = 0; i < 3; i++)
		assert_true(crew_metric(consumers[i], IS_KEPT) > 0);
	table_check_all(crew);
	crew_end(crew);
	/* What is done is committed, at the latest when a consumer leaves. */
	assert_int_equal(topic_committed(&crew->w), topic_count(&crew->w));
}

static void
a_consumer_joins_and_leaves_under_load(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumers[2];

	crew_ready(crew, "api", "api.conf", NULL);
	consumers[0] = crew_ready(crew, "first", "consumer.conf", NULL);
	sharing_await(consumers, 1);
	crew->load = load_start(crew->api_port, CLIENTS, "user.created", 300);
	load_await(crew->load, 0, 100, FLOW_MS);
	consumers[1] = crew_ready(crew, "second", "consumer.conf", NULL);
	sharing_await(consumers, 2);
	load_phase(crew->load, 1);
	load_await(crew->load, 1, 100, FLOW_MS);
	assert_int_equal(daemon_stop(consumers[0], CREW_STOP_MS), 0);
	sharing_await(&consumers[1], 1);
	load_phase(crew->load, 2);
	load_await(crew->load, 2, 100, FLOW_MS);
	load_stop(crew->load);
	assert_int_equal(load_refused(crew->load), 0);
	assert_int_equal(load_broken(crew->load), 0);
	load_check(crew->load, &crew->w, "processed", FLOW_MS);
	assert_true(crew_metric(consumers[1], IS_KEPT) > 0);
	table_check_all(crew);
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), topic_count(&crew->w));
}

static void
everything_in_one_process(void **state)
{
	struct crew *crew = *state;

	crew_ready(crew, "all", "evh.conf", NULL);
	load_run(crew, 600);
	load_end(crew);
	table_check_all(crew);
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), topic_count(&crew->w));
}

static void
events_wait_in_the_topic_for_the_first_consumer(void **state)
{
	struct crew *crew = *state;
	struct daemon *api;

	api = crew_ready(crew, "api", "api.conf", service_patient);
	/* An API is ready without its store, and writes no rows then. */
	crew_await_metric(api, STORE_IS_READY, 1, CREW_READY_MS);
	crew->load = load_start(crew->api_port, CLIENTS, "user.created", 0);
	load_await(crew->load, 0, 100, FLOW_MS);
	load_stop(crew->load);
	/* Nobody has looked at them yet. */
	load_check(crew->load, &crew->w, "pending", FLOW_MS);
	crew_ready(crew, "consumer", "consumer.conf", NULL);
	load_check(crew->load, &crew->w, "processed", FLOW_MS);
	table_check_all(crew);
	crew_end(crew);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			posted_events_pass_kafka_and_three_consumers_and_are_processed,
			crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			a_consumer_joins_and_leaves_under_load, crew_setup,
			crew_teardown),
		cmocka_unit_test_setup_teardown(everything_in_one_process,
						crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			events_wait_in_the_topic_for_the_first_consumer,
			crew_setup, crew_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
