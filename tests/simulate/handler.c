/*
 * handler.c - a handler that changes events, makes children, holds, and says
 * anything.
 */
#include <stdio.h>
#include <string.h>

#include "ends.h"
#include "failure.h"
#include "oracle.h"
#include "strand.h"
#include "virtual.h"
#include "walker.h"

#define SLOW_NS INT64_C(4000000)

static void
set_mark(struct end *handler, struct evh_event *ev)
{
	unsigned mark = ++handler->scene->serial;
	char text[16];

	snprintf(text, sizeof(text), "%u", mark);
	if (handler->ctx->set_header(handler->ctx, ev, "mark", text) == 0)
		oracle_mark(handler, ev, mark);
}

static void
make_child(struct end *handler, struct evh_event *ev)
{
	static const char *const names[] = { "a.child", "b.child" };
	static const char data[200] = "{}";
	struct scene *s = handler->scene;
	struct evh_spec spec = {
		.name = names[chance_below(s->chance, 2)],
		.data = { data, chance_below(s->chance, sizeof(data)) },
	};
	unsigned mark = chance_of(s->chance, 50) ? ++s->serial : 0;
	char text[16];
	struct evh_header header = { "mark", { text, 0 } };
	struct evh_event *child;
	int n = snprintf(text, sizeof(text), "%u", mark);

	header.value.len = n > 0 ? (size_t)n : 0;
	if (mark > 0) {
		spec.headers = &header;
		spec.n_headers = 1;
	}
	child = handler->ctx->event_new(handler->ctx, &spec, ev);
	if (child == NULL)
		return;
	if (chance_of(s->chance, 10)) {
		handler->ctx->event_free(handler->ctx, &child, 1);
		return;
	}
	oracle_child(handler, ev, child, mark);
	if (handler->ctx->emit(handler->ctx, &child, 1, 0) != 1)
		failure("%s: its child is refused", handler->name);
}

static bool
may_have_children(const struct end *handler, const struct evh_event *ev)
{
	return !handler->scene->is_calm && !walkers_are_many() &&
	       walker_of(handler->scene, ev)->depth + 1 < WALKER_DEPTH_MAX;
}

/* What it does to the event, in process() or before it resumes. */
static void
work(struct end *handler, struct evh_event *ev)
{
	struct scene *s = handler->scene;

	if (chance_of(s->chance, 30))
		set_mark(handler, ev);
	while (may_have_children(handler, ev) &&
	       chance_of(s->chance, handler->mood.children))
		make_child(handler, ev);
	if (chance_of(s->chance, 10))
		(void)handler->ctx->set_error(handler->ctx, ev, "E1",
					      "so it says");
}

static void
unready(struct end *handler)
{
	if (!handler->scene->is_calm && chance_of(handler->scene->chance, 1))
		handler->ctx->ready(handler->ctx, "its server is away");
}

enum evh_result
handler_process(void *self, struct evh_event *ev)
{
	struct end *handler = self;
	struct scene *s = handler->scene;
	enum evh_result verdict = ends_answer(handler);

	oracle_process(handler, ev);
	strand_point();
	if (chance_of(s->chance, handler->mood.slow))
		virtual_advance(SLOW_NS);
	work(handler, ev);
	unready(handler);
	if (verdict == EVH_HOLD && handler->n_held == END_HELD_MAX)
		verdict = EVH_OK;
	if (verdict != EVH_HOLD) {
		oracle_verdict(handler, ev, verdict);
		return verdict;
	}
	oracle_verdict(handler, ev, EVH_HOLD);
	if (chance_of(s->chance, 40)) {
		/* Its own thread was faster than the return. */
		verdict = EVH_HOLD;
		while (verdict == EVH_HOLD)
			verdict = ends_answer(handler);
		oracle_verdict(handler, ev, verdict);
		handler->ctx->resume(handler->ctx, ev, verdict);
		return EVH_HOLD;
	}
	handler->held[handler->n_held++] = ev;
	strand_point();
	return EVH_HOLD;
}

static void
resume(struct end *handler, unsigned i, enum evh_result verdict)
{
	struct evh_event *ev = handler->held[i];

	handler->n_held--;
	memmove(handler->held + i, handler->held + i + 1,
		(handler->n_held - i) * sizeof(ev));
	if (chance_of(handler->scene->chance, 30))
		work(handler, ev);
	oracle_verdict(handler, ev, verdict);
	handler->ctx->resume(handler->ctx, ev, verdict);
}

void
handler_resume(struct end *handler)
{
	enum evh_result verdict = EVH_HOLD;

	if (handler->n_held == 0)
		return;
	while (verdict == EVH_HOLD)
		verdict = ends_answer(handler);
	resume(handler, chance_below(handler->scene->chance, handler->n_held),
	       verdict);
}

void
handler_flush(void *self, int timeout_ms)
{
	struct end *handler = self;

	trace("%s flushes, %d ms", handler->name, timeout_ms);
	while (handler->n_held > 0)
		resume(handler, 0,
		       chance_of(handler->scene->chance, 50) ? EVH_OK
							     : EVH_RETRY);
}
