/*
 * test_stress.c - thousands of events, everything at random, and what must hold
 * all the same: each is answered once, a key keeps its order, the window its
 * limit, and nothing is left.
 *
 * Twice: turn by turn on one thread, where a seed repeats what happened, and
 * with the threads that there really are.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "event.h"
#include "instance.h"
#include "log.h"
#include "pipeline.h"
#include "rig.h"
#include "timer.h"
#include "worker.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

#define EVENTS	  20000
#define FEWER	  6000 /* with threads, which wait for each other */
#define EMITTERS  2
#define KEYS	  8 /* of each emitter */
#define IN_FLIGHT 48
#define KEPT_MAX  512

/* A sink, or a handler that holds: what it has, in the order in which it got
 * it, and of each key what it has seen last. */
struct keeper {
	struct rig_element el;
	struct evh_event *kept[KEPT_MAX];
	int n;
	bool is_answering; /* a done() is on its way: nothing may overtake it */
	uintptr_t last[EMITTERS * KEYS];
	bool is_ordered;
};

struct stress {
	struct rig *rig;
	struct pipeline *p;
	struct rig_element src;
	struct keeper look, more, out, note, dead;
	pthread_mutex_t lock; /* guards: seed, the keepers' own, answered */
	unsigned short seed[3];
	bool is_without_retry; /* of sinks */
	int n_events;
	unsigned char answered[EVENTS];
	int n_answered;
	int n_wrong; /* orders, windows, answers that must not be */
};

/* Where the functions of the elements find it. */
static struct stress *stress;

static void
stress_lock(void)
{
	pthread_mutex_lock(&stress->lock);
}

static void
stress_unlock(void)
{
	pthread_mutex_unlock(&stress->lock);
}

/* 0 to n - 1.  Under lock. */
static int
any(int n)
{
	return (int)(nrand48(stress->seed) % n);
}

/* A key and which of its events it is are in the cookie. */
static unsigned
key_of(uintptr_t cookie)
{
	return (unsigned)(cookie % (EMITTERS * KEYS));
}

static void
wrong(const char *what, uintptr_t cookie)
{
	print_error("%s: %lu\n", what, (unsigned long)cookie);
	stress->n_wrong++;
}

/* Under lock. */
static void
look_at_order(struct keeper *k, const struct evh_event *ev)
{
	unsigned key = key_of(ev->cookie);

	if (!k->is_ordered)
		return;
	if (ev->cookie + 1 < k->last[key])
		wrong(k->el.name, k->last[key] - 1);
	k->last[key] = ev->cookie + 1;
}

static struct keeper *
keeper_of(struct rig_element *el)
{
	return (struct keeper *)((char *)el - offsetof(struct keeper, el));
}

static void
make_child(struct rig_element *el, struct evh_event *ev)
{
	struct evh_spec spec = { .name = "child",
				 .data = { "{}", 2 },
				 .key = ev->key };
	struct evh_event *child = el->ctx->event_new(el->ctx, &spec, ev);

	assert_non_null(child);
	assert_int_equal(el->ctx->emit(el->ctx, &child, 1, 0), 1);
}

static enum evh_result
judge_at_random(struct rig_element *el, struct evh_event *ev)
{
	struct keeper *k = keeper_of(el);
	enum evh_result verdict = EVH_OK;
	int dice;

	stress_lock();
	look_at_order(k, ev);
	dice = any(100);
	if (dice >= 90 && k->n < KEPT_MAX) {
		k->kept[k->n++] = ev;
		verdict = EVH_HOLD;
	}
	stress_unlock();
	if (dice % 7 == 0 && verdict != EVH_HOLD)
		make_child(el, ev);
	if (dice < 10)
		verdict = EVH_RETRY;
	else if (dice < 13)
		verdict = EVH_FAIL;
	else if (dice < 16)
		verdict = EVH_DROP;
	if (dice % 11 == 0 && verdict != EVH_HOLD)
		el->ctx->set_data(el->ctx, ev, (struct evh_bytes){ "[]", 2 });
	return verdict;
}

/* Takes some, none, or all of them; answers now and then at once. */
static int
take_at_random(struct rig_element *el, struct evh_event *const *evs, int n)
{
	struct keeper *k = keeper_of(el);
	int taken, dice;

	stress_lock();
	dice = any(10);
	taken = dice == 0 ? -EAGAIN : dice < 4 ? any(n + 1) : n;
	if (k->n + n > KEPT_MAX || k->is_answering)
		taken = 0;
	if (taken <= 0 || k->n > 0 || dice < 8) {
		for (int i = 0; i < taken; i++)
			k->kept[k->n++] = evs[i];
		stress_unlock();
		return taken;
	}
	for (int i = 0; i < taken; i++)
		look_at_order(k, evs[i]);
	k->is_answering = true;
	stress_unlock();
	el->ctx->done(el->ctx, evs, taken, EVH_OK);
	stress_lock();
	k->is_answering = false;
	stress_unlock();
	return taken;
}

/* The first few, with one result; RETRY goes for all of them, so that no later
 * one of a key is kept before an earlier one. */
static void
answer_at_random(struct keeper *k)
{
	struct evh_event *evs[KEPT_MAX];
	enum evh_result result;
	int n, dice;

	stress_lock();
	n = k->is_answering ? 0 : k->n;
	dice = any(10);
	if (n > 0 && dice > 0)
		n = 1 + any(n);
	result = dice == 0 && !stress->is_without_retry ? EVH_RETRY
		 : dice == 1				? EVH_FAIL
							: EVH_OK;
	memcpy(evs, k->kept, (size_t)n * sizeof(*evs));
	k->n -= n;
	memmove(k->kept, k->kept + n, (size_t)k->n * sizeof(*evs));
	for (int i = 0; i < n && result == EVH_OK; i++)
		look_at_order(k, evs[i]);
	k->is_answering = k->is_answering || n > 0;
	stress_unlock();
	if (n == 0)
		return;
	k->el.ctx->done(k->el.ctx, evs, n, result);
	stress_lock();
	k->is_answering = false;
	stress_unlock();
}

static void
resume_at_random(struct keeper *k)
{
	struct evh_event *ev = NULL;
	enum evh_result verdict = EVH_OK;

	stress_lock();
	if (k->n > 0) {
		int i = any(k->n);

		ev = k->kept[i];
		k->kept[i] = k->kept[--k->n];
		verdict = (enum evh_result)(EVH_OK + any(4));
	}
	stress_unlock();
	if (ev)
		k->el.ctx->resume(k->el.ctx, ev, verdict);
}

static void
flap_at_random(struct keeper *k, int one_in)
{
	bool is_away;

	stress_lock();
	is_away = any(one_in) == 0;
	stress_unlock();
	k->el.ctx->ready(k->el.ctx, is_away ? "away" : NULL);
}

static void
note_answers(struct rig_element *el, struct evh_event *const *evs, int n,
	     enum evh_result result)
{
	/* The rig's own notes are too small for all of these. */
	pthread_mutex_lock(&el->lock);
	el->n_heard = 0;
	pthread_mutex_unlock(&el->lock);
	stress_lock();
	for (int i = 0; i < n; i++) {
		uintptr_t cookie = evs[i]->cookie;

		if (cookie >= EVENTS || stress->answered[cookie]++)
			wrong("answered twice", cookie);
		stress->n_answered++;
	}
	if (result < EVH_OK || result > EVH_FAIL)
		wrong("no result", (uintptr_t)result);
	stress_unlock();
}

static void
look_at_window(void)
{
	unsigned used = window_used(&stress->p->window);

	if (used <= IN_FLIGHT)
		return;
	stress_lock();
	wrong("window", used);
	stress_unlock();
}

static void
keeper_init(struct keeper *k, const char *name, enum evh_kind kind,
	    enum evh_threads threads, bool is_ordered)
{
	k->el = (struct rig_element){ .name = name,
				      .kind = kind,
				      .threads = threads,
				      .attempts = kind == EVH_HANDLER ? 3 : 0,
				      .process = judge_at_random,
				      .submit = take_at_random };
	k->is_ordered = is_ordered;
	rig_add(stress->rig, &k->el);
}

static void
stress_open(struct stress *s, unsigned workers, enum evh_threads threads,
	    unsigned short seed)
{
	memset(s, 0, sizeof(*s));
	stress = s;
	s->rig = rig_new();
	s->seed[0] = seed;
	s->n_events = EVENTS;
	pthread_mutex_init(&s->lock, NULL);
	s->src = (struct rig_element){ .name = "src",
				       .kind = EVH_SOURCE,
				       .on_done = note_answers };
	rig_add(s->rig, &s->src);
	keeper_init(&s->look, "look", EVH_HANDLER, EVH_PARALLEL, true);
	keeper_init(&s->out, "out", EVH_SINK, threads, true);
	keeper_init(&s->more, "more", EVH_HANDLER, threads, true);
	/* Behind an optional sink there is no order to be had. */
	keeper_init(&s->note, "note", EVH_SINK, threads, false);
	keeper_init(&s->dead, "dead", EVH_SINK, EVH_PARALLEL, false);
	s->p = rig_pipeline(s->rig, (struct config_pipeline){
					    .chain = LIST("src", "look", "out",
							  "more", "note"),
					    .optional = LIST("note"),
					    .on_fail = LIST("dead"),
					    .on_drop = LIST("dead"),
					    .in_flight = IN_FLIGHT,
					    .workers = workers });
}

static bool
is_over(struct stress *s)
{
	bool is;

	stress_lock();
	is = s->n_answered == s->n_events;
	stress_unlock();
	return is;
}

static void
act_at_random(struct stress *s, int flap)
{
	answer_at_random(&s->out);
	answer_at_random(&s->note);
	answer_at_random(&s->dead);
	resume_at_random(&s->look);
	resume_at_random(&s->more);
	flap_at_random(&s->out, flap);
	flap_at_random(&s->look, flap);
	flap_at_random(&s->note, 2);
	look_at_window();
}

static void
stress_close(struct stress *s)
{
	for (int i = 0; i < 1000 && s->n_wrong == 0 && !is_over(s); i++)
		act_at_random(s, 1000000);
	assert_int_equal(s->n_wrong, 0);
	assert_int_equal(s->n_answered, s->n_events);
	assert_int_equal(atomic_load(&s->p->n_diverted), 0);
	rig_free(s->rig);
	pthread_mutex_destroy(&s->lock);
}

/* One more of this emitter; false when there was no room. */
static bool
emit_next(struct stress *s, unsigned emitter, uintptr_t i)
{
	uintptr_t cookie =
		i / KEYS * EMITTERS * KEYS + emitter * KEYS + i % KEYS;
	unsigned char key = (unsigned char)('a' + key_of(cookie));
	struct evh_spec spec = { .name = "test.event",
				 .data = { "{}", 2 },
				 .key = { &key, 1 },
				 .cookie = cookie };

	return rig_emit_spec(&s->src, &spec) == 1;
}

/* ---- On one thread ------------------------------------------------------- */

/* So far in the future that every back-off is over; but who waits until it is
 * ready would wait for ever within one turn. */
static void
turn_all(struct stress *s)
{
	bool is_ready = atomic_load(&s->look.el.in->is_ready);
	int64_t now_ns = timer_now_ns() + (is_ready ? INT64_C(60000000000) : 0);

	for (unsigned i = 0; i <= s->p->n_workers; i++)
		(void)worker_turn(s->p->workers[i], now_ns, false);
}

static void
run_turns(unsigned workers, enum evh_threads threads, unsigned short seed)
{
	static struct stress s;
	uintptr_t next[EMITTERS] = { 0 };

	stress_open(&s, workers, threads, seed);
	assert_int_equal(instance_start(s.src.in), 0);
	assert_int_equal(instance_start(s.look.el.in), 0);
	assert_int_equal(instance_start(s.out.el.in), 0);
	assert_int_equal(instance_start(s.more.el.in), 0);
	assert_int_equal(instance_start(s.note.el.in), 0);
	assert_int_equal(instance_start(s.dead.el.in), 0);
	for (int i = 0; i < 100 * EVENTS && !is_over(&s); i++) {
		for (unsigned e = 0; e < EMITTERS; e++)
			while (next[e] < EVENTS / EMITTERS && any(4) > 0 &&
			       emit_next(&s, e, next[e]))
				next[e]++;
		act_at_random(&s, 10);
		turn_all(&s);
		assert_int_equal(s.n_wrong, 0);
	}
	stress_close(&s);
}

static void
turn_by_turn_without_workers(void **state)
{
	(void)state;
	for (unsigned short seed = 1; seed <= 3; seed++)
		run_turns(0, EVH_PARALLEL, seed);
}

static void
turn_by_turn_with_workers(void **state)
{
	(void)state;
	for (unsigned short seed = 4; seed <= 6; seed++)
		run_turns(3, EVH_PARALLEL, seed);
}

static void
turn_by_turn_one_call_at_a_time(void **state)
{
	(void)state;
	run_turns(0, EVH_SERIAL, 7);
	run_turns(2, EVH_SERIAL, 8);
}

/* ---- With threads -------------------------------------------------------- */

struct emitter {
	struct stress *s;
	unsigned number;
};

static void *
emit_all(void *arg)
{
	const struct timespec pause = { 0, 100000 };
	struct emitter *e = arg;

	for (uintptr_t i = 0; i < FEWER / EMITTERS;) {
		look_at_window();
		if (emit_next(e->s, e->number, i))
			i++;
		else
			nanosleep(&pause, NULL); /* what else comes first */
	}
	return NULL;
}

static void *
act_until_over(void *arg)
{
	const struct timespec pause = { 0, 20000 };
	struct stress *s = arg;

	for (int i = 0; !is_over(s); i++) {
		act_at_random(s, 100);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/*
 * A sink that says RETRY while another thread is on its way into its submit()
 * keeps no order, whoever's fault that is: either that, or the look at it.
 */
static void
run_threads(unsigned workers, enum evh_threads threads, bool is_ordered)
{
	static struct stress s;
	struct emitter emitters[EMITTERS];
	pthread_t actor, thread[EMITTERS];

	stress_open(&s, workers, threads, 9);
	s.n_events = FEWER;
	s.is_without_retry = is_ordered;
	s.out.is_ordered = is_ordered;
	s.more.is_ordered = is_ordered;
	rig_start(s.rig);
	assert_int_equal(pthread_create(&actor, NULL, act_until_over, &s), 0);
	for (unsigned e = 0; e < EMITTERS; e++) {
		emitters[e] = (struct emitter){ &s, e };
		assert_int_equal(pthread_create(&thread[e], NULL, emit_all,
						&emitters[e]),
				 0);
	}
	for (unsigned e = 0; e < EMITTERS; e++)
		pthread_join(thread[e], NULL);
	pthread_join(actor, NULL);
	stress_close(&s);
}

static void
with_threads_and_no_workers(void **state)
{
	(void)state;
	run_threads(0, EVH_PARALLEL, true);
}

static void
with_threads_and_workers(void **state)
{
	(void)state;
	run_threads(3, EVH_PARALLEL, true);
}

static void
with_threads_one_call_at_a_time(void **state)
{
	(void)state;
	run_threads(2, EVH_SERIAL, true);
}

static void
with_threads_and_retries(void **state)
{
	(void)state;
	run_threads(2, EVH_PARALLEL, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turn_by_turn_without_workers),
		cmocka_unit_test(turn_by_turn_with_workers),
		cmocka_unit_test(turn_by_turn_one_call_at_a_time),
		cmocka_unit_test(with_threads_and_no_workers),
		cmocka_unit_test(with_threads_and_workers),
		cmocka_unit_test(with_threads_one_call_at_a_time),
		cmocka_unit_test(with_threads_and_retries),
	};

	/* Thousands of failures, all of them on purpose. */
	assert_int_equal(log_open(EVH_ERROR, LOG_LOGFMT, NULL), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
