/*
 * test_watch.c - handlers that do not come back in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/tempdir.h"
#include "instance.h"
#include "marks.h"
#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* Far longer than what is not to be late needs, on a busy machine. */
#define TIMEOUT_MS 300
#define AWAIT_S	   60

/* Events whose cookies are below this hang until the gate opens. */
#define HANGS 10

/* A source, a handler that hangs at some, a sink, a sink for what failed. */
struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, look, out, dead;
};

/* What the handler waits for; a test's own, since process() knows its element
 * only. */
static struct {
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	unsigned n_inside; /* hanging now */
	unsigned open_to;  /* cookies up to this go on */
	enum evh_result says;
	char error[256]; /* of the last that failed */
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .changed = PTHREAD_COND_INITIALIZER };

static atomic_uint n_here; /* in be_alone() */

static struct timespec
soon(void)
{
	struct timespec due;

	clock_gettime(CLOCK_REALTIME, &due);
	due.tv_sec += AWAIT_S;
	return due;
}

static void
gate_set(unsigned open_to, enum evh_result says)
{
	pthread_mutex_lock(&gate.lock);
	gate.open_to = open_to;
	gate.says = says;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void
gate_await_inside(unsigned n)
{
	struct timespec due = soon();
	int rc = 0;

	pthread_mutex_lock(&gate.lock);
	while (gate.n_inside < n && rc == 0)
		rc = pthread_cond_timedwait(&gate.changed, &gate.lock, &due);
	pthread_mutex_unlock(&gate.lock);
	assert_int_equal(rc, 0);
}

static enum evh_result
gate_pass(uintptr_t cookie)
{
	enum evh_result says;

	pthread_mutex_lock(&gate.lock);
	gate.n_inside++;
	pthread_cond_broadcast(&gate.changed);
	while (gate.open_to < cookie)
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.n_inside--;
	says = gate.says;
	pthread_mutex_unlock(&gate.lock);
	return says;
}

static enum evh_result
hang(struct rig_element *el, struct evh_event *ev)
{
	enum evh_result says = EVH_OK;

	if (ev->cookie < HANGS)
		says = gate_pass(ev->cookie);
	if (says == EVH_HOLD)
		(void)rig_keep(el, &ev, 1);
	else
		(void)rig_note(el, ev);
	return says;
}

static enum evh_result
hang_when_tried_again(struct rig_element *el, struct evh_event *ev)
{
	if (ev->attempt == 1 && ev->cookie < HANGS)
		return EVH_RETRY;
	return hang(el, ev);
}

static enum evh_result
hold(struct rig_element *el, struct evh_event *ev)
{
	(void)rig_keep(el, &ev, 1);
	return EVH_HOLD;
}

static enum evh_result
make_children_and_hang(struct rig_element *el, struct evh_event *ev)
{
	struct evh_spec spec = { .name = "child", .data = { "{}", 2 } };
	struct evh_event *child = el->ctx->event_new(el->ctx, &spec, ev);

	assert_non_null(child);
	assert_int_equal(el->ctx->emit(el->ctx, &child, 1, 0), 1);
	return hang(el, ev);
}

/* Fails when two are here. */
static enum evh_result
be_alone(struct rig_element *el, struct evh_event *ev)
{
	const struct timespec work = { 0, 50000 };
	unsigned before = atomic_fetch_add(&n_here, 1);

	(void)rig_note(el, ev);
	nanosleep(&work, NULL);
	atomic_fetch_sub(&n_here, 1);
	return before == 0 ? EVH_OK : EVH_FAIL;
}

static int
keep_error(struct rig_element *el, struct evh_event *const *evs, int n)
{
	pthread_mutex_lock(&gate.lock);
	strncpy(gate.error, evs[0]->error, sizeof(gate.error) - 1);
	pthread_mutex_unlock(&gate.lock);
	pthread_mutex_lock(&el->lock);
	for (int i = 0; i < n; i++)
		el->cookies[el->n_seen++] = evs[i]->cookie;
	pthread_mutex_unlock(&el->lock);
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
bench_fill(struct bench *b,
	   enum evh_result (*process)(struct rig_element *, struct evh_event *),
	   enum evh_threads threads, unsigned timeout_ms)
{
	*b = (struct bench){ .rig = rig_new() };
	gate_set(0, EVH_OK);
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->look = (struct rig_element){ .name = "look",
					.kind = EVH_HANDLER,
					.threads = threads,
					.timeout_ms = timeout_ms,
					.process = process };
	b->out = (struct rig_element){ .name = "out", .kind = EVH_SINK };
	b->dead = (struct rig_element){ .name = "dead",
					.kind = EVH_SINK,
					.submit = keep_error };
}

static void
bench_start(struct bench *b, unsigned workers)
{
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->look);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	b->pipeline = rig_pipeline(
		b->rig,
		(struct config_pipeline){ .chain = LIST("src", "look", "out"),
					  .on_fail = LIST("dead"),
					  .workers = workers });
	rig_start(b->rig);
}

static void
bench_open_with(struct bench *b,
		enum evh_result (*process)(struct rig_element *,
					   struct evh_event *),
		unsigned workers, enum evh_threads threads, unsigned timeout_ms)
{
	bench_fill(b, process, threads, timeout_ms);
	bench_start(b, workers);
}

static void
bench_open(struct bench *b,
	   enum evh_result (*process)(struct rig_element *, struct evh_event *),
	   unsigned workers, enum evh_threads threads)
{
	bench_open_with(b, process, workers, threads, TIMEOUT_MS);
}

/* Waits until the handler is late with n events. */
static void
await_late(const struct bench *b, unsigned n)
{
	struct late *late = &b->look.in->late;
	const struct timespec pause = { 0, 1000000 };
	unsigned have = 0;

	for (int i = 0; i < AWAIT_S * 1000 && have < n; i++) {
		pthread_mutex_lock(&late->lock);
		have = late->n;
		pthread_mutex_unlock(&late->lock);
		if (have < n)
			nanosleep(&pause, NULL);
	}
	assert_int_equal(have, n);
}

static void
assert_state_says(struct bench *b, int rc, const char *what)
{
	int said;
	char *text = rig_state(b->rig, &said);

	if (!strstr(text, what))
		print_error("%s\n", text);
	assert_non_null(strstr(text, what));
	assert_int_equal(said, rc);
	free(text);
}

static void
other_lanes_go_on_while_one_event_hangs(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	gate_await_inside(1);
	rig_emit(&b.src, 11, "a", 0);
	rig_emit(&b.src, 12, "b", 0);
	rig_emit(&b.src, 13, "c", 0);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.heard[0], 12);
	assert_int_equal(b.src.heard[1], 13);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 4);
	rig_free(b.rig);
}

static void
its_verdict_is_replaced_when_it_comes_late(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 2, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	rig_emit(&b.src, 11, "a", 0);
	await_late(&b, 1);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.heard[0], 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	assert_int_equal(b.src.heard[1], 11);
	assert_int_equal(b.src.results[1], EVH_OK);
	assert_int_equal(b.dead.n_seen, 1);
	assert_string_equal(gate.error,
			    "{\"stage\":\"look\",\"type\":\"timeout\","
			    "\"message\":\"its verdict came later than the "
			    "timeout of 300 ms\"}");
	assert_int_equal(b.look.in->late.n, 0);
	rig_free(b.rig);
}

static void
what_returns_in_time_is_not_late(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 2, EVH_PARALLEL);
	gate_set(HANGS, EVH_OK);
	for (unsigned i = 0; i < 1000; i++)
		rig_emit(&b.src, i, i % 2 ? "a" : NULL, -1);
	rig_await_heard(&b.src, 1000);
	assert_int_equal(b.dead.n_seen, 0);
	rig_free(b.rig);
}

static void
the_rest_of_its_run_goes_on_by_the_spare_thread(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_PARALLEL);
	assert_int_equal(rig_emit_many(&b.src, 9, 200, NULL), 200);
	rig_await_heard(&b.src, 199);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 200);
	assert_int_equal(b.out.n_seen, 199);
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
those_behind_it_keep_their_order(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_PARALLEL);
	assert_int_equal(rig_emit_many(&b.src, 9, 100, "a"), 100);
	await_late(&b, 1);
	assert_int_equal(rig_emit_many(&b.src, 109, 50, "a"), 50);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 150);
	for (unsigned i = 0; i < 150; i++)
		assert_int_equal(b.src.heard[i], 9 + i);
	rig_free(b.rig);
}

static void
an_event_that_hangs_when_tried_again_is_late_too(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang_when_tried_again, 1, EVH_PARALLEL);
	assert_int_equal(rig_emit_many(&b.src, 9, 20, "a"), 20);
	rig_emit(&b.src, 50, "b", 0);
	await_late(&b, 1);
	rig_emit(&b.src, 51, "b", 0);
	rig_await_heard(&b.src, 2);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 22);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(b.src.heard[2 + i], 9 + i);
	rig_free(b.rig);
}

static enum evh_result
hold_or_hang(struct rig_element *el, struct evh_event *ev)
{
	return ev->cookie == 11 ? hold(el, ev) : hang(el, ev);
}

static void
the_rest_of_its_inbox_goes_on_by_the_spare_thread(void **state)
{
	struct bench b;

	(void)state;
	bench_open_with(&b, hold_or_hang, 1, EVH_PARALLEL, 2000);
	/* 11 is held, and 9 behind it will hang. */
	rig_emit(&b.src, 11, "a", 0);
	rig_emit(&b.src, 9, "a", 0);
	rig_await_held(&b.look, 1);
	/* While 2 keeps the worker, all of this comes to its inbox. */
	rig_emit(&b.src, 2, "z", 0);
	gate_await_inside(1);
	rig_answer_held(&b.look, EVH_OK);
	for (unsigned i = 0; i < 20; i++)
		rig_emit(&b.src, 100 + i, NULL, 0);
	gate_set(2, EVH_OK);
	rig_await_heard(&b.src, 22);
	assert_int_equal(b.dead.n_seen, 0);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 23);
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
it_is_named_in_the_state_which_stays_ready(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	await_late(&b, 1);
	assert_state_says(&b, 0, "\"checks\":{\"look\":\"process() of event ");
	assert_state_says(&b, 0, "\"reasons\":[]");
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_state_says(&b, 0, "\"checks\":{}");
	rig_free(b.rig);
}

static void
without_a_spare_thread_its_worker_stands_and_that_is_not_ready(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	await_late(&b, 1);
	rig_emit(&b.src, 2, "b", 0);
	await_late(&b, 2);
	rig_emit(&b.src, 11, "c", 0);
	assert_state_says(&b, -EAGAIN,
			  "\"reasons\":[\"look: process() of event ");
	assert_int_equal(b.out.n_seen, 0);
	/* The first thread ends, and a spare one is there again. */
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.out.n_seen, 1);
	assert_state_says(&b, 0, "\"reasons\":[]");
	gate_set(2, EVH_OK);
	rig_await_heard(&b.src, 3);
	assert_int_equal(b.dead.n_seen, 2);
	rig_free(b.rig);
}

static void
a_worker_that_stands_goes_on_when_process_returns(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 2, "a", 0);
	await_late(&b, 1);
	rig_emit(&b.src, 1, "b", 0);
	await_late(&b, 2);
	rig_emit(&b.src, 11, "c", 0);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.heard[0], 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	assert_int_equal(b.src.heard[1], 11);
	gate_set(2, EVH_OK);
	rig_await_heard(&b.src, 3);
	rig_free(b.rig);
}

static void
a_held_event_whose_time_is_over_fails_when_it_is_resumed(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hold, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	rig_emit(&b.src, 2, "b", 0);
	rig_await_held(&b.look, 2);
	await_late(&b, 2);
	assert_state_says(&b, 0, "it holds event ");
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_DROP);
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_non_null(strstr(gate.error, "\"type\":\"timeout\""));
	rig_free(b.rig);
}

static void
a_held_event_that_is_resumed_in_time_goes_on(void **state)
{
	struct bench b;

	(void)state;
	bench_open_with(&b, hold, 1, EVH_PARALLEL, 60000);
	rig_emit(&b.src, 1, "a", 0);
	rig_await_held(&b.look, 1);
	pipeline_poke(b.pipeline);
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.src.results[0], EVH_OK);
	rig_free(b.rig);
}

static void
a_hold_that_comes_late_fails_when_it_is_resumed(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	await_late(&b, 1);
	gate_set(1, EVH_HOLD);
	rig_await_held(&b.look, 1);
	rig_emit(&b.src, 11, "b", 0);
	rig_await_heard(&b.src, 1);
	rig_answer_held(&b.look, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.src.results[1], EVH_DROP);
	rig_free(b.rig);
}

static void
a_serial_handler_holds_up_those_that_need_it_until_it_returns(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, hang, 1, EVH_SERIAL);
	rig_emit(&b.src, 1, "a", 0);
	await_late(&b, 1);
	rig_emit(&b.src, 11, "b", 0);
	rig_await_standing(b.pipeline);
	assert_state_says(&b, -EAGAIN,
			  "\"reasons\":[\"look: process() of event ");
	assert_int_equal(b.look.n_seen, 0);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 2);
	assert_int_equal(b.out.n_seen, 1);
	rig_free(b.rig);
}

static void
a_serial_handler_that_hangs_holds_up_nobody_that_it_does_not_look_at(
	void **state)
{
	struct bench b;

	(void)state;
	bench_fill(&b, hang, EVH_SERIAL, TIMEOUT_MS);
	b.look.match[0] = (char *)"slow";
	bench_start(&b, 2);
	for (unsigned i = 1; i <= 8; i++)
		rig_emit_named(&b.src, i, "slow");
	gate_await_inside(1);
	for (unsigned i = 1; i <= 8; i++)
		rig_emit_named(&b.src, HANGS + i, "quick");
	rig_await_heard(&b.src, 8);
	assert_int_equal(b.out.n_seen, 8);
	await_late(&b, 1);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 16);
	/* Those behind the one that hung were only waiting. */
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
many_workers_take_turns_at_a_serial_handler(void **state)
{
	struct bench b;

	(void)state;
	bench_open_with(&b, be_alone, 4, EVH_SERIAL, 60000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(rig_emit(&b.src, HANGS + i, NULL, -1), 1);
	rig_await_heard(&b.src, 1000);
	assert_int_equal(b.out.n_seen, 1000);
	rig_free(b.rig);
}

static void
the_children_of_a_late_try_are_dropped(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, make_children_and_hang, 1, EVH_PARALLEL);
	rig_emit(&b.src, 1, "a", 0);
	await_late(&b, 1);
	gate_set(1, EVH_OK);
	rig_await_heard(&b.src, 1);
	assert_int_equal(b.out.n_seen, 0);
	assert_int_equal(b.dead.n_seen, 1);
	rig_free(b.rig);
}

static void
many_that_hang_now_and_then_lose_nothing(void **state)
{
	struct bench b;
	const int n = 2000;

	(void)state;
	bench_open(&b, hang, 2, EVH_PARALLEL);
	for (int i = 0; i < n; i++) {
		char key[8];

		snprintf(key, sizeof(key), "k%d", i % 7);
		if (i % 200 == 5)
			rig_emit(&b.src, (uintptr_t)(i / 200), key, -1);
		else
			rig_emit(&b.src, (uintptr_t)(HANGS + i), key, -1);
		if (i % 400 == 399)
			gate_set((unsigned)(i / 200), EVH_OK);
	}
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, n);
	rig_free(b.rig);
}

/* Some are tried again, are held, or take up to twice the timeout. */
static enum evh_result
misbehave(struct rig_element *el, struct evh_event *ev)
{
	unsigned dice = (unsigned)(ev->cookie * 2654435761u) >> 16;
	struct timespec work = { 0, (long)(dice % 97) * 50000 };

	if (ev->attempt == 1)
		(void)rig_note(el, ev);
	if (dice % 16 == 0)
		nanosleep(&work, NULL);
	if (dice % 23 == 0 && ev->attempt == 1)
		return EVH_RETRY;
	if (dice % 19 == 0) {
		el->ctx->resume(el->ctx, ev, EVH_OK);
		return EVH_HOLD;
	}
	return dice % 31 == 0 ? EVH_FAIL : EVH_OK;
}

static void
whoever_is_late_each_is_answered_once_and_keys_keep_their_order(void **state)
{
	enum { EVENTS = 4000, KEYS = 13 };
	uintptr_t last[KEYS] = { 0 };
	bool is_heard[EVENTS + 1] = { false };
	struct bench b;

	(void)state;
	bench_open_with(&b, misbehave, 3, EVH_PARALLEL, 2);
	for (uintptr_t i = 1; i <= EVENTS; i++) {
		char key[8];

		snprintf(key, sizeof(key), "k%u", (unsigned)(i % KEYS));
		assert_int_equal(rig_emit(&b.src, i, key, -1), 1);
	}
	rig_await_heard(&b.src, EVENTS);
	rig_free(b.rig);
	for (int i = 0; i < EVENTS; i++) {
		assert_false(is_heard[b.src.heard[i]]);
		is_heard[b.src.heard[i]] = true;
	}
	assert_int_equal(b.look.n_seen, EVENTS);
	for (int i = 0; i < EVENTS; i++) {
		uintptr_t cookie = b.look.cookies[i];

		assert_true(cookie > last[cookie % KEYS]);
		last[cookie % KEYS] = cookie;
	}
}

/* In a process of its own, which ends. */
static void
hang_and_abort(const char *dir, enum evh_result (*process)(struct rig_element *,
							   struct evh_event *))
{
	static const unsigned char id[16] = { 7 };
	struct evh_spec spec = {
		.id = id, .name = "x", .data = { "{}", 2 }, .cookie = 5
	};
	struct bench b;
	struct timespec pause = { AWAIT_S, 0 };

	bench_open(&b, process, 2, EVH_PARALLEL);
	b.look.in->aborts = true;
	rig_mark(b.rig, dir);
	rig_emit(&b.src, HANGS + 1, "b", 0);
	rig_await_heard(&b.src, 1);
	rig_emit_spec(&b.src, &spec);
	nanosleep(&pause, NULL);
	_exit(1);
}

static enum evh_result
hold_some(struct rig_element *el, struct evh_event *ev)
{
	return ev->cookie < HANGS ? hold(el, ev) : EVH_OK;
}

static void assert_aborts(enum evh_result (*process)(struct rig_element *,
						     struct evh_event *))
{
	static const unsigned char id[16] = { 7 };
	struct marks *marks;
	struct marks_ends ends;
	struct tempdir dir;
	int status;
	pid_t pid;

	tempdir_init(&dir);
	pid = fork();
	if (pid == 0)
		hang_and_abort(dir.path, process);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_SOFTWARE);
	assert_int_equal(marks_open(dir.path, &marks), 0);
	ends = marks_find(marks, id, marks_handler("look"));
	assert_int_equal(ends.n, 1);
	assert_int_equal(ends.n_late, 1);
	marks_close(marks);
	tempdir_fini(&dir);
}

/* In a process of its own, which is stopped for longer than the timeout while
 * the handler has the event; then its answer comes at once. */
static void
be_stopped(int fd,
	   enum evh_result (*process)(struct rig_element *, struct evh_event *))
{
	struct bench b;
	char byte = 0;

	bench_open_with(&b, process, 1, EVH_PARALLEL, 3000);
	rig_emit(&b.src, 1, "a", 0);
	if (process == hold)
		rig_await_held(&b.look, 1);
	else
		gate_await_inside(1);
	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		_exit(2);
	if (process == hold)
		rig_answer_held(&b.look, EVH_OK);
	gate_set(HANGS, EVH_OK);
	rig_await_heard(&b.src, 1);
	_exit(b.dead.n_seen == 0 ? 0 : 1);
}

static void assert_survives_a_stop(
	enum evh_result (*process)(struct rig_element *, struct evh_event *))
{
	const struct timespec some = { 0, 50000000 }, pause = { 3, 500000000 };
	int fds[2];
	int status;
	char byte;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = fork();
	if (pid == 0)
		be_stopped(fds[1], process);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	nanosleep(&some, NULL);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	nanosleep(&pause, NULL);
	assert_int_equal(kill(pid, SIGCONT), 0);
	/* Those that wait for the time wake first. */
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	assert_int_equal(write(fds[0], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fds[0]);
	close(fds[1]);
}

static void
a_pause_of_evhd_is_no_time_of_a_handler(void **state)
{
	(void)state;
	assert_survives_a_stop(hang);
}

static void
a_pause_of_evhd_is_no_time_of_a_held_event(void **state)
{
	(void)state;
	assert_survives_a_stop(hold);
}

static void
on_timeout_abort_ends_the_process_and_leaves_a_mark(void **state)
{
	(void)state;
	assert_aborts(hang);
}

static void
on_timeout_abort_ends_it_for_a_held_event_too(void **state)
{
	(void)state;
	assert_aborts(hold_some);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			on_timeout_abort_ends_the_process_and_leaves_a_mark),
		cmocka_unit_test(on_timeout_abort_ends_it_for_a_held_event_too),
		cmocka_unit_test(a_pause_of_evhd_is_no_time_of_a_handler),
		cmocka_unit_test(a_pause_of_evhd_is_no_time_of_a_held_event),
		cmocka_unit_test(other_lanes_go_on_while_one_event_hangs),
		cmocka_unit_test(its_verdict_is_replaced_when_it_comes_late),
		cmocka_unit_test(what_returns_in_time_is_not_late),
		cmocka_unit_test(
			the_rest_of_its_run_goes_on_by_the_spare_thread),
		cmocka_unit_test(those_behind_it_keep_their_order),
		cmocka_unit_test(
			an_event_that_hangs_when_tried_again_is_late_too),
		cmocka_unit_test(
			the_rest_of_its_inbox_goes_on_by_the_spare_thread),
		cmocka_unit_test(it_is_named_in_the_state_which_stays_ready),
		cmocka_unit_test(
			without_a_spare_thread_its_worker_stands_and_that_is_not_ready),
		cmocka_unit_test(
			a_worker_that_stands_goes_on_when_process_returns),
		cmocka_unit_test(
			a_held_event_whose_time_is_over_fails_when_it_is_resumed),
		cmocka_unit_test(a_held_event_that_is_resumed_in_time_goes_on),
		cmocka_unit_test(
			a_hold_that_comes_late_fails_when_it_is_resumed),
		cmocka_unit_test(
			a_serial_handler_holds_up_those_that_need_it_until_it_returns),
		cmocka_unit_test(
			a_serial_handler_that_hangs_holds_up_nobody_that_it_does_not_look_at),
		cmocka_unit_test(many_workers_take_turns_at_a_serial_handler),
		cmocka_unit_test(the_children_of_a_late_try_are_dropped),
		cmocka_unit_test(many_that_hang_now_and_then_lose_nothing),
		cmocka_unit_test(
			whoever_is_late_each_is_answered_once_and_keys_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
