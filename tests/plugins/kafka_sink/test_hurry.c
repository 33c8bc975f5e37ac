/*
 * Who sends at once what librdkafka would let linger.  The producers here
 * linger for ten minutes, so that what is delivered while a test runs was not
 * waited for.
 */
#include "hurry.h"

#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define WAIT_MS	  60000
#define LINGER_MS "600000"

struct bench {
	rd_kafka_t *owner; /* of the mock cluster */
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	struct hurry hurry;
};

static rd_kafka_conf_t *
conf_new(const char *const *pairs)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	for (; pairs[0] != NULL; pairs += 2)
		assert_int_equal(rd_kafka_conf_set(conf, pairs[0], pairs[1],
						   why, sizeof(why)),
				 RD_KAFKA_CONF_OK);
	return conf;
}

static int
setup(void **state)
{
	static const char *const nothing[] = { NULL };
	static struct bench b;
	char why[256];

	b.owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf_new(nothing), why,
			       sizeof(why));
	b.cluster = rd_kafka_mock_cluster_new(b.owner, 1);
	rd_kafka_mock_topic_create(b.cluster, "events", 1, 1);
	const char *const pairs[] = {
		"bootstrap.servers",
		rd_kafka_mock_cluster_bootstraps(b.cluster),
		"linger.ms",
		LINGER_MS,
		"message.timeout.ms",
		"0",
		NULL,
	};
	rd_kafka_conf_t *conf = conf_new(pairs);

	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
	b.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(b.rk);
	b.queue = rd_kafka_queue_get_main(b.rk);
	assert_int_equal(hurry_start(&b.hurry, b.rk), 0);
	*state = &b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	hurry_stop(&b->hurry);
	rd_kafka_purge(b->rk, RD_KAFKA_PURGE_F_QUEUE);
	rd_kafka_queue_destroy(b->queue);
	rd_kafka_destroy(b->rk);
	rd_kafka_mock_cluster_destroy(b->cluster);
	rd_kafka_destroy(b->owner);
	return 0;
}

static void
produce(struct bench *b)
{
	assert_int_equal(rd_kafka_producev(b->rk, RD_KAFKA_V_TOPIC("events"),
					   RD_KAFKA_V_VALUE("x", 1),
					   RD_KAFKA_V_END),
			 0);
	hurry_event(&b->hurry);
}

static void
delivered(struct bench *b, size_t n)
{
	int64_t due_ms = clock_ms() + WAIT_MS;

	while (n > 0) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(b->queue, 100);

		assert_true(clock_ms() < due_ms);
		if (event == NULL)
			continue;
		n -= rd_kafka_event_message_count(event);
		rd_kafka_event_destroy(event);
	}
}

static void
one_event_does_not_linger(void **state)
{
	produce(*state);
	delivered(*state, 1);
}

/* Each comes when the one before is delivered: just when the thread goes back
 * to sleep, or is about to. */
static void
none_of_many_one_by_one_is_overlooked(void **state)
{
	int i;

	for (i = 0; i < 2000; i++) {
		produce(*state);
		delivered(*state, 1);
	}
}

static void
few_at_once_do_not_linger(void **state)
{
	int i;

	for (i = 0; i < 8; i++)
		produce(*state);
	delivered(*state, 8);
}

/* Of many nobody is woken, and when they have become few for a while the next
 * event sends them all. */
static void
many_linger_until_they_are_few(void **state)
{
	struct bench *b = *state;
	int i;

	hurry_look(&b->hurry, 64);
	for (i = 0; i < 64; i++)
		produce(b);
	pthread_mutex_lock(&b->hurry.lock);
	assert_false(b->hurry.is_wanted);
	pthread_mutex_unlock(&b->hurry.lock);
	hurry_look(&b->hurry, 3);
	produce(b);
	assert_false(atomic_load(&b->hurry.is_calm));
	assert_int_equal(rd_kafka_outq_len(b->rk), 65);

	for (i = 0; i < 64; i++)
		hurry_look(&b->hurry, 3);
	produce(b);
	delivered(b, 66);
}

/* With nobody to deliver to, it ends all the same. */
static void
it_stops_while_events_are_on_their_way(void **state)
{
	struct bench *b = *state;
	int64_t due_ms = clock_ms() + WAIT_MS;

	rd_kafka_mock_broker_set_down(b->cluster, 1);
	produce(b);
	while (!atomic_load(&b->hurry.is_flushing))
		assert_true(clock_ms() < due_ms);
	hurry_stop(&b->hurry);
	assert_int_equal(hurry_start(&b->hurry, b->rk), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_event_does_not_linger),
		TEST(none_of_many_one_by_one_is_overlooked),
		TEST(few_at_once_do_not_linger),
		TEST(many_linger_until_they_are_few),
		TEST(it_stops_while_events_are_on_their_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
