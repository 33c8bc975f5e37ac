#include "origin.h"

#include "backoff.h"
#include "consumer.h"

#define AGAIN_FIRST_MS 1000
#define AGAIN_LAST_MS  10000

static void
begin(struct origin *origin)
{
	origin->is_due = true;
	origin->sent = -1;
	origin->due_ms = 0;
	origin->n_sent = 0;
}

/* It is stored, too: what is stored when the partition goes to another member
 * is committed then, whatever was before. */
void
origin_found(struct consumer *c, struct partition *p, int64_t offset)
{
	p->origin.is_found = true;
	p->origin.offset = offset;
	begin(&p->origin);
	pthread_mutex_lock(&c->lock);
	partition_store(p, c->rk, offset);
	pthread_mutex_unlock(&c->lock);
}

/* By now some of it may be done. */
static int64_t
position_of(struct consumer *c, const struct partition *p)
{
	int64_t position;

	pthread_mutex_lock(&c->lock);
	position = offsets_position(&p->offsets);
	pthread_mutex_unlock(&c->lock);
	return position >= 0 ? position : p->origin.offset;
}

static bool
is_due(const struct origin *origin, int64_t now_ms)
{
	return origin->is_due && now_ms >= origin->due_ms;
}

static void
commit_due(struct consumer *c, int64_t now_ms)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(c->n_mine);
	struct partition *p;

	if (list == NULL)
		return; /* the next round tries again */
	for (int32_t i = 0; i < c->n_mine; i++) {
		p = c->mine[i];
		if (!is_due(&p->origin, now_ms))
			continue;
		p->origin.sent = position_of(c, p);
		p->origin.due_ms =
			now_ms + backoff_wait(p->origin.n_sent++,
					      AGAIN_FIRST_MS, AGAIN_LAST_MS);
		rd_kafka_topic_partition_list_add(list, p->topic, p->id)
			->offset = p->origin.sent;
	}
	/* It only hands them over; what fails comes to origin_committed(), or
	 * nothing does, and they are due again. */
	(void)rd_kafka_commit(c->rk, list, 1);
	rd_kafka_topic_partition_list_destroy(list);
}

void
origin_attend(struct consumer *c)
{
	int64_t now_ms = consumer_now_ms();

	for (int32_t i = 0; i < c->n_mine; i++)
		if (is_due(&c->mine[i]->origin, now_ms)) {
			commit_due(c, now_ms);
			return;
		}
}

/* Commits of librdkafka's own come here as well.  One of the old log that was
 * tried until it succeeded may be the last. */
void
origin_committed(struct consumer *c,
		 const rd_kafka_topic_partition_list_t *list)
{
	const rd_kafka_topic_partition_t *place;
	struct partition *p;

	for (int i = 0; list != NULL && i < list->cnt; i++) {
		place = &list->elems[i];
		p = consumer_partition(c, place->partition);
		if (p == NULL || !p->origin.is_found ||
		    place->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			continue;
		if (place->offset > position_of(c, p))
			begin(&p->origin);
		else if (place->offset == p->origin.sent)
			p->origin.is_due = false;
	}
}
