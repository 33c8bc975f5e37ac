/*
 * test_crashes_turn.c - who may have ended a process is tried alone, and keeps
 * nobody waiting for longer than that takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crash_bench.h"
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
	struct marks *marks = crash_marks(*state);
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
	struct marks *marks = crash_marks(*state);

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
	struct marks *marks = crash_marks(*state);

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
	struct marks *marks = crash_marks(*state);
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
	struct marks *marks = crash_marks(*state);
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
	struct marks *marks = crash_marks(*state);
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

#define SUSPECTS CRASH_GUESTS

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

	crash_die_with(dir, SUSPECTS, states);
	rig_add(rig, &src);
	rig_add(rig, &look);
	rig_pipeline(rig, (struct config_pipeline){ .chain = LIST("src", "h"),
						    .workers = 4 });
	rig_mark(rig, dir->path);
	rig_start(rig);
	crash_emit(&src, (unsigned)n);
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

	crash_id(number, id);
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
	crash_die_with(dir, 1, &there);
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

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, crash_place_open,                \
					crash_place_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_suspect_waits_for_the_others_to_leave_and_they_for_it),
		TEST(a_suspect_that_wants_its_turn_no_more_lets_the_others_in),
		TEST(a_suspect_does_not_wait_for_one_that_is_late),
		TEST(a_turn_ends_after_a_minute_though_a_handler_does_not_return),
		TEST(a_turn_lasts_as_long_as_a_timeout_of_more_than_a_minute),
		TEST(who_waits_for_a_suspect_asks_seldomer_the_longer_it_waits),
		TEST(a_suspect_is_tried_while_nobody_else_is),
		TEST(while_the_handler_of_a_suspect_is_not_ready_the_others_go_on),
		TEST(when_a_suspect_is_given_up_before_its_turn_the_others_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
