/*
 * test_crashes.c - who is taken for the cause when a process ends, and who is
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/tempdir.h"
#include "event.h"
#include "host_tables.h"
#include "instance.h"
#include "lane.h"
#include "marks.h"
#include "marks_table.h"
#include "pipeline.h"
#include "rig.h"
#include "timer.h"
#include "verdict.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

static int
place_open(void **state)
{
	struct tempdir *dir = calloc(1, sizeof(*dir));

	assert_non_null(dir);
	tempdir_init(dir);
	*state = dir;
	return 0;
}

static int
place_close(void **state)
{
	struct tempdir *dir = *state;

	tempdir_fini(dir);
	free(dir);
	return 0;
}

static struct marks *
open_at(const struct tempdir *dir)
{
	struct marks *marks = NULL;

	assert_int_equal(marks_open(dir->path, &marks), 0);
	assert_non_null(marks);
	return marks;
}

static void
id_of(unsigned i, unsigned char ret[16])
{
	memset(ret, 0, 16);
	/* Where ids are random: or all would share the little room of a few. */
	ret[8] = (unsigned char)i;
	ret[15] = 1;
}

/* ---- What an end says --------------------------------------------------- */

#define GUESTS 8

/* An event at a handler, on a thread of its own. */
struct guest {
	struct marks *marks;
	unsigned number;
	enum marks_state state;
	pthread_barrier_t *all;
};

static void *
guest_stay(void *arg)
{
	struct guest *guest = arg;
	struct marks_slot *slot;
	unsigned char id[16];

	id_of(guest->number, id);
	slot = marks_enter(guest->marks, id, marks_handler("h"));
	if (!slot)
		_exit(1);
	atomic_store(&slot->state, guest->state);
	pthread_barrier_wait(guest->all);
	pause();
	return NULL;
}

/* A process that is killed while events 0, 1 and so on were so. */
static void
die_with(const struct tempdir *dir, unsigned n, const enum marks_state *states)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct marks *marks = NULL;
		struct guest guests[GUESTS];
		pthread_barrier_t all;
		pthread_t thread;

		if (marks_open(dir->path, &marks) < 0 || !marks)
			_exit(1);
		pthread_barrier_init(&all, NULL, n + 1);
		for (unsigned i = 0; i < n; i++) {
			guests[i] = (struct guest){ marks, i, states[i], &all };
			if (pthread_create(&thread, NULL, guest_stay,
					   &guests[i]) != 0)
				_exit(1);
		}
		pthread_barrier_wait(&all);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static struct marks_ends
ends_of(const struct tempdir *dir, unsigned number)
{
	struct marks *marks = open_at(dir);
	struct marks_ends ends;
	unsigned char id[16];

	id_of(number, id);
	ends = marks_find(marks, id, marks_handler("h"));
	marks_close(marks);
	return ends;
}

static void
ends_beside_others_count_as_one(void **state)
{
	const enum marks_state both[] = { MARKS_INSIDE, MARKS_INSIDE };
	const struct tempdir *dir = *state;

	for (int i = 0; i < 3; i++)
		die_with(dir, 2, both);
	assert_int_equal(ends_of(dir, 0).n, 1);
	assert_int_equal(ends_of(dir, 1).n, 1);
}

static void
an_end_of_one_that_is_alone_is_its_own_and_of_nobody_at_the_door(void **state)
{
	const enum marks_state states[] = { MARKS_ALONE, MARKS_INSIDE };
	const struct tempdir *dir = *state;

	for (int i = 0; i < 3; i++)
		die_with(dir, 2, states);
	assert_int_equal(ends_of(dir, 0).n, 3);
	assert_int_equal(ends_of(dir, 1).n, 0);
}

static void
a_late_one_is_counted_before_one_that_is_alone(void **state)
{
	const enum marks_state states[] = { MARKS_ALONE, MARKS_LATE };
	const struct tempdir *dir = *state;

	for (int i = 0; i < 3; i++)
		die_with(dir, 2, states);
	assert_int_equal(ends_of(dir, 0).n, 1);
	assert_int_equal(ends_of(dir, 1).n, 3);
	assert_int_equal(ends_of(dir, 1).n_late, 3);
}

static void
one_that_is_alone_is_counted_before_one_that_takes_long(void **state)
{
	const enum marks_state states[] = { MARKS_ALONE, MARKS_LONG };
	const struct tempdir *dir = *state;

	for (int i = 0; i < 3; i++)
		die_with(dir, 2, states);
	assert_int_equal(ends_of(dir, 0).n, 3);
	assert_int_equal(ends_of(dir, 1).n, 1);
	assert_int_equal(ends_of(dir, 1).n_late, 0);
}

static void
one_that_takes_long_is_counted_before_those_that_came_in_later(void **state)
{
	const enum marks_state states[] = { MARKS_LONG, MARKS_INSIDE };
	const struct tempdir *dir = *state;

	for (int i = 0; i < 3; i++)
		die_with(dir, 2, states);
	assert_int_equal(ends_of(dir, 0).n, 3);
	assert_int_equal(ends_of(dir, 1).n, 1);
}

/* ---- One at a time ------------------------------------------------------ */

/* Somebody who is at a handler for as long as the test wants. */
struct other {
	struct marks *marks;
	struct event ev;
	pthread_t thread;
	pthread_barrier_t turn; /* twice: is inside, is to leave */
	struct marks_slot *slot;
};

static void *
other_main(void *arg)
{
	struct other *other = arg;

	if (!marks_admit(other->marks, &other->ev, 1, false, 0, &other->slot))
		return other;
	pthread_barrier_wait(&other->turn);
	pthread_barrier_wait(&other->turn);
	marks_leave(other->slot);
	return NULL;
}

static void
other_enter(struct other *other, struct marks *marks)
{
	other->marks = marks;
	pthread_barrier_init(&other->turn, NULL, 2);
	assert_int_equal(
		pthread_create(&other->thread, NULL, other_main, other), 0);
	pthread_barrier_wait(&other->turn);
}

static void
other_leave(struct other *other)
{
	void *refused;

	pthread_barrier_wait(&other->turn);
	assert_int_equal(pthread_join(other->thread, &refused), 0);
	assert_null(refused);
	pthread_barrier_destroy(&other->turn);
}

static bool
admits(struct marks *marks, const struct event *ev, bool is_suspect)
{
	struct marks_slot *slot = NULL;
	bool is_in = marks_admit(marks, ev, 1, is_suspect, 0, &slot);

	marks_leave(slot);
	return is_in;
}

static void
a_suspect_waits_for_the_others_to_leave_and_they_for_it(void **state)
{
	static struct other other;
	static struct event suspect, second, third;
	struct marks *marks = open_at(*state);
	struct marks_slot *slot = NULL;

	assert_true(admits(marks, &third, false));
	other_enter(&other, marks);
	assert_false(marks_admit(marks, &suspect, 1, true, 0, &slot));
	assert_false(admits(marks, &third, false));
	assert_false(admits(marks, &second, true));
	other_leave(&other);
	assert_true(marks_admit(marks, &suspect, 1, true, 0, &slot));
	assert_false(admits(marks, &second, true));
	assert_false(admits(marks, &third, false));
	marks_leave(slot);
	marks_let_in(marks, &suspect);
	assert_true(admits(marks, &third, false));
	assert_true(admits(marks, &second, true));
	marks_let_in(marks, &second);
	marks_close(marks);
}

static void
a_suspect_that_wants_its_turn_no_more_lets_the_others_in(void **state)
{
	static struct other other;
	static struct event suspect, third;
	struct marks *marks = open_at(*state);

	other_enter(&other, marks);
	assert_false(admits(marks, &suspect, true));
	assert_false(admits(marks, &third, false));
	marks_let_in(marks, &suspect);
	assert_true(admits(marks, &third, false));
	other_leave(&other);
	marks_close(marks);
}

static void
a_suspect_does_not_wait_for_one_that_is_late(void **state)
{
	static struct other other;
	static struct event suspect;
	struct marks *marks = open_at(*state);

	other_enter(&other, marks);
	assert_false(admits(marks, &suspect, true));
	marks_be_late(other.slot);
	assert_true(admits(marks, &suspect, true));
	marks_let_in(marks, &suspect);
	other_leave(&other);
	marks_close(marks);
}

static void
a_turn_ends_after_a_minute_though_a_handler_does_not_return(void **state)
{
	static struct other other;
	static struct event suspect, second, third;
	struct marks *marks = open_at(*state);
	struct marks_slot *slot = NULL;
	int64_t minute_ns = INT64_C(60000000000);

	other_enter(&other, marks);
	assert_false(admits(marks, &suspect, true));
	marks_end_turn(marks, timer_now_ns() + minute_ns / 2);
	assert_false(admits(marks, &third, false));
	marks_end_turn(marks, timer_now_ns() + minute_ns);
	assert_true(admits(marks, &third, false));
	/* Nor does a suspect wait for what has taken so long. */
	assert_true(marks_admit(marks, &suspect, 1, true, 0, &slot));
	marks_end_turn(marks, timer_now_ns() + minute_ns);
	assert_int_equal(atomic_load(&slot->state), MARKS_LONG);
	marks_leave(slot);
	assert_true(admits(marks, &second, true));
	marks_let_in(marks, &second);
	other_leave(&other);
	marks_close(marks);
}

static void
a_turn_lasts_as_long_as_a_timeout_of_more_than_a_minute(void **state)
{
	static struct event suspect, third;
	struct marks *marks = open_at(*state);
	struct marks_slot *slot = NULL;
	const unsigned timeout_ms = 90000;
	int64_t minute_ns = INT64_C(60000000000);

	assert_true(marks_admit(marks, &suspect, 1, true, timeout_ms, &slot));
	marks_end_turn(marks, timer_now_ns() + minute_ns);
	assert_int_equal(atomic_load(&slot->state), MARKS_ALONE);
	assert_true(marks_has_turn(marks));
	marks_end_turn(marks, timer_now_ns() + (int64_t)timeout_ms * 1000000);
	assert_int_equal(atomic_load(&slot->state), MARKS_LONG);
	assert_false(marks_has_turn(marks));
	marks_leave(slot);
	assert_true(admits(marks, &third, false));
	marks_close(marks);
}

static void
who_waits_for_a_suspect_asks_seldomer_the_longer_it_waits(void **state)
{
	static struct event suspect, third;
	struct marks *marks = open_at(*state);
	struct host host = { .marks = marks };
	struct instance in = { .host = &host };
	const struct element el = { .in = &in };
	int64_t ms = 1000000;

	third.stand_until_ns = 1000 * ms;
	assert_int_equal(verdict_wait_ns(&el, &third, 2000 * ms), 20 * ms);
	assert_true(admits(marks, &suspect, true));
	assert_int_equal(verdict_wait_ns(&el, &third, 900 * ms), 20 * ms);
	assert_int_equal(verdict_wait_ns(&el, &third, 1000 * ms), 20 * ms);
	assert_int_equal(verdict_wait_ns(&el, &third, 1040 * ms), 40 * ms);
	assert_int_equal(verdict_wait_ns(&el, &third, 1080 * ms), 80 * ms);
	assert_int_equal(verdict_wait_ns(&el, &third, 2000 * ms), 500 * ms);
	third.is_marked = true;
	assert_int_equal(verdict_wait_ns(&el, &third, 2000 * ms), 20 * ms);
	marks_let_in(marks, &suspect);
	marks_close(marks);
}

/* ---- A pipeline --------------------------------------------------------- */

#define SUSPECTS GUESTS

static struct {
	pthread_mutex_t lock; /* guards: the rest */
	unsigned n_inside, n_suspects_inside;
	bool were_beside;
} inside = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
inside_change(unsigned by, bool is_suspect)
{
	pthread_mutex_lock(&inside.lock);
	inside.n_inside += by;
	if (is_suspect)
		inside.n_suspects_inside += by;
	if (inside.n_suspects_inside > 0 && inside.n_inside > 1)
		inside.were_beside = true;
	pthread_mutex_unlock(&inside.lock);
}

static enum evh_result
count_inside(struct rig_element *el, struct evh_event *ev)
{
	/* Long enough for another worker to come in. */
	const struct timespec work = { 0, 3000000 };
	bool is_suspect = ev->cookie < SUSPECTS;

	inside_change(1, is_suspect);
	nanosleep(&work, NULL);
	inside_change(-1U, is_suspect);
	(void)rig_note(el, ev);
	return is_suspect && ev->attempt == 1 ? EVH_RETRY : EVH_OK;
}

static void
emit_all(struct rig_element *src, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned char id[16];
		struct evh_spec spec = { .id = id,
					 .name = "x",
					 .data = { "{}", 2 },
					 .status = EVH_PROCESSED,
					 .cookie = i };

		id_of(i, id);
		rig_emit_spec(src, &spec);
	}
}

static void
a_suspect_is_tried_while_nobody_else_is(void **state)
{
	const enum marks_state states[SUSPECTS] = {
		MARKS_INSIDE, MARKS_INSIDE, MARKS_INSIDE, MARKS_INSIDE,
		MARKS_INSIDE, MARKS_INSIDE, MARKS_INSIDE, MARKS_INSIDE
	};
	const struct tempdir *dir = *state;
	const int n = 6 * SUSPECTS;
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element look = { .name = "h",
				    .kind = EVH_HANDLER,
				    .process = count_inside };

	die_with(dir, SUSPECTS, states);
	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_pipeline(rig, (struct config_pipeline){ .chain = LIST("src", "h"),
						    .workers = 4 });
	rig_mark(rig, dir->path);
	rig_start(rig);
	emit_all(&src, (unsigned)n);
	rig_await_heard(&src, n);
	assert_int_equal(look.n_seen, n + SUSPECTS);
	assert_false(inside.were_beside);
	rig_free(rig);
}

enum { SUSPECT, BLOCKER, THIRD };

static pthread_barrier_t blocking; /* twice: is inside, is to leave */

static enum evh_result
block_or_note(struct rig_element *el, struct evh_event *ev)
{
	if (ev->cookie == BLOCKER) {
		pthread_barrier_wait(&blocking);
		pthread_barrier_wait(&blocking);
	}
	return rig_note(el, ev);
}

/* A key, none below `from`, whose lane is this worker's, of two. */
static unsigned
key_for(unsigned worker, unsigned from, char ret[8])
{
	static struct event ev;

	do {
		ev.pub.key.data = ret;
		ev.pub.key.len = (size_t)snprintf(ret, 8, "%u", from++);
		lane_find(&ev);
	} while (ev.lane % 2 != worker);
	return from;
}

/* One event stays in process(), on the first worker; a suspect comes to the
 * second, and waits for its turn. */
struct queue {
	struct rig *rig;
	struct rig_element src, one, two;
	struct pipeline *pipeline;
	unsigned key; /* the next one */
};

static void
queue_emit(struct queue *q, unsigned number, const char *name)
{
	unsigned char id[16];
	char key[8];
	struct evh_spec spec = {
		.id = id, .name = name, .data = { "{}", 2 }, .cookie = number
	};

	id_of(number, id);
	q->key = key_for(number != BLOCKER, q->key, key);
	spec.key = (struct evh_bytes){ key, strlen(key) };
	rig_emit_spec(&q->src, &spec);
}

static void
queue_open(struct queue *q, const struct tempdir *dir, unsigned deadline_ms)
{
	const enum marks_state there = MARKS_INSIDE;

	*q = (struct queue){
		.rig = rig_new(),
		.src = { .name = "src", .kind = EVH_SOURCE },
		.one = { .name = "h",
			 .kind = EVH_HANDLER,
			 .match = { "s" },
			 .process = block_or_note },
		.two = { .name = "two",
			 .kind = EVH_HANDLER,
			 .match = { "o" },
			 .process = block_or_note },
	};
	die_with(dir, 1, &there);
	pthread_barrier_init(&blocking, NULL, 2);
	rig_add(q->rig, &q->src);
	rig_add(q->rig, &q->one);
	rig_add(q->rig, &q->two);
	q->pipeline = rig_pipeline(
		q->rig,
		(struct config_pipeline){ .chain = LIST("src", "h", "two"),
					  .deadline_ms = deadline_ms,
					  .workers = 2 });
	rig_mark(q->rig, dir->path);
	rig_start(q->rig);
	queue_emit(q, BLOCKER, "o");
	pthread_barrier_wait(&blocking);
	queue_emit(q, SUSPECT, "s");
}

static void
queue_close(struct queue *q, int n)
{
	pthread_barrier_wait(&blocking);
	rig_await_heard(&q->src, n);
	rig_free(q->rig);
	pthread_barrier_destroy(&blocking);
}

static void
while_the_handler_of_a_suspect_is_not_ready_the_others_go_on(void **state)
{
	static struct queue q;

	queue_open(&q, *state, 0);
	rig_await_standing(q.pipeline);
	queue_emit(&q, THIRD, "o");
	q.one.ctx->ready(q.one.ctx, "not now");
	rig_await_heard(&q.src, 1);
	assert_int_equal(q.src.heard[0], THIRD);
	q.one.ctx->ready(q.one.ctx, NULL);
	queue_close(&q, 3);
}

static void
when_a_suspect_is_given_up_before_its_turn_the_others_go_on(void **state)
{
	static struct queue q;

	queue_open(&q, *state, 100);
	rig_await_heard(&q.src, 1);
	assert_int_equal(q.src.heard[0], SUSPECT);
	assert_int_equal(q.src.results[0], EVH_RETRY);
	queue_emit(&q, THIRD, "o");
	rig_await_heard(&q.src, 2);
	assert_int_equal(q.src.heard[1], THIRD);
	assert_int_equal(q.src.results[1], EVH_OK);
	queue_close(&q, 3);
}

/* ---- Crashes beside one another ----------------------------------------- */

#define EVENTS	48
#define GUILTY	5
#define WORKERS 4

/* What became of the events, in all processes. */
struct fate {
	atomic_uint deaths[EVENTS];
	atomic_uint wrong_reasons;
};

static struct fate *fate;

/* Near one another, with others between them. */
static bool
is_guilty(uintptr_t number)
{
	return number % 3 == 1 && number / 3 < GUILTY;
}

static enum evh_result
crash_some(struct rig_element *el, struct evh_event *ev)
{
	const struct timespec work = { 0, 1000000 };

	(void)el;
	nanosleep(&work, NULL);
	if (is_guilty(ev->cookie))
		raise(SIGKILL);
	return EVH_OK;
}

static int
note_death(struct rig_element *el, struct evh_event *const *evs, int n)
{
	for (int i = 0; i < n; i++) {
		atomic_fetch_add(&fate->deaths[evs[i]->cookie], 1);
		if (!strstr(evs[i]->error, "the process ended 3 times"))
			atomic_fetch_add(&fate->wrong_reasons, 1);
	}
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

/* One that gets all of them, as from a source that has noted nothing yet, and
 * ends with 0 when each has been answered. */
static _Noreturn void
live(const struct tempdir *dir)
{
	struct rig *rig = rig_new();
	struct rig_element src = { .name = "src", .kind = EVH_SOURCE };
	struct rig_element look = { .name = "h",
				    .kind = EVH_HANDLER,
				    .process = crash_some };
	struct rig_element dead = { .name = "dead",
				    .kind = EVH_SINK,
				    .submit = note_death };

	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_add(rig, &dead);
	rig_pipeline(rig, (struct config_pipeline){ .chain = LIST("src", "h"),
						    .on_fail = LIST("dead"),
						    .workers = WORKERS });
	rig_mark(rig, dir->path);
	rig_start(rig);
	emit_all(&src, EVENTS);
	rig_await_heard(&src, EVENTS);
	_exit(0);
}

/* How often a process ends until one has answered all; one more than may be,
 * when none does. */
static unsigned
live_on(const struct tempdir *dir)
{
	for (unsigned ends = 0; ends <= 3 * GUILTY; ends++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			live(dir);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return ends;
		}
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
	return 3 * GUILTY + 1;
}

static void
fate_open(void)
{
	fate = mmap(NULL, sizeof(*fate), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fate, MAP_FAILED);
}

static void
each_that_crashes_is_dead_after_three_ends_and_no_other(void **state)
{
	unsigned ends;

	fate_open();
	ends = live_on(*state);
	/* The first end may be one of several; the others are each one's own.
	 */
	assert_in_range(ends, 2 * GUILTY + 1, 3 * GUILTY);
	for (unsigned i = 0; i < EVENTS; i++) {
		if (is_guilty(i))
			assert_true(atomic_load(&fate->deaths[i]) > 0);
		else
			assert_int_equal(atomic_load(&fate->deaths[i]), 0);
	}
	assert_int_equal(atomic_load(&fate->wrong_reasons), 0);
	munmap(fate, sizeof(*fate));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, place_open, place_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_beside_others_count_as_one),
		TEST(an_end_of_one_that_is_alone_is_its_own_and_of_nobody_at_the_door),
		TEST(a_late_one_is_counted_before_one_that_is_alone),
		TEST(one_that_is_alone_is_counted_before_one_that_takes_long),
		TEST(one_that_takes_long_is_counted_before_those_that_came_in_later),
		TEST(a_suspect_waits_for_the_others_to_leave_and_they_for_it),
		TEST(a_suspect_that_wants_its_turn_no_more_lets_the_others_in),
		TEST(a_suspect_does_not_wait_for_one_that_is_late),
		TEST(a_turn_ends_after_a_minute_though_a_handler_does_not_return),
		TEST(a_turn_lasts_as_long_as_a_timeout_of_more_than_a_minute),
		TEST(who_waits_for_a_suspect_asks_seldomer_the_longer_it_waits),
		TEST(a_suspect_is_tried_while_nobody_else_is),
		TEST(while_the_handler_of_a_suspect_is_not_ready_the_others_go_on),
		TEST(when_a_suspect_is_given_up_before_its_turn_the_others_go_on),
		TEST(each_that_crashes_is_dead_after_three_ends_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
