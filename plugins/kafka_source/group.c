#include "group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "condition.h"
#include "consumer.h"
#include "intake.h"

#define LIST_TEXT_MAX 200
#define COMMITTED_MS  500 /* for the brokers to say what is committed */

/* "0, 2, 5", or as many as fit. */
static void
list_text(const rd_kafka_topic_partition_list_t *list, char ret[LIST_TEXT_MAX])
{
	size_t len = 0;
	int n;

	ret[0] = '\0';
	for (int i = 0; i < list->cnt; i++) {
		n = snprintf(ret + len, LIST_TEXT_MAX - len, "%s%" PRId32,
			     i > 0 ? ", " : "", list->elems[i].partition);
		if (n < 0 || (size_t)n >= LIST_TEXT_MAX - len) {
			memcpy(ret + LIST_TEXT_MAX - 4, "...", 4);
			return;
		}
		len += (size_t)n;
	}
}

/* The table grows under the lock, since answers look into it. */
static int
table_grow(struct consumer *c, int32_t n)
{
	struct partition **partitions;

	if (n <= c->n_partitions)
		return 0;
	pthread_mutex_lock(&c->lock);
	partitions = realloc(c->partitions, (size_t)n * sizeof(*partitions));
	if (partitions != NULL) {
		for (int32_t i = c->n_partitions; i < n; i++)
			partitions[i] = NULL;
		c->partitions = partitions;
		c->n_partitions = n;
	}
	pthread_mutex_unlock(&c->lock);
	return partitions != NULL ? 0 : -ENOMEM;
}

static struct partition *
table_get(struct consumer *c, int32_t id)
{
	struct partition *p;

	if (table_grow(c, id + 1) < 0)
		return NULL;
	if (c->partitions[id] != NULL)
		return c->partitions[id];
	p = partition_new(c->ctx, c->settings.topic, id);
	pthread_mutex_lock(&c->lock);
	c->partitions[id] = p;
	pthread_mutex_unlock(&c->lock);
	return p;
}

static int
take_over(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
	size_t n = list->cnt > 0 ? (size_t)list->cnt : 1;
	struct partition **mine = calloc(n, sizeof(struct partition *));
	struct partition *p;
	int r;

	if (mine == NULL)
		return -ENOMEM;
	free(c->mine);
	c->mine = mine;
	c->n_mine = 0;
	for (int i = 0; i < list->cnt; i++) {
		p = table_get(c, list->elems[i].partition);
		if (p == NULL || partition_forward(p, c->rk, c->inbox) < 0)
			return -ENOMEM;
		pthread_mutex_lock(&c->lock);
		r = partition_assigned(p, ++c->generation);
		pthread_mutex_unlock(&c->lock);
		if (r < 0)
			return r;
		c->mine[c->n_mine++] = p;
	}
	return 0;
}

/* Tells librdkafka; NULL gives everything up. */
static void
assign(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t err = rd_kafka_assign(c->rk, list);

	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		consumer_say(c, EVH_ERROR, "assigning partitions of %s: %s",
			     c->settings.topic, rd_kafka_err2str(err));
	consumer_record(c, c->metric_partitions, c->n_mine);
}

static void
on_assign(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
	char text[LIST_TEXT_MAX];

	if (take_over(c, list) < 0) {
		c->n_mine = 0;
		assign(c, NULL);
		c->ctx->fatal(c->ctx, "out of memory for partitions");
		return;
	}
	assign(c, list);
	health_set(&c->health, HEALTH_BROKERS, NULL);
	health_set(&c->health, HEALTH_GROUP, NULL);
	consumer_begins(c);
	list_text(list, text);
	consumer_say(c, EVH_INFO, "%d partition%s of %s assigned%s%s",
		     list->cnt, list->cnt == 1 ? "" : "s", c->settings.topic,
		     list->cnt > 0 ? ": " : "", text);
}

void
group_await(struct consumer *c)
{
	char why[HEALTH_WHY_MAX];

	(void)snprintf(why, sizeof(why),
		       "waiting for group %s to assign partitions of %s",
		       c->settings.group, c->settings.topic);
	health_set(&c->health, HEALTH_GROUP, why);
}

bool
group_committed(struct consumer *c, rd_kafka_topic_partition_list_t *list)
{
	if (list->cnt > 0 && rd_kafka_committed(c->rk, list, COMMITTED_MS) !=
				     RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return false;
	return true;
}

static uint32_t
count_waiting(const struct consumer *c)
{
	uint32_t n = 0;

	for (int32_t i = 0; i < c->n_mine; i++)
		n += c->mine[i]->offsets.n_waiting;
	return n;
}

/* Until all that was emitted is answered, or the time is over, or evhd is.
 * Returns how many were not.  Answers store what is done themselves. */
static uint32_t
wait_answers(struct consumer *c)
{
	int64_t due_ms = consumer_now_ms() + c->settings.revoke_timeout_ms;
	bool is_in_time = true;
	uint32_t n;

	pthread_mutex_lock(&c->lock);
	while ((n = count_waiting(c)) > 0 && is_in_time &&
	       !atomic_load(&c->is_quitting))
		is_in_time = condition_wait(&c->changed, &c->lock,
					    due_ms * NS_PER_MS);
	pthread_mutex_unlock(&c->lock);
	return n;
}

static void
on_revoke(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
	bool is_lost = rd_kafka_assignment_lost(c->rk) != 0;
	char text[LIST_TEXT_MAX];
	uint32_t n_left = 0;

	for (int32_t i = 0; i < c->n_mine; i++)
		intake_drop(c, c->mine[i]);
	if (!is_lost)
		n_left = wait_answers(c);
	for (int32_t i = 0; i < c->n_mine; i++) {
		pthread_mutex_lock(&c->lock);
		partition_revoked(c->mine[i], ++c->generation);
		pthread_mutex_unlock(&c->lock);
		consumer_record(c, c->mine[i]->lag, INT64_MIN);
		/* Our pause would outlive the assignment. */
		if (!atomic_load(&c->is_quitting))
			(void)partition_resume(c->mine[i], c);
	}
	c->n_mine = 0;
	assign(c, NULL);
	health_set(&c->health, HEALTH_PARTITIONS, NULL);
	group_await(c);
	consumer_record(c, c->metric_rebalances, 1);
	list_text(list, text);
	consumer_say(c, EVH_INFO, "%d partition%s of %s %s%s%s", list->cnt,
		     list->cnt == 1 ? "" : "s", c->settings.topic,
		     is_lost ? "lost" : "given up", list->cnt > 0 ? ": " : "",
		     text);
	if (n_left > 0)
		consumer_say(c, EVH_WARN,
			     "%" PRIu32 " events of %s were still in flight; "
			     "the partitions' next owner reads them again",
			     n_left, c->settings.topic);
}

void
group_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
		rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct consumer *c = opaque;

	(void)rk;
	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		on_assign(c, list);
		return;
	}
	if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		consumer_say(c, EVH_WARN, "group %s: %s", c->settings.group,
			     rd_kafka_err2str(err));
	on_revoke(c, list);
}
