#include "completion.h"

#include <assert.h>

#include "host_tables.h"
#include "diversion.h"
#include "instance.h"
#include "marks.h"
#include "metrics.h"
#include "pipeline.h"
#include "spool.h"

#define TELL_MAX 256

/* It was at a handler when a process ended.  What is done is forgotten, and
 * begins anew if it comes again before its source has noted that it is done;
 * but for one that those ends have used up: that would crash as many more, and
 * whatever crashes beside it brings it again. */
static void
suspect_leave(const struct event *ev, enum evh_result result)
{
	struct marks *marks = ev->source->host->marks;
	const struct pipeline *p = ev->pipeline;

	assert(p); /* only a pipeline has handlers */
	marks_let_in(marks, ev);
	if (ev->is_used_up || (result != EVH_OK && result != EVH_DROP))
		return;
	for (unsigned i = 1; i < p->n_chain; i++)
		if (p->elements[i].in->plugin->kind == EVH_HANDLER)
			marks_forget(marks, ev->pub.id,
				     marks_place(p->elements[i].in->mark, ev));
}

/* Nothing of it is under way any more: out of its pipeline. */
static void
event_leave(struct event *ev, enum evh_result result, int64_t wall_ns)
{
	struct pipeline *p = ev->pipeline;

	/* Once its room is given back, its source may be stopped. */
	event_release(ev);
	if (ev->has_room) {
		assert(p);	       /* only a pipeline gives room */
		if (!ev->is_drained) { /* else it was counted when spooled */
			element_count(&p->elements[0], result, 1);
			metric_record(p->event_seconds,
				      wall_ns - ev->pub.created_ns);
		}
	}
	if (ev->is_marked)
		suspect_leave(ev, result);
	diversion_leave(ev);
	if (!ev->has_room)
		return;
	assert(p);
	if (p->has_handlers)
		lane_share_give(&p->shares, ev);
	window_give(&p->window, 1, ev->size);
	if (p->spool)
		spool_note_left(p->spool, ev);
}

static void
join_result(struct event *ev, enum evh_result result)
{
	int before = atomic_load(&ev->joined);
	enum evh_result joined;

	do {
		joined = event_join((enum evh_result)before, result);
	} while (!atomic_compare_exchange_weak(&ev->joined, &before,
					       (int)joined));
}

/* Stopping: whoever follows in its lane must not be done before it.  Here is
 * the half for what a handler hands back: its lane has a mark, which handlers
 * and sinks ask for (pipeline_hands_back()).  The half for what a sink hands
 * back is in delivery.c: it stands for good, and no lane comes by it. */
static void
note_handed_back(struct event *ev)
{
	struct pipeline *p = ev->pipeline;

	if (p && atomic_load_explicit(&p->gives_up, memory_order_relaxed))
		lane_share_hand_back(&p->shares, ev);
}

/* The only one that is owed a completion, as most events are: no atomics. */
static bool
is_plain(struct event *ev)
{
	return !ev->origin &&
	       atomic_load_explicit(&ev->owed, memory_order_relaxed) == 1 &&
	       atomic_load_explicit(&ev->joined, memory_order_relaxed) == 0;
}

void
completion_end(struct pass *pass, struct event *ev, enum evh_result result)
{
	assert(!atomic_load_explicit(&ev->holder, memory_order_relaxed));
	if (result == EVH_RETRY)
		note_handed_back(ev);
	if (is_plain(ev)) {
		ev->verdict = result;
		event_list_push(&pass->ended, ev);
		return;
	}
	while (ev) {
		struct event *origin = ev->origin;

		join_result(ev, result);
		if (ev->pub.is_spooled && origin)
			atomic_store(&origin->has_spooled, true);
		if (atomic_fetch_sub(&ev->owed, 1) > 1)
			return;
		if (atomic_load(&ev->has_spooled))
			ev->pub.is_spooled = 1;
		result = (enum evh_result)atomic_load(&ev->joined);
		if (!origin) {
			ev->verdict = result;
			event_list_push(&pass->ended, ev);
			return;
		}
		event_leave(ev, result, timer_wall_ns());
		event_free(ev);
		ev = origin;
	}
}

/* A run with one source and one result, in order. */
static int
ended_take(struct pass *pass, struct evh_event **evs)
{
	struct event *first = pass->ended.head;
	int n = 0;

	while (n < TELL_MAX && pass->ended.head &&
	       pass->ended.head->source == first->source &&
	       pass->ended.head->verdict == first->verdict)
		evs[n++] = &event_list_pop(&pass->ended)->pub;
	return n;
}

void
completion_tell(struct pass *pass)
{
	struct evh_event *evs[TELL_MAX];

	while (pass->ended.head) {
		struct instance *source = pass->ended.head->source;
		enum evh_result result = pass->ended.head->verdict;
		int n = ended_take(pass, evs);
		int64_t wall_ns = timer_wall_ns();

		instance_done(source, evs, n, result);
		for (int i = 0; i < n; i++) {
			struct event *ev = (struct event *)evs[i];
			bool is_origin = ev->pipeline == NULL;

			event_leave(ev, result, wall_ns);
			event_free(ev);
			if (is_origin)
				atomic_fetch_sub(&source->n_open, 1);
		}
	}
}
