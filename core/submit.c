#include "submit.h"

#include <time.h>

#include "delivery.h"
#include "host_tables.h"
#include "instance.h"
#include "timer.h"

/* One submit(), one group of answers. */
#define BATCH_MAX 256

/* A submit() does not take longer, or it is one that waits for the very thread
 * that answers. */
#define MAX_NS INT64_C(500000000)

void
submit_begin(struct delivery *d)
{
	atomic_fetch_add(&d->n_submitting, 1);
}

static void
submit_returned(struct delivery *d)
{
	if (atomic_fetch_sub(&d->n_submitting, 1) > 1 ||
	    atomic_load(&d->n_awaiting) == 0)
		return;
	pthread_mutex_lock(&d->lock);
	pthread_cond_broadcast(&d->submitted);
	pthread_mutex_unlock(&d->lock);
}

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
	submit_returned(d);
	if (taken > n) {
		instance_blame(in, NULL, "submit() of %d events took %d", n,
			       taken);
		taken = n;
	}
	if (taken < 0)
		taken = 0;
	take_back(in, evs + taken, n - taken, &rest);
	list->n -= (unsigned)n;
	list->head = ev;
	event_list_append(&rest, list);
	*list = rest;
	return (unsigned)taken;
}

/* The first batch was decided on together with all; the next one not if the
 * sink has said RETRY since. */
static bool
submit_goes_on(struct delivery *d)
{
	bool goes_on;

	pthread_mutex_lock(&d->lock);
	goes_on = !d->is_standing;
	if (goes_on)
		submit_begin(d);
	pthread_mutex_unlock(&d->lock);
	return goes_on;
}

void
submit_all(struct pass *pass, struct delivery *d, struct event_list *list)
{
	struct event_list behind = pass->moving;
	unsigned n, taken;

	pass->moving = (struct event_list){ 0 };
	do {
		n = list->n < BATCH_MAX ? list->n : BATCH_MAX;
		taken = submit_some(d, list);
		pass_run(pass);
	} while (list->head && taken == n && submit_goes_on(d));
	pass->moving = behind;
}

/* Who was about to offer a later event did not know of the RETRY. */
static void
await_one(struct delivery *d)
{
	int64_t due_ns = timer_now_ns() + MAX_NS;
	struct timespec due = { .tv_sec = due_ns / 1000000000,
				.tv_nsec = due_ns % 1000000000 };
	int rc = 0;

	atomic_fetch_add(&d->n_awaiting, 1);
	pthread_mutex_lock(&d->lock);
	while (atomic_load(&d->n_submitting) > 0 && rc == 0)
		rc = pthread_cond_timedwait(&d->submitted, &d->lock, &due);
	pthread_mutex_unlock(&d->lock);
	atomic_fetch_sub(&d->n_awaiting, 1);
}

void
submit_await(const struct instance *in)
{
	const struct host *host = in->host;

	for (unsigned i = 0; i < host->n_pipelines; i++) {
		const struct pipeline *p = host->pipelines[i];

		for (unsigned pos = 1; pos < p->n_elements; pos++)
			if (p->elements[pos].in == in)
				await_one(p->elements[pos].delivery);
	}
}
