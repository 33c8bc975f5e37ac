/*
 * test_unread.c - partitions that are not read, because the group's offsets
 * were refused, at librdkafka's mock brokers: they are taken again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "consumer.h"
#include "mock_bench.h"

#define MANY 1000

static bool
has_given_up(struct fake_host *host, int64_t n)
{
	return host->rebalances.value >= n;
}

static void
what_was_refused_at_the_beginning_is_read_when_it_is_allowed(void **state)
{
	struct bench *b = *state;

	bench_refuse_offsets(b, 3);
	bench_put(b, 0);
	bench_put(b, 1);
	bench_start(b);
	bench_await_said(b, "Failed to fetch committed offset");
	bench_await_answered(b);
	bench_await_ready(b);
}

static void
a_stop_in_between_ends_in_time(void **state)
{
	struct bench *b = *state;

	bench_refuse_offsets(b, 100);
	bench_start(b);
	bench_await_said(b, "Failed to fetch committed offset");
	assert_true(fake_host_stop(&b->host, BENCH_STOP_MS) < BENCH_STOP_MS);
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
}

static void
what_was_refused_is_read_after_a_rebalance_in_between(void **state)
{
	struct bench *b = *state;

	bench_refuse_offsets(b, 100);
	bench_start(b);
	bench_await_said(b, "Failed to fetch committed offset");
	rd_kafka_mock_push_request_errors(b->cluster, HEARTBEAT, 1,
					  RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
	assert_true(fake_host_wait(&b->host, BENCH_WAIT_MS, has_given_up, 1));
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
	bench_put(b, 0);
	bench_put(b, 1);
	bench_await_answered(b);
	bench_await_ready(b);
}

/* Of one partition, which librdkafka would say of one that is not read. */
static void
partitions_that_are_read_go_on_where_they_are(void **state)
{
	struct bench *b = *state;
	int64_t next = 0;

	bench_begin(b);
	fake_host_hold(&b->host, true);
	for (int i = 0; i < MANY; i++)
		bench_put(b, 0);
	assert_true(
		fake_host_wait(&b->host, BENCH_WAIT_MS, fake_has_records, 100));
	bench_refuse_first(true);
	bench_refuse(b, 1, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	bench_await_said(b, "Failed to fetch committed offset");
	bench_await_ready(b);
	bench_refuse_first(false);
	fake_host_hold(&b->host, false);
	for (int i = 0; i < MANY; i++)
		bench_put(b, 0);
	bench_put(b, 1);
	bench_await_answered(b);
	for (unsigned i = 0; i < b->host.n_records; i++)
		if (b->host.records[i].partition == 0)
			assert_int_equal(b->host.records[i].offset, next++);
	assert_int_equal(next, 2 * MANY);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(
			what_was_refused_at_the_beginning_is_read_when_it_is_allowed),
		BENCH_TEST(a_stop_in_between_ends_in_time),
		BENCH_TEST(
			what_was_refused_is_read_after_a_rebalance_in_between),
		BENCH_TEST(partitions_that_are_read_go_on_where_they_are),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
