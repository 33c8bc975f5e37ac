#include "reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "broker.h"
#include "consumer.h"
#include "ends.h"
#include "failure.h"
#include "group.h"
#include "instance.h"
#include "intake.h"
#include "leaving.h"
#include "oracle.h"
#include "origin.h"
#include "strand.h"
#include "topic.h"
#include "virtual.h"
#include "walker.h"

#define NS_PER_MS   1000000
#define REVOKE_MS   50
#define MESSAGE_MAX 4096

struct reader {
	struct consumer c; /* first */
	struct end *source;
	struct broker broker;
};

/* ---- consumer.c, as far as the others ask it ---------------------------- */

int64_t
consumer_now_ms(void)
{
	return virtual_now_ns() / NS_PER_MS;
}

void
consumer_error(struct consumer *c, const rd_kafka_message_t *msg)
{
	(void)c;
	failure("an error from the broker: %d", (int)msg->err);
}

struct partition *
consumer_partition(const struct consumer *c, int32_t id)
{
	return id >= 0 && id < c->n_partitions ? c->partitions[id] : NULL;
}

/* It says and counts nothing here. */
void
consumer_say(struct consumer *c, enum evh_level level, const char *fmt, ...)
{
	(void)c;
	(void)level;
	(void)fmt;
}

void
consumer_record(struct consumer *c, struct evh_metric *metric, int64_t value)
{
	(void)c;
	(void)metric;
	(void)value;
}

/* Readiness is not simulated. */
void
consumer_reads(struct consumer *c, struct partition *p)
{
	(void)c;
	(void)p;
}

void
consumer_begins(struct consumer *c)
{
	(void)c;
}

/* ---- What it asks of the host ------------------------------------------- */

static struct evh_metric *
no_metric(struct evh_ctx *ctx, enum evh_metric_kind kind, const char *name,
	  const char *labels, const char *help)
{
	(void)ctx;
	(void)kind;
	(void)name;
	(void)labels;
	(void)help;
	return NULL;
}

/* Under which life of its partition each goes is noted on the way. */
static int
reader_emit(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	    int timeout_ms)
{
	struct end *source = ((struct instance *)ctx)->self;
	const struct broker *b = &source->reader->broker;

	for (int i = 0; i < n; i++)
		emission_get(source, evs[i])->life =
			b->partitions[evs[i]->partition].commits.life;
	return ends_emit(source, evs, n, timeout_ms);
}

static void
take_away(struct reader *r, bool is_lost)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(BROKER_PARTITIONS);

	r->broker.is_lost = is_lost;
	for (int32_t i = 0; i < r->c.n_mine; i++)
		rd_kafka_topic_partition_list_add(list, "t", r->c.mine[i]->id);
	trace("%s: %d partitions are %s", r->source->name, list->cnt,
	      is_lost ? "lost" : "taken away");
	group_rebalance(r->c.rk, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, list,
			&r->c);
	r->broker.is_lost = false;
	rd_kafka_topic_partition_list_destroy(list);
}

static void
revoke_at_end(struct broker *b)
{
	struct reader *r = (struct reader *)b->consumer;

	take_away(r, false);
}

static void
hear(struct broker *b, const rd_kafka_topic_partition_list_t *list)
{
	origin_committed(b->consumer, list);
}

/* ---- Life --------------------------------------------------------------- */

struct reader *
reader_new(struct end *source)
{
	struct reader *r = virtual_alloc(sizeof(*r));
	struct consumer *c = &r->c;

	r->source = source;
	broker_init(&r->broker, source->scene->chance, source->scene->n_keys,
		    r);
	r->broker.revoke = revoke_at_end;
	r->broker.committed = hear;
	c->ctx = source->ctx;
	c->ctx->metric = no_metric;
	c->ctx->emit = reader_emit;
	c->settings.topic = "t";
	c->settings.group = "g";
	c->settings.revoke_timeout_ms = REVOKE_MS;
	c->rk = (rd_kafka_t *)&r->broker;
	c->inbox = (rd_kafka_queue_t *)&r->broker;
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->end_lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	message_decoder_init(&c->decoder, MESSAGE_MAX);
	health_init(&c->health, c->ctx);
	return r;
}

void
reader_stop(struct reader *r)
{
	int64_t now_ms = consumer_now_ms();

	atomic_store(&r->c.close_due_ms, now_ms + 1000);
	atomic_store(&r->c.stop_due_ms, now_ms + 1000);
	atomic_store(&r->c.is_draining, true);
	atomic_store(&r->c.is_quitting, true);
	leaving_run(&r->c);
	if (r->c.is_needed)
		failure("%s: messages are not released", r->source->name);
}

void
reader_free(struct reader *r)
{
	struct consumer *c = &r->c;

	free(c->mine);
	message_decoder_fini(&c->decoder);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->end_lock);
	pthread_mutex_destroy(&c->lock);
	virtual_free(r);
}

/* ---- The poll thread ---------------------------------------------------- */

void
reader_turn(struct reader *r)
{
	struct consumer *c = &r->c;

	if (r->source->is_busy)
		return;
	r->source->is_busy = true;
	r->broker.is_calm = r->source->scene->is_calm;
	broker_serve(&r->broker);
	if (chance_of(r->broker.chance, 5))
		broker_commit(&r->broker);
	if (atomic_load(&r->source->in->is_draining))
		atomic_store(&c->is_draining, true);
	if (atomic_load(&c->is_draining)) {
		for (int32_t i = 0; i < c->n_mine; i++)
			intake_drop(c, c->mine[i]);
	} else {
		intake_attend(c);
		origin_attend(c);
		broker_look(&r->broker);
		health_say(&c->health);
		intake_turn(c);
	}
	r->source->is_busy = false;
}

/* Somebody else had them, and got a little further. */
static void
others_work(struct broker *b)
{
	for (int i = 0; i < BROKER_PARTITIONS; i++) {
		struct broker_partition *p = &b->partitions[i];

		for (unsigned m = 0; m < p->n; m++)
			if (p->messages[m].offset >= p->committed &&
			    chance_of(b->chance, 50)) {
				p->committed = p->messages[m].offset + 1;
				break;
			}
	}
}

static void
assign(struct reader *r)
{
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(BROKER_PARTITIONS);

	for (int32_t i = 0; i < BROKER_PARTITIONS; i++)
		if (r->source->scene->is_calm ||
		    chance_of(r->broker.chance, 70))
			rd_kafka_topic_partition_list_add(list, "t", i);
	trace("%s: %d partitions come", r->source->name, list->cnt);
	group_rebalance(r->c.rk, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, list,
			&r->c);
	rd_kafka_topic_partition_list_destroy(list);
}

void
reader_rebalance(struct reader *r)
{
	struct chance *c = r->broker.chance;

	if (r->source->is_busy || r->source->scene->is_fatal)
		return;
	r->source->is_busy = true;
	if (r->c.n_mine > 0) {
		take_away(r, chance_of(c, 25));
		if (chance_of(c, 30))
			others_work(&r->broker);
	}
	if (r->source->scene->is_calm || chance_of(c, 80))
		assign(r);
	r->source->is_busy = false;
}

void
reader_produce(struct reader *r)
{
	if (walkers_are_many())
		return;
	if (chance_of(r->broker.chance, 3))
		topic_renew(&r->broker);
	topic_produce(&r->broker);
}

int64_t
reader_due_ns(const struct reader *r)
{
	int64_t due_ms = INT64_MAX / NS_PER_MS;

	for (int32_t i = 0; i < r->c.n_mine; i++)
		if (r->c.mine[i]->held == PARTITION_REWINDS &&
		    r->c.mine[i]->due_ms < due_ms)
			due_ms = r->c.mine[i]->due_ms;
	return due_ms < INT64_MAX / NS_PER_MS ? due_ms * NS_PER_MS : INT64_MAX;
}

/* ---- Answers ------------------------------------------------------------ */

void
reader_done(struct reader *r, struct evh_event *const *evs, int n,
	    enum evh_result result)
{
	r->broker.n_answering++;
	for (int i = 0; i < n; i++) {
		const struct emission *e =
			oracle_done(r->source, evs[i], result);
		struct broker_partition *p =
			&r->broker.partitions[e->partition];

		if (result == EVH_OK || result == EVH_DROP)
			commits_done(&p->commits, e->offset, e->life);
	}
	answers_take(&r->c, evs, n, result);
	r->broker.n_answering--;
	if (strand_has_met())
		r->broker.is_exact = false;
	for (int i = 0; i < BROKER_PARTITIONS && r->broker.is_exact; i++)
		if (r->broker.partitions[i].is_assigned)
			commits_look(&r->broker.partitions[i].commits);
}

bool
reader_is_through(const struct reader *r, const char **ret_why)
{
	static char why[120];

	*ret_why = why;
	for (int32_t i = 0; i < r->c.n_mine; i++) {
		const struct partition *p = r->c.mine[i];
		const struct broker_partition *b = &r->broker.partitions[p->id];
		int64_t prefix = commits_prefix(&b->commits);
		int64_t last = b->n > 0 ? b->messages[b->n - 1].offset : -1;

		if (p->state != PARTITION_STOPPED && p->origin.is_found &&
		    b->committed > prefix) {
			snprintf(why, sizeof(why),
				 "partition %" PRId32
				 " is committed at %" PRId64
				 " and done before %" PRId64,
				 p->id, b->committed, prefix);
			return false;
		}
		if (p->state == PARTITION_STOPPED || last < prefix)
			continue;
		snprintf(why, sizeof(why),
			 "partition %" PRId32 " is done before %" PRId64
			 " and has %" PRId64,
			 p->id, prefix, last);
		return false;
	}
	return true;
}
