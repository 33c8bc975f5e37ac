#include "broker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "failure.h"
#include "topic.h"
#include "virtual.h"

#define PAYLOAD_MAX 1800

/* Handles that librdkafka would give, and that only it looks into. */
static struct broker *
broker_of(const void *handle)
{
	return (struct broker *)(uintptr_t)handle;
}

void
broker_init(struct broker *b, struct chance *chance, unsigned n_keys,
	    void *consumer)
{
	memset(b, 0, sizeof(*b));
	b->chance = chance;
	b->n_keys = n_keys;
	b->consumer = consumer;
	b->is_exact = true;
	for (int32_t i = 0; i < BROKER_PARTITIONS; i++) {
		commits_begin(&b->partitions[i].commits, i);
		b->partitions[i].asked = -1;
		b->partitions[i].newest = -1;
	}
}

void
broker_look(const struct broker *b)
{
	for (int i = 0; i < BROKER_PARTITIONS; i++)
		if (b->partitions[i].is_owed)
			failure("offsets: nobody says where partition %d "
				"begins anew",
				i);
}

static void
set_committed(struct broker *b, int32_t id, int64_t offset)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1);

	trace("partition %" PRId32 ": %" PRId64 " is committed", id, offset);
	b->partitions[id].committed = offset;
	rd_kafka_topic_partition_list_add(list, "t", id)->offset = offset;
	b->committed(b, list);
	rd_kafka_topic_partition_list_destroy(list);
}

void
broker_commit(struct broker *b)
{
	for (int32_t i = 0; i < BROKER_PARTITIONS; i++) {
		struct broker_partition *p = &b->partitions[i];

		if (p->is_assigned && p->commits.stored > p->committed)
			set_committed(b, i, p->commits.stored);
	}
}

void
broker_serve(struct broker *b)
{
	for (int32_t i = 0; i < BROKER_PARTITIONS; i++) {
		struct broker_partition *p = &b->partitions[i];
		int64_t offset = p->asked;

		if (offset < 0 || (!b->is_calm && chance_of(b->chance, 40)))
			continue;
		p->asked = -1;
		if (b->is_calm || chance_of(b->chance, 80))
			set_committed(b, i, offset);
	}
}

/* ---- Messages ----------------------------------------------------------- */

struct delivered {
	rd_kafka_message_t msg;
	struct broker *broker;
	char payload[PAYLOAD_MAX];
	char key;
};

static rd_kafka_message_t *
deliver(struct broker *b, int32_t partition, const struct broker_message *m)
{
	struct delivered *d = virtual_alloc(sizeof(*d));
	int n;

	n = snprintf(d->payload, sizeof(d->payload),
		     "{\"id\":\"00000000-0000-7000-8000-%012u\","
		     "\"name\":\"%c.x\",\"data\":\"%*s\"}",
		     m->serial, m->name, (int)m->size, "");
	if (m->is_poison)
		d->payload[0] = '?';
	d->broker = b;
	d->key = m->key;
	d->msg = (rd_kafka_message_t){
		.rkt = (rd_kafka_topic_t *)b,
		.partition = partition,
		.offset = m->offset,
		.payload = d->payload,
		.len = n > 0 ? (size_t)n : 0,
		.key = m->key ? &d->key : NULL,
		.key_len = m->key ? 1 : 0,
	};
	b->n_out++;
	return &d->msg;
}

static const struct broker_message *
next_message(const struct broker_partition *p)
{
	if (!p->is_assigned || p->is_paused)
		return NULL;
	for (unsigned i = 0; i < p->n; i++)
		if (p->messages[i].offset >= p->position)
			return &p->messages[i];
	return NULL;
}

static void
handed_over(struct broker_partition *p, int64_t offset)
{
	p->position = offset + 1;
	if (offset <= p->newest && !p->is_renewed)
		return;
	p->newest = offset;
	p->may_repeat = false;
}

rd_kafka_message_t *
rd_kafka_consume_queue(rd_kafka_queue_t *queue, int timeout_ms)
{
	struct broker *b = broker_of(queue);
	int first = (int)chance_below(b->chance, BROKER_PARTITIONS);

	(void)timeout_ms;
	/* The network is slow now and then. */
	if (!b->is_calm && chance_of(b->chance, 15))
		return NULL;
	for (int i = 0; i < BROKER_PARTITIONS; i++) {
		int32_t id = (first + i) % BROKER_PARTITIONS;
		const struct broker_message *m =
			next_message(&b->partitions[id]);

		if (m == NULL)
			continue;
		handed_over(&b->partitions[id], m->offset);
		return deliver(b, id, m);
	}
	return NULL;
}

void
rd_kafka_message_destroy(rd_kafka_message_t *msg)
{
	struct delivered *d = (struct delivered *)msg;

	if (d->broker->n_out-- == 0)
		failure("a message is destroyed twice");
	memset(d->payload, '!', sizeof(d->payload));
	virtual_free(d);
}

rd_kafka_resp_err_t
rd_kafka_message_headers(const rd_kafka_message_t *msg,
			 rd_kafka_headers_t **ret)
{
	(void)msg;
	(void)ret;
	return RD_KAFKA_RESP_ERR__NOENT;
}

rd_kafka_resp_err_t
rd_kafka_header_get_all(const rd_kafka_headers_t *headers, size_t i,
			const char **name, const void **value, size_t *size)
{
	(void)headers;
	(void)i;
	(void)name;
	(void)value;
	(void)size;
	return RD_KAFKA_RESP_ERR__NOENT;
}

int64_t
rd_kafka_message_timestamp(const rd_kafka_message_t *msg,
			   rd_kafka_timestamp_type_t *type)
{
	*type = RD_KAFKA_TIMESTAMP_CREATE_TIME;
	return 1000 + msg->offset;
}

void *
rd_kafka_topic_opaque(const rd_kafka_topic_t *topic)
{
	return broker_of(topic)->consumer;
}

rd_kafka_message_t *
rd_kafka_consumer_poll(rd_kafka_t *rk, int timeout_ms)
{
	(void)rk;
	(void)timeout_ms;
	return NULL;
}

/* ---- Places ------------------------------------------------------------- */

struct place_list {
	rd_kafka_topic_partition_list_t list;
	rd_kafka_topic_partition_t elems[BROKER_PARTITIONS];
};

rd_kafka_topic_partition_list_t *
rd_kafka_topic_partition_list_new(int size)
{
	struct place_list *l = virtual_alloc(sizeof(*l));

	(void)size;
	l->list.elems = l->elems;
	l->list.size = BROKER_PARTITIONS;
	return &l->list;
}

rd_kafka_topic_partition_t *
rd_kafka_topic_partition_list_add(rd_kafka_topic_partition_list_t *list,
				  const char *topic, int32_t partition)
{
	rd_kafka_topic_partition_t *place = &list->elems[list->cnt++];

	place->topic = (char *)(uintptr_t)topic;
	place->partition = partition;
	return place;
}

void
rd_kafka_topic_partition_list_destroy(rd_kafka_topic_partition_list_t *list)
{
	virtual_free(list);
}

static struct broker_partition *
partition_at(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
	return &broker_of(rk)->partitions[list->elems[0].partition];
}

rd_kafka_resp_err_t
rd_kafka_offsets_store(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
	struct broker_partition *p = partition_at(rk, list);

	if (!p->is_assigned)
		return RD_KAFKA_RESP_ERR__STATE;
	if (p->is_renewed && p->n > 0 &&
	    list->elems[0].offset == p->messages[0].offset) {
		topic_turn_over(p);
		p->is_owed = true;
	}
	commits_stored(&p->commits, list->elems[0].offset);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t
rd_kafka_commit(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list,
		int async)
{
	struct broker *b = broker_of(rk);

	if (!async)
		failure("a commit waits for the brokers");
	for (int i = 0; i < list->cnt; i++) {
		struct broker_partition *p =
			&b->partitions[list->elems[i].partition];

		if (!p->is_assigned)
			failure("a partition that is not ours is committed");
		commits_asked(&p->commits, list->elems[i].offset);
		p->asked = list->elems[i].offset;
		p->is_owed = false;
	}
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t
rd_kafka_pause_partitions(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
	partition_at(rk, list)->is_paused = true;
	partition_at(rk, list)->may_repeat = true;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t
rd_kafka_resume_partitions(rd_kafka_t *rk,
			   rd_kafka_topic_partition_list_t *list)
{
	struct broker_partition *p = partition_at(rk, list);

	p->is_paused = false;
	p->may_repeat = true;
	/* librdkafka 2.0.2 may bring old messages again. */
	if (chance_of(broker_of(rk)->chance, 10) && p->position > 0)
		p->position--;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_error_t *
rd_kafka_seek_partitions(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
			 int timeout_ms)
{
	struct broker *b = broker_of(rk);
	struct broker_partition *p = partition_at(rk, list);

	(void)timeout_ms;
	commits_sought(&p->commits, list->elems[0].offset,
		       b->is_exact && b->n_answering == 0);
	if (!b->is_calm && chance_of(b->chance, 10))
		return (rd_kafka_error_t *)b;
	/* Beyond the end it goes to the beginning. */
	p->position = p->is_renewed ? 0 : list->elems[0].offset;
	return NULL;
}

rd_kafka_resp_err_t
rd_kafka_get_watermark_offsets(rd_kafka_t *rk, const char *topic,
			       int32_t partition, int64_t *low, int64_t *high)
{
	(void)topic;
	*low = 0;
	*high = broker_of(rk)->partitions[partition].end;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ---- The group ---------------------------------------------------------- */

/* What is stored is committed then, also when it is less than before. */
static void
unassign(struct broker *b)
{
	for (int i = 0; i < BROKER_PARTITIONS; i++) {
		struct broker_partition *p = &b->partitions[i];

		if (!p->is_assigned)
			continue;
		if (!b->is_lost && p->commits.stored >= 0)
			p->committed = p->commits.stored;
		if (p->is_renewed)
			topic_turn_over(p);
		commits_revoked(&p->commits);
		p->is_assigned = false;
		p->is_owed = false;
		p->asked = -1;
	}
}

rd_kafka_resp_err_t
rd_kafka_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
	struct broker *b = broker_of(rk);

	unassign(b);
	for (int i = 0; list != NULL && i < list->cnt; i++) {
		struct broker_partition *p =
			&b->partitions[list->elems[i].partition];

		p->is_assigned = true;
		p->position = p->committed <= p->end ? p->committed : 0;
		p->newest = -1;
		p->may_repeat = p->is_paused;
		commits_assigned(&p->commits, p->position);
	}
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int
rd_kafka_assignment_lost(rd_kafka_t *rk)
{
	return broker_of(rk)->is_lost;
}

rd_kafka_queue_t *
rd_kafka_queue_new(rd_kafka_t *rk)
{
	return (rd_kafka_queue_t *)rk;
}

rd_kafka_queue_t *
rd_kafka_queue_get_partition(rd_kafka_t *rk, const char *topic,
			     int32_t partition)
{
	(void)topic;
	(void)partition;
	return (rd_kafka_queue_t *)rk;
}

void
rd_kafka_queue_forward(rd_kafka_queue_t *from, rd_kafka_queue_t *to)
{
	(void)from;
	(void)to;
}

void
rd_kafka_queue_yield(rd_kafka_queue_t *queue)
{
	(void)queue;
}

void
rd_kafka_queue_destroy(rd_kafka_queue_t *queue)
{
	(void)queue;
}

rd_kafka_error_t *
rd_kafka_consumer_close_queue(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
	(void)queue;
	broker_of(rk)->is_closing = true;
	return NULL;
}

int
rd_kafka_consumer_closed(rd_kafka_t *rk)
{
	return broker_of(rk)->is_closed;
}

int
rd_kafka_queue_poll_callback(rd_kafka_queue_t *queue, int timeout_ms)
{
	struct broker *b = broker_of(queue);

	(void)timeout_ms;
	b->revoke(b);
	b->is_closed = true;
	return 1;
}

void
rd_kafka_destroy_flags(rd_kafka_t *rk, int flags)
{
	(void)flags;
	if (broker_of(rk)->n_out > 0)
		failure("librdkafka ends with %u messages out",
			broker_of(rk)->n_out);
}

/* ---- Words -------------------------------------------------------------- */

const char *
rd_kafka_err2str(rd_kafka_resp_err_t err)
{
	return err == RD_KAFKA_RESP_ERR_NO_ERROR ? "success" : "an error";
}

const char *
rd_kafka_error_string(const rd_kafka_error_t *error)
{
	(void)error;
	return "timed out";
}

void
rd_kafka_error_destroy(rd_kafka_error_t *error)
{
	(void)error;
}
