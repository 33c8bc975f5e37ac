/*
 * fault_topic.c - what an operator does to a topic or a group.
 *
 *   fault_topic BROKERS create TOPIC PARTITIONS COPIES
 *   fault_topic BROKERS delete TOPIC
 *   fault_topic BROKERS widen TOPIC PARTITIONS     it has so many from now on
 *   fault_topic BROKERS written TOPIC PARTITION    prints how many messages are
 *                                                  in it and those behind it
 *   fault_topic BROKERS rewind TOPIC GROUP         the group begins anew
 *   fault_topic BROKERS lag TOPIC GROUP            prints what is not committed
 *   fault_topic BROKERS poison TOPIC COUNT LEDGER  puts messages of every kind
 *                                                  of poison.h, in turn
 *
 * Exit code: 0 done, 1 not, 64 command line.
 */
#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "poison.h"

#define WAIT_MS	       30000
#define PARTITIONS_MAX 256
#define MESSAGE_BYTES  "4000000"

static int
said(const char *what, const char *why)
{
	fprintf(stderr, "fault_topic: %s: %s\n", what, why);
	return 1;
}

static rd_kafka_t *
handle_new(const char *brokers, rd_kafka_type_t type, const char *group,
	   void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *),
	   void *arg)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
	if (group)
		rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	if (type == RD_KAFKA_PRODUCER) {
		rd_kafka_conf_set(conf, "acks", "all", NULL, 0);
		rd_kafka_conf_set(conf, "message.max.bytes", MESSAGE_BYTES,
				  NULL, 0);
		rd_kafka_conf_set_dr_msg_cb(conf, report);
		rd_kafka_conf_set_opaque(conf, arg);
	}
	rk = rd_kafka_new(type, conf, error, sizeof(error));
	if (!rk) {
		said("rd_kafka_new", error);
		rd_kafka_conf_destroy(conf);
	}
	return rk;
}

/* Takes the event: every topic's error counts. */
static int
event_end(rd_kafka_event_t *event, const char *what)
{
	const rd_kafka_topic_result_t **topics = NULL;
	size_t n = 0;
	int rc = 0;

	if (!event)
		return said(what, "no answer");
	if (rd_kafka_event_error(event))
		rc = said(what, rd_kafka_event_error_string(event));
	else if (rd_kafka_event_CreateTopics_result(event))
		topics = rd_kafka_CreateTopics_result_topics(event, &n);
	else if (rd_kafka_event_DeleteTopics_result(event))
		topics = rd_kafka_DeleteTopics_result_topics(event, &n);
	else if (rd_kafka_event_CreatePartitions_result(event))
		topics = rd_kafka_CreatePartitions_result_topics(event, &n);
	for (size_t i = 0; i < n; i++)
		if (rd_kafka_topic_result_error(topics[i]))
			rc = said(what, rd_kafka_topic_result_error_string(
						topics[i]));
	rd_kafka_event_destroy(event);
	return rc;
}

static int
topic_create(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **args)
{
	char error[256] = "";
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
		args[0], (int)strtol(args[1], NULL, 10),
		(int)strtol(args[2], NULL, 10), error, sizeof(error));

	if (!topic)
		return said("create", error);
	rd_kafka_NewTopic_set_config(topic, "max.message.bytes", MESSAGE_BYTES);
	rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
	rd_kafka_NewTopic_destroy(topic);
	return event_end(rd_kafka_queue_poll(queue, WAIT_MS), "create");
}

static int
topic_delete(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **args)
{
	rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(args[0]);

	rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
	rd_kafka_DeleteTopic_destroy(topic);
	return event_end(rd_kafka_queue_poll(queue, WAIT_MS), "delete");
}

static int
topic_widen(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **args)
{
	char error[256] = "";
	rd_kafka_NewPartitions_t *wider = rd_kafka_NewPartitions_new(
		args[0], strtoul(args[1], NULL, 10), error, sizeof(error));

	if (!wider)
		return said("widen", error);
	rd_kafka_CreatePartitions(rk, &wider, 1, NULL, queue);
	rd_kafka_NewPartitions_destroy(wider);
	return event_end(rd_kafka_queue_poll(queue, WAIT_MS), "widen");
}

/* All partitions of a topic; NULL when it cannot be asked. */
static rd_kafka_topic_partition_list_t *
partitions_of(rd_kafka_t *rk, const char *name)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	const struct rd_kafka_metadata *meta = NULL;
	rd_kafka_topic_partition_list_t *list = NULL;

	if (rd_kafka_metadata(rk, 0, topic, &meta, WAIT_MS) == 0) {
		int n = meta->topic_cnt ? meta->topics[0].partition_cnt : 0;

		list = rd_kafka_topic_partition_list_new(n);
		for (int i = 0; i < n; i++)
			rd_kafka_topic_partition_list_add(list, name, i);
		rd_kafka_metadata_destroy(meta);
	}
	rd_kafka_topic_destroy(topic);
	return list;
}

static int
topic_written(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **args)
{
	rd_kafka_topic_partition_list_t *list = partitions_of(rk, args[0]);
	int first = (int)strtol(args[1], NULL, 10);
	int64_t n = 0;
	int rc = 0;

	(void)queue;
	if (!list)
		return said("written", "no metadata");
	for (int i = first; rc == 0 && i < list->cnt; i++) {
		int64_t low = 0;
		int64_t high = 0;

		if (rd_kafka_query_watermark_offsets(rk, args[0], i, &low,
						     &high, WAIT_MS) != 0)
			rc = said("written", "no end of a partition");
		n += high - low;
	}
	rd_kafka_topic_partition_list_destroy(list);
	if (rc == 0)
		printf("%" PRId64 "\n", n);
	return rc;
}

/* The answer as a whole is fine when one partition's is. */
static void
commit_done(rd_kafka_t *rk, rd_kafka_resp_err_t err,
	    rd_kafka_topic_partition_list_t *offsets, void *arg)
{
	rd_kafka_resp_err_t *ret_err = arg;

	(void)rk;
	*ret_err = err;
	for (int i = 0; offsets && !*ret_err && i < offsets->cnt; i++)
		*ret_err = offsets->elems[i].err;
}

static int
group_rewind(rd_kafka_t *rk, char **args)
{
	rd_kafka_topic_partition_list_t *list = partitions_of(rk, args[0]);
	rd_kafka_resp_err_t err_partition = 0;
	rd_kafka_resp_err_t err;

	if (!list)
		return said("rewind", "no metadata");
	for (int i = 0; i < list->cnt; i++)
		list->elems[i].offset = 0;
	err = rd_kafka_commit_queue(rk, list, NULL, commit_done,
				    &err_partition);
	rd_kafka_topic_partition_list_destroy(list);
	if (!err)
		err = err_partition;
	return err ? said("rewind", rd_kafka_err2str(err)) : 0;
}

/* Of one partition.  A group that is beyond its end is so in a topic that was
 * made anew, and has read none of it. */
static int
partition_lag(rd_kafka_t *rk, const rd_kafka_topic_partition_t *at,
	      int64_t *ret_lag)
{
	int64_t low = 0;
	int64_t high = 0;
	bool is_inside;

	if (at->err)
		return said("lag", rd_kafka_err2str(at->err));
	if (rd_kafka_query_watermark_offsets(rk, at->topic, at->partition, &low,
					     &high, WAIT_MS) != 0)
		return said("lag", "no end of a partition");
	is_inside = at->offset >= low && at->offset <= high;
	*ret_lag = high - (is_inside ? at->offset : low);
	return 0;
}

static int
group_lag(rd_kafka_t *rk, char **args)
{
	rd_kafka_topic_partition_list_t *list = partitions_of(rk, args[0]);
	int64_t lag = 0;
	int rc = 0;

	if (!list)
		return said("lag", "no metadata");
	if (rd_kafka_committed(rk, list, WAIT_MS) != 0)
		rc = said("lag", "no offsets");
	for (int i = 0; rc == 0 && i < list->cnt; i++) {
		int64_t of_partition = 0;

		rc = partition_lag(rk, &list->elems[i], &of_partition);
		lag += of_partition;
	}
	rd_kafka_topic_partition_list_destroy(list);
	if (rc == 0)
		printf("%" PRId64 "\n", lag);
	return rc;
}

struct putting {
	struct ledger *ledger;
	bool has_failed;
};

static void
put_done(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
	struct putting *putting = arg;
	const char *kind = message->_private;

	(void)rk;
	if (message->err)
		putting->has_failed =
			said("put", rd_kafka_err2str(message->err));
	else if (ledger_add(putting->ledger, "put %" PRId32 " %" PRId64 " %s\n",
			    message->partition, message->offset, kind) < 0)
		putting->has_failed = said("put", "the ledger");
}

static int
poison_put(rd_kafka_t *rk, const char *topic, size_t kind)
{
	size_t len = 0;
	char *bytes = poison_make(kind, &len);
	rd_kafka_resp_err_t err;

	if (!bytes)
		return said("put", "no memory");
	err = rd_kafka_producev(
		rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE(bytes, len),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE),
		RD_KAFKA_V_OPAQUE((void *)(uintptr_t)poison_name(kind)),
		RD_KAFKA_V_END);
	if (!err)
		return 0;
	free(bytes);
	return said("put", rd_kafka_err2str(err));
}

static int
topic_poison(const char *brokers, char **args)
{
	struct putting putting = { 0 };
	size_t n = strtoul(args[1], NULL, 10);
	rd_kafka_t *rk;
	int rc;

	if (ledger_open(&putting.ledger, args[2]) < 0)
		return said(args[2], strerror(errno));
	rk = handle_new(brokers, RD_KAFKA_PRODUCER, NULL, put_done, &putting);
	rc = rk ? 0 : 1;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = poison_put(rk, args[0], i % poison_kinds());
		rd_kafka_poll(rk, 0);
	}
	if (rk) {
		if (rd_kafka_flush(rk, WAIT_MS) != 0)
			rc = said("put", "not all were confirmed");
		rd_kafka_destroy(rk);
	}
	if (ledger_close(putting.ledger) < 0)
		rc = said("put", "the ledger");
	return putting.has_failed ? 1 : rc;
}

static int
admin_do(const char *brokers,
	 int (*fn)(rd_kafka_t *, rd_kafka_queue_t *, char **), char **args)
{
	rd_kafka_t *rk =
		handle_new(brokers, RD_KAFKA_PRODUCER, NULL, put_done, NULL);
	rd_kafka_queue_t *queue;
	int rc;

	if (!rk)
		return 1;
	queue = rd_kafka_queue_new(rk);
	rc = fn(rk, queue, args);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
	return rc;
}

static int
group_do(const char *brokers, int (*fn)(rd_kafka_t *, char **), char **args)
{
	rd_kafka_t *rk =
		handle_new(brokers, RD_KAFKA_CONSUMER, args[1], NULL, NULL);
	int rc;

	if (!rk)
		return 1;
	rc = fn(rk, args);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return rc;
}

int
main(int argc, char **argv)
{
	const char *word = argc > 3 ? argv[2] : "";
	char **args = argv + 3;

	if (strcmp(word, "create") == 0 && argc == 6)
		return admin_do(argv[1], topic_create, args);
	if (strcmp(word, "delete") == 0 && argc == 4)
		return admin_do(argv[1], topic_delete, args);
	if (strcmp(word, "widen") == 0 && argc == 5)
		return admin_do(argv[1], topic_widen, args);
	if (strcmp(word, "written") == 0 && argc == 5)
		return admin_do(argv[1], topic_written, args);
	if (strcmp(word, "rewind") == 0 && argc == 5)
		return group_do(argv[1], group_rewind, args);
	if (strcmp(word, "lag") == 0 && argc == 5)
		return group_do(argv[1], group_lag, args);
	if (strcmp(word, "poison") == 0 && argc == 6)
		return topic_poison(argv[1], args);
	fprintf(stderr, "fault_topic: what it wants is told at the top of "
			"fault_topic.c\n");
	return 64;
}
