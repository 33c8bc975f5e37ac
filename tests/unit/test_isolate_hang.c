/*
 * test_isolate_hang.c - a handler's process that takes too long, at an event or
 * at its stop, and a keeper that cannot end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host_tables.h"
#include "isolate_bench.h"
#include "isolate_keeper.h"
#include "pipeline.h"
#include "rig.h"
#include "timer.h"
#include "worker.h"

static void
a_hang_is_killed_at_its_timeout_and_fails(void **state)
{
	static const char *const quick[] = { ISOLATED, "timeout", "300ms",
					     NULL };
	struct isolated b = { 0 };
	int64_t begin_ns = timer_now_ns();

	(void)state;
	isolated_open(&b, 1, quick);
	assert_non_null(strstr(isolated_pass(&b, "hang")->error,
			       "\"type\":\"timeout\""));
	assert_int_equal(b.dead.n_seen, 1);
	assert_in_range(isolated_elapsed_ms(begin_ns), 300, ISOLATED_AWAIT_MS);
	/* And it has not used up anything of others. */
	assert_int_equal(isolated_pass(&b, "any")->attempts, 0);
	isolated_close(&b);
}

/* In a process of its own, which is stopped, and the handler's with it. */
static void
be_frozen(int fd, pid_t *ret_pid)
{
	static const char *const quick[] = { ISOLATED, "timeout", "3s", NULL };
	struct isolated b = { 0 };

	isolated_open(&b, 1, quick);
	*ret_pid = isolated_pid(isolated_pass(&b, "pid"));
	if (write(fd, ret_pid, sizeof(*ret_pid)) != sizeof(*ret_pid))
		_exit(2);
	(void)isolated_pass(&b, "work");
	if (b.dead.n_seen > 0)
		fprintf(stderr, "%s\n", b.seen[1].error);
	_exit(b.dead.n_seen == 0 ? 0 : 1);
}

static void
a_pause_of_evhd_is_no_time_of_an_event(void **state)
{
	int fds[2], status;
	pid_t pid, handler;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		be_frozen(fds[1], &handler);
	assert_int_equal(read(fds[0], &handler, sizeof(handler)),
			 sizeof(handler));
	/* The machine stands in the midst of the work, longer than the timeout,
	 * and not all of it goes on at once. */
	nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(kill(handler, SIGSTOP), 0);
	nanosleep(&(struct timespec){ 3, 500000000 }, NULL);
	assert_int_equal(kill(pid, SIGCONT), 0);
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	assert_int_equal(kill(handler, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fds[0]);
	close(fds[1]);
}

static void
a_hang_does_not_hold_up_a_stop(void **state)
{
	struct isolated b = { 0 };

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	isolated_emit_one(&b, "hang");
	rig_await_standing(b.pipeline);
	isolated_close(&b); /* drains within its time, or fails */
	assert_int_equal(b.src.results[0], EVH_RETRY);
}

static void
a_stop_that_hangs_is_killed(void **state)
{
	static const char *const stuck[] = { ISOLATED, "fault", "stop", NULL };
	struct isolated b = { 0 };
	int64_t begin_ns;

	(void)state;
	isolated_open(&b, 1, stuck);
	(void)isolated_pass(&b, "any");
	begin_ns = timer_now_ns();
	isolated_close(&b);
	assert_in_range(isolated_elapsed_ms(begin_ns), 1000, ISOLATED_AWAIT_MS);
}

static void
await_in_hand(struct isolated *b)
{
	const struct timespec pause = { 0, 1000000 };
	struct isolate *iso = b->in->isolate;
	unsigned n = 0;

	while (n == 0) {
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&iso->lock);
		n = iso->n_in_hand;
		pthread_mutex_unlock(&iso->lock);
	}
}

/* In a process of its own, which is ended when it has not by then. */
#define HANG_S 60

static void
a_keeper_that_cannot_end_ends_with_evhd(void **state)
{
	struct isolated b = { 0 };
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(HANG_S);
		isolated_open(&b, 1, isolated_plain);
		isolated_emit_one(&b, "hang");
		await_in_hand(&b);
		b.in->host->setup->config->shutdown_timeout_ms = 0;
		/* Whoever gives the event back waits here. */
		for (unsigned i = 0; i <= b.pipeline->n_workers; i++)
			pthread_mutex_lock(&b.pipeline->workers[i]->lock);
		keeper_close(b.in->isolate, 0);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_SOFTWARE);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hang_is_killed_at_its_timeout_and_fails),
		cmocka_unit_test(a_pause_of_evhd_is_no_time_of_an_event),
		cmocka_unit_test(a_hang_does_not_hold_up_a_stop),
		cmocka_unit_test(a_stop_that_hangs_is_killed),
		cmocka_unit_test(a_keeper_that_cannot_end_ends_with_evhd),
	};

	isolated_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
