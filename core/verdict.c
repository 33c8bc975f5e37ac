#include "verdict.h"

#include <stdio.h>

#include "completion.h"
#include "host_tables.h"
#include "instance.h"
#include "marks.h"
#include "timer.h"
#include "watch.h"

/* For the turn at an EVH_SERIAL handler. */
#define ENTER_MAX_NS VERDICT_ALONE_NS

/* What asks seldomer asks so often at least. */
#define WAIT_MAX_NS INT64_C(500000000)

static void
children_drop(struct event *ev)
{
	struct event *child;

	while ((child = event_list_pop(&ev->children)))
		event_free(child);
	ev->n_children = ev->n_children_kept;
}

/* The parent goes first, its children behind it. */
static void
children_move(struct pass *pass, struct event_list *children)
{
	struct event *child;

	while ((child = event_list_pop(children)))
		pipeline_advance(pass, child);
}

/* The try stays: what it changed, and the children it made. */
static struct event_list
try_keep(struct event *ev)
{
	struct event_list children = ev->children;

	event_keep(ev);
	ev->n_children_kept = ev->n_children;
	ev->children = (struct event_list){ 0 };
	if (children.n > 0)
		atomic_fetch_add(&ev->owed, children.n);
	return children;
}

static void
try_undo(struct event *ev)
{
	event_undo(ev);
	children_drop(ev);
}

static unsigned
attempts_of(const struct element *el)
{
	return el->in->attempts ? el->in->attempts
				: el->pipeline->config->attempts;
}

/* Who has the turn at an instance with a timeout may never give it back, and
 * the worker has others to look after. */
static bool
enter(struct instance *in)
{
	if (in->timeout_ms > 0)
		return instance_enter_for(in, ENTER_MAX_NS);
	instance_enter(in);
	return true;
}

/* How many ends it may have.  The first may have been another's, unless it was
 * for the timeout. */
static unsigned
ends_max(const struct element *el, const struct marks_ends *ends)
{
	unsigned attempts = attempts_of(el);

	return attempts > 1 || ends->n_late > 0 ? attempts : 2;
}

/* May it come in, with its mark.  One whose ends have used it up may: it is not
 * tried. */
static bool
has_turn(const struct element *el, struct event *ev)
{
	struct marks *marks = el->in->host->marks;
	uint64_t place = marks_place(el->in->mark, ev);

	ev->slot = NULL;
	if (!marks)
		return true;
	if (ev->pub.attempt == 1) {
		ev->ends = marks_find(marks, ev->pub.id, place);
		ev->is_marked = ev->is_marked || ev->ends.n > 0;
		ev->is_used_up =
			ev->ends.n > 0 && ev->ends.n >= ends_max(el, &ev->ends);
	}
	return ev->is_used_up || marks_admit(marks, ev, place, ev->is_marked,
					     el->in->timeout_ms, &ev->slot);
}

bool
verdict_may_ask(const struct element *el, struct event *ev)
{
	if (!enter(el->in))
		return false;
	if (has_turn(el, ev))
		return true;
	instance_leave(el->in);
	return false;
}

/* Another suspect is to have the next turn at once, and an EVH_SERIAL handler
 * not to stand idle. */
int64_t
verdict_wait_ns(const struct element *el, const struct event *ev,
		int64_t now_ns)
{
	const struct marks *marks = el->in->host->marks;
	int64_t wait_ns = now_ns - ev->stand_until_ns;

	if (ev->is_marked || !marks || !marks_has_turn(marks) ||
	    wait_ns < VERDICT_ALONE_NS)
		return VERDICT_ALONE_NS;
	return wait_ns < WAIT_MAX_NS ? wait_ns : WAIT_MAX_NS;
}

static void
turn_give(const struct element *el, const struct event *ev)
{
	if (ev->is_marked)
		marks_let_in(el->in->host->marks, ev);
}

/* Processes that ended while it was here have used up tries of it.  A first end
 * says nothing until there is a second: another may have been the cause. */
static void
ends_count(struct event *ev)
{
	const struct marks_ends *ends = &ev->ends;

	if (ends->n == 1 && ends->n_late == 0)
		return;
	ev->pub.attempts += ends->n;
	ev->pub.attempt += ends->n;
}

/* The last of them was such an end. */
static enum evh_result
ends_fail(struct event *ev)
{
	const struct marks_ends *ends = &ev->ends;
	bool is_late = ends->n_late == ends->n;
	char text[96];

	ev->pub.attempts += ends->n - 1; /* this pass is no try of it */
	ev->pub.attempt = ends->n;
	snprintf(text, sizeof(text),
		 "the process ended %u times while it was here%s", ends->n,
		 is_late ? ", for longer than the timeout" : "");
	(void)event_set_error(ev, is_late ? "timeout" : NULL, text);
	return EVH_FAIL;
}

/* With whatever is to be around a process() of an instance that is entered. */
static enum evh_result
process(struct pass *pass, struct element *el, struct event *ev)
{
	struct instance *in = el->in;
	struct marks_slot *slot = ev->slot;
	enum evh_result verdict;

	if (in->timeout_ms > 0 && el->pipeline->watch && pass->worker) {
		verdict = watch_process(pass, in, ev, slot);
	} else {
		pass->looked_at = ev;
		verdict = in->plugin->process(in->self, &ev->pub);
		pass->looked_at = NULL;
	}
	marks_leave(slot);
	instance_leave(in);
	return verdict;
}

static enum evh_result
ask(struct pass *pass, struct element *el, struct event *ev)
{
	enum evh_result verdict;

	if (ev->is_used_up) {
		instance_leave(el->in);
		return ends_fail(ev);
	}
	if (ev->is_marked && ev->pub.attempt == 1)
		ends_count(ev);
	atomic_store_explicit(&ev->hold, EVENT_LOOKED_AT, memory_order_relaxed);
	atomic_store_explicit(&ev->holder, el->in, memory_order_relaxed);
	verdict = process(pass, el, ev);
	if (verdict == EVH_HOLD)
		return verdict;
	if (atomic_load_explicit(&ev->hold, memory_order_acquire) ==
	    EVENT_LET_GO)
		instance_blame(el->in, &ev->pub,
			       "resume() and a verdict for the same event: "
			       "the verdict counts");
	return ev->is_late ? watch_fail(el->in, ev) : verdict;
}

enum evh_result
verdict_ask(struct pass *pass, struct element *el, struct event *ev)
{
	enum evh_result verdict = ask(pass, el, ev);

	turn_give(el, ev);
	return verdict;
}

static int64_t
backoff_of(const struct element *el, unsigned attempt)
{
	const struct config_pipeline *config = el->pipeline->config;
	unsigned first = el->in->backoff_ms;
	unsigned max = el->in->backoff_max_ms;

	return timer_backoff_ns(attempt, first ? first : config->backoff_ms,
				max ? max : config->backoff_max_ms);
}

/* Never past the deadline: then it is over anyway. */
static int64_t
stand_until(const struct element *el, const struct event *ev, int64_t wait_ns)
{
	int64_t until_ns = timer_now_ns() + wait_ns;
	int64_t deadline_ns = pipeline_deadline_ns(el->pipeline, ev);

	return until_ns < deadline_ns ? until_ns : deadline_ns;
}

int64_t
verdict_await_ready(const struct element *el, struct event *ev)
{
	/* Nobody is to wait for who waits himself. */
	turn_give(el, ev);
	ev->awaits_ready = true;
	return stand_until(el, ev, backoff_of(el, UINT32_MAX));
}

static int64_t
judge_retry(struct pass *pass, struct element *el, struct event *ev)
{
	enum event_blame blame = ev->blame;

	ev->blame = EVENT_UNBLAMED;
	try_undo(ev);
	if (atomic_load(&el->pipeline->gives_up) ||
	    pipeline_is_late(el->pipeline, ev, timer_now_ns())) {
		completion_end(pass, ev, EVH_RETRY);
		return VERDICT_MOVED_ON;
	}
	if (blame != EVENT_BLAMED && !atomic_load(&el->in->is_ready))
		return verdict_await_ready(el, ev);
	/* No attempt, but a wait: what it could not be done for may last. */
	if (blame == EVENT_BLAMELESS)
		return stand_until(el, ev, backoff_of(el, ev->pub.attempt + 1));
	if (ev->pub.attempt >= attempts_of(el)) {
		pipeline_fail(pass, ev, "handler",
			      "the last of its attempts did not succeed");
		return VERDICT_MOVED_ON;
	}
	ev->pub.attempt++;
	ev->pub.attempts++;
	return stand_until(el, ev, backoff_of(el, ev->pub.attempt));
}

int64_t
verdict_apply(struct pass *pass, struct element *el, struct event *ev,
	      enum evh_result verdict)
{
	struct event_list children;

	if (verdict == EVH_HOLD)
		return VERDICT_UNTIL_RESUMED;
	atomic_store_explicit(&ev->hold, EVENT_FREE_OF_HOLD,
			      memory_order_relaxed);
	atomic_store_explicit(&ev->holder, NULL, memory_order_relaxed);
	switch (verdict) {
	case EVH_OK:
		children = try_keep(ev);
		pipeline_advance(pass, ev);
		children_move(pass, &children);
		return VERDICT_MOVED_ON;
	case EVH_DROP:
		children = try_keep(ev);
		pipeline_drop(pass, ev);
		children_move(pass, &children);
		return VERDICT_MOVED_ON;
	case EVH_RETRY:
		return judge_retry(pass, el, ev);
	case EVH_FAIL:
		try_undo(ev);
		pipeline_fail(pass, ev, "handler", "the handler refused it");
		return VERDICT_MOVED_ON;
	case EVH_HOLD:
		break;
	}
	instance_blame(el->in, &ev->pub,
		       "process() returned %d, which is no verdict: "
		       "the event counts as failed",
		       (int)verdict);
	try_undo(ev);
	pipeline_fail(pass, ev, "handler", "the handler gave no verdict");
	return VERDICT_MOVED_ON;
}
