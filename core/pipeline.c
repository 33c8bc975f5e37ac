#include "pipeline.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "completion.h"
#include "delivery.h"
#include "diversion.h"
#include "handling.h"
#include "instance.h"
#include "log.h"
#include "metrics.h"
#include "spool.h"
#include "timer.h"
#include "watch.h"
#include "worker.h"

static unsigned
strings_count(char *const *strings)
{
	unsigned n = 0;

	while (strings && strings[n])
		n++;
	return n;
}

static int
element_init_metrics(struct element *el, struct metrics *metrics)
{
	static const char *const results[] = { [EVH_OK] = "ok",
					       [EVH_DROP] = "drop",
					       [EVH_RETRY] = "retry",
					       [EVH_FAIL] = "fail" };
	char pipeline[256];
	char instance[256];
	char labels[600];

	metrics_label_escape(pipeline, sizeof(pipeline), el->pipeline->name);
	metrics_label_escape(instance, sizeof(instance), el->in->name);
	for (int r = EVH_OK; r <= EVH_FAIL; r++) {
		snprintf(labels, sizeof(labels),
			 "pipeline=%s,instance=%s,result=%s", pipeline,
			 instance, results[r]);
		el->results[r] =
			metrics_get(metrics, EVH_COUNTER, "events", labels,
				    "Events by what an element said");
	}
	snprintf(labels, sizeof(labels), "pipeline=%s,instance=%s", pipeline,
		 instance);
	el->stage_seconds = metrics_get(metrics, EVH_HISTOGRAM, "stage_seconds",
					labels, "From handed over to answered");
	if (el->is_optional)
		el->passed_over = metrics_get(
			metrics, EVH_COUNTER, "passed_over", labels,
			"Events that went on without an optional sink");
	return el->results[EVH_FAIL] && el->stage_seconds ? 0 : -ENOMEM;
}

static int
element_init(struct element *el, struct pipeline *p, struct instance *in,
	     enum element_role role, struct metrics *metrics)
{
	el->pipeline = p;
	el->in = in;
	el->pos = (unsigned)(el - p->elements);
	el->role = role;
	el->is_optional = role == ELEMENT_CHAIN &&
			  config_list_has(p->config->optional, in->name);
	if (in->plugin->kind == EVH_HANDLER)
		p->has_handlers = true;
	if (in->plugin->kind == EVH_SINK) {
		el->delivery = delivery_new(el);
		if (!el->delivery)
			return -ENOMEM;
	}
	return element_init_metrics(el, metrics);
}

static int
pipeline_add(struct pipeline *p, char *const *names, enum element_role role,
	     struct instance *(*find)(void *, const char *), void *arg,
	     struct metrics *metrics)
{
	for (; names && *names; names++) {
		struct instance *in = find(arg, *names);

		assert(in); /* setup.h has checked the chains */
		if (element_init(&p->elements[p->n_elements++], p, in, role,
				 metrics) < 0)
			return -ENOMEM;
	}
	if (p->n_elements > 0)
		p->elements[p->n_elements - 1].is_last = true;
	return 0;
}

static int
pipeline_init_metrics(struct pipeline *p, struct metrics *metrics)
{
	char name[256];
	char labels[300];

	metrics_label_escape(name, sizeof(name), p->name);
	snprintf(labels, sizeof(labels), "pipeline=%s", name);
	p->refused = metrics_get(metrics, EVH_COUNTER, "refused", labels,
				 "Times that emit() found no room or an "
				 "instance not ready");
	p->event_seconds = metrics_get(metrics, EVH_HISTOGRAM, "event_seconds",
				       labels, "From created to done");
	p->in_flight = metrics_get(metrics, EVH_GAUGE, "in_flight", labels,
				   "Events emitted and not done");
	metric_record(metrics_get(metrics, EVH_GAUGE, "in_flight_limit", labels,
				  "Room for events in flight"),
		      p->config->in_flight);
	return p->refused && p->event_seconds && p->in_flight ? 0 : -ENOMEM;
}

static int
pipeline_init_workers(struct pipeline *p)
{
	p->n_workers = p->config->workers < PIPELINE_MAX_WORKERS
			       ? p->config->workers
			       : PIPELINE_MAX_WORKERS;
	p->workers = calloc(p->n_workers + 1, sizeof(struct worker *));
	if (!p->workers)
		return -ENOMEM;
	for (unsigned i = 0; i <= p->n_workers; i++) {
		p->workers[i] = worker_new(p, i, i == p->n_workers);
		if (!p->workers[i])
			return -ENOMEM;
	}
	p->pump = p->workers[p->n_workers];
	return 0;
}

static int
pipeline_init_spool(struct pipeline *p, struct metrics *metrics)
{
	if (!p->config->spool_dir)
		return 0;
	p->spool = spool_new(p, metrics);
	return p->spool ? 0 : -ENOMEM;
}

struct pipeline *
pipeline_new(const struct config_pipeline *config,
	     struct instance *(*find)(void *arg, const char *name), void *arg,
	     struct metrics *metrics)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->config = config;
	p->name = config->name;
	p->n_chain = strings_count(config->chain);
	p->n_fail = strings_count(config->on_fail);
	p->n_drop = strings_count(config->on_drop);
	p->shares.limit = config->in_flight / 4 ? config->in_flight / 4 : 1;
	if (window_init(&p->window, config->in_flight, config->in_flight_size) <
	    0) {
		free(p);
		return NULL;
	}
	p->elements = calloc(p->n_chain + p->n_fail + p->n_drop,
			     sizeof(*p->elements));
	if (!p->elements ||
	    pipeline_add(p, config->chain, ELEMENT_CHAIN, find, arg, metrics) <
		    0 ||
	    pipeline_add(p, config->on_fail, ELEMENT_FAIL, find, arg, metrics) <
		    0 ||
	    pipeline_add(p, config->on_drop, ELEMENT_DROP, find, arg, metrics) <
		    0 ||
	    pipeline_init_metrics(p, metrics) < 0 ||
	    pipeline_init_workers(p) < 0 ||
	    pipeline_init_spool(p, metrics) < 0) {
		pipeline_free(p);
		return NULL;
	}
	return p;
}

void
pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	spool_free(p->spool);
	for (unsigned i = 0; p->workers && i <= p->n_workers; i++)
		worker_free(p->workers[i]);
	free(p->workers);
	for (unsigned i = 0; p->elements && i < p->n_elements; i++)
		delivery_free(p->elements[i].delivery);
	free(p->elements);
	window_fini(&p->window);
	free(p);
}

int
pipeline_start(struct pipeline *p)
{
	for (unsigned i = 0; i <= p->n_workers; i++) {
		int rc = worker_start(p->workers[i]);

		if (rc < 0) {
			pipeline_stop(p);
			return rc;
		}
	}
	if (watch_is_needed(p) && watch_start(p) < 0) {
		pipeline_stop(p);
		return -EAGAIN;
	}
	return p->spool ? spool_start(p->spool) : 0;
}

void
pipeline_stop(struct pipeline *p)
{
	watch_stop(p);
	if (p->spool)
		spool_stop(p->spool);
	for (unsigned i = 0; i <= p->n_workers; i++)
		worker_stop(p->workers[i]);
}

void
pipeline_poke(struct pipeline *p)
{
	window_poke(&p->window);
	for (unsigned i = 0; i <= p->n_workers; i++)
		worker_poke(p->workers[i]);
	if (p->spool)
		spool_poke(p->spool);
}

void
pipeline_give_up(struct pipeline *p)
{
	atomic_store(&p->gives_up, true);
	pipeline_poke(p);
}

void
pipeline_cut_short(struct pipeline *p)
{
	atomic_store(&p->cuts_short, true);
	pipeline_poke(p);
}

bool
pipeline_hands_back(const struct event *ev)
{
	const struct pipeline *p = ev->pipeline;

	return atomic_load_explicit(&p->gives_up, memory_order_relaxed) &&
	       lane_share_is_handed_back(&p->shares, ev);
}

bool
pipeline_is_ready(const struct pipeline *p)
{
	if (p->spool)
		return spool_is_ready(p->spool);
	return atomic_load(&p->n_not_ready) == 0;
}

bool
pipeline_needs(const struct pipeline *p, const struct instance *in)
{
	for (unsigned i = 1; i < p->n_chain; i++)
		if (p->elements[i].in == in)
			return !p->elements[i].is_optional;
	return false;
}

bool
pipeline_has(const struct pipeline *p, const struct instance *in)
{
	for (unsigned i = 0; i < p->n_elements; i++)
		if (p->elements[i].in == in)
			return true;
	return false;
}

struct element *
event_element(const struct event *ev)
{
	return &ev->pipeline->elements[ev->pos];
}

void
element_count(const struct element *el, enum evh_result result, unsigned n)
{
	if (n > 0)
		metric_record(el->results[result], n);
}

void
pipeline_step(struct pass *pass, struct pipeline *p, unsigned pos,
	      struct event_list *run)
{
	struct element *el = &p->elements[pos];

	if (el->delivery)
		delivery_take(pass, el->delivery, run);
	else
		handling_take(pass, el, run);
}

void
pipeline_advance(struct pass *pass, struct event *ev)
{
	const struct element *el = event_element(ev);

	if (el->role == ELEMENT_CHAIN) {
		/* What went wrong before it went well is no error of others. */
		ev->error_code = NULL;
		ev->error_text = NULL;
	}
	if (el->is_last) {
		diversion_leave(ev);
		completion_end(pass, ev,
			       el->role == ELEMENT_CHAIN ? EVH_OK
			       : ev->is_kept		 ? EVH_DROP
							 : EVH_FAIL);
		return;
	}
	ev->pos++;
	ev->pub.attempt = 1;
	pass_move(pass, ev);
}

/* To the first sink of this role; without one it is over. */
static void
pipeline_leave_chain(struct pass *pass, struct event *ev, unsigned pos,
		     unsigned n, enum evh_result if_none)
{
	if (n == 0) {
		diversion_leave(ev);
		completion_end(pass, ev, if_none);
		return;
	}
	ev->pos = pos;
	ev->pub.attempt = 1;
	pass_move(pass, ev);
}

static void
log_failure(const struct event *ev, const struct element *el, const char *text)
{
	struct log_facts facts = { .instance = el->in->name,
				   .pipeline = el->pipeline->name,
				   .event = &ev->pub,
				   .code = ev->error_code };

	if (facts.code && !*facts.code)
		facts.code = NULL;
	log_write(EVH_WARN, &facts, "failed: %s", text);
}

void
pipeline_fail(struct pass *pass, struct event *ev, const char *type,
	      const char *text)
{
	struct pipeline *p = ev->pipeline;
	struct element *el = event_element(ev);

	if (ev->error_text && *ev->error_text)
		text = ev->error_text;
	log_failure(ev, el, text);
	if (el->role != ELEMENT_CHAIN) {
		/* The sink that was to keep it would not: the next one. */
		pipeline_advance(pass, ev);
		return;
	}
	if (ev->error_code && strcmp(ev->error_code, "timeout") == 0)
		type = "timeout";
	event_remake(ev);
	(void)event_render_error(ev, el->in->name, type, text);
	ev->pub.status = EVH_FAILED;
	ev->is_failed = true;
	pipeline_leave_chain(pass, ev, p->n_chain, p->n_fail, EVH_FAIL);
}

void
pipeline_drop(struct pass *pass, struct event *ev)
{
	struct pipeline *p = ev->pipeline;

	ev->pub.status = EVH_DROPPED;
	pipeline_leave_chain(pass, ev, p->n_chain + p->n_fail, p->n_drop,
			     EVH_DROP);
}

struct worker *
pipeline_worker(const struct pipeline *p, const struct event *ev)
{
	if (p->n_workers == 0)
		return p->pump;
	return p->workers[ev->lane % p->n_workers];
}

bool
pipeline_is_here(const struct pass *pass, const struct pipeline *p,
		 const struct event *ev)
{
	if (ev->goes_by_inbox)
		return false;
	if (pass->worker && pass->worker == pipeline_worker(p, ev))
		return true;
	return p->n_workers == 0 && pass->is_emit &&
	       atomic_load(&p->n_diverted) == 0;
}

int64_t
pipeline_deadline_ns(const struct pipeline *p, const struct event *ev)
{
	if (p->config->deadline_ms == 0 || ev->is_patient)
		return INT64_MAX;
	return ev->born_ns + p->config->deadline_ms * NS_PER_MS;
}

bool
pipeline_is_late(const struct pipeline *p, const struct event *ev,
		 int64_t now_ns)
{
	return now_ns >= pipeline_deadline_ns(p, ev);
}
