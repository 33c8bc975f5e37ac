#include "stress_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "instance.h"
#include "pipeline.h"
#include "rig.h"
#include "window.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

#define IN_FLIGHT 48

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

int
stress_any(int n)
{
	return (int)(nrand48(stress->seed) % n);
}

/* A key and which of its events it is are in the cookie. */
static unsigned
key_of(uintptr_t cookie)
{
	return (unsigned)(cookie % (STRESS_EMITTERS * STRESS_KEYS));
}

static void
wrong(const char *what, uintptr_t cookie)
{
	print_error("%s: %lu\n", what, (unsigned long)cookie);
	stress->n_wrong++;
}

/* Under lock. */
static void
look_at_order(struct stress_keeper *k, const struct evh_event *ev)
{
	unsigned key = key_of(ev->cookie);

	if (!k->is_ordered)
		return;
	if (ev->cookie + 1 < k->last[key])
		wrong(k->el.name, k->last[key] - 1);
	k->last[key] = ev->cookie + 1;
}

static struct stress_keeper *
keeper_of(struct rig_element *el)
{
	return (struct stress_keeper *)((char *)el -
					offsetof(struct stress_keeper, el));
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
	struct stress_keeper *k = keeper_of(el);
	enum evh_result verdict = EVH_OK;
	int dice;

	stress_lock();
	look_at_order(k, ev);
	dice = stress_any(100);
	if (dice >= 90 && k->n < STRESS_KEPT_MAX) {
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
	struct stress_keeper *k = keeper_of(el);
	int taken, dice;

	stress_lock();
	dice = stress_any(10);
	taken = dice == 0 ? -EAGAIN : dice < 4 ? stress_any(n + 1) : n;
	if (k->n + n > STRESS_KEPT_MAX || k->is_answering)
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
answer_at_random(struct stress_keeper *k)
{
	struct evh_event *evs[STRESS_KEPT_MAX];
	enum evh_result result;
	int n, dice;

	stress_lock();
	n = k->is_answering ? 0 : k->n;
	dice = stress_any(10);
	if (n > 0 && dice > 0)
		n = 1 + stress_any(n);
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
resume_at_random(struct stress_keeper *k)
{
	struct evh_event *ev = NULL;
	enum evh_result verdict = EVH_OK;

	stress_lock();
	if (k->n > 0) {
		int i = stress_any(k->n);

		ev = k->kept[i];
		k->kept[i] = k->kept[--k->n];
		verdict = (enum evh_result)(EVH_OK + stress_any(4));
	}
	stress_unlock();
	if (ev)
		k->el.ctx->resume(k->el.ctx, ev, verdict);
}

static void
flap_at_random(struct stress_keeper *k, int one_in)
{
	bool is_away;

	stress_lock();
	is_away = stress_any(one_in) == 0;
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

		if (cookie >= STRESS_EVENTS || stress->answered[cookie]++)
			wrong("answered twice", cookie);
		stress->n_answered++;
	}
	if (result < EVH_OK || result > EVH_FAIL)
		wrong("no result", (uintptr_t)result);
	stress_unlock();
}

void
stress_look_at_window(void)
{
	unsigned used = window_used(&stress->p->window);

	if (used <= IN_FLIGHT)
		return;
	stress_lock();
	wrong("window", used);
	stress_unlock();
}

static void
keeper_init(struct stress_keeper *k, const char *name, enum evh_kind kind,
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

void
stress_open(struct stress *s, unsigned workers, enum evh_threads threads,
	    unsigned short seed)
{
	memset(s, 0, sizeof(*s));
	stress = s;
	s->rig = rig_new();
	s->seed[0] = seed;
	s->n_events = STRESS_EVENTS;
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

bool
stress_is_over(struct stress *s)
{
	bool is;

	stress_lock();
	is = s->n_answered == s->n_events;
	stress_unlock();
	return is;
}

void
stress_act(struct stress *s, int flap)
{
	answer_at_random(&s->out);
	answer_at_random(&s->note);
	answer_at_random(&s->dead);
	resume_at_random(&s->look);
	resume_at_random(&s->more);
	flap_at_random(&s->out, flap);
	flap_at_random(&s->look, flap);
	flap_at_random(&s->note, 2);
	stress_look_at_window();
}

void
stress_close(struct stress *s)
{
	for (int i = 0; i < 1000 && s->n_wrong == 0 && !stress_is_over(s); i++)
		stress_act(s, 1000000);
	assert_int_equal(s->n_wrong, 0);
	assert_int_equal(s->n_answered, s->n_events);
	rig_await_settled(s->p);
	rig_free(s->rig);
	pthread_mutex_destroy(&s->lock);
}

bool
stress_emit(struct stress *s, unsigned emitter, uintptr_t i)
{
	uintptr_t cookie = i / STRESS_KEYS * STRESS_EMITTERS * STRESS_KEYS +
			   emitter * STRESS_KEYS + i % STRESS_KEYS;
	unsigned char key = (unsigned char)('a' + key_of(cookie));
	struct evh_spec spec = { .name = "test.event",
				 .data = { "{}", 2 },
				 .key = { &key, 1 },
				 .cookie = cookie };

	return rig_emit_spec(&s->src, &spec) == 1;
}
