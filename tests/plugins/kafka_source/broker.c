#include "broker.h"

#include <librdkafka/rdkafka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define ADMIN_MS 60000

static struct {
	char address[64];
	pid_t pid;
	bool is_ours; /* started here */
	rd_kafka_t *producer;
} broker;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "broker: %s: %s\n", what, why);
	exit(1);
}

static void
script(const char *command, char *ret, size_t size)
{
	const char *source = getenv("EVH_SOURCE_DIR");
	const char *build = getenv("EVH_BUILD_DIR");
	char line[4096];
	size_t n;
	FILE *f;

	if (source == NULL || build == NULL)
		die(command, "EVH_SOURCE_DIR and EVH_BUILD_DIR are not set");
	/* One for each build, which are tested independently of each other;
	 * where scripts/stop finds it. */
	(void)snprintf(line, sizeof(line),
		       "'%s/scripts/servers' --dir"
		       " '%s/.run/test/servers-kafka_source-%s' %s",
		       source, source, basename(build), command);
	f = popen(line, "r");
	if (f == NULL)
		die(line, "cannot run");
	n = fread(ret, 1, size - 1, f);
	ret[n] = '\0';
	if (pclose(f) != 0)
		die(line, "failed");
}

static long
number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (at == NULL)
		die("scripts/servers env lacks", name);
	return strtol(at + strlen(name), NULL, 10);
}

static rd_kafka_conf_t *
base_conf(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];

	if (rd_kafka_conf_set(conf, "bootstrap.servers", broker.address, error,
			      sizeof(error)) != RD_KAFKA_CONF_OK)
		die("conf", error);
	return conf;
}

static void
on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *msg, void *opaque)
{
	(void)rk;
	(void)opaque;
	if (msg->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("delivery", rd_kafka_err2str(msg->err));
}

const char *
broker_open(void)
{
	const char *host = getenv("EVENT_HANDLER_SERVICE_KAFKA_HOST");
	const char *port = getenv("EVENT_HANDLER_SERVICE_KAFKA_PORT");
	const char *pid = getenv("EVH_KAFKA_PID");
	rd_kafka_conf_t *conf;
	char text[8192];

	if (host != NULL && port != NULL && pid != NULL) {
		(void)snprintf(broker.address, sizeof(broker.address), "%s:%s",
			       host, port);
		broker.pid = (pid_t)strtol(pid, NULL, 10);
	} else {
		broker.is_ours = true;
		script("start", text, sizeof(text));
		script("env", text, sizeof(text));
		(void)snprintf(broker.address, sizeof(broker.address),
			       "127.0.0.1:%ld",
			       number_after(text, "_KAFKA_PORT="));
		broker.pid = (pid_t)number_after(text, "EVH_KAFKA_PID=");
	}
	conf = base_conf();
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	(void)rd_kafka_conf_set(conf, "linger.ms", "5", NULL, 0);
	broker.producer =
		rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (broker.producer == NULL)
		die("producer", text);
	return broker.address;
}

void
broker_close(void)
{
	char text[8192];

	rd_kafka_destroy(broker.producer);
	if (broker.is_ours)
		script("stop", text, sizeof(text));
}

void
broker_unique(const char *stem, char *ret, size_t size)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(ret, size, "%s-%ld-%ld%09ld", stem, (long)getpid(),
		       (long)now.tv_sec, now.tv_nsec);
}

/* Until the broker tells of so many partitions: it answers whoever makes a
 * topic or deletes it before it does so.  The producer has to know it, too, or
 * may still know that one of this name is no more, and would refuse messages
 * for it; or it would write to the log that is going. */
static void
find(const char *topic, int n_partitions)
{
	rd_kafka_topic_t *rkt =
		rd_kafka_topic_new(broker.producer, topic, NULL);
	const struct rd_kafka_metadata *metadata;
	int64_t due_ms = clock_ms() + ADMIN_MS;
	rd_kafka_resp_err_t err;
	int n = -1;

	while (n != n_partitions) {
		if (clock_ms() > due_ms)
			die(topic, "not known in time");
		err = rd_kafka_metadata(broker.producer, 0, rkt, &metadata,
					ADMIN_MS);
		if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
			die(topic, rd_kafka_err2str(err));
		if (metadata->topic_cnt > 0)
			n = metadata->topics[0].partition_cnt;
		rd_kafka_metadata_destroy(metadata);
	}
	rd_kafka_topic_destroy(rkt);
}

void
broker_topic(const char *topic, int n_partitions)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(broker.producer);
	rd_kafka_NewTopic_t *new_topic;
	const rd_kafka_topic_result_t **results;
	rd_kafka_event_t *event;
	char error[256];
	size_t n;

	new_topic = rd_kafka_NewTopic_new(topic, n_partitions, 1, error,
					  sizeof(error));
	if (new_topic == NULL)
		die(topic, error);
	rd_kafka_CreateTopics(broker.producer, &new_topic, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, ADMIN_MS);
	if (event == NULL)
		die(topic, "not created in time");
	results = rd_kafka_CreateTopics_result_topics(
		rd_kafka_event_CreateTopics_result(event), &n);
	if (n != 1 || rd_kafka_topic_result_error(results[0]) !=
			      RD_KAFKA_RESP_ERR_NO_ERROR)
		die(topic,
		    n == 1 ? rd_kafka_topic_result_error_string(results[0])
			   : "no result");
	rd_kafka_event_destroy(event);
	rd_kafka_NewTopic_destroy(new_topic);
	rd_kafka_queue_destroy(queue);
	find(topic, n_partitions);
}

void
broker_topic_delete(const char *topic)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(broker.producer);
	rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(topic);
	const rd_kafka_topic_result_t **results;
	rd_kafka_event_t *event;
	size_t n;

	rd_kafka_DeleteTopics(broker.producer, &gone, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, ADMIN_MS);
	if (event == NULL)
		die(topic, "not deleted in time");
	results = rd_kafka_DeleteTopics_result_topics(
		rd_kafka_event_DeleteTopics_result(event), &n);
	if (n != 1 || rd_kafka_topic_result_error(results[0]) !=
			      RD_KAFKA_RESP_ERR_NO_ERROR)
		die(topic, "not deleted");
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy(gone);
	rd_kafka_queue_destroy(queue);
	find(topic, 0);
}

static void
flush(void)
{
	if (rd_kafka_flush(broker.producer, ADMIN_MS) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		die("flush", "not delivered in time");
}

void
broker_fill(const char *topic, int32_t partition, unsigned first, unsigned n,
	    size_t size)
{
	char value[4096];
	rd_kafka_resp_err_t err;
	int len, pad;

	for (unsigned i = first; i < first + n; i++) {
		len = snprintf(value, sizeof(value),
			       "{\"id\":\"0198a000-0000-7000-8000-%04x%08x\","
			       "\"name\":\"user.created\",\"data\":{\"n\":%u,"
			       "\"pad\":\"",
			       (unsigned)partition & 0xffff, i, i);
		pad = (int)size - len - 3;
		len += snprintf(value + len, sizeof(value) - (size_t)len,
				"%0*d\"}}", pad > 1 ? pad : 1, 0);
		do {
			err = rd_kafka_producev(
				broker.producer, RD_KAFKA_V_TOPIC(topic),
				RD_KAFKA_V_PARTITION(partition),
				RD_KAFKA_V_VALUE(value, (size_t)len),
				RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				RD_KAFKA_V_END);
			(void)rd_kafka_poll(
				broker.producer,
				err == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
		} while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
		if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
			die(topic, rd_kafka_err2str(err));
	}
	flush();
}

void
broker_put(const char *topic, int32_t partition, const void *value, size_t len)
{
	rd_kafka_resp_err_t err = rd_kafka_producev(
		broker.producer, RD_KAFKA_V_TOPIC(topic),
		RD_KAFKA_V_PARTITION(partition),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)value, len),
		RD_KAFKA_V_HEADER("evh-attempts", "3", 1),
		RD_KAFKA_V_HEADER("a", "b", 1),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		die(topic, rd_kafka_err2str(err));
	flush();
}

static rd_kafka_t *
member_new(const char *group)
{
	rd_kafka_conf_t *conf = base_conf();
	char error[256];
	rd_kafka_t *rk;

	(void)rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (rk == NULL)
		die("consumer", error);
	return rk;
}

int64_t
broker_committed(const char *group, const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	rd_kafka_t *rk = member_new(group);
	rd_kafka_resp_err_t err;
	int64_t offset;

	rd_kafka_topic_partition_list_add(list, topic, partition);
	err = rd_kafka_committed(rk, list, ADMIN_MS);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("committed", rd_kafka_err2str(err));
	offset = list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	return offset;
}

void
broker_commit(const char *group, const char *topic, int32_t partition,
	      int64_t offset)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	rd_kafka_t *rk = member_new(group);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
		offset;
	err = rd_kafka_commit(rk, list, 0);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("commit", rd_kafka_err2str(err));
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
}

void
broker_freeze(void)
{
	if (kill(broker.pid, SIGSTOP) < 0)
		die("SIGSTOP", "failed");
}

void
broker_thaw(void)
{
	if (kill(broker.pid, SIGCONT) < 0)
		die("SIGCONT", "failed");
}
