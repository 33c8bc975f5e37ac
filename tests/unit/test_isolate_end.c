/*
 * test_isolate_end.c - a handler's process that ends unasked, and what becomes
 * of the events that it had.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "instance.h"
#include "isolate_bench.h"
#include "isolate_process.h"
#include "metrics.h"
#include "rig.h"
#include "timer.h"

static void
a_crash_is_an_attempt_and_others_go_on(void **state)
{
	struct isolated b = { 0 };
	int n_dead = 0;

	(void)state;
	isolated_open(&b, 2, isolated_plain);
	for (int i = 0; i < 100; i++)
		isolated_emit_one(&b, i == 50 ? "crash" : "slow");
	rig_await_heard(&b.src, 100);
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(b.out.n_seen, 99);
	for (int i = 0; i < 100; i++) {
		const struct isolated_seen *seen = &b.seen[i];

		if (strcmp(seen->name, "crash") != 0) {
			assert_int_equal(seen->attempts, 0);
			continue;
		}
		n_dead++;
		assert_int_equal(seen->attempts, 2);
		assert_non_null(strstr(seen->error, "ended by signal 6"));
	}
	assert_int_equal(n_dead, 1);
	assert_true(isolated_pid(isolated_pass(&b, "pid")) > 0);
	isolated_close(&b);
}

static void
what_was_sent_ahead_has_no_part_in_a_crash(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	struct isolated b = { 0 };
	int n;

	(void)state;
	isolated_open(&b, 1, once);
	isolated_hurry(&b);
	n = b.src.n_heard;
	isolated_emit_one(&b, "slow");
	isolated_emit_one(&b, "crash");
	for (int i = 0; i < 20; i++)
		isolated_emit_one(&b, "any");
	rig_await_heard(&b.src, n + 22);
	assert_int_equal(b.dead.n_seen, 1);
	for (int i = 0; i < b.n_seen; i++)
		assert_int_equal(b.seen[i].attempts, 0);
	isolated_close(&b);
}

static void
the_event_of_a_crash_is_tried_again(void **state)
{
	struct isolated b = { 0 };

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	assert_int_equal(isolated_pass(&b, "once")->attempts, 1);
	assert_int_equal(b.out.n_seen, 1);
	isolated_close(&b);
}

static void
a_crash_while_none_is_in_hand_is_of_all_that_are_held(void **state)
{
	struct isolated b = { 0 };
	const struct isolated_seen *seen;

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	seen = isolated_pass(&b, "doom");
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(seen->attempts, 2);
	assert_non_null(strstr(seen->error, "ended by signal 6"));
	isolated_close(&b);
}

/* It has the socket, and goes on. */
static void
what_a_process_has_started_does_not_hide_its_end(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	struct isolated b = { 0 };

	(void)state;
	isolated_open(&b, 1, once);
	assert_non_null(
		strstr(isolated_pass(&b, "fork")->error, "ended by signal 6"));
	isolated_close(&b);
}

static void
a_handler_with_a_thread_holds_there_too(void **state)
{
	static const char *const sleep[] = { ISOLATED, "time", "500ms", NULL };
	struct isolated b = { 0 };
	int64_t begin_ns;

	(void)state;
	assert_int_equal(isolated_make(&b, 1, "sleep", sleep), 0);
	rig_start(b.rig);
	begin_ns = timer_now_ns();
	for (int i = 0; i < 100; i++)
		isolated_emit_one(&b, "any");
	rig_await_heard(&b.src, 100);
	assert_int_equal(b.out.n_seen, 100);
	/* All at once: one after the other they would take 50 s. */
	assert_in_range(isolated_elapsed_ms(begin_ns), 500, 49000);
	isolated_close(&b);
}

static void
an_exit_is_a_crash(void **state)
{
	struct isolated b = { 0 };

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	assert_non_null(
		strstr(isolated_pass(&b, "exit")->error, "exited with 3"));
	assert_int_equal(b.dead.n_seen, 1);
	isolated_close(&b);
}

/* How many of its processes have ended unasked. */
static int64_t
ends_of(struct isolated *b)
{
	struct evh_ctx *ctx = &b->in->ctx;

	return metric_value(
		ctx->metric(ctx, EVH_COUNTER, "isolate_ends", NULL, NULL));
}

/* Whether it is seen to be away, and why, and takes nothing meanwhile; on a
 * busy machine it may be back before anybody has looked. */
static bool
is_seen_away(struct isolated *b, int64_t n_ends, const char *expected)
{
	const struct timespec pause = { 0, 1000000 };
	char why[INSTANCE_WHY_MAX] = "";
	int n = b->src.n_heard;
	int64_t begin_ns = timer_now_ns();

	while (!strstr(why, expected)) {
		assert_true(isolated_elapsed_ms(begin_ns) < ISOLATED_AWAIT_MS);
		if (ends_of(b) > n_ends && atomic_load(&b->in->is_ready))
			return false;
		nanosleep(&pause, NULL);
		instance_why_not(b->in, why, sizeof(why));
	}
	if (isolated_emit(b, "pid", "{}", 2) == -EAGAIN)
		return true;
	rig_await_heard(&b->src, n + 1);
	return false;
}

static void
kill_9_from_outside_is_mended(void **state)
{
	struct isolated b = { 0 };
	pid_t first;
	int64_t n_ends;
	char why[INSTANCE_WHY_MAX];

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	do {
		first = isolated_pid(isolated_pass(&b, "pid"));
		n_ends = ends_of(&b);
		assert_true(first > 0 && first != getpid());
		assert_int_equal(kill(first, SIGKILL), 0);
	} while (!is_seen_away(&b, n_ends, "its process ended by signal 9"));
	isolated_await_ready(&b, true);
	assert_int_not_equal(isolated_pid(isolated_pass(&b, "pid")), first);
	instance_why_not(b.in, why, sizeof(why));
	assert_string_equal(why, "");
	isolated_close(&b);
}

/* They come to all of a control group, or to all of a name. */
static void
signals_for_evhd_are_none_for_its_processes(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct isolated b = { 0 };
	pid_t pid;

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	pid = isolated_pid(isolated_pass(&b, "pid"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(kill(pid, signals[i]), 0);
	assert_int_equal(isolated_pid(isolated_pass(&b, "pid")), pid);
	isolated_close(&b);
}

static void
one_that_was_given_up_is_reaped_when_it_ends(void **state)
{
	const struct timespec pause = { 0, 1000000 };
	struct isolate_process process;
	struct process_left left = { 0 };
	pid_t pid;

	(void)state;
	assert_int_equal(process_start(&process, "any", &left), 0);
	pid = process.pid;
	/* Or it would end by itself, since nobody speaks with it any more. */
	assert_int_equal(kill(pid, SIGSTOP), 0);
	process_leave(&process, &left);
	process_left_reap(&left);
	assert_int_equal(left.n, 1); /* it runs still */
	assert_int_equal(kill(pid, SIGKILL), 0);
	for (int i = 0; i < ISOLATED_AWAIT_MS && left.n > 0; i++) {
		process_left_reap(&left);
		nanosleep(&pause, NULL);
	}
	assert_int_equal(left.n, 0);
	assert_int_equal(kill(pid, 0), -1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_is_an_attempt_and_others_go_on),
		cmocka_unit_test(what_was_sent_ahead_has_no_part_in_a_crash),
		cmocka_unit_test(the_event_of_a_crash_is_tried_again),
		cmocka_unit_test(
			a_crash_while_none_is_in_hand_is_of_all_that_are_held),
		cmocka_unit_test(
			what_a_process_has_started_does_not_hide_its_end),
		cmocka_unit_test(a_handler_with_a_thread_holds_there_too),
		cmocka_unit_test(an_exit_is_a_crash),
		cmocka_unit_test(kill_9_from_outside_is_mended),
		cmocka_unit_test(signals_for_evhd_are_none_for_its_processes),
		cmocka_unit_test(one_that_was_given_up_is_reaped_when_it_ends),
	};

	isolated_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
