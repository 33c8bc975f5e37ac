#include "partition.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "consumer.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS	 10000
#define SEEK_TIMEOUT_MS	 500 /* well below what a stop has at least */

struct partition *
partition_new(struct evh_ctx *ctx, const char *topic, int32_t id)
{
	struct partition *p = calloc(1, sizeof(*p));
	char labels[320];

	if (p == NULL)
		return NULL;
	p->id = id;
	p->topic = topic;
	p->state = PARTITION_AWAY;
	offsets_init(&p->offsets, OFFSETS_MAX_SLOTS);
	(void)snprintf(labels, sizeof(labels), "topic=%s,partition=%" PRId32,
		       topic, id);
	p->lag = ctx->metric(ctx, EVH_GAUGE, "kafka_consumer_lag", labels,
			     "Messages in the partition that are not done");
	return p;
}

static void
forget_place(struct partition *p)
{
	if (p->place != NULL)
		rd_kafka_topic_partition_list_destroy(p->place);
	p->place = NULL;
}

void
partition_free(struct partition *p)
{
	if (p == NULL)
		return;
	offsets_fini(&p->offsets);
	forget_place(p);
	free(p);
}

/* In the queue of a partition that librdkafka has given up, because its topic
 * is no more, it leaves a word for the reader.  That keeps the partition, and
 * the partition the queue; and rd_kafka_destroy() of 2.0.2 waits for them
 * without end.  So somebody has to read it. */
void
partition_forget(struct partition *p, rd_kafka_queue_t *inbox)
{
	if (p == NULL || p->queue == NULL)
		return;
	rd_kafka_queue_forward(p->queue, inbox);
	rd_kafka_queue_destroy(p->queue);
	p->queue = NULL;
}

int
partition_forward(struct partition *p, rd_kafka_t *rk, rd_kafka_queue_t *inbox)
{
	partition_forget(p, inbox);
	p->queue = rd_kafka_queue_get_partition(rk, p->topic, p->id);
	if (p->queue == NULL)
		return -ENOMEM;
	rd_kafka_queue_forward(p->queue, inbox);
	return 0;
}

/* Another one for each purpose: librdkafka writes into it. */
static rd_kafka_topic_partition_list_t *
list_of(const struct partition *p, int64_t offset)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);

	if (list != NULL)
		rd_kafka_topic_partition_list_add(list, p->topic, p->id)
			->offset = offset;
	return list;
}

/* Without memory it keeps the one that it has. */
static int
new_place(struct partition *p)
{
	rd_kafka_topic_partition_list_t *place =
		list_of(p, RD_KAFKA_OFFSET_INVALID);

	if (place == NULL)
		return -ENOMEM;
	forget_place(p);
	p->place = place;
	return 0;
}

int
partition_assigned(struct partition *p, uint32_t generation)
{
	if (new_place(p) < 0)
		return -ENOMEM;
	offsets_reset(&p->offsets, generation);
	p->state = PARTITION_RUNNING;
	p->is_open = true;
	pace_reset(&p->pace);
	p->may_repeat = false;
	p->held = 0;
	p->n_backoffs = 0;
	p->rewound_at = -1;
	p->seek_to = -1;
	p->origin = (struct origin){ .is_found = false };
	p->refusal[0] = '\0';
	return 0;
}

void
partition_revoked(struct partition *p, uint32_t generation)
{
	forget_place(p);
	offsets_reset(&p->offsets, generation);
	p->state = PARTITION_AWAY;
	p->is_open = false;
	p->origin = (struct origin){ .is_found = false };
}

void
partition_store(struct partition *p, rd_kafka_t *rk, int64_t offset)
{
	p->place->elems[0].offset = offset;
	p->place->elems[0].err = RD_KAFKA_RESP_ERR_NO_ERROR;
	/* It fails when librdkafka has taken the partition away and we have
	 * not heard yet; then the next owner begins a little earlier. */
	(void)rd_kafka_offsets_store(rk, p->place);
}

int
partition_again(struct partition *p, rd_kafka_t *rk)
{
	if (new_place(p) < 0)
		return -ENOMEM;
	if (p->offsets.next >= 0)
		partition_store(p, rk, p->offsets.next);
	else if (p->origin.is_found)
		partition_store(p, rk, p->origin.offset);
	return 0;
}

static int
complain(const struct partition *p, struct consumer *c, const char *verb,
	 const char *why)
{
	consumer_say(c, EVH_ERROR,
		     "partition %" PRId32 " of %s does not %s: %s", p->id,
		     p->topic, verb, why);
	return -EIO;
}

static int
set_paused(struct partition *p, struct consumer *c, bool paused)
{
	rd_kafka_topic_partition_list_t *list =
		list_of(p, RD_KAFKA_OFFSET_INVALID);
	const char *verb = paused ? "pause" : "resume";
	rd_kafka_resp_err_t err;

	if (list == NULL)
		return complain(p, c, verb, strerror(ENOMEM));
	err = paused ? rd_kafka_pause_partitions(c->rk, list)
		     : rd_kafka_resume_partitions(c->rk, list);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = list->elems[0].err;
	rd_kafka_topic_partition_list_destroy(list);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return complain(p, c, verb, rd_kafka_err2str(err));
	p->is_paused = paused;
	p->may_repeat = true;
	return 0;
}

int
partition_pause(struct partition *p, struct consumer *c)
{
	return p->is_paused ? 0 : set_paused(p, c, true);
}

/* librdkafka 2.0.2 may read old messages again when it resumes what was not
 * paused, so it is asked only for what was. */
int
partition_resume(struct partition *p, struct consumer *c)
{
	return p->is_paused ? set_paused(p, c, false) : 0;
}

/* Neither of the two comes back before that. */
int
partition_settle(struct partition *p, struct consumer *c)
{
	bool was_paused = p->is_paused;
	int r;

	r = set_paused(p, c, !was_paused);
	if (r == 0)
		r = set_paused(p, c, was_paused);
	return r;
}

/* librdkafka brings nothing twice unless it has resumed; and then the log goes
 * on behind what was read, which one that began anew does not at first. */
bool
partition_began_anew(const struct partition *p, rd_kafka_t *rk, int64_t newest)
{
	int64_t low = -1;
	int64_t high = -1;

	if (!p->may_repeat)
		return true;
	return rd_kafka_get_watermark_offsets(rk, p->topic, p->id, &low,
					      &high) ==
		       RD_KAFKA_RESP_ERR_NO_ERROR &&
	       high >= 0 && high <= newest;
}

int
partition_seek(struct partition *p, struct consumer *c, int64_t offset)
{
	rd_kafka_topic_partition_list_t *list = list_of(p, offset);
	rd_kafka_resp_err_t err;
	rd_kafka_error_t *error;
	int r = 0;

	if (list == NULL)
		return complain(p, c, "seek", strerror(ENOMEM));
	error = rd_kafka_seek_partitions(c->rk, list, SEEK_TIMEOUT_MS);
	err = list->elems[0].err;
	rd_kafka_topic_partition_list_destroy(list);
	if (error != NULL)
		r = complain(p, c, "seek", rd_kafka_error_string(error));
	else if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		r = complain(p, c, "seek", rd_kafka_err2str(err));
	rd_kafka_error_destroy(error);
	return r;
}

int64_t
partition_backoff(struct partition *p)
{
	int64_t position = offsets_position(&p->offsets);

	if (position != p->rewound_at)
		p->n_backoffs = 0;
	p->rewound_at = position;
	return backoff_wait(p->n_backoffs++, BACKOFF_FIRST_MS, BACKOFF_LAST_MS);
}
