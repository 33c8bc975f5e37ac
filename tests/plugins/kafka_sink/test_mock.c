/*
 * The whole sink at librdkafka's mock brokers, which are good for one thing:
 * errors on demand.
 */
#include "clock.h"
#include "fake_host.h"
#include "keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define PRODUCE	    0	  /* Kafka's ApiKey */
#define WATCHDOG_MS 50000 /* what is bounded ends long before */

struct bench {
	rd_kafka_t *owner; /* of the mock cluster */
	rd_kafka_mock_cluster_t *cluster;
	struct fake_host host;
	struct settings settings;
	struct keeper *keeper;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200];

	b->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	b->cluster = rd_kafka_mock_cluster_new(b->owner, 1);
	rd_kafka_mock_topic_create(b->cluster, "events", 2, 1);
	fake_host_init(&b->host, settings_options);
	fake_host_set(&b->host, "brokers",
		      rd_kafka_mock_cluster_bootstraps(b->cluster));
	*state = b;
	return 0;
}

/* With the options that the test has set. */
static void
start(struct bench *b)
{
	assert_int_equal(0, settings_read(&b->host.ctx, &b->settings));
	b->keeper = keeper_new(&b->host.ctx, &b->settings);
	assert_non_null(b->keeper);
	assert_int_equal(0, keeper_start(b->keeper));
	assert_true(fake_wait_ready(&b->host, true, 60000));
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	keeper_stop(b->keeper, 5000);
	keeper_free(b->keeper);
	fake_host_fini(&b->host);
	rd_kafka_mock_cluster_destroy(b->cluster);
	rd_kafka_destroy(b->owner);
	free(b);
	return 0;
}

static int
submit(void *self, struct evh_event *const *evs, int n)
{
	return keeper_submit(self, evs, n);
}

static int
offer(struct bench *b, struct fake_event *evs, int n)
{
	return fake_submit(&b->host, submit, b->keeper, evs, n, 60000);
}

/*
 * Events of a key are answered in the order taken.  Not here: one that is
 * delivered behind one that is to be tried again, and so is answered before it.
 * What is on its way behind a refused batch a broker refuses by its sequence
 * number; the mock does not look at it.
 */
static void
assert_order(const struct fake_event *evs, int n, int keys)
{
	for (int i = keys; i < n; i++) {
		const struct fake_event *before = &evs[i - keys];

		if (evs[i].result == EVH_OK && before->result == EVH_RETRY)
			continue;
		if (before->order > evs[i].order)
			fail_msg("event %d is answered before %d", i,
				 before->number);
	}
}

/* Those answered RETRY go in again, as a host does; how many. */
static int
offer_again(struct bench *b, struct fake_event *evs, int n)
{
	int again = 0;

	for (int i = 0; i < n; i++) {
		if (evs[i].result != EVH_RETRY)
			continue;
		evs[i].answers = 0;
		again++;
		assert_int_equal(1, offer(b, &evs[i], 1));
	}
	return again;
}

static void
a_fatal_producer_is_replaced_and_every_event_answered_once(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs;
	int answers = 0;

	start(b);
	for (int round = 1; round <= 5; round++) {
		evs = fake_events(2000, 7);
		rd_kafka_mock_push_request_errors(
			b->cluster, PRODUCE, 1,
			RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
		assert_int_equal(2000, offer(b, evs, 2000));
		answers += 2000;
		assert_true(fake_wait_answers(&b->host, answers, 60000));
		assert_int_equal(0, b->host.fail);
		assert_order(evs, 2000, 7);
		answers += offer_again(b, evs, 2000);
		assert_true(fake_wait_answers(&b->host, answers, 60000));
		assert_true(fake_wait_ready(&b->host, true, 60000));
		assert_int_equal(round, fake_restarts(&b->host));
		assert_int_equal(2000 * round, b->host.ok);
		free(evs);
	}
	assert_true(b->host.retry > 0);
}

/* librdkafka reports success then, for it believes that an earlier request
 * brought the batch there; it may be wrong. */
static void
a_report_without_an_offset_is_no_proof(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(50, 1);
	int answers;

	start(b);
	rd_kafka_mock_push_request_errors(
		b->cluster, PRODUCE, 1,
		RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER);
	assert_int_equal(50, offer(b, evs, 50));
	assert_true(fake_wait_answers(&b->host, 50, 60000));
	assert_true(b->host.retry > 0);
	assert_int_equal(0, b->host.fail);
	assert_true(fake_wait_ready(&b->host, true, 60000));
	answers = 50 + offer_again(b, evs, 50);
	assert_true(fake_wait_answers(&b->host, answers, 60000));
	assert_int_equal(50, b->host.ok);
	free(evs);
}

static void
a_batch_is_refused_as_such_and_the_culprit_alone(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(20, 1);
	int answers;

	/* All twenty are to be in one request, on a busy machine too. */
	fake_host_set(&b->host, "rdkafka.linger.ms", "2500");
	start(b);
	rd_kafka_mock_push_request_errors(b->cluster, PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_INVALID_RECORD);
	assert_int_equal(20, offer(b, evs, 20));
	assert_true(fake_wait_answers(&b->host, 20, 60000));
	assert_int_equal(20, b->host.retry);
	assert_true(fake_wait_ready(&b->host, true, 60000));

	rd_kafka_mock_push_request_errors(b->cluster, PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_INVALID_RECORD);
	offer_again(b, evs, 20);
	answers = 40;
	assert_true(fake_wait_answers(&b->host, answers, 60000));
	assert_int_equal(1, b->host.fail);
	assert_int_equal(EVH_FAIL, evs[0].result);
	assert_non_null(strstr(evs[0].error, "INVALID_RECORD"));
	assert_true(fake_wait_ready(&b->host, true, 60000));

	answers += offer_again(b, evs, 20);
	assert_true(fake_wait_answers(&b->host, answers, 60000));
	assert_int_equal(1, b->host.fail);
	assert_int_equal(19, b->host.ok);
	free(evs);
}

static void
an_event_too_large_fails_in_its_turn(void **state)
{
	size_t size = 3 << 20;
	struct bench *b = *state;
	struct fake_event *evs = fake_events(10, 1);
	char *large = malloc(size);

	memset(large, ' ', size);
	large[0] = '{';
	large[size - 1] = '}';
	evs[4].ev.data.data = large;
	evs[4].ev.data.len = size;
	/* What was taken before it is still on its way for a while. */
	fake_host_set(&b->host, "rdkafka.linger.ms", "200");
	start(b);
	assert_int_equal(10, offer(b, evs, 10));
	assert_true(fake_wait_answers(&b->host, 10, 60000));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(i, evs[i].order);
		assert_int_equal(i == 4 ? EVH_FAIL : EVH_OK, evs[i].result);
	}
	assert_non_null(strstr(evs[4].error, "MSG_SIZE_TOO_LARGE"));
	assert_int_equal(0, fake_restarts(&b->host));
	free(large);
	free(evs);
}

static void
a_full_queue_takes_the_first_that_fit(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(50, 0);
	struct evh_event *list[50];

	for (int i = 0; i < 50; i++)
		list[i] = &evs[i].ev;
	fake_host_set(&b->host, "queue_messages", "10");
	start(b);
	/* No answer comes before the second look. */
	rd_kafka_mock_broker_set_rtt(b->cluster, 1, 3000);
	assert_int_equal(10, keeper_submit(b->keeper, list, 50));
	assert_int_equal(0, keeper_submit(b->keeper, list + 10, 40));
	rd_kafka_mock_broker_set_rtt(b->cluster, 1, 0);
	assert_int_equal(40, offer(b, evs + 10, 40));
	assert_true(fake_wait_answers(&b->host, 50, 60000));
	assert_int_equal(50, b->host.ok);
	free(evs);
}

static void
without_a_broker_events_come_back_in_time_and_in_order(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(100, 3);
	int64_t from_ms, until_ms;

	fake_host_set(&b->host, "message_timeout", "1s");
	start(b);
	rd_kafka_mock_broker_set_down(b->cluster, 1);
	from_ms = clock_ms();
	assert_int_equal(100, offer(b, evs, 100));
	assert_true(fake_wait_answers(&b->host, 100, 60000));
	assert_true(clock_ms() - from_ms >= 900);
	assert_int_equal(100, b->host.retry);
	assert_order(evs, 100, 3);
	assert_true(fake_wait_ready(&b->host, false, 60000));
	assert_true(fake_wait_why(&b->host, "no broker of", 60000));

	rd_kafka_mock_broker_set_up(b->cluster, 1);
	until_ms = clock_ms() + 60000;
	/* A second is not always enough for a machine that is busy. */
	for (int answers = 100; b->host.ok < 100;) {
		assert_true(clock_ms() < until_ms);
		assert_true(fake_wait_ready(&b->host, true, 60000));
		answers += offer_again(b, evs, 100);
		assert_true(fake_wait_answers(&b->host, answers, 60000));
	}
	assert_int_equal(100, b->host.ok);
	free(evs);
}

/* Nothing is delivered meanwhile: a host offers nothing to a sink that is not
 * ready, and nobody may have anything to offer. */
static void
a_broker_that_is_back_is_back_for_good(void **state)
{
	struct bench *b = *state;

	start(b);
	rd_kafka_mock_broker_set_down(b->cluster, 1);
	assert_true(fake_wait_ready(&b->host, false, 60000));
	rd_kafka_mock_broker_set_up(b->cluster, 1);
	assert_true(fake_wait_ready(&b->host, true, 60000));
	/* Three looks of the keeper, which are 2 s apart. */
	assert_false(fake_wait_ready(&b->host, false, 7000));
}

static void
flush_waits_for_reports_and_then_no_longer(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(60, 3);
	int64_t from_ms;

	fake_host_set(&b->host, "message_timeout", "60s");
	start(b);
	/* A slow machine makes a request of each event, one behind the other,
	 * with questions about the topic between them. */
	rd_kafka_mock_broker_set_rtt(b->cluster, 1, 100);
	assert_int_equal(20, offer(b, evs, 20));
	keeper_flush(b->keeper, 60000);
	assert_int_equal(20, b->host.ok);

	rd_kafka_mock_broker_set_rtt(b->cluster, 1, 5000);
	assert_int_equal(20, offer(b, evs + 20, 20));
	keeper_flush(b->keeper, 0);
	assert_int_equal(40, b->host.answers);
	assert_int_equal(20, b->host.retry);
	assert_int_equal(0, fake_restarts(&b->host));

	/* Events still arrive afterwards, and it may come again. */
	rd_kafka_mock_broker_set_rtt(b->cluster, 1, 0);
	assert_int_equal(20, offer(b, evs + 40, 20));
	from_ms = clock_ms();
	keeper_flush(b->keeper, 60000);
	assert_int_equal(40, b->host.ok);
	assert_true(clock_ms() - from_ms < WATCHDOG_MS);
	free(evs);
}

static void
stop_is_bounded_while_no_broker_answers(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(10, 1);
	int64_t from_ms;

	start(b);
	rd_kafka_mock_broker_set_down(b->cluster, 1);
	assert_int_equal(10, offer(b, evs, 10));
	from_ms = clock_ms();
	keeper_flush(b->keeper, 100);
	assert_int_equal(10, b->host.answers);
	keeper_stop(b->keeper, 1000);
	assert_true(clock_ms() - from_ms < WATCHDOG_MS);
	free(evs);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fatal_producer_is_replaced_and_every_event_answered_once),
		TEST(a_report_without_an_offset_is_no_proof),

		TEST(a_batch_is_refused_as_such_and_the_culprit_alone),
		TEST(an_event_too_large_fails_in_its_turn),
		TEST(a_full_queue_takes_the_first_that_fit),
		TEST(without_a_broker_events_come_back_in_time_and_in_order),
		TEST(a_broker_that_is_back_is_back_for_good),
		TEST(flush_waits_for_reports_and_then_no_longer),
		TEST(stop_is_bounded_while_no_broker_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
