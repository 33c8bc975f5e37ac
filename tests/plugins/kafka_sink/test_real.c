/*
 * test_real.c - the whole sink on a real Kafka, which the environment
 * names (scripts/servers env): what it writes, and what it says while topic or
 * broker are away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <envelope.h>
#include <uuid_text.h>

#include "clock.h"
#include "fake_host.h"
#include "real_bench.h"
#include "real_topic.h"

static void
check_message(void *arg, const rd_kafka_message_t *message)
{
	struct fake_event *e = arg;
	struct envelope envelope;
	struct envelope_error why;
	char id[UUID_TEXT_LEN + 1] = "";

	assert_int_equal(0, envelope_read(message->payload, message->len,
					  1 << 20, &envelope, &why));
	assert_memory_equal(e->ev.id, envelope.id, 16);
	assert_string_equal("user.created", envelope.name);
	assert_int_equal(e->ev.data.len, envelope.data.len);
	assert_memory_equal(e->ev.data.data, envelope.data.data,
			    envelope.data.len);
	assert_int_equal(5, message->key_len);
	assert_memory_equal("key-0", message->key, 5);
	/* As Java: toPositive(murmur2("key-0")) % 6. */
	assert_int_equal(1, message->partition);
	uuid_write(e->ev.id, id);
	assert_header(message, "evh-id", id);
	assert_header(message, "content-type", "application/json");
	assert_header(message, "evh-attempts", "3");
	assert_header(message, "x-request-id", "abc");
	assert_header(message, "evh-status", NULL);
}

static void
an_event_is_written_as_promised_to_a_topic_made_for_it(void **state)
{
	static const struct evh_header headers[] = {
		{ "x-request-id", { "abc", 3 } },
		{ "evh-attempts", { "2", 1 } }, /* of the message it was */
	};
	struct bench *b = *state;
	struct fake_event *e = fake_events(1, 1);

	e->ev.headers = headers;
	e->ev.n_headers = 2;
	e->ev.attempts = 3;
	bench_begin(b);
	assert_true(fake_wait_ready(&b->host, true, 60000));
	bench_deliver(b, e, 1);
	assert_int_equal(6, topic_partitions(b));
	assert_int_equal(1, topic_read(b, check_message, e));
	free(e);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct times {
	int64_t from_ms; /* nothing was written before */
	int n_created, n_written;
};

static void
check_time(void *arg, const rd_kafka_message_t *message)
{
	rd_kafka_timestamp_type_t type;
	int64_t time_ms = rd_kafka_message_timestamp(message, &type);
	struct times *times = arg;
	struct envelope envelope;
	struct envelope_error why;
	int number;

	assert_int_equal(0, envelope_read(message->payload, message->len,
					  1 << 20, &envelope, &why));
	assert_int_equal(1763837813556543000 / 1000,
			 envelope.created_ns / 1000);
	memcpy(&number, envelope.id, sizeof(number));
	if (number == 0) {
		assert_int_equal(1763837813556, time_ms);
		times->n_created++;
		return;
	}
	assert_in_range(time_ms, times->from_ms, now_ms());
	times->n_written++;
}

/* By its own time an old event would be beyond the topic's retention as soon
 * as it is written again, and gone before anybody has read it. */
static void
only_the_first_message_of_an_event_has_the_time_of_its_making(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(5, 1);
	struct times times = { .from_ms = now_ms() };

	evs[1].ev.attempts = 1; /* a retry */
	evs[2].ev.status = EVH_FAILED;
	evs[3].ev.status = EVH_DROPPED;
	evs[4].ev.status = EVH_PROCESSED; /* from a topic to another */
	bench_begin(b);
	for (int i = 0; i < 5; i++)
		bench_deliver(b, &evs[i], i + 1);
	topic_read(b, check_time, &times);
	assert_true(times.n_created >= 1);
	assert_true(times.n_written >= 4);
	free(evs);
}

static void
check_poison(void *arg, const rd_kafka_message_t *message)
{
	(void)arg;
	assert_int_equal(3, message->len);
	assert_memory_equal("{\"x", message->payload, 3);
	assert_header(message, "content-type", "application/octet-stream");
	assert_header(message, "evh-status", "failed");
	assert_header(message, "evh-error", "{\"type\":\"invalid\"}");
	assert_header(message, "evh-source", "events/3/77");
}

static void
what_is_no_event_is_kept_as_the_bytes_that_came(void **state)
{
	struct bench *b = *state;
	struct fake_event *e = fake_events(1, 0);

	e->ev.status = EVH_FAILED;
	e->ev.name = "";
	e->ev.data = (struct evh_bytes){ "{\"x", 3 };
	e->ev.error = "{\"type\":\"invalid\"}";
	e->ev.topic = "events";
	e->ev.partition = 3;
	e->ev.offset = 77;
	bench_begin(b);
	bench_deliver(b, e, 1);
	assert_int_equal(1, topic_read(b, check_poison, NULL));
	free(e);
}

static void
a_missing_topic_that_may_not_be_created_is_waited_for(void **state)
{
	struct bench *b = *state;

	fake_host_set(&b->host, "create", "no");
	bench_begin(b);
	assert_true(fake_wait_why(&b->host, "set create = yes", 60000));
	topic_make(b, "cleanup.policy", "delete");
	assert_true(fake_wait_ready(&b->host, true, 60000));
}

static void
a_topic_that_is_deleted_is_made_again(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(20, 1);
	int n_before;

	bench_begin(b);
	assert_true(fake_wait_ready(&b->host, true, 60000));
	bench_offer(b, evs, 10);
	assert_true(fake_wait_answers(&b->host, 10, 60000));
	n_before = fake_unready(&b->host);
	topic_delete(b);
	/* For as short a while as it takes to make a topic. */
	assert_true(fake_wait_unready(&b->host, n_before, 60000));
	assert_true(fake_wait_ready(&b->host, true, 60000));
	bench_offer(b, evs + 10, 10);
	assert_true(fake_wait_answers(&b->host, 20, 60000));
	assert_int_equal(20, b->host.ok + b->host.retry);
	free(evs);
}

/* Those answered RETRY go in again, until all are delivered: what the broker is
 * given may not be enough for one that is busy. */
static void
deliver_again(struct bench *b, struct fake_event *evs, int n)
{
	int64_t until_ms = clock_ms() + 60000;
	int answers = b->host.answers, open = n;

	while (open > 0) {
		assert_true(clock_ms() < until_ms);
		assert_true(fake_wait_ready(&b->host, true, 60000));
		for (int i = 0; i < n; i++) {
			if (evs[i].result != EVH_RETRY)
				continue;
			evs[i].answers = 0;
			bench_offer(b, &evs[i], 1);
			answers++;
		}
		assert_true(fake_wait_answers(&b->host, answers, 60000));
		open = 0;
		for (int i = 0; i < n; i++)
			open += evs[i].result == EVH_RETRY;
	}
}

static void
a_frozen_broker_is_noticed_and_events_come_back_in_time(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(200, 5);
	int64_t from_ms;
	int last = -1;

	fake_host_set(&b->host, "message_timeout", "4s");
	bench_begin(b);
	assert_true(fake_wait_ready(&b->host, true, 60000));
	bench_offer(b, evs, 100);
	assert_true(fake_wait_answers(&b->host, 100, 60000));
	broker_freeze(b->kafka);
	from_ms = clock_ms();
	bench_offer(b, evs + 100, 100);
	assert_true(fake_wait_ready(&b->host, false, 60000));
	assert_true(fake_wait_answers(&b->host, 200, 60000));
	assert_true(clock_ms() - from_ms >= 3500);
	assert_int_equal(100, b->host.ok);
	assert_int_equal(100, b->host.retry);
	for (int i = 100; i < 200; i++) {
		assert_true(evs[i].order > last);
		last = evs[i].order;
	}
	kill(b->kafka, SIGCONT);
	deliver_again(b, evs + 100, 100);
	assert_int_equal(200, b->host.ok);
	free(evs);
}

struct sequence {
	bool seen[300];
	int last, n;
};

/* Each once more at will, but the first of each behind those before it. */
static void
check_sequence(void *arg, const rd_kafka_message_t *message)
{
	struct sequence *s = arg;
	struct envelope envelope;
	struct envelope_error why;
	int number;

	assert_int_equal(0, envelope_read(message->payload, message->len,
					  1 << 20, &envelope, &why));
	memcpy(&number, envelope.id, sizeof(number));
	if (s->seen[number])
		return;
	s->seen[number] = true;
	s->n++;
	if (number < s->last)
		fail_msg("event %d is behind %d", number, s->last);
	s->last = number;
}

static int
retries(struct bench *b)
{
	int n;

	pthread_mutex_lock(&b->host.lock);
	n = b->host.retry;
	pthread_mutex_unlock(&b->host.lock);
	return n;
}

/* As the host does: after a RETRY nothing later is offered, until the sink has
 * answered all that it has.  False then. */
static bool
offer_in_turn(struct bench *b, struct fake_event *ev, int retries_before)
{
	int64_t until_ms = clock_ms() + 60000;

	while (retries(b) == retries_before) {
		if (fake_submit(&b->host, bench_submit, b->keeper, ev, 1, 0) ==
		    1)
			return true;
		assert_true(clock_ms() < until_ms);
	}
	return false;
}

static void
batches_too_large_for_a_topic_shrink_and_keep_their_order(void **state)
{
	struct bench *b = *state;
	struct fake_event *evs = fake_events(300, 1);
	struct sequence sequence = { .last = -1 };
	char *data = malloc(9000), small[1000];
	int answers = 0, open = 300;

	/* Each event fits, a batch of a dozen does not, and one never. */
	memset(data, ' ', 9000);
	data[0] = '{';
	data[8999] = '}';
	memset(small, ' ', sizeof(small));
	small[0] = '{';
	small[999] = '}';
	for (int i = 0; i < 300; i++)
		evs[i].ev.data = (struct evh_bytes){ small, 1000 };
	evs[150].ev.data = (struct evh_bytes){ data, 9000 };
	topic_make(b, "max.message.bytes", "6000");
	fake_host_set(&b->host, "rdkafka.linger.ms", "20");
	bench_begin(b);
	assert_true(fake_wait_ready(&b->host, true, 60000));
	while (open > 0) {
		int before = retries(b);

		for (int i = 0; i < 300; i++) {
			if (evs[i].result == EVH_OK ||
			    evs[i].result == EVH_FAIL)
				continue;
			evs[i].answers = 0;
			if (!offer_in_turn(b, &evs[i], before))
				break;
			answers++;
		}
		assert_true(fake_wait_answers(&b->host, answers, 60000));
		open = 300 - b->host.ok - b->host.fail;
	}
	for (int i = 0; i < 300; i++)
		if (evs[i].result == EVH_FAIL && i != 150)
			fail_msg("event %d: %s", i, evs[i].error);
	assert_int_equal(EVH_FAIL, evs[150].result);
	assert_int_equal(299, b->host.ok);
	assert_true(fake_restarts(&b->host) < 20);
	topic_read(b, check_sequence, &sequence);
	assert_int_equal(299, sequence.n);
	free(data);
	free(evs);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_written_as_promised_to_a_topic_made_for_it),
		TEST(only_the_first_message_of_an_event_has_the_time_of_its_making),
		TEST(what_is_no_event_is_kept_as_the_bytes_that_came),
		TEST(a_missing_topic_that_may_not_be_created_is_waited_for),
		TEST(a_topic_that_is_deleted_is_made_again),
		TEST(a_frozen_broker_is_noticed_and_events_come_back_in_time),
		TEST(batches_too_large_for_a_topic_shrink_and_keep_their_order),
	};

	if (getenv("EVENT_HANDLER_SERVICE_KAFKA_HOST") == NULL ||
	    getenv("EVENT_HANDLER_SERVICE_KAFKA_PORT") == NULL ||
	    getenv("EVH_KAFKA_PID") == NULL) {
		fprintf(stderr, "no Kafka: see scripts/servers env\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
