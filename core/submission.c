#include "submission.h"

#include <errno.h>
#include <string.h>

#include "condition.h"
#include "delivery.h"
#include "instance.h"
#include "log.h"
#include "timer.h"

/* One submit(), one group of answers. */
#define BATCH_MAX 256

/* For a submit() that is under way while its sink answers RETRY. */
#define RETURN_MAX_NS INT64_C(1000000000)

/* Those of evs that the sink has not taken; it may have answered one all the
 * same, which is then none of ours. */
static void
take_back(struct instance *in, struct evh_event *const *evs, int n,
	  struct event_list *ret)
{
	for (int i = 0; i < n; i++) {
		struct event *ev = (struct event *)evs[i];
		struct instance *holder = in;

		if (atomic_compare_exchange_strong(&ev->holder, &holder, NULL))
			event_list_push(ret, ev);
		else
			instance_blame(in, NULL,
				       "done() of an event that its submit() "
				       "did not take: it counts as answered");
	}
}

/* submit() took nothing: it is full, or says what is wrong, which is told once
 * and looked at again after a back-off. */
static void
submit_failed(struct delivery *d, int rc)
{
	struct log_facts facts = { .instance = d->element->in->name,
				   .pipeline = d->element->pipeline->name };
	bool is_news;

	if (rc == -EAGAIN)
		return;
	pthread_mutex_lock(&d->lock);
	is_news = d->submit_error != rc;
	d->submit_error = rc;
	if (!d->element->is_optional)
		delivery_stand_back(d);
	pthread_mutex_unlock(&d->lock);
	if (is_news)
		log_write(EVH_WARN, &facts, "submit() failed: %s",
			  strerror(-rc));
}

/* Calls submit() with the first of the list, which are in hand already;
 * takes out of it those that the sink took. */
static unsigned
submit_some(struct delivery *d, struct event_list *list)
{
	struct instance *in = d->element->in;
	struct evh_event *evs[BATCH_MAX];
	struct event_list rest = { 0 };
	int64_t now_ns = timer_now_ns();
	struct event *ev;
	int n = 0;
	int taken;

	for (ev = list->head; ev && n < BATCH_MAX; ev = ev->next) {
		ev->stage_ns = now_ns;
		atomic_store(&ev->holder, in);
		evs[n++] = &ev->pub;
	}
	/* From here on the taken ones may be answered, gone and used again:
	 * the list is walked no more but through evs and ev, the next. */
	taken = instance_submit(in, evs, n);
	if (taken > n) {
		instance_blame(in, NULL, "submit() of %d events took %d", n,
			       taken);
		taken = n;
	}
	if (taken < 0) {
		submit_failed(d, taken);
		taken = 0;
	}
	take_back(in, evs + taken, n - taken, &rest);
	list->n -= (unsigned)n;
	list->head = ev;
	event_list_append(&rest, list);
	*list = rest;
	return (unsigned)taken;
}

void
submission_begin(struct delivery *d)
{
	d->n_submitting++;
}

/* The first batch was decided on together with all; the next one not if the
 * sink has said RETRY since. */
static bool
submit_again(struct delivery *d)
{
	bool goes_on;

	pthread_mutex_lock(&d->lock);
	goes_on = !d->is_standing;
	if (goes_on)
		submission_begin(d);
	pthread_mutex_unlock(&d->lock);
	return goes_on;
}

static void
submit_end(struct delivery *d, unsigned taken)
{
	pthread_mutex_lock(&d->lock);
	if (taken > 0)
		d->submit_error = 0;
	if (--d->n_submitting == 0)
		pthread_cond_broadcast(&d->returned);
	pthread_mutex_unlock(&d->lock);
}

void
submission_run(struct pass *pass, struct delivery *d, struct event_list *list)
{
	const struct instance *outer = pass->submitting;
	struct event_list behind = pass->moving;
	unsigned n, taken;

	pass->moving = (struct event_list){ 0 };
	do {
		n = list->n < BATCH_MAX ? list->n : BATCH_MAX;
		pass->submitting = d->element->in;
		taken = submit_some(d, list);
		pass->submitting = outer;
		submit_end(d, taken);
		pass_run(pass);
	} while (list->head && taken == n && submit_again(d));
	pass->moving = behind;
}

void
submission_await(struct pass *pass, struct delivery *d)
{
	struct instance *in = d->element->in;
	int64_t due_ns = timer_now_ns() + RETURN_MAX_NS;
	bool is_in_time = true;

	if (pass->submitting == in)
		return;
	pthread_mutex_lock(&d->lock);
	while (d->n_submitting > 0 && is_in_time)
		is_in_time = condition_wait(&d->returned, &d->lock, due_ns);
	pthread_mutex_unlock(&d->lock);
	if (!is_in_time)
		instance_blame(in, NULL,
			       "submit() goes on for a second after a done() "
			       "with RETRY, for which it may not wait: an "
			       "event may overtake another");
}
