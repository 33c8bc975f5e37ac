/*
 * test_watch_process.c - what ends or stops evhd itself: on_timeout = "abort",
 * and a pause of the whole process, which is no time of a handler.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "../harness/tempdir.h"
#include "instance.h"
#include "marks.h"
#include "pipeline.h"
#include "rig.h"
#include "watch_bench.h"

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
	return ev->cookie < HANGS ? handler_hold(el, ev) : EVH_OK;
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
	if (process == handler_hold)
		rig_await_held(&b.look, 1);
	else
		gate_await_inside(1);
	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		_exit(2);
	if (process == handler_hold)
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
	assert_survives_a_stop(handler_hang);
}

static void
a_pause_of_evhd_is_no_time_of_a_held_event(void **state)
{
	(void)state;
	assert_survives_a_stop(handler_hold);
}

static void
on_timeout_abort_ends_the_process_and_leaves_a_mark(void **state)
{
	(void)state;
	assert_aborts(handler_hang);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
