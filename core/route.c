#include "route.h"

#include <errno.h>

#include "clock.h"
#include "completion.h"
#include "event.h"
#include "instance.h"
#include "lane.h"
#include "metrics.h"
#include "pass.h"
#include "pattern.h"
#include "pipeline.h"
#include "spool.h"
#include "timer.h"

void
route_enter(struct pass *pass, struct pipeline *p, struct event *ev,
	    int64_t now_ns)
{
	atomic_store_explicit(&ev->holder, NULL, memory_order_relaxed);
	ev->pipeline = p;
	ev->has_room = true;
	if (p->has_handlers)
		lane_share_take(&p->shares, ev);
	ev->born_ns = now_ns;
	ev->pos = 0;
	if (ev->error_text) {
		/* The source could not make a proper event of it. */
		pipeline_fail(pass, ev, "invalid", ev->error_text);
		return;
	}
	if (p->spool && !ev->is_drained && spool_take(p->spool, ev))
		return;
	if (ev->pub.status == EVH_PROCESSED)
		ev->pub.attempts++;
	pipeline_advance(pass, ev);
}

static bool
lane_is_full(struct pipeline *p, const struct event *ev)
{
	bool is_scarce = window_used(&p->window) >= p->window.limit / 2;

	return p->has_handlers && lane_share_is_full(&p->shares, ev, is_scarce);
}

/* What it needs is ready, or its spool takes it. */
static bool
is_open(struct pipeline *p, const struct event *ev)
{
	if (ev->error_text)
		return true; /* it has failed, and goes to on_fail */
	if (p->spool)
		return spool_has_room(p->spool, ev);
	return atomic_load(&p->n_not_ready) == 0;
}

/* What goes into a spool is in no lane's way. */
static bool
is_for_lane(const struct pipeline *p, const struct event *ev)
{
	return !p->spool || ev->error_text || spool_is_idle(p->spool);
}

static bool
has_room(struct pipeline *p, const struct event *ev)
{
	if (!is_open(p, ev) || (is_for_lane(p, ev) && lane_is_full(p, ev)))
		return false;
	return window_take(&p->window, ev->size);
}

static bool
is_for(const struct pipeline *p, const struct event *ev)
{
	return pattern_matches_any(p->config->match, ev->pub.name);
}

static bool
takes_all(const struct pipeline *p)
{
	return !p->config->match || !p->config->match[0];
}

/*
 * Which of the source's pipelines get the event: calls back for each, stops
 * when told to.  Gives the number of pipelines, or -1 when stopped.
 */
static int
each_route(struct instance *source, const struct event *ev,
	   bool (*fn)(struct pipeline *p, void *arg), void *arg)
{
	int n = 0;

	for (unsigned i = 0; i < source->n_heads; i++) {
		struct pipeline *p = source->heads[i];

		if (p->config->otherwise || !is_for(p, ev))
			continue;
		if (!fn(p, arg))
			return -1;
		n++;
	}
	for (unsigned i = 0; n == 0 && i < source->n_heads; i++) {
		struct pipeline *p = source->heads[i];

		if (!p->config->otherwise)
			continue;
		if (!fn(p, arg))
			return -1;
		n++;
	}
	return n;
}

/* A source's emit() of one event that heads several pipelines. */
struct fan_out {
	struct pass *pass;
	struct event *ev;
	int64_t now_ns;
	unsigned n_taken;	   /* pipelines whose room it has */
	struct pipeline *refusing; /* who had none */
	struct event_list copies;
};

static bool
fan_out_take(struct pipeline *p, void *arg)
{
	struct fan_out *f = arg;

	if (!has_room(p, f->ev)) {
		f->refusing = p;
		return false;
	}
	f->n_taken++;
	return true;
}

static bool
fan_out_give(struct pipeline *p, void *arg)
{
	struct fan_out *f = arg;

	if (f->n_taken == 0)
		return false;
	f->n_taken--;
	window_give(&p->window, 1, f->ev->size);
	return true;
}

static bool
fan_out_copy(struct pipeline *p, void *arg)
{
	struct fan_out *f = arg;
	struct event *copy = event_copy(f->ev);

	if (!copy)
		return false;
	copy->pipeline = p;
	lane_find(copy);
	event_list_push(&f->copies, copy);
	return true;
}

/* 1 when taken; -EAGAIN, -ENOMEM. */
static int
fan_out(struct fan_out *f, struct instance *source)
{
	struct event *copy;
	int n = each_route(source, f->ev, fan_out_take, f);

	if (n < 0) {
		(void)each_route(source, f->ev, fan_out_give, f);
		return -EAGAIN;
	}
	if (each_route(source, f->ev, fan_out_copy, f) < 0) {
		while ((copy = event_list_pop(&f->copies)))
			event_free(copy);
		(void)each_route(source, f->ev, fan_out_give, f);
		return -ENOMEM;
	}
	atomic_store(&f->ev->holder, NULL);
	atomic_fetch_add(&source->n_open, 1);
	if (n == 0) {
		/* No pipeline wants it, and it ends on purpose; unless it has
		 * failed already, for then nobody has kept it. */
		completion_end(f->pass, f->ev,
			       f->ev->error_text ? EVH_FAIL : EVH_DROP);
		return 1;
	}
	atomic_store(&f->ev->owed, (unsigned)n);
	while ((copy = event_list_pop(&f->copies)))
		route_enter(f->pass, copy->pipeline, copy, f->now_ns);
	return 1;
}

/* 1 when taken; -EAGAIN and who has no room; -ENOMEM. */
static int
emit_one(struct instance *source, struct event *ev, struct pass *pass,
	 int64_t now_ns, struct pipeline **ret_refusing)
{
	struct fan_out f = { .pass = pass, .ev = ev, .now_ns = now_ns };
	int rc;

	event_settle(ev);
	lane_find(ev);
	if (source->n_heads == 1 && takes_all(source->heads[0])) {
		struct pipeline *p = source->heads[0];

		if (!has_room(p, ev)) {
			*ret_refusing = p;
			return -EAGAIN;
		}
		route_enter(pass, p, ev, now_ns);
		return 1;
	}
	rc = fan_out(&f, source);
	if (rc == -EAGAIN)
		*ret_refusing = f.refusing;
	return rc;
}

static int
emit_some(struct instance *source, struct evh_event *const *evs, int n,
	  struct pipeline **ret_refusing)
{
	struct pass own;
	struct pass *pass = pass_begin(&own, source, NULL, true);
	int64_t now_ns = timer_now_ns();
	int rc = 0;
	int k;

	for (k = 0; k < n; k++) {
		struct event *ev = (struct event *)evs[k];

		if (!event_is_live(ev) || atomic_load(&ev->holder) != source) {
			instance_blame(source, NULL,
				       "emit() of an event that it does not "
				       "have: refused");
			rc = -EINVAL;
			break;
		}
		rc = emit_one(source, ev, pass, now_ns, ret_refusing);
		if (rc < 0)
			break;
	}
	pass_end(&own);
	return k > 0 ? k : rc;
}

static int
emit_in_time(struct instance *source, struct evh_event *const *evs, int n,
	     int timeout_ms)
{
	int64_t due_ns = timeout_ms < 0
				 ? INT64_MAX
				 : timer_now_ns() + timeout_ms * NS_PER_MS;
	struct pipeline *refusing = NULL;
	int k;

	if (n <= 0 || source->n_heads == 0)
		return n <= 0 ? 0 : -EAGAIN;
	for (;;) {
		struct window *w = refusing ? &refusing->window : NULL;
		unsigned turn = w ? window_turn(w) : 0;

		k = atomic_load(&source->is_draining)
			    ? -ESHUTDOWN
			    : emit_some(source, evs, n, &refusing);
		if (k != -EAGAIN || timeout_ms == 0) {
			if (w)
				window_leave(w);
			break;
		}
		if (w && &refusing->window != w) {
			/* Another one has no room now: wait for that. */
			window_leave(w);
			if (timer_now_ns() >= due_ns)
				break;
			continue;
		}
		if (w && !window_wait(w, turn, due_ns))
			break;
	}
	if (k == -EAGAIN && refusing)
		metric_record(refusing->refused, 1);
	return k;
}

int
route_emit(struct instance *source, struct evh_event *const *evs, int n,
	   int timeout_ms)
{
	int k;

	/* Within a callback: what would make room is behind it on this very
	 * thread. */
	if (pass_current())
		timeout_ms = 0;
	/* Before it looks whether the source drains: a shutdown that has not
	 * seen this call is seen by it. */
	atomic_fetch_add(&source->n_open, 1);
	k = emit_in_time(source, evs, n, timeout_ms);
	atomic_fetch_sub(&source->n_open, 1);
	return k;
}
