#include "unread.h"

#include <errno.h>

#include "backoff.h"
#include "consumer.h"
#include "group.h"

#define AGAIN_FIRST_MS 1000
#define AGAIN_LAST_MS  10000

/* Where each of ours is to be read on; the lock is not held. */
static rd_kafka_topic_partition_list_t *
list_mine(struct consumer *c, bool is_begun)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(c->n_mine);
	struct partition *p;
	int64_t next;

	for (int32_t i = 0; list != NULL && i < c->n_mine; i++) {
		p = c->mine[i];
		pthread_mutex_lock(&c->lock);
		next = p->offsets.newest + 1;
		pthread_mutex_unlock(&c->lock);
		/* Of a log that began anew nothing may have been kept yet. */
		if (next == 0 && p->origin.is_found)
			next = p->origin.offset;
		if ((next > 0 || p->origin.is_found) == is_begun)
			rd_kafka_topic_partition_list_add(
				list, c->settings.topic, p->id)
				->offset = next;
	}
	return list;
}

/* While it asked, it may have been told to emit nothing more. */
static bool
is_over(const struct consumer *c)
{
	return atomic_load(&c->is_draining) || atomic_load(&c->is_quitting);
}

/* librdkafka stops and starts all of them for that.  A stop undoes where the
 * messages go, so that is said when it is over. */
static int
assign_again(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t err;
	struct partition *p;
	int r;

	err = rd_kafka_assign(c->rk, list);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		consumer_say(c, EVH_ERROR, "taking partitions of %s again: %s",
			     c->settings.topic, rd_kafka_err2str(err));
		return -EIO;
	}
	for (int32_t i = 0; i < c->n_mine; i++) {
		/* Who only drains commits yet, from what is stored again. */
		if (atomic_load(&c->is_quitting))
			return -ECANCELED;
		p = c->mine[i];
		(void)partition_settle(p, c);
		r = partition_forward(p, c->rk, c->inbox);
		if (r < 0)
			return r;
		pthread_mutex_lock(&c->lock);
		r = partition_again(p, c->rk);
		pthread_mutex_unlock(&c->lock);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Those that are read go on where they are, those that are not begin where the
 * group is: all by number, so that there is nothing to be refused again.  Only
 * where nothing is committed librdkafka asks once more. */
static int
take_again(struct consumer *c)
{
	rd_kafka_topic_partition_list_t *list = list_mine(c, true);
	rd_kafka_topic_partition_list_t *unread = list_mine(c, false);
	int r = -ENOMEM;

	if (list == NULL || unread == NULL)
		goto out;
	r = -EAGAIN;
	if (!group_committed(c, unread) || is_over(c))
		goto out;
	for (int i = 0; i < unread->cnt; i++)
		rd_kafka_topic_partition_list_add(list, c->settings.topic,
						  unread->elems[i].partition)
			->offset = unread->elems[i].offset;
	r = assign_again(c, list);
	if (r == 0)
		consumer_say(c, EVH_INFO, "%d partition%s of %s taken again",
			     unread->cnt, unread->cnt == 1 ? "" : "s",
			     c->settings.topic);
out:
	if (list != NULL)
		rd_kafka_topic_partition_list_destroy(list);
	if (unread != NULL)
		rd_kafka_topic_partition_list_destroy(unread);
	return r;
}

void
unread_attend(struct consumer *c)
{
	int64_t now_ms = consumer_now_ms();

	if (c->unread[0] == '\0' || c->n_mine == 0 || now_ms < c->unread_due_ms)
		return;
	c->unread_due_ms = now_ms + backoff_wait(c->unread_tries++,
						 AGAIN_FIRST_MS, AGAIN_LAST_MS);
	if (take_again(c) < 0)
		return;
	c->unread_tries = 0;
	consumer_taken_again(c);
}
