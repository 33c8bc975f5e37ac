#include "dead_letters.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ledger_table.h"

#define PARTITIONS_MAX 256

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static rd_kafka_t *
consumer_new(const char *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", "fault_verify", NULL, 0);
	rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (!rk) {
		rd_kafka_conf_destroy(conf);
		fprintf(stderr, "fault_verify: %s\n", error);
	}
	return rk;
}

/* Assigns all partitions from their beginnings; how many, or -EIO. */
static int
all_assign(rd_kafka_t *rk, const char *name, int timeout_ms)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	const struct rd_kafka_metadata *meta = NULL;
	rd_kafka_topic_partition_list_t *list;
	int n = 0;

	if (rd_kafka_metadata(rk, 0, topic, &meta, timeout_ms) != 0) {
		rd_kafka_topic_destroy(topic);
		return -EIO;
	}
	if (meta->topic_cnt == 1)
		n = meta->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(meta);
	rd_kafka_topic_destroy(topic);
	list = rd_kafka_topic_partition_list_new(n);
	for (int i = 0; i < n; i++)
		rd_kafka_topic_partition_list_add(list, name, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	if (n > 0 && rd_kafka_assign(rk, list) != 0)
		n = -EIO;
	rd_kafka_topic_partition_list_destroy(list);
	return n;
}

/* "topic/partition/offset" as "partition, offset"; nulls when it is missing. */
static void
place_write(const rd_kafka_headers_t *headers, char *ret, size_t size)
{
	const void *value;
	size_t len;
	char text[320];
	const char *slash;
	char *end = NULL;
	long part, pos;

	snprintf(ret, size, "NULL, NULL");
	if (rd_kafka_header_get_last(headers, "evh-source", &value, &len) != 0)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)value);
	/* A topic's name has no slash. */
	slash = strchr(text, '/');
	if (!slash)
		return;
	part = strtol(slash + 1, &end, 10);
	if (*end != '/')
		return;
	pos = strtol(end + 1, NULL, 10);
	snprintf(ret, size, "%ld, %ld", part, pos);
}

static int
letter_add(PGconn *pg, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;
	char place[64];
	char sql[192];
	PGresult *result;

	if (rd_kafka_message_headers(message, &headers) != 0 ||
	    rd_kafka_header_get_last(headers, "evh-id", &value, &len) != 0 ||
	    len != 36) {
		fprintf(stderr,
			"fault_verify: a dead letter without an id at "
			"%" PRId32 "/%" PRId64 "\n",
			message->partition, message->offset);
		return -EIO;
	}
	place_write(headers, place, sizeof(place));
	snprintf(sql, sizeof(sql), "INSERT INTO l_dead VALUES ('%.36s', %s)",
		 (const char *)value, place);
	result = ledger_table_ask(pg, sql);
	PQclear(result);
	return result ? 0 : -EIO;
}

static int
messages_read(PGconn *pg, rd_kafka_t *rk, int n_open, int64_t due_ms)
{
	int rc = 0;

	while (rc == 0 && n_open > 0 && now_ms() < due_ms) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);

		if (!message)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			n_open--;
		else if (!message->err)
			rc = letter_add(pg, message);
		rd_kafka_message_destroy(message);
	}
	return rc < 0 || n_open == 0 ? rc : -EIO;
}

int
dead_letters_read(PGconn *pg, const char *brokers, const char *topic,
		  int timeout_ms)
{
	int64_t due_ms = now_ms() + timeout_ms;
	rd_kafka_t *rk = consumer_new(brokers);
	int rc;

	if (!rk)
		return -EIO;
	rc = all_assign(rk, topic, timeout_ms);
	if (rc > 0)
		rc = messages_read(pg, rk, rc, due_ms);
	if (rc < 0)
		fprintf(stderr, "fault_verify: %s could not be read\n", topic);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return rc < 0 ? rc : 0;
}
