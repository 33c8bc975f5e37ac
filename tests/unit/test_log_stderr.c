/*
 * test_log_stderr.c - the log on standard error, in whose place stand pipes and
 * sockets.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "log_place.h"
#include "stderr_now.h"

static void
before_it_is_opened_the_log_is_logfmt_on_stderr_at_info(void **state)
{
	struct stderr_now now;
	char text[4096];

	(void)state;
	now = stderr_to_pipe();
	log_write(EVH_DEBUG, NULL, "no");
	log_write(EVH_INFO, NULL, "early");
	stderr_read(now.reader, text, sizeof(text));
	stderr_restore(&now);
	assert_string_equal(line_behind_time(text), "level=info msg=early\n");
}

/* Writes more than any pipe or socket holds, reads, and writes once more. */
static void
overfill_and_read(struct stderr_now *now)
{
	static char text[1 << 20];
	uint64_t lost = log_count_lost();
	char expected[64];
	size_t len, i;

	alarm(60); /* who waits for the reader is killed */
	for (i = 0; i < 20000; i++)
		log_write(EVH_INFO, NULL, "entry %zu", i);
	lost = log_count_lost() - lost;
	assert_in_range(lost, 1, 19999);
	len = stderr_read(now->reader, text, sizeof(text));
	log_write(EVH_INFO, NULL, "again");
	stderr_read(now->reader, text + len, sizeof(text) - len);
	alarm(0);

	assert_int_equal(lines_count(text), 20000 - lost + 2);
	snprintf(expected, sizeof(expected), "\"%" PRIu64 " log entries were",
		 lost);
	assert_non_null(strstr(text + len, expected));
	for (i = 0; i < 20000 - lost; i++) {
		snprintf(expected, sizeof(expected), "msg=\"entry %zu\"\n", i);
		assert_non_null(strstr(text, expected));
	}
}

static void
a_full_pipe_loses_entries_and_does_not_block(void **state)
{
	struct stderr_now now = stderr_to_pipe();

	(void)state;
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, NULL), 0);
	overfill_and_read(&now);
	/* Who shares the pipe with us still waits in his writes. */
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	stderr_restore(&now);
}

static void
a_full_pipe_does_not_block_before_the_log_is_opened(void **state)
{
	struct stderr_now now = stderr_to_pipe();

	(void)state;
	log_close();
	overfill_and_read(&now);
	stderr_restore(&now);
}

static void
a_full_socket_loses_entries_and_does_not_block(void **state)
{
	struct stderr_now now;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	now = stderr_swap(fds[0], fds[1]);
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, NULL), 0);
	overfill_and_read(&now);
	stderr_restore(&now);
}

/* In a process of its own, where SIGPIPE would kill; the exit code is how
 * many of two entries were lost.  The reader is closed before there are two
 * processes, so that none of them still holds it when the other writes. */
static int
write_in_child(void (*prepare)(int writer), bool socket)
{
	int fds[2], status = 0;
	uint64_t lost;
	pid_t pid;

	fflush(NULL);
	assert_int_equal(socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds)
				: pipe(fds),
			 0);
	close(fds[0]);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		signal(SIGPIPE, SIG_DFL);
		lost = log_count_lost();
		prepare(fds[1]);
		if (log_open(EVH_INFO, LOG_LOGFMT, NULL) < 0)
			_exit(99);
		log_write(EVH_INFO, NULL, "one");
		log_write(EVH_INFO, NULL, "two");
		_exit((int)(log_count_lost() - lost));
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
reader_gone(int writer)
{
	dup2(writer, STDERR_FILENO);
	close(writer);
}

static void
closed(int writer)
{
	close(writer);
	close(STDERR_FILENO);
}

static void
a_reader_that_is_gone_does_not_kill(void **state)
{
	(void)state;
	assert_int_equal(write_in_child(reader_gone, false), 2);
	assert_int_equal(write_in_child(reader_gone, true), 2);
}

static void
a_closed_stderr_becomes_dev_null(void **state)
{
	(void)state;
	assert_int_equal(write_in_child(closed, false), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			before_it_is_opened_the_log_is_logfmt_on_stderr_at_info),
		cmocka_unit_test(a_full_pipe_loses_entries_and_does_not_block),
		cmocka_unit_test(
			a_full_pipe_does_not_block_before_the_log_is_opened),
		cmocka_unit_test(
			a_full_socket_loses_entries_and_does_not_block),
		cmocka_unit_test(a_reader_that_is_gone_does_not_kill),
		cmocka_unit_test(a_closed_stderr_becomes_dev_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
