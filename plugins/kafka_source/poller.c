#include "poller.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "consumer.h"
#include "group.h"
#include "intake.h"
#include "leaving.h"
#include "origin.h"
#include "unread.h"

#define SECOND_MS  1000
#define PROBE_MS   500 /* how long a look for a broker may take */
#define DRAINED_MS 20  /* wait for the group while nothing is emitted */

static bool
has_topic(const struct rd_kafka_metadata *metadata, const char *topic)
{
	const struct rd_kafka_metadata_topic *t;

	for (int i = 0; i < metadata->topic_cnt; i++) {
		t = &metadata->topics[i];
		if (strcmp(t->topic, topic) == 0)
			return t->err == RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	return false;
}

/* May we, as one of the group?  Who is assigned nothing is told in its turn. */
static bool
has_group(struct consumer *c)
{
	rd_kafka_topic_partition_list_t *list;
	bool is_told;

	if (c->n_mine == 0)
		return false;
	list = rd_kafka_topic_partition_list_new(1);
	if (list == NULL)
		return false;
	rd_kafka_topic_partition_list_add(list, c->settings.topic,
					  c->mine[0]->id);
	is_told = group_committed(c, list);
	rd_kafka_topic_partition_list_destroy(list);
	return is_told;
}

static bool
is_allowed_again(struct consumer *c, const struct rd_kafka_metadata *metadata)
{
	switch ((int)c->refusal_code) {
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
		return has_topic(metadata, c->settings.topic);
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
		return has_group(c);
	default:
		return false;
	}
}

/* While the brokers are away, or the topic, or the right to it, nothing else
 * tells that they are back. */
static void
probe(struct consumer *c)
{
	const struct rd_kafka_metadata *metadata;

	if (rd_kafka_metadata(c->rk, 0, NULL, &metadata, PROBE_MS) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	health_set(&c->health, HEALTH_BROKERS, NULL);
	if (c->is_missing && has_topic(metadata, c->settings.topic))
		consumer_found(c);
	if (c->refusal[0] != '\0' && is_allowed_again(c, metadata))
		consumer_allowed(c);
	rd_kafka_metadata_destroy(metadata);
}

/* The high watermark is what the last fetch brought with it.  When nothing
 * was read yet and nothing waits, we stand there. */
static void
measure_lag(struct consumer *c, struct partition *p)
{
	int64_t low, high, position;

	pthread_mutex_lock(&c->lock);
	position = offsets_position(&p->offsets);
	pthread_mutex_unlock(&c->lock);
	if (rd_kafka_get_watermark_offsets(c->rk, c->settings.topic, p->id,
					   &low, &high) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR ||
	    high < 0)
		return;
	if (position < 0 && rd_kafka_queue_length(c->inbox) > 0)
		return;
	if (position < 0 || position > high)
		position = high;
	c->ctx->record(p->lag, high - position);
}

static void
serve_group(struct consumer *c, int wait_ms)
{
	rd_kafka_message_t *msg;

	while ((msg = rd_kafka_consumer_poll(c->rk, wait_ms)) != NULL) {
		consumer_error(c, msg);
		rd_kafka_message_destroy(msg);
		wait_ms = 0;
	}
}

static void
each_second(struct consumer *c)
{
	int64_t now_ms = consumer_now_ms();

	if (now_ms < c->second_ms)
		return;
	c->second_ms = now_ms + SECOND_MS;
	for (int32_t i = 0; i < c->n_mine; i++)
		measure_lag(c, c->mine[i]);
	if (health_is_fine(&c->health, HEALTH_BROKERS) && !c->is_missing &&
	    c->refusal[0] == '\0')
		return;
	/* The brokers may take their time, and then say that all is well. */
	health_say(&c->health);
	probe(c);
}

static int
subscribe(struct consumer *c)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t err;

	if (list == NULL)
		return -ENOMEM;
	rd_kafka_topic_partition_list_add(list, c->settings.topic,
					  RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(c->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	c->ctx->log(c->ctx, EVH_ERROR, "subscribing to %s: %s",
		    c->settings.topic, rd_kafka_err2str(err));
	return -EINVAL;
}

static void *
poller_run(void *arg)
{
	struct consumer *c = arg;

	(void)pthread_setname_np(pthread_self(), "evh-kafka-poll");
	while (!atomic_load(&c->is_quitting)) {
		serve_group(c, atomic_load(&c->is_draining) ? DRAINED_MS : 0);
		/* Whatever waits for librdkafka may come back late. */
		if (atomic_load(&c->is_quitting))
			break;
		each_second(c);
		if (atomic_load(&c->is_draining)) {
			for (int32_t i = 0; i < c->n_mine; i++)
				intake_drop(c, c->mine[i]);
			continue;
		}
		intake_attend(c);
		origin_attend(c);
		unread_attend(c);
		if (atomic_load(&c->is_draining))
			continue;
		health_say(&c->health);
		intake_turn(c);
	}
	leaving_run(c);
	consumer_over(c);
	return NULL;
}

int
poller_start(struct consumer *c)
{
	char why[HEALTH_WHY_MAX];
	int r;

	rd_kafka_conf_set_rebalance_cb(c->conf, group_rebalance);
	c->rk = rd_kafka_new(RD_KAFKA_CONSUMER, c->conf, why, sizeof(why));
	if (c->rk == NULL) {
		c->ctx->log(c->ctx, EVH_ERROR, "Kafka consumer: %s", why);
		return -EINVAL;
	}
	c->conf = NULL; /* taken */
	c->inbox = rd_kafka_queue_new(c->rk);
	(void)rd_kafka_poll_set_consumer(c->rk);
	group_await(c);
	health_say(&c->health);
	r = subscribe(c);
	if (r == 0) {
		r = -pthread_create(&c->thread, NULL, poller_run, c);
		if (r < 0)
			c->ctx->log(c->ctx, EVH_ERROR, "poll thread: %s",
				    strerror(-r));
	}
	if (r < 0)
		leaving_destroy(c);
	return r;
}

void
poller_drain(struct consumer *c)
{
	atomic_store(&c->is_draining, true);
	rd_kafka_queue_yield(c->inbox);
}

void
poller_stop(struct consumer *c, int timeout_ms)
{
	leaving_wait(c, timeout_ms);
}
