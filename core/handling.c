#include "handling.h"

#include <assert.h>
#include <errno.h>

#include "clock.h"
#include "completion.h"
#include "diversion.h"
#include "instance.h"
#include "lane.h"
#include "metrics.h"
#include "pattern.h"
#include "timer.h"
#include "verdict.h"
#include "watch.h"
#include "worker.h"

/* How long a worker's pass may hold up what is through with its handlers; the
 * coarse clock is enough to see that one is slow. */
#define PASS_MAX_NS INT64_C(5000000)

#define DUE_NOW INT64_C(1)

static bool
element_looks_at(const struct element *el, const struct event *ev)
{
	return pattern_matches_any(el->in->match, ev->pub.name);
}

static bool
element_is_ready(const struct element *el)
{
	return atomic_load_explicit(&el->in->is_ready, memory_order_acquire) &&
	       !instance_is_blocked(el->in);
}

/* From handed over to answered, which is now. */
static int64_t
count_time(const struct element *el, const struct event *ev)
{
	int64_t now_ns = timer_now_ns();

	metric_record(el->stage_seconds, now_ns - ev->stage_ns);
	return now_ns;
}

/* Its first try at this element, or one more. */
static int64_t
handle(struct pass *pass, struct element *el, struct event *ev)
{
	enum evh_result verdict;

	if (!element_looks_at(el, ev)) {
		pipeline_advance(pass, ev);
		return VERDICT_MOVED_ON;
	}
	if (atomic_load_explicit(&el->pipeline->cuts_short,
				 memory_order_relaxed) ||
	    pipeline_hands_back(ev)) {
		completion_end(pass, ev, EVH_RETRY);
		return VERDICT_MOVED_ON;
	}
	if (!element_is_ready(el))
		return verdict_await_ready(el, ev);
	if (!verdict_may_ask(el, ev)) {
		ev->awaits_ready = true;
		return timer_now_ns() + VERDICT_ALONE_NS;
	}
	ev->awaits_ready = false;
	ev->stage_ns = pass->run.last_ns;
	verdict = verdict_ask(pass, el, ev);
	if (verdict >= EVH_OK && verdict <= EVH_FAIL) {
		pass->run.counts[verdict]++;
		pass->run.last_ns = count_time(el, ev);
	}
	return verdict_apply(pass, el, ev, verdict);
}

static void lane_end(struct pass *pass, struct worker *w, struct event *ev,
		     enum evh_result verdict);

/* When to look after it while it stands; 0: not before it is resumed. */
static int64_t
stand_due(struct event *ev, bool is_held)
{
	unsigned timeout_ms = event_element(ev)->in->timeout_ms;

	if (!is_held)
		return ev->stand_until_ns;
	if (timeout_ms == 0 || ev->is_late)
		return 0;
	ev->held_ns = watch_now_ns(ev->pipeline);
	return timer_now_ns() + timeout_ms * NS_PER_MS;
}

/* On its worker: foremost of its lane, with these behind it. */
static void
stand_here(struct pass *pass, struct worker *w, struct event *ev,
	   const struct event_list *behind)
{
	int expected = EVENT_LOOKED_AT;
	bool is_held = ev->stand_until_ns == VERDICT_UNTIL_RESUMED;

	/* Nobody waits any more, and the poke that says so may be over. */
	if (!is_held && atomic_load(&ev->pipeline->gives_up))
		ev->stand_until_ns = DUE_NOW;
	lanes_stand(&w->lanes, ev, stand_due(ev, is_held));
	ev->behind = *behind;
	lane_share_stand(&ev->pipeline->shares, ev, 1);
	if (is_held &&
	    !atomic_compare_exchange_strong(&ev->hold, &expected, EVENT_HELD))
		handling_resume(pass, w, ev);
}

/* Makes it stand on its worker, from wherever this is.  If that is another
 * thread, which may go on with it at once, then those before it go first. */
static void
stand(struct pass *pass, struct event *ev, int64_t until_ns)
{
	struct worker *w = pipeline_worker(ev->pipeline, ev);
	struct event_list list = { 0 };

	ev->stand_until_ns = until_ns;
	if (pass->worker == w) {
		diversion_enter(ev);
		handling_stand(pass, w, ev);
		return;
	}
	pass_run_ahead(pass, ev);
	diversion_enter(ev);
	ev->mail = EVENT_STANDS;
	event_list_push(&list, ev);
	worker_post(w, &list);
}

static void
post_arrival(struct event_list *lists, struct pipeline *p, struct event *ev)
{
	unsigned i = p->n_workers ? (unsigned)(ev->lane % p->n_workers) : 0;

	diversion_enter(ev);
	ev->goes_by_inbox = false;
	ev->mail = EVENT_ARRIVES;
	event_list_push(&lists[i], ev);
}

/* To the workers that they belong to, one hand-over each. */
void
handling_post(struct pipeline *p, struct event_list *run)
{
	struct event_list lists[PIPELINE_MAX_WORKERS] = { 0 };
	struct event *ev;
	unsigned n = p->n_workers ? p->n_workers : 1;

	while ((ev = event_list_pop(run)))
		post_arrival(lists, p, ev);
	for (unsigned i = 0; i < n; i++)
		worker_post(p->workers[i], &lists[i]);
}

static bool
wait_behind(struct worker *w, struct event *ev)
{
	struct event *head = w ? lanes_find(&w->lanes, ev) : NULL;

	if (head)
		event_list_push(&head->behind, ev);
	return head != NULL;
}

/* What is counted once for many, and so is not told event by event. */
static void
run_begin(struct pass *pass, struct element *el, struct event_list *list)
{
	struct run *run = &pass->run;

	/* Whatever stands within a run stands with nobody behind it, so that
	 * no other run begins there. */
	assert(!run->element);
	run->element = el;
	run->last_ns = timer_now_ns();
	event_list_append(&run->here, list);
}

static void
run_end(struct run *run)
{
	for (int r = EVH_OK; r <= EVH_FAIL; r++) {
		element_count(run->element, (enum evh_result)r, run->counts[r]);
		run->counts[r] = 0;
	}
	run->element = NULL;
}

static void
pass_set_cut(struct pass *pass)
{
	if (pass->cut_ns == 0)
		pass->cut_ns = timer_coarse_ns() + PASS_MAX_NS;
}

static void
pass_look_at_clock(struct pass *pass)
{
	if (pass->worker && timer_coarse_ns() > pass->cut_ns)
		pass->is_cut = true;
}

/* One event that is here and has its turn. */
static void
take_one(struct pass *pass, struct element *el, struct event *ev)
{
	int64_t until_ns;

	ev->pub.attempt = 1;
	until_ns = handle(pass, el, ev);
	if (until_ns != VERDICT_MOVED_ON)
		stand(pass, ev, until_ns);
	pass_look_at_clock(pass);
}

static void
run_go_on(struct pass *pass)
{
	struct run *run = &pass->run;
	struct element *el = run->element;
	/* On the stack, since no process() is called once the pass is cut. */
	struct event_list back = { 0 };
	struct event *ev;

	while ((ev = event_list_pop(&run->here))) {
		if (!pipeline_is_here(pass, el->pipeline, ev)) {
			event_list_push(&run->elsewhere, ev);
		} else if (pass->is_cut) {
			ev->mail = EVENT_ARRIVES;
			event_list_push(&back, ev);
		} else if (!wait_behind(pass->worker, ev)) {
			take_one(pass, el, ev);
		}
	}
	pass_put_back(pass, &back);
	handling_post(el->pipeline, &run->elsewhere);
	run_end(run);
}

void
handling_take(struct pass *pass, struct element *el, struct event_list *list)
{
	pass_set_cut(pass);
	run_begin(pass, el, list);
	run_go_on(pass);
}

/* The lane's foremost event is gone: those behind it have their turn, until
 * one of them stands, or the pass has lasted long enough. */
static void
lane_go_on(struct pass *pass, struct worker *w, struct element *el,
	   struct event_list *behind)
{
	static const struct event_list nobody;
	struct event_list *here = &pass->run.here;
	struct event *ev;

	if (!behind->head)
		return;
	pass_set_cut(pass);
	run_begin(pass, el, behind);
	while (!pass->is_cut && (ev = event_list_pop(here)))
		if (!wait_behind(w, ev))
			take_one(pass, el, ev);
	while ((ev = event_list_pop(here))) {
		if (wait_behind(w, ev))
			continue;
		ev->pub.attempt = 1;
		ev->stand_until_ns = pass->run.last_ns;
		stand_here(pass, w, ev, &nobody);
	}
	run_end(&pass->run);
}

/* Takes the lane away from its foremost event, acts on the verdict (0: it is
 * given up), and lets the others go on. */
static void
lane_end(struct pass *pass, struct worker *w, struct event *ev,
	 enum evh_result verdict)
{
	struct element *el = event_element(ev);
	struct event_list behind;
	struct pipeline *p = ev->pipeline;
	int64_t until_ns = VERDICT_MOVED_ON;

	lanes_leave(&w->lanes, ev, &behind);
	lane_share_stand(&p->shares, ev, -1);
	if (verdict == 0)
		completion_end(pass, ev, EVH_RETRY);
	else
		until_ns = verdict_apply(pass, el, ev, verdict);
	if (until_ns != VERDICT_MOVED_ON) {
		ev->stand_until_ns = until_ns;
		stand_here(pass, w, ev, &behind);
		return;
	}
	window_wake(&p->window);
	lane_go_on(pass, w, el, &behind);
}

void
handling_stand(struct pass *pass, struct worker *w, struct event *ev)
{
	static const struct event_list nobody;

	stand_here(pass, w, ev, &nobody);
}

void
handling_resume(struct pass *pass, struct worker *w, struct event *ev)
{
	if (ev->is_late)
		ev->verdict = watch_fail(event_element(ev)->in, ev);
	element_count(event_element(ev), ev->verdict, 1);
	(void)count_time(event_element(ev), ev);
	lane_end(pass, w, ev, ev->verdict);
}

/* Foremost only because the pass was cut before it had its first try, it may
 * be one that the handler does not look at. */
static enum evh_result
ask_again(struct pass *pass, struct element *el, struct event *ev)
{
	enum evh_result verdict;

	if (!element_looks_at(el, ev))
		return EVH_OK;
	ev->stage_ns = timer_now_ns();
	verdict = verdict_ask(pass, el, ev);
	if (verdict >= EVH_OK && verdict <= EVH_FAIL) {
		element_count(el, verdict, 1);
		(void)count_time(el, ev);
	}
	return verdict;
}

/* It is held, and its handler has a timeout. */
static void
look_at_held(struct worker *w, struct event *ev, int64_t now_ns)
{
	struct instance *in = event_element(ev)->in;
	int64_t held_ns = watch_now_ns(ev->pipeline) - ev->held_ns;
	int64_t left_ns = in->timeout_ms * NS_PER_MS - held_ns;

	if (atomic_load(&ev->hold) != EVENT_HELD)
		return; /* resumed: it is in the inbox */
	if (left_ns > 0)
		timer_set(&w->lanes.due, &ev->timer, now_ns + left_ns);
	else
		watch_held(in, ev, held_ns);
}

void
handling_again(struct pass *pass, struct worker *w, struct event *ev,
	       int64_t now_ns)
{
	struct element *el = event_element(ev);

	if (ev->stand_until_ns == VERDICT_UNTIL_RESUMED) {
		look_at_held(w, ev, now_ns);
		return;
	}
	if (atomic_load(&el->pipeline->gives_up) ||
	    pipeline_is_late(el->pipeline, ev, now_ns)) {
		lane_end(pass, w, ev, 0);
		return;
	}
	if (!ev->awaits_ready && now_ns < ev->stand_until_ns) {
		/* Woken for another's sake. */
		timer_set(&w->lanes.due, &ev->timer, ev->stand_until_ns);
		return;
	}
	if (element_looks_at(el, ev) && !element_is_ready(el)) {
		timer_set(&w->lanes.due, &ev->timer,
			  verdict_await_ready(el, ev));
		return;
	}
	if (element_looks_at(el, ev) && !verdict_may_ask(el, ev)) {
		timer_set(&w->lanes.due, &ev->timer,
			  now_ns + verdict_wait_ns(el, ev, now_ns));
		return;
	}
	ev->awaits_ready = false;
	pass_set_cut(pass);
	lane_end(pass, w, ev, ask_again(pass, el, ev));
	pass_look_at_clock(pass);
}

void
handling_adopt(struct pass *pass, struct worker *w, struct event *ev)
{
	ev->is_late = true;
	ev->stand_until_ns = VERDICT_UNTIL_RESUMED;
	/* Tried again, it was foremost before. */
	if (!lanes_have(&w->lanes, ev)) {
		lanes_stand(&w->lanes, ev, 0);
		lane_share_stand(&ev->pipeline->shares, ev, 1);
	}
	/* The time that it was late is no part of the pass. */
	pass->cut_ns = 0;
	pass->run.last_ns = timer_now_ns();
	pass_set_cut(pass);
	if (pass->run.element)
		run_go_on(pass);
}

bool
handling_give_up(struct event *ev, enum evh_result verdict)
{
	int expected = EVENT_LOOKED_AT;
	struct instance *in = atomic_load(&ev->holder);

	ev->mail = EVENT_RESUMED;
	if (atomic_compare_exchange_strong(&ev->hold, &expected,
					   verdict == EVH_HOLD ? EVENT_HELD
							       : EVENT_LET_GO))
		return verdict != EVH_HOLD;
	if (verdict != EVH_HOLD)
		instance_blame(in, &ev->pub,
			       "resume() and a verdict for the same event: "
			       "the verdict counts");
	return true;
}

void
handling_let_go(struct instance *in, struct event *ev, enum evh_result verdict)
{
	int expected = EVENT_LOOKED_AT;
	struct event_list list = { 0 };

	if (!event_is_live(ev) || atomic_load(&ev->holder) != in ||
	    atomic_load(&ev->hold) == EVENT_LET_GO) {
		instance_blame(in, NULL,
			       "resume() of an event that it does not hold: "
			       "ignored");
		return;
	}
	if (verdict < EVH_OK || verdict > EVH_FAIL) {
		instance_blame(in, &ev->pub,
			       "resume() with %d, which is no verdict: "
			       "the event counts as failed",
			       (int)verdict);
		verdict = EVH_FAIL;
	}
	ev->verdict = verdict;
	if (atomic_compare_exchange_strong(&ev->hold, &expected, EVENT_LET_GO))
		return; /* process() has not returned its HOLD yet */
	expected = EVENT_HELD;
	if (!atomic_compare_exchange_strong(&ev->hold, &expected,
					    EVENT_LET_GO)) {
		instance_blame(in, NULL, "resume() twice: ignored");
		return;
	}
	ev->mail = EVENT_RESUMED;
	event_list_push(&list, ev);
	worker_post(pipeline_worker(ev->pipeline, ev), &list);
}

int
handling_emit(struct instance *in, struct evh_event *const *evs, int n)
{
	for (int i = 0; i < n; i++) {
		struct event *ev = (struct event *)evs[i];
		struct event *parent = ev->origin;

		if (!event_is_live(ev) || atomic_load(&ev->holder) != in ||
		    !parent || atomic_load(&parent->holder) != in) {
			instance_blame(in, NULL,
				       "emit() of what is no child of the "
				       "event it is at: refused");
			return i > 0 ? i : -EINVAL;
		}
		atomic_store(&ev->holder, NULL);
		event_settle(ev);
		ev->pos = parent->pos;
		event_list_push(&parent->children, ev);
	}
	return n;
}
