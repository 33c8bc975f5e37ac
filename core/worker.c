#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "condition.h"
#include "delivery.h"
#include "handling.h"
#include "log.h"
#include "pipeline.h"

#define TURN_MAX_MS 60000

struct worker *
worker_new(struct pipeline *p, unsigned number, bool is_pump)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->pipeline = p;
	w->number = number;
	w->is_pump = is_pump;
	if (condition_init(&w->wake) < 0)
		goto fail;
	if (pthread_mutex_init(&w->lock, NULL) != 0) {
		pthread_cond_destroy(&w->wake);
		goto fail;
	}
	return w;
fail:
	free(w);
	return NULL;
}

void
worker_free(struct worker *w)
{
	if (!w)
		return;
	assert(!w->is_started && !w->inbox.head && !w->backlog.head &&
	       w->lanes.n == 0);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	free(w);
}

void
worker_post(struct worker *w, struct event_list *list)
{
	bool was_empty;

	if (!list->head)
		return;
	pthread_mutex_lock(&w->lock);
	was_empty = !w->inbox.head;
	event_list_append(&w->inbox, list);
	if (was_empty)
		pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void
worker_poke(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->is_poked = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

static void
worker_read(struct worker *w, struct pass *pass)
{
	struct event *ev;

	pthread_mutex_lock(&w->lock);
	event_list_append(&w->backlog, &w->inbox);
	pthread_mutex_unlock(&w->lock);
	while ((ev = event_list_pop(&w->backlog))) {
		switch (ev->mail) {
		case EVENT_ARRIVES:
			pass_move(pass, ev);
			break;
		case EVENT_STANDS:
			handling_stand(pass, w, ev);
			break;
		case EVENT_RESUMED:
			handling_resume(pass, w, ev);
			break;
		}
	}
}

static int64_t
pump_turn(struct worker *w, struct pass *pass, int64_t now_ns)
{
	struct pipeline *p = w->pipeline;
	int64_t next_ns = INT64_MAX;

	for (unsigned i = 0; i < p->n_elements; i++) {
		int64_t due_ns;

		if (!p->elements[i].delivery)
			continue;
		due_ns = delivery_offer(pass, p->elements[i].delivery, now_ns);
		if (due_ns < next_ns)
			next_ns = due_ns;
	}
	return next_ns;
}

/* What is in the pass already, and what else there is to do. */
static int64_t
turn_go_on(struct worker *w, struct pass *pass, int64_t now_ns)
{
	struct event *ev;
	int64_t next_ns = INT64_MAX;

	/* A lane before its inbox: who waits is older than who comes. */
	while (!pass->is_cut && (ev = lanes_due(&w->lanes, now_ns)))
		handling_again(pass, w, ev, now_ns);
	worker_read(w, pass);
	if (w->is_pump)
		next_ns = pump_turn(w, pass, now_ns);
	pass_end(pass);
	w->backlog = pass->put_back;
	if (w->backlog.head)
		return now_ns;
	if (w->lanes.due.root && w->lanes.due.root->due_ns < next_ns)
		next_ns = w->lanes.due.root->due_ns;
	return next_ns;
}

int64_t
worker_turn(struct worker *w, int64_t now_ns, bool was_poked)
{
	struct pass *pass = pass_begin(&w->pass, NULL, w, false);

	/* The backlog before a lane: it is further along. */
	event_list_append(&pass->moving, &w->backlog);
	if (was_poked)
		lanes_hurry(&w->lanes, now_ns);
	return turn_go_on(w, pass, now_ns);
}

/* The turn that the late thread began. */
static int64_t
turn_adopt(struct worker *w)
{
	struct event *late = w->late;

	w->late = NULL;
	pass_adopt(&w->pass);
	handling_adopt(&w->pass, w, late);
	return turn_go_on(w, &w->pass, timer_now_ns());
}

/* Waits for mail, a poke, or the time.  Says whether it was poked. */
static bool
worker_wait(struct worker *w, int64_t next_ns, bool *ret_stop)
{
	int64_t max_ns = timer_now_ns() + TURN_MAX_MS * NS_PER_MS;
	bool was_poked;

	if (next_ns > max_ns)
		next_ns = max_ns;
	pthread_mutex_lock(&w->lock);
	while (!w->inbox.head && !w->is_poked && !w->is_stopping &&
	       condition_wait(&w->wake, &w->lock, next_ns))
		;
	was_poked = w->is_poked;
	w->is_poked = false;
	*ret_stop = w->is_stopping && !w->inbox.head && !w->backlog.head;
	pthread_mutex_unlock(&w->lock);
	return was_poked;
}

static void
worker_run(struct worker *w, int64_t next_ns)
{
	bool stops = false;

	while (!stops) {
		bool was_poked = worker_wait(w, next_ns, &stops);

		next_ns = worker_turn(w, timer_now_ns(), was_poked);
	}
}

static void *
worker_main(void *arg)
{
	worker_run(arg, INT64_MAX);
	return NULL;
}

static void
thread_name(const struct worker *w, pthread_t thread)
{
	char name[16];

	/* Names are cut at 15 characters by the kernel. */
	if (w->is_pump)
		snprintf(name, sizeof(name), "pump/%.10s", w->pipeline->name);
	else
		snprintf(name, sizeof(name), "w%u/%.10s", w->number % 1000,
			 w->pipeline->name);
	(void)pthread_setname_np(thread, name);
}

void *
worker_spare(void *arg)
{
	struct worker *w = arg;
	bool is_mine;

	pthread_mutex_lock(&w->lock);
	is_mine = pthread_equal(w->thread, pthread_self());
	pthread_mutex_unlock(&w->lock);
	if (!is_mine)
		return NULL;
	thread_name(w, pthread_self());
	worker_run(w, turn_adopt(w));
	return NULL;
}

_Noreturn void
worker_leave(struct worker *w, struct event *ev, enum evh_result verdict)
{
	if (handling_give_up(ev, verdict)) {
		struct event_list list = { 0 };

		event_list_push(&list, ev);
		worker_post(w, &list);
	}
	/* Nothing is left on this stack: all was in the worker. */
	pthread_exit(NULL);
}

int
worker_start(struct worker *w)
{
	struct log_facts facts = { .pipeline = w->pipeline->name };
	int rc;

	rc = pthread_create(&w->thread, NULL, worker_main, w);
	if (rc != 0) {
		log_write(EVH_ERROR, &facts, "cannot start a thread: error %d",
			  rc);
		return -rc;
	}
	w->is_started = true;
	thread_name(w, w->thread);
	return 0;
}

void
worker_stop(struct worker *w)
{
	if (!w->is_started)
		return;
	pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->is_started = false;
}
