#include "delivery.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "completion.h"
#include "condition.h"
#include "diversion.h"
#include "handling.h"
#include "instance.h"
#include "metrics.h"
#include "submission.h"
#include "timer.h"
#include "worker.h"

/* A sink's RETRY is its server's trouble: this long, doubling. */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS	 10000

/* A full sink that has nothing in hand will not answer: ask it again soon. */
#define FULL_WAIT_NS INT64_C(5000000)

struct delivery *
delivery_new(struct element *el)
{
	struct delivery *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->element = el;
	waiting_init(&d->waiting, el->pipeline);
	if (pthread_mutex_init(&d->lock, NULL) != 0)
		goto fail_lock;
	if (condition_init(&d->returned) < 0)
		goto fail_cond;
	return d;
fail_cond:
	pthread_mutex_destroy(&d->lock);
fail_lock:
	free(d);
	return NULL;
}

void
delivery_free(struct delivery *d)
{
	if (!d)
		return;
	assert(!d->waiting.list.head && d->n_in_hand == 0);
	pthread_cond_destroy(&d->returned);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void
delivery_stand_back(struct delivery *d)
{
	if (!d->is_standing)
		d->n_backoffs++;
	d->is_standing = true;
	d->due_ns = timer_now_ns() + timer_backoff_ns(d->n_backoffs + 1,
						      BACKOFF_FIRST_MS,
						      BACKOFF_MAX_MS);
}

/* An optional sink that cannot have it now does without.  Those that it had
 * before may be on their way by the inbox, and are not overtaken. */
static void
pass_over(struct pass *pass, struct delivery *d, struct event_list *list)
{
	struct event *ev;

	if (list->n > 0)
		metric_record(d->element->passed_over, list->n);
	while ((ev = event_list_pop(list))) {
		ev->goes_by_inbox = true;
		pipeline_advance(pass, ev);
	}
}

/* Not taken after all.  Under lock. */
static void
keep_waiting(struct delivery *d, struct event_list *list)
{
	d->n_in_hand -= list->n;
	waiting_add_again(&d->waiting, list);
}

/* Whether what has come must queue up.  Under lock. */
static bool
must_wait(const struct delivery *d, const struct pass *pass)
{
	return d->waiting.list.head || d->is_offering || d->is_standing ||
	       d->element->in == pass->caller ||
	       !atomic_load(&d->element->in->is_ready);
}

/* Stopping: those of a lane of which a handler's was handed back (completion.c
 * has marked it) go back as well.  Not those that have passed a sink of on_fail
 * or lack only an optional one: what they have is not taken from them.  Under
 * lock. */
static void
take_handed_back(struct delivery *d, struct event_list *run,
		 struct event_list *ret)
{
	struct event_list all = *run;
	struct event *ev;

	if (d->element->role != ELEMENT_CHAIN ||
	    !atomic_load(&d->element->pipeline->gives_up))
		return;
	*run = (struct event_list){ 0 };
	while ((ev = event_list_pop(&all)))
		event_list_push(pipeline_hands_back(ev) ? ret : run, ev);
}

static void
end_by_retry(struct pass *pass, struct event_list *list)
{
	struct event *ev;

	while ((ev = event_list_pop(list)))
		completion_end(pass, ev, EVH_RETRY);
}

/* All of it, or what the sink will have; the rest waits. */
static void
submit_here(struct pass *pass, struct delivery *d, struct event_list *run)
{
	submission_run(pass, d, run);
	if (!run->head)
		return;
	pthread_mutex_lock(&d->lock);
	keep_waiting(d, run);
	pthread_mutex_unlock(&d->lock);
	worker_poke(d->element->pipeline->pump);
}

static void
take_here(struct pass *pass, struct delivery *d, struct event_list *run)
{
	struct event_list back = { 0 };
	bool waits;

	pthread_mutex_lock(&d->lock);
	take_handed_back(d, run, &back);
	for (struct event *ev = run->head; ev; ev = ev->next)
		ev->seq = d->next_seq++;
	waits = must_wait(d, pass);
	if (waits) {
		waiting_add(&d->waiting, run);
	} else if (run->head) {
		d->n_in_hand += run->n;
		submission_begin(d);
	}
	pthread_mutex_unlock(&d->lock);
	end_by_retry(pass, &back);
	if (waits)
		worker_poke(d->element->pipeline->pump);
	else if (run->head)
		submit_here(pass, d, run);
}

static void
take_optional(struct pass *pass, struct delivery *d, struct event_list *run)
{
	struct instance *in = d->element->in;
	struct event_list behind;

	if (in != pass->caller && atomic_load(&in->is_ready)) {
		pthread_mutex_lock(&d->lock);
		d->n_in_hand += run->n;
		submission_begin(d);
		pthread_mutex_unlock(&d->lock);
		submission_run(pass, d, run);
		pthread_mutex_lock(&d->lock);
		d->n_in_hand -= run->n;
		pthread_mutex_unlock(&d->lock);
	}
	/* At once, for the same reason as in submission_run(). */
	behind = pass->moving;
	pass->moving = (struct event_list){ 0 };
	pass_over(pass, d, run);
	pass_run(pass);
	pass->moving = behind;
}

/* A sink that wants one call at a time may let its caller wait: only the worker
 * that the event belongs to, or who emits it. */
static bool
is_here(const struct pass *pass, const struct delivery *d,
	const struct event *ev)
{
	const struct element *el = d->element;

	return el->in->plugin->threads == EVH_PARALLEL ||
	       pipeline_is_here(pass, el->pipeline, ev);
}

void
delivery_take(struct pass *pass, struct delivery *d, struct event_list *run)
{
	struct event_list here = { 0 };
	struct event_list elsewhere = { 0 };
	struct event *ev;

	while ((ev = event_list_pop(run))) {
		if (!is_here(pass, d, ev)) {
			event_list_push(&elsewhere, ev);
			continue;
		}
		diversion_leave_with(pass, ev);
		event_list_push(&here, ev);
	}
	handling_post(d->element->pipeline, &elsewhere);
	if (!here.head)
		return;
	if (d->element->is_optional)
		take_optional(pass, d, &here);
	else
		take_here(pass, d, &here);
}

/* Those that wait for no longer.  Stopping, these are all, and whoever comes
 * behind them waits, and is one of the next: the sink stands for good, so that
 * nobody is done before what it has handed back.  (Behind what a handler hands
 * back, the mark of take_handed_back() does that.)  Under lock. */
static void
take_late(struct delivery *d, int64_t now_ns, struct event_list *ret)
{
	if (!atomic_load(&d->element->pipeline->gives_up)) {
		waiting_take_late(&d->waiting, now_ns, ret);
		return;
	}
	waiting_take(&d->waiting, ret);
	if (ret->head)
		delivery_stand_back(d);
}

/* May the waiting be offered now; if not, when.  Under lock. */
static bool
may_offer(struct delivery *d, int64_t now_ns, int64_t *ret_next_ns)
{
	if (!d->waiting.list.head || d->is_offering)
		return false;
	if (!atomic_load(&d->element->in->is_ready))
		return false;
	if (d->is_standing && d->n_in_hand > 0)
		return false;
	if (d->is_standing && now_ns < d->due_ns) {
		*ret_next_ns = d->due_ns;
		return false;
	}
	d->is_standing = false;
	return true;
}

/* The pump hands over all that waits, or as much as the sink will have. */
static void
offer(struct pass *pass, struct delivery *d, int64_t now_ns,
      int64_t *ret_next_ns)
{
	struct event_list list = { 0 };
	bool is_full;

	/* Under lock, left for the call: is_offering keeps others behind. */
	waiting_take(&d->waiting, &list);
	d->is_offering = true;
	d->n_in_hand += list.n;
	submission_begin(d);
	pthread_mutex_unlock(&d->lock);
	submission_run(pass, d, &list);
	pthread_mutex_lock(&d->lock);
	d->is_offering = false;
	is_full = list.head != NULL;
	if (is_full)
		keep_waiting(d, &list);
	if (d->is_standing && d->waiting.list.head)
		*ret_next_ns = d->due_ns;
	else if (is_full && d->n_in_hand == 0)
		*ret_next_ns = now_ns + FULL_WAIT_NS;
	else if (!is_full && d->waiting.list.head)
		*ret_next_ns = now_ns;
}

int64_t
delivery_offer(struct pass *pass, struct delivery *d, int64_t now_ns)
{
	struct event_list late = { 0 };
	int64_t next_ns = INT64_MAX;

	pthread_mutex_lock(&d->lock);
	take_late(d, now_ns, &late);
	if (may_offer(d, now_ns, &next_ns))
		offer(pass, d, now_ns, &next_ns);
	if (d->waiting.late_ns < next_ns)
		next_ns = d->waiting.late_ns;
	pthread_mutex_unlock(&d->lock);
	end_by_retry(pass, &late);
	return next_ns;
}

/* Answered RETRY: offered again after a back-off, unless nobody waits for
 * that.  Either way nothing of a list that is being handed over follows it. */
static void
answer_retry(struct pass *pass, struct delivery *d, struct event_list *list)
{
	struct pipeline *p = d->element->pipeline;
	bool is_optional = d->element->is_optional;

	pthread_mutex_lock(&d->lock);
	d->n_in_hand -= list->n;
	if (!is_optional) {
		delivery_stand_back(d);
		if (!atomic_load(&p->gives_up))
			waiting_add_again(&d->waiting, list);
	}
	pthread_mutex_unlock(&d->lock);
	if (is_optional)
		pass_over(pass, d, list);
	else
		submission_await(pass, d);
	end_by_retry(pass, list);
	worker_poke(p->pump);
}

static void
answer_final(struct pass *pass, struct delivery *d, struct event_list *list,
	     enum evh_result result)
{
	const struct element *el = d->element;
	bool wakes;
	struct event *ev;

	pthread_mutex_lock(&d->lock);
	d->n_in_hand -= list->n;
	d->n_backoffs = 0;
	wakes = d->waiting.list.head != NULL;
	pthread_mutex_unlock(&d->lock);
	if (wakes)
		worker_poke(el->pipeline->pump);
	if (result == EVH_FAIL && el->is_optional) {
		pass_over(pass, d, list);
		return;
	}
	while ((ev = event_list_pop(list))) {
		ev->goes_by_inbox = true;
		if (result == EVH_FAIL) {
			pipeline_fail(pass, ev, "store", "the sink refused it");
			continue;
		}
		ev->is_kept = ev->is_kept || el->role != ELEMENT_CHAIN;
		pipeline_advance(pass, ev);
	}
}

static void
answer(struct pass *pass, struct delivery *d, struct event_list *list,
       enum evh_result result)
{
	struct element *el = d->element;
	int64_t now_ns = timer_now_ns();

	element_count(el, result, list->n);
	for (struct event *ev = list->head; ev; ev = ev->next)
		metric_record(el->stage_seconds, now_ns - ev->stage_ns);
	if (result == EVH_RETRY)
		answer_retry(pass, d, list);
	else
		answer_final(pass, d, list, result);
}

/* Is it this sink's to answer; takes it back if so. */
static bool
done_is_due(struct instance *in, struct event *ev)
{
	struct instance *holder = in;

	if (!event_is_live(ev)) {
		instance_blame(in, NULL,
			       "done() of an event that is gone: ignored");
		return false;
	}
	if (!atomic_compare_exchange_strong(&ev->holder, &holder, NULL)) {
		instance_blame(in, &ev->pub,
			       "done() of an event that it does not have: "
			       "ignored");
		return false;
	}
	return true;
}

void
delivery_done(struct instance *in, struct evh_event *const *evs, int n,
	      enum evh_result result)
{
	struct pass own;
	struct pass *pass = pass_begin(&own, in, NULL, false);
	struct event_list list = { 0 };
	struct delivery *d = NULL;

	if (result != EVH_OK && result != EVH_RETRY && result != EVH_FAIL) {
		instance_blame(in, NULL,
			       "done() with %d, which a sink cannot say: "
			       "counts as FAIL",
			       (int)result);
		result = EVH_FAIL;
	}
	for (int i = 0; i < n; i++) {
		struct event *ev = (struct event *)evs[i];
		struct delivery *at;

		if (!done_is_due(in, ev))
			continue;
		at = event_element(ev)->delivery;
		if (list.head && at != d)
			answer(pass, d, &list, result);
		d = at;
		event_list_push(&list, ev);
	}
	if (list.head)
		answer(pass, d, &list, result);
	pass_end(&own);
}

void
delivery_state(struct delivery *d, unsigned *ret_in_hand, unsigned *ret_waiting)
{
	pthread_mutex_lock(&d->lock);
	*ret_in_hand = d->n_in_hand;
	*ret_waiting = d->waiting.list.n;
	pthread_mutex_unlock(&d->lock);
}
