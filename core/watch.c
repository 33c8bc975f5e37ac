#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "awake.h"
#include "clock.h"
#include "condition.h"
#include "event.h"
#include "host_tables.h"
#include "instance.h"
#include "late_word.h"
#include "log.h"
#include "marks.h"
#include "pass.h"
#include "pipeline.h"
#include "worker.h"

/* It looks so many times in a timeout, at least once a second. */
#define LOOKS	    8
#define TICK_MAX_MS 1000

#define ENDS	     "evhd ends, by on_timeout"
#define INSIDE_STILL "process() has not returned"

/* The lowest bits of a call's turn. */
enum { AWAY, INSIDE, LATE, TAKEN, STATES };

struct watch_thread {
	pthread_t thread;
	bool is_used;
};

struct watch {
	struct pipeline *pipeline;
	unsigned tick_ms;
	pthread_t thread;
	pthread_mutex_t lock; /* guards: is_stopping, awake */
	pthread_cond_t wake;
	bool is_stopping;
	struct awake awake;
	/* The watchdog's own: threads whose worker is another's.  As many as
	 * the pipeline has workers. */
	struct watch_thread *late;
};

/* ---- What is late ------------------------------------------------------- */

int64_t
watch_now_ns(const struct pipeline *p)
{
	struct watch *watch = p->watch;
	int64_t now_ns;

	if (!watch)
		return timer_now_ns();
	pthread_mutex_lock(&watch->lock);
	now_ns = awake_now_ns(&watch->awake);
	pthread_mutex_unlock(&watch->lock);
	return now_ns;
}

/* on_timeout = "abort".  The main thread may be waiting for the very plugin,
 * so that nobody but this one can end the process: at once, and with nothing
 * claimed that was not finished. */
static _Noreturn void
end_process(const struct instance *in, struct marks_slot *mark)
{
	marks_be_late(mark);
	if (in->host->marks)
		marks_keep_late(in->host->marks);
	_exit(EX_SOFTWARE);
}

void
watch_held(struct instance *in, struct event *ev, int64_t held_ns)
{
	struct late_word word = {
		.what = "it holds the event without resume()",
		.consequence = in->aborts ? ENDS : "its lane stands",
		.took_ns = held_ns,
	};
	struct marks *marks = in->host->marks;

	late_word_take(&word, in, ev);
	late_word_say(&word);
	ev->is_late = true;
	if (in->aborts)
		end_process(in, marks ? marks_enter(marks, ev->pub.id,
						    marks_place(in->mark, ev))
				      : NULL);
	late_add(&in->late, ev->pub.id, timer_now_ns() - held_ns, true);
}

enum evh_result
watch_fail(struct instance *in, struct event *ev)
{
	char text[96];

	ev->is_late = false;
	late_remove(&in->late, ev->pub.id);
	snprintf(text, sizeof(text),
		 "its verdict came later than the timeout of %u ms",
		 in->timeout_ms);
	(void)event_set_error(ev, "timeout", text);
	return EVH_FAIL;
}

/* ---- The worker's side -------------------------------------------------- */

static uint64_t
call_begin(struct watch_call *call, struct instance *in, struct event *ev,
	   struct marks_slot *mark)
{
	uint64_t turn = atomic_load_explicit(&call->turn, memory_order_relaxed);

	turn = (turn / STATES + 1) * STATES + INSIDE;
	atomic_store_explicit(&call->in, in, memory_order_relaxed);
	atomic_store_explicit(&call->event, ev, memory_order_relaxed);
	atomic_store_explicit(&call->mark, mark, memory_order_relaxed);
	atomic_store_explicit(&call->turn, turn, memory_order_release);
	return turn;
}

/* AWAY when it has returned in time, else LATE or TAKEN. */
static unsigned
call_end(struct worker *w, uint64_t turn)
{
	struct watch_call *call = &w->call;
	uint64_t inside = turn;
	unsigned state = TAKEN;

	if (atomic_compare_exchange_strong(&call->turn, &inside,
					   turn - INSIDE + AWAY))
		return AWAY;
	pthread_mutex_lock(&w->lock);
	if (atomic_load(&call->turn) == turn - INSIDE + LATE) {
		atomic_store(&call->turn, turn - INSIDE + AWAY);
		state = LATE;
	}
	pthread_mutex_unlock(&w->lock);
	return state;
}

/* Its instance may be called again. */
static void
call_unblock(struct instance *in)
{
	atomic_fetch_sub(&in->n_late, 1);
	host_poke_users(in->host, in);
}

/* This thread has no worker any more. */
static _Noreturn void
leave_late(struct worker *w, struct instance *in, struct event *ev,
	   struct marks_slot *mark, struct pass *guest, enum evh_result verdict)
{
	marks_leave(mark);
	instance_leave(in);
	if (verdict == EVH_HOLD)
		late_hold(&in->late, ev->pub.id);
	guest->looked_at = NULL;
	pass_end(guest);
	call_unblock(in);
	worker_leave(w, ev, verdict);
}

enum evh_result
watch_process(struct pass *pass, struct instance *in, struct event *ev,
	      struct marks_slot *mark)
{
	struct worker *w = pass->worker;
	struct pass guest;
	enum evh_result verdict;
	uint64_t turn;
	unsigned state;

	pass_lend(&guest, ev);
	turn = call_begin(&w->call, in, ev, mark);
	verdict = in->plugin->process(in->self, &ev->pub);
	state = call_end(w, turn);
	if (state == TAKEN)
		leave_late(w, in, ev, mark, &guest, verdict);
	pass_return(pass, &guest);
	if (state == AWAY)
		return verdict;
	ev->is_late = true;
	if (verdict == EVH_HOLD)
		late_hold(&in->late, ev->pub.id);
	atomic_fetch_sub(&in->n_stuck, 1);
	call_unblock(in);
	return verdict;
}

/* ---- The watchdog's side ------------------------------------------------ */

static struct watch_thread *
free_place(struct watch *watch)
{
	for (unsigned i = 0; i < watch->pipeline->n_workers; i++) {
		struct watch_thread *late = &watch->late[i];

		if (late->is_used &&
		    pthread_tryjoin_np(late->thread, NULL) == 0)
			late->is_used = false;
		if (!late->is_used)
			return late;
	}
	return NULL;
}

/* From this state of the call on it is late, once.  Under the worker's lock, so
 * that the event stays where it is. */
static void
be_late(struct worker *w, struct late_word *word)
{
	struct instance *in = atomic_load(&w->call.in);
	struct event *ev = atomic_load(&w->call.event);
	struct marks_slot *mark = atomic_load(&w->call.mark);

	late_word_take(word, in, ev);
	if (in->aborts) {
		late_word_say(word);
		end_process(in, mark);
	}
	marks_be_late(mark);
	if (in->host->marks)
		marks_let_in(in->host->marks, ev);
	late_add(&in->late, ev->pub.id, timer_now_ns() - word->took_ns, false);
	atomic_fetch_add(&in->n_late, 1);
}

/* Under the worker's lock. */
static bool
call_change(struct watch_call *call, uint64_t turn, unsigned state)
{
	return atomic_compare_exchange_strong(&call->turn, &turn,
					      turn / STATES * STATES + state);
}

/* Gives the worker to a spare thread.  False when there is none. */
static bool
take_over(struct worker *w, uint64_t turn, int64_t took_ns,
	  struct watch_thread *place)
{
	struct instance *in = atomic_load(&w->call.in);
	struct late_word word = {
		.what = INSIDE_STILL,
		.took_ns = took_ns,
		.consequence = "a spare thread takes over its worker, "
			       "its lane stands",
	};
	pthread_t spare;
	bool is_taken = false;

	/* The spare thread begins with this lock. */
	pthread_mutex_lock(&w->lock);
	if (pthread_create(&spare, NULL, worker_spare, w) != 0) {
		pthread_mutex_unlock(&w->lock);
		return false;
	}
	if (call_change(&w->call, turn, TAKEN)) {
		is_taken = true;
		*place = (struct watch_thread){ w->thread, true };
		w->thread = spare;
		w->late = atomic_load(&w->call.event);
		if (turn % STATES == INSIDE)
			be_late(w, &word);
		else
			atomic_fetch_sub(&in->n_stuck, 1);
	}
	pthread_mutex_unlock(&w->lock);
	late_word_say(&word);
	if (!is_taken)
		pthread_join(spare, NULL);
	return true;
}

static void
let_stand(struct worker *w, uint64_t turn, int64_t took_ns)
{
	struct instance *in = atomic_load(&w->call.in);
	struct late_word word = {
		.what = INSIDE_STILL,
		.took_ns = took_ns,
		.consequence = in->aborts ? ENDS
					  : "no spare thread is left, its "
					    "worker stands",
	};

	pthread_mutex_lock(&w->lock);
	if (call_change(&w->call, turn, LATE)) {
		be_late(w, &word);
		atomic_fetch_add(&in->n_stuck, 1);
	}
	pthread_mutex_unlock(&w->lock);
	late_word_say(&word);
}

static void
look_at(struct watch *watch, struct worker *w, int64_t now_ns)
{
	struct watch_call *call = &w->call;
	uint64_t turn = atomic_load_explicit(&call->turn, memory_order_acquire);
	struct instance *in = atomic_load(&call->in);
	struct watch_thread *place;
	int64_t took_ns;

	if (turn % STATES != INSIDE && turn % STATES != LATE)
		return;
	if (turn % STATES == INSIDE && turn != call->seen) {
		call->seen = turn;
		call->seen_ns = now_ns;
		return;
	}
	took_ns = now_ns - call->seen_ns;
	if (took_ns < in->timeout_ms * NS_PER_MS)
		return;
	place = in->aborts ? NULL : free_place(watch);
	if (place && take_over(w, turn, took_ns, place)) {
		host_wake(in->host);
		return;
	}
	if (turn % STATES == INSIDE)
		let_stand(w, turn, took_ns);
	host_wake(in->host);
}

/* Until the next look; false when it is time to stop. */
static bool
watch_wait(struct watch *watch, int64_t *ret_now_ns)
{
	int64_t due_ns = timer_now_ns() + watch->tick_ms * NS_PER_MS;
	bool goes_on;

	pthread_mutex_lock(&watch->lock);
	while (!watch->is_stopping &&
	       condition_wait(&watch->wake, &watch->lock, due_ns))
		;
	goes_on = !watch->is_stopping;
	*ret_now_ns = awake_tick_ns(&watch->awake);
	pthread_mutex_unlock(&watch->lock);
	return goes_on;
}

static void *
watch_main(void *arg)
{
	struct watch *watch = arg;
	const struct pipeline *p = watch->pipeline;
	int64_t now_ns;

	while (watch_wait(watch, &now_ns))
		for (unsigned i = 0; i < p->n_workers; i++)
			look_at(watch, p->workers[i], now_ns);
	return NULL;
}

/* ---- Its life ----------------------------------------------------------- */

/* The shortest of the handlers' timeouts; 0: none has one. */
static unsigned
shortest_timeout_ms(const struct pipeline *p)
{
	unsigned shortest = 0;

	for (unsigned i = 1; i < p->n_chain; i++) {
		unsigned ms = p->elements[i].in->timeout_ms;

		if (ms > 0 && (shortest == 0 || ms < shortest))
			shortest = ms;
	}
	return shortest;
}

bool
watch_is_needed(const struct pipeline *p)
{
	return p->n_workers > 0 && shortest_timeout_ms(p) > 0;
}

static struct watch *
watch_new(struct pipeline *p)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	unsigned tick_ms = shortest_timeout_ms(p) / LOOKS;

	if (!watch)
		return NULL;
	watch->pipeline = p;
	watch->tick_ms = tick_ms < 1		 ? 1
			 : tick_ms > TICK_MAX_MS ? TICK_MAX_MS
						 : tick_ms;
	awake_init(&watch->awake, watch->tick_ms);
	watch->late = calloc(p->n_workers, sizeof(*watch->late));
	if (!watch->late || condition_init(&watch->wake) < 0)
		goto fail;
	if (pthread_mutex_init(&watch->lock, NULL) != 0)
		goto fail_lock;
	return watch;
fail_lock:
	pthread_cond_destroy(&watch->wake);
fail:
	free(watch->late);
	free(watch);
	return NULL;
}

static void
watch_free(struct watch *watch)
{
	pthread_mutex_destroy(&watch->lock);
	pthread_cond_destroy(&watch->wake);
	free(watch->late);
	free(watch);
}

int
watch_start(struct pipeline *p)
{
	struct log_facts facts = { .pipeline = p->name };
	struct watch *watch = watch_new(p);
	char name[16];
	int rc;

	if (!watch)
		return -ENOMEM;
	/* Before its first look: workers read it only at an event. */
	p->watch = watch;
	rc = pthread_create(&watch->thread, NULL, watch_main, watch);
	if (rc != 0) {
		log_write(EVH_ERROR, &facts, "cannot start a thread: error %d",
			  rc);
		p->watch = NULL;
		watch_free(watch);
		return -rc;
	}
	snprintf(name, sizeof(name), "watch/%.9s", p->name);
	(void)pthread_setname_np(watch->thread, name);
	return 0;
}

void
watch_stop(struct pipeline *p)
{
	struct watch *watch = p->watch;

	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->is_stopping = true;
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	for (unsigned i = 0; i < p->n_workers; i++)
		if (watch->late[i].is_used)
			pthread_join(watch->late[i].thread, NULL);
	p->watch = NULL;
	watch_free(watch);
}
