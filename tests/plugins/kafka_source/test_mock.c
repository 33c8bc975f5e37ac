/*
 * test_mock.c - what is refused to the consumer, at librdkafka's mock brokers:
 * it is said, and its end is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "mock_bench.h"

static void
a_message_ends_what_kept_its_partition_from_being_read(void **state)
{
	struct bench *b = *state;

	bench_begin(b);
	bench_refuse(b, 0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	bench_await_said(b, "authorization failed");
	bench_put(b, 0);
	bench_await_answered(b);
	bench_await_ready(b);
}

static void
a_message_says_nothing_of_another_partition(void **state)
{
	struct bench *b = *state;

	bench_begin(b);
	bench_refuse(b, 1, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
	bench_await_said(b, "automatically reset");
	bench_refuse(b, 0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	bench_await_said(b, "authorization failed");
	bench_forget(b);
	bench_put(b, 0);
	bench_await_answered(b);
	bench_await_said(b, "automatically reset");
	bench_put(b, 1);
	bench_await_answered(b);
	bench_await_ready(b);
}

static void
a_topic_that_is_back_is_found_without_a_message(void **state)
{
	struct bench *b = *state;

	bench_begin(b);
	bench_refuse(b, 0, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	bench_await_said(b, "does not exist yet");
	bench_await_ready(b);
}

static void
a_right_that_is_given_back_is_found_without_a_message(void **state)
{
	struct bench *b = *state;

	bench_begin(b);
	bench_refuse_all(true);
	bench_refuse(b, 0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	bench_await_said(b, "Topic authorization failed");
	bench_await_ready(b);
	bench_refuse(b, 0, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	bench_await_said(b, "Group authorization failed");
	bench_await_ready(b);
	bench_refuse_all(false);
}

/* The group's right is not proven by the topic's. */
static void
a_right_that_is_still_refused_is_not_taken_for_given(void **state)
{
	struct bench *b = *state;

	bench_begin(b);
	/* From then on librdkafka itself asks for no offset. */
	bench_put(b, 0);
	bench_put(b, 1);
	bench_await_answered(b);
	bench_refuse_offsets(b, 100);
	bench_refuse_all(true);
	bench_refuse(b, 0, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
	bench_await_said(b, "Group authorization failed");
	assert_false(fake_host_wait(&b->host, 3000, fake_is_ready, 0));
	rd_kafka_mock_clear_request_errors(b->cluster, OFFSET_FETCH);
	bench_await_ready(b);
	bench_refuse_all(false);
}

static void
a_member_that_has_lost_its_partitions_is_not_ready(void **state)
{
	struct bench *b = *state;

	bench_begin(b);
	bench_forget(b);
	rd_kafka_mock_push_request_errors(
		b->cluster, JOIN_GROUP, 3,
		RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
		RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
		RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
	rd_kafka_mock_push_request_errors(b->cluster, HEARTBEAT, 1,
					  RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
	bench_await_said(b, "waiting for group readers to assign partitions");
	bench_await_ready(b);
	bench_put(b, 0);
	bench_await_answered(b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(
			a_message_ends_what_kept_its_partition_from_being_read),
		BENCH_TEST(a_message_says_nothing_of_another_partition),
		BENCH_TEST(a_topic_that_is_back_is_found_without_a_message),
		BENCH_TEST(
			a_right_that_is_given_back_is_found_without_a_message),
		BENCH_TEST(
			a_right_that_is_still_refused_is_not_taken_for_given),
		BENCH_TEST(a_member_that_has_lost_its_partitions_is_not_ready),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
