/*
 * isolate_ctx.c - what a handler in a process of its own asks of its ctx, where
 * that is not what context.c does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "instance.h"
#include "isolate_child.h"
#include "log.h"

/* evhd keeps no more of a process; what is recorded in others is ignored. */
#define METRICS_MAX 1000

static void
ctx_record(struct evh_metric *metric, int64_t value)
{
	struct isolate_metric *m = (struct isolate_metric *)(void *)metric;
	struct frame_buffer *out;

	if (!m)
		return;
	out = link_begin(&m->child->link);
	frame_begin(out, FRAME_RECORD);
	frame_put_u32(out, m->number);
	frame_put_u64(out, (uint64_t)value);
	(void)link_end(&m->child->link, frame_end(out, m->child->link.max),
		       false);
}

static int
metric_tell(struct isolate_child *child, uint32_t number,
	    enum evh_metric_kind kind, const char *name, const char *labels,
	    const char *help)
{
	struct frame_buffer *out = link_begin(&child->link);

	frame_begin(out, FRAME_METRIC);
	frame_put_u32(out, number);
	frame_put_u32(out, kind);
	frame_put_text(out, name);
	frame_put_text(out, labels);
	frame_put_text(out, help);
	return link_end(&child->link, frame_end(out, child->link.max), false);
}

/* Each call gets a number of its own; evhd knows which are the same metric. */
static struct evh_metric *
ctx_metric(struct evh_ctx *ctx, enum evh_metric_kind kind, const char *name,
	   const char *labels, const char *help)
{
	struct isolate_child *child = isolate_child_of(ctx);
	struct isolate_metric *m = calloc(1, sizeof(*m));
	uint32_t number;

	if (!m)
		return NULL;
	pthread_mutex_lock(&child->lock);
	number = child->metrics ? child->metrics->number + 1 : 0;
	if (number < METRICS_MAX) {
		m->child = child;
		m->number = number;
		m->next = child->metrics;
		child->metrics = m;
	}
	pthread_mutex_unlock(&child->lock);
	if (number < METRICS_MAX &&
	    metric_tell(child, number, kind, name, labels, help) == 0)
		return (struct evh_metric *)(void *)m;
	if (number >= METRICS_MAX)
		free(m);
	return NULL;
}

static void
ctx_ready(struct evh_ctx *ctx, const char *why_not)
{
	link_send_text(&isolate_child_of(ctx)->link, FRAME_READY, why_not);
}

static void
ctx_fatal(struct evh_ctx *ctx, const char *why)
{
	link_send_text(&isolate_child_of(ctx)->link, FRAME_FATAL, why);
}

static void
ctx_resume(struct evh_ctx *ctx, struct evh_event *pub, enum evh_result result)
{
	struct instance *in = (struct instance *)ctx;
	struct event *ev = (struct event *)pub;
	int expected = EVENT_LOOKED_AT;

	if (!event_is_live(ev) || atomic_load(&ev->holder) != in ||
	    atomic_load(&ev->hold) == EVENT_LET_GO) {
		instance_blame(in, NULL,
			       "resume() of an event that it does not hold: "
			       "ignored");
		return;
	}
	ev->verdict = result;
	if (atomic_compare_exchange_strong(&ev->hold, &expected, EVENT_LET_GO))
		return; /* process() has not returned its HOLD yet */
	expected = EVENT_HELD;
	if (atomic_compare_exchange_strong(&ev->hold, &expected, EVENT_LET_GO))
		isolate_child_answer(isolate_child_of(ctx), ev, result);
	else
		instance_blame(in, NULL, "resume() twice: ignored");
}

/* No pointer of another process is of any use here. */
static const void *
ctx_service(struct evh_ctx *ctx, const char *name, const char *id)
{
	(void)ctx;
	(void)name;
	(void)id;
	return NULL;
}

void
isolate_log_take(void *arg, enum evh_level level, const struct log_facts *facts,
		 const char *msg)
{
	struct isolate_child *child = arg;
	const struct event *ev = (const struct event *)facts->event;
	struct frame_buffer *out = link_begin(&child->link);

	frame_begin(out, FRAME_LOG);
	frame_put_u32(out, level);
	frame_put_u64(out, ev ? ev->seq : 0);
	frame_put_text(out, msg);
	(void)link_end(&child->link, frame_end(out, child->link.max), true);
}

void
isolate_ctx_init(struct isolate_child *child)
{
	struct evh_ctx *ctx = &child->in->ctx;

	ctx->metric = ctx_metric;
	ctx->record = ctx_record;
	ctx->ready = ctx_ready;
	ctx->fatal = ctx_fatal;
	ctx->resume = ctx_resume;
	ctx->service = ctx_service;
}

void
isolate_ctx_fini(struct isolate_child *child)
{
	while (child->metrics) {
		struct isolate_metric *m = child->metrics;

		child->metrics = m->next;
		free(m);
	}
}
