#include "real_topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fake_host.h"
#include "real_bench.h"

void
broker_freeze(pid_t pid)
{
	char path[64], stat[256] = "";
	int64_t until_ms = clock_ms() + 60000;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	assert_int_equal(0, kill(pid, SIGSTOP));
	while (strstr(stat, ") T ") == NULL && clock_ms() < until_ms) {
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		assert_non_null(fgets(stat, sizeof(stat), f));
		fclose(f);
	}
	assert_non_null(strstr(stat, ") T "));
}

static rd_kafka_t *
admin_new(struct bench *b)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[200];

	rd_kafka_conf_set(conf, "bootstrap.servers", b->brokers, why,
			  sizeof(why));
	return rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
}

void
topic_delete(struct bench *b)
{
	rd_kafka_t *rk = admin_new(b);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(b->topic);
	rd_kafka_event_t *event;

	rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, 60000);
	assert_non_null(event);
	assert_int_equal(0, rd_kafka_event_error(event));
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy(topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
}

void
topic_make(struct bench *b, const char *config, const char *value)
{
	rd_kafka_t *rk = admin_new(b);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_NewTopic_t *topic =
		rd_kafka_NewTopic_new(b->topic, 1, 1, NULL, 0);
	rd_kafka_event_t *event;

	rd_kafka_NewTopic_set_config(topic, config, value);
	rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, 60000);
	assert_non_null(event);
	assert_int_equal(0, rd_kafka_event_error(event));
	rd_kafka_event_destroy(event);
	rd_kafka_NewTopic_destroy(topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
}

/* Where a partition begins and ends.  One that is just being made has no
 * leader yet. */
static void
partition_bounds(struct bench *b, rd_kafka_t *rk, int32_t id, int64_t *ret_low,
		 int64_t *ret_high)
{
	int64_t until_ms = clock_ms() + 60000;

	while (rd_kafka_query_watermark_offsets(rk, b->topic, id, ret_low,
						ret_high, 5000) !=
	       RD_KAFKA_RESP_ERR_NO_ERROR)
		assert_true(clock_ms() < until_ms);
}

/* The partitions that have messages, from their beginnings; how many messages
 * these are. */
static int64_t
topic_begin(struct bench *b, rd_kafka_t *rk)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, b->topic, NULL);
	rd_kafka_topic_partition_list_t *parts =
		rd_kafka_topic_partition_list_new(6);
	const struct rd_kafka_metadata *metadata;
	int64_t low, high, n = 0;

	assert_int_equal(0, rd_kafka_metadata(rk, 0, topic, &metadata, 60000));
	for (int32_t i = 0; i < metadata->topics[0].partition_cnt; i++) {
		partition_bounds(b, rk, i, &low, &high);
		if (high > low)
			rd_kafka_topic_partition_list_add(parts, b->topic, i)
				->offset = low;
		n += high - low;
	}
	rd_kafka_assign(rk, parts);
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(topic);
	rd_kafka_topic_partition_list_destroy(parts);
	return n;
}

int
topic_partitions(struct bench *b)
{
	rd_kafka_t *rk = admin_new(b);
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, b->topic, NULL);
	const struct rd_kafka_metadata *metadata;
	int n;

	assert_int_equal(0, rd_kafka_metadata(rk, 0, topic, &metadata, 60000));
	n = metadata->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	return n;
}

int
topic_read(struct bench *b, see *fn, void *arg)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int64_t until_ms = clock_ms() + 60000;
	rd_kafka_message_t *message;
	char why[200];
	rd_kafka_t *rk;
	int64_t left;
	int n = 0;

	rd_kafka_conf_set(conf, "bootstrap.servers", b->brokers, why,
			  sizeof(why));
	rd_kafka_conf_set(conf, "group.id", b->topic, why, sizeof(why));
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	rd_kafka_poll_set_consumer(rk);
	for (left = topic_begin(b, rk); left > 0; left--) {
		do {
			message = rd_kafka_consumer_poll(rk, 1000);
			assert_true(clock_ms() < until_ms);
		} while (message == NULL);
		assert_int_equal(RD_KAFKA_RESP_ERR_NO_ERROR, message->err);
		fn(arg, message);
		n++;
		rd_kafka_message_destroy(message);
	}
	rd_kafka_assign(rk, NULL);
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	return n;
}

void
assert_header(const rd_kafka_message_t *message, const char *name,
	      const char *value)
{
	rd_kafka_headers_t *headers;
	const void *found;
	size_t len;

	assert_int_equal(0, rd_kafka_message_headers(message, &headers));
	if (value == NULL) {
		assert_int_equal(
			RD_KAFKA_RESP_ERR__NOENT,
			rd_kafka_header_get_last(headers, name, &found, &len));
		return;
	}
	assert_int_equal(0,
			 rd_kafka_header_get(headers, 0, name, &found, &len));
	assert_int_equal(strlen(value), len);
	assert_memory_equal(value, found, len);
	assert_int_equal(RD_KAFKA_RESP_ERR__NOENT,
			 rd_kafka_header_get(headers, 1, name, &found, &len));
}
