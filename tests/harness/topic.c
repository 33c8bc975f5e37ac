#include "topic.h"

#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define WAIT_MS	       60000
#define PARTITIONS_MAX 64
#define MESSAGE_MAX    "4000000"

static rd_kafka_t *
client_new(const struct world *w, rd_kafka_type_t type,
	   void (*dr)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", w->brokers, NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
	if (type == RD_KAFKA_PRODUCER) {
		rd_kafka_conf_set(conf, "acks", "all", NULL, 0);
		rd_kafka_conf_set(conf, "message.max.bytes", MESSAGE_MAX, NULL,
				  0);
		rd_kafka_conf_set(conf, "partitioner", "murmur2_random", NULL,
				  0);
	} else {
		rd_kafka_conf_set(conf, "group.id", w->group, NULL, 0);
		/* Looking on must not move the group that is tested. */
		rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
	}
	if (dr)
		rd_kafka_conf_set_dr_msg_cb(conf, dr);
	rk = rd_kafka_new(type, conf, error, sizeof(error));
	if (!rk)
		fail_msg("rd_kafka_new: %s", error);
	return rk;
}

/* One admin request and its answer; what is there already is fine. */
static void
admin_do(const struct world *w, rd_kafka_NewTopic_t *made,
	 rd_kafka_DeleteTopic_t *gone)
{
	rd_kafka_t *rk = client_new(w, RD_KAFKA_PRODUCER, NULL);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_event_t *event;

	if (made)
		rd_kafka_CreateTopics(rk, &made, 1, NULL, queue);
	else
		rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, WAIT_MS);
	if (!event || rd_kafka_event_error(event))
		print_error("topic %s: %s\n", w->name,
			    event ? rd_kafka_event_error_string(event)
				  : "no answer");
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
}

void
topic_create(const struct world *w, int partitions)
{
	/* Room for what a consumer must refuse. */
	topic_create_with(w, partitions, "max.message.bytes", MESSAGE_MAX);
}

void
topic_create_with(const struct world *w, int partitions, const char *name,
		  const char *value)
{
	char error[256];
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
		w->name, partitions, 1, error, sizeof(error));

	assert_non_null(topic);
	assert_int_equal(rd_kafka_NewTopic_set_config(topic, name, value), 0);
	admin_do(w, topic, NULL);
	rd_kafka_NewTopic_destroy(topic);
}

void
topic_delete(const struct world *w)
{
	rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(w->name);

	assert_non_null(topic);
	admin_do(w, NULL, topic);
	rd_kafka_DeleteTopic_destroy(topic);
}

static void
put_done(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
	int64_t *offset = message->_private;

	(void)rk;
	(void)arg;
	if (offset)
		*offset = message->err ? -2 : message->offset;
}

static rd_kafka_headers_t *
headers_of(const char *const *headers)
{
	rd_kafka_headers_t *list;

	if (!headers)
		return NULL;
	list = rd_kafka_headers_new(8);
	for (; headers[0]; headers += 2)
		rd_kafka_header_add(list, headers[0], -1, headers[1], -1);
	return list;
}

int64_t
topic_put(const struct world *w, int partition, const char *key,
	  const void *value, size_t len, const char *const *headers)
{
	rd_kafka_t *rk = client_new(w, RD_KAFKA_PRODUCER, put_done);
	rd_kafka_headers_t *list = headers_of(headers);
	int64_t offset = -1;
	rd_kafka_resp_err_t err;

	err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(w->name),
				RD_KAFKA_V_PARTITION(partition),
				RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
				RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len),
				RD_KAFKA_V_OPAQUE(&offset),
				RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_END);
	if (err)
		fail_msg("produce: %s", rd_kafka_err2str(err));
	rd_kafka_flush(rk, WAIT_MS);
	rd_kafka_destroy(rk);
	if (offset < 0)
		fail_msg("produce to %s was not confirmed", w->name);
	return offset;
}

void
topic_fill(const struct world *w, const char *name, int n)
{
	rd_kafka_t *rk = client_new(w, RD_KAFKA_PRODUCER, NULL);
	char text[256];

	for (int i = 0; i < n; i++) {
		int len = snprintf(text, sizeof(text),
				   "{\"name\":\"%s\",\"data\":{\"n\":%d}}",
				   name, i);

		while (rd_kafka_producev(
			       rk, RD_KAFKA_V_TOPIC(w->name),
			       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			       RD_KAFKA_V_VALUE(text, (size_t)len),
			       RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			rd_kafka_poll(rk, 100);
	}
	assert_int_equal(rd_kafka_flush(rk, WAIT_MS), 0);
	rd_kafka_destroy(rk);
}

static int
partitions_of(rd_kafka_t *rk, const struct world *w)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, w->name, NULL);
	const struct rd_kafka_metadata *meta = NULL;
	int n = 0;

	if (rd_kafka_metadata(rk, 0, topic, &meta, WAIT_MS) == 0 &&
	    meta->topic_cnt == 1)
		n = meta->topics[0].partition_cnt;
	if (meta)
		rd_kafka_metadata_destroy(meta);
	rd_kafka_topic_destroy(topic);
	return n;
}

int
topic_partitions(const struct world *w)
{
	rd_kafka_t *rk = client_new(w, RD_KAFKA_PRODUCER, NULL);
	int n = partitions_of(rk, w);

	rd_kafka_destroy(rk);
	return n;
}

/* A topic that was made a moment ago may have no leader yet; the brokers tell
 * nobody when it has, so they are asked again until the time is over. */
static void
ends_of(rd_kafka_t *rk, const struct world *w, int partition, int64_t *ret_low,
	int64_t *ret_high)
{
	const struct timespec pause = { 0, 50 * 1000 * 1000 };
	long due_ms = world_now_ms() + WAIT_MS;
	rd_kafka_resp_err_t err;

	while ((err = rd_kafka_query_watermark_offsets(
			rk, w->name, partition, ret_low, ret_high, WAIT_MS)) &&
	       world_now_ms() < due_ms)
		nanosleep(&pause, NULL);
	if (err)
		fail_msg("ends of %s/%d: %s", w->name, partition,
			 rd_kafka_err2str(err));
}

int64_t
topic_count(const struct world *w)
{
	rd_kafka_t *rk = client_new(w, RD_KAFKA_PRODUCER, NULL);
	int n = partitions_of(rk, w);
	int64_t sum = 0;

	for (int i = 0; i < n; i++) {
		int64_t low = 0;
		int64_t high = 0;

		ends_of(rk, w, i, &low, &high);
		sum += high - low;
	}
	rd_kafka_destroy(rk);
	return sum;
}

int64_t
topic_committed(const struct world *w)
{
	rd_kafka_t *rk = client_new(w, RD_KAFKA_CONSUMER, NULL);
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
	int n = partitions_of(rk, w);
	int64_t sum = 0;

	for (int i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, w->name, i);
	assert_int_equal(rd_kafka_committed(rk, list, WAIT_MS), 0);
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].offset > 0)
			sum += list->elems[i].offset;
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	return sum;
}

static char *
headers_text(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	char *text = calloc(1, 4096);
	size_t at = 0;
	const char *name;
	const void *value;
	size_t len;

	assert_non_null(text);
	if (rd_kafka_message_headers(message, &headers) != 0)
		return text;
	for (size_t i = 0;
	     rd_kafka_header_get_all(headers, i, &name, &value, &len) == 0; i++)
		at += (size_t)snprintf(text + at, 4096 - at, "%s=%.*s\n", name,
				       (int)len, (const char *)value);
	return text;
}

/* NUL-ended; of a value or key that is not there, nothing. */
static char *
bytes_copy(const void *bytes, size_t len)
{
	char *copy = calloc(1, len + 1);

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static rd_kafka_message_t *
last_message(rd_kafka_t *rk, const struct world *w, int partition)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_message_t *message = NULL;
	int64_t low, high;
	long due_ms = world_now_ms() + WAIT_MS;

	ends_of(rk, w, partition, &low, &high);
	if (high == low)
		return NULL;
	list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, w->name, partition)->offset =
		high - 1;
	assert_int_equal(rd_kafka_assign(rk, list), 0);
	rd_kafka_topic_partition_list_destroy(list);
	while (!message && world_now_ms() < due_ms)
		message = rd_kafka_consumer_poll(rk, 100);
	return message;
}

char *
topic_last(const struct world *w, int partition, size_t *ret_len,
	   char **ret_key, char **ret_headers, int64_t *ret_time_ms)
{
	rd_kafka_t *rk = client_new(w, RD_KAFKA_CONSUMER, NULL);
	rd_kafka_message_t *message = last_message(rk, w, partition);
	char *value = NULL;

	if (message && !message->err) {
		value = bytes_copy(message->payload, message->len);
		*ret_len = message->len;
		if (ret_key)
			*ret_key = bytes_copy(message->key, message->key_len);
		if (ret_headers)
			*ret_headers = headers_text(message);
		if (ret_time_ms)
			*ret_time_ms =
				rd_kafka_message_timestamp(message, NULL);
	}
	if (message)
		rd_kafka_message_destroy(message);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return value;
}
