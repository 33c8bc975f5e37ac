#include "topic.h"
#include "clock.h"

#include <errno.h>
#include <stdio.h>

#define NET_MS	 1000 /* behind a request's own limit */
#define SLICE_MS 50   /* between looks whether the wait is over */
#define FRAME	 1024 /* of a batch, beside its messages */

static enum topic_state
judge(const struct rd_kafka_metadata_topic *topic, char *ret_why, size_t size)
{
	int with_leader = 0;

	if (topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
		snprintf(ret_why, size, "topic %s does not exist",
			 topic->topic);
		return TOPIC_MISSING;
	}
	if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		snprintf(ret_why, size, "topic %s: %s", topic->topic,
			 rd_kafka_err2str(topic->err));
		return TOPIC_REFUSED;
	}
	for (int i = 0; i < topic->partition_cnt; i++)
		with_leader += topic->partitions[i].leader >= 0;
	if (with_leader == 0) {
		snprintf(ret_why, size, "topic %s: no partition has a leader",
			 topic->topic);
		return TOPIC_REFUSED;
	}
	return TOPIC_HERE;
}

enum topic_state
topic_probe(rd_kafka_t *rk, rd_kafka_topic_t *topic, int timeout_ms,
	    char *ret_why, size_t size)
{
	const struct rd_kafka_metadata *metadata;
	enum topic_state state = TOPIC_AWAY;
	rd_kafka_resp_err_t err;

	err = rd_kafka_metadata(rk, 0, topic, &metadata, timeout_ms);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		snprintf(ret_why, size, "%s", rd_kafka_err2str(err));
		return TOPIC_AWAY;
	}
	if (metadata->topic_cnt == 1)
		state = judge(&metadata->topics[0], ret_why, size);
	else
		snprintf(ret_why, size, "the answer has no topic in it");
	rd_kafka_metadata_destroy(metadata);
	return state;
}

/* The answer's sentence, once it has come. */
static int
outcome(rd_kafka_event_t *event, const struct settings *s, char *ret_why,
	size_t size)
{
	const rd_kafka_topic_result_t *const *results;
	const rd_kafka_CreateTopics_result_t *result;
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);
	const char *text = rd_kafka_event_error_string(event);
	size_t n = 0;

	result = rd_kafka_event_CreateTopics_result(event);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && result != NULL) {
		results = rd_kafka_CreateTopics_result_topics(result, &n);
		if (n == 1) {
			err = rd_kafka_topic_result_error(results[0]);
			text = rd_kafka_topic_result_error_string(results[0]);
		}
	}
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR ||
	    err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return 0;
	snprintf(ret_why, size,
		 "topic %s does not exist and cannot be created: %s", s->topic,
		 text != NULL ? text : rd_kafka_err2str(err));
	return -EAGAIN;
}

/* The request ends by its own limit. */
static rd_kafka_event_t *
await(rd_kafka_queue_t *queue, const struct topic_wait *wait)
{
	int64_t until_ms = clock_ms() + wait->timeout_ms + NET_MS;
	rd_kafka_event_t *event = NULL;

	while (event == NULL && clock_ms() < until_ms &&
	       !wait->is_over(wait->arg))
		event = rd_kafka_queue_poll(queue, SLICE_MS);
	return event;
}

static int
ask(rd_kafka_t *rk, const struct settings *s, rd_kafka_NewTopic_t *topic,
    rd_kafka_queue_t *queue, const struct topic_wait *wait, char *ret_why,
    size_t size)
{
	int timeout_ms = wait->timeout_ms;
	rd_kafka_AdminOptions_t *options;
	rd_kafka_event_t *event;
	char why[128];
	int rc;

	options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	/* Its limits are ours: what takes longer is asked again. */
	if (options == NULL ||
	    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why,
						      sizeof(why)) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR ||
	    rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms,
							why, sizeof(why)) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (options != NULL)
			rd_kafka_AdminOptions_destroy(options);
		snprintf(ret_why, size, "out of memory");
		return -EAGAIN;
	}
	rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
	rd_kafka_AdminOptions_destroy(options);
	event = await(queue, wait);
	if (event == NULL) {
		snprintf(ret_why, size,
			 "topic %s does not exist and no broker creates it in "
			 "%d ms",
			 s->topic, timeout_ms);
		return -EAGAIN;
	}
	rc = outcome(event, s, ret_why, size);
	rd_kafka_event_destroy(event);
	return rc;
}

/* It takes what we may send; the broker's own limit would do for events, and
 * for dead letters it would not. */
static rd_kafka_NewTopic_t *
topic_new(const struct settings *s, char *ret_why, size_t size)
{
	rd_kafka_NewTopic_t *topic;
	char max[24];

	topic = rd_kafka_NewTopic_new(s->topic, s->partitions, s->replication,
				      ret_why, size);
	if (topic == NULL)
		return NULL;
	snprintf(max, sizeof(max), "%zu", s->limits.letter + FRAME);
	if (rd_kafka_NewTopic_set_config(topic, "max.message.bytes", max) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR) {
		snprintf(ret_why, size, "out of memory");
		rd_kafka_NewTopic_destroy(topic);
		return NULL;
	}
	return topic;
}

int
topic_create(rd_kafka_t *rk, const struct settings *s,
	     const struct topic_wait *wait, char *ret_why, size_t size)
{
	rd_kafka_NewTopic_t *topic;
	rd_kafka_queue_t *queue;
	char why[128] = "";
	int rc;

	topic = topic_new(s, why, sizeof(why));
	if (topic == NULL) {
		snprintf(ret_why, size,
			 "topic %s does not exist and cannot be created: %s",
			 s->topic, why);
		return -EAGAIN;
	}
	queue = rd_kafka_queue_new(rk);
	rc = ask(rk, s, topic, queue, wait, ret_why, size);
	rd_kafka_queue_destroy(queue);
	rd_kafka_NewTopic_destroy(topic);
	return rc;
}
