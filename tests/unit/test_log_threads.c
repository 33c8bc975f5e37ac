/*
 * test_log_threads.c - many that write at once, into a file and into one pipe.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "log_place.h"
#include "stderr_now.h"

enum { N_THREADS = 4, N_ENTRIES = 500 };

static void *
write_many(void *arg)
{
	char text[3500];
	int i, letter = *(char *)arg;

	memset(text, letter, sizeof(text));
	for (i = 0; i < N_ENTRIES; i++)
		log_write(EVH_INFO, &place_facts, "%.*s",
			  1 + i * 7 % (int)sizeof(text), text);
	return NULL;
}

static void
start_writers(pthread_t *threads, char *letters)
{
	int i;

	for (i = 0; i < N_THREADS; i++) {
		letters[i] = (char)('a' + i);
		assert_int_equal(pthread_create(&threads[i], NULL, write_many,
						&letters[i]),
				 0);
	}
}

/* Every line is whole JSON, its message one letter again and again, unless it
 * is about lost ones; returns how many there are. */
static unsigned
check_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text = strchr(text, '\n') + 1, n++) {
		json_t *json = line_json(text);
		const char *msg = line_member(json, "msg");

		if (!strstr(msg, "log entries were lost"))
			assert_int_equal(strspn(msg, (char[]){ msg[0], 0 }),
					 strlen(msg));
		json_decref(json);
	}
	return n;
}

static void
lines_of_several_threads_never_mix_while_the_file_is_rotated(void **state)
{
	struct place *place = *state;
	pthread_t threads[N_THREADS];
	char letters[N_THREADS];
	unsigned n = 0;
	int i;

	assert_int_equal(log_open(EVH_INFO, LOG_JSON, place->file), 0);
	start_writers(threads, letters);
	for (i = 0; i < 20; i++) {
		assert_int_equal(rename(place->file, place->old), 0);
		assert_int_equal(log_reopen(), 0);
		n += check_lines(place_read(place, place->old));
	}
	for (i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	n += check_lines(place_read(place, place->file));
	assert_int_equal(n, N_THREADS * N_ENTRIES);
}

/* Two processes with one pipe, each with its own descriptor of it. */
static void
lines_of_two_processes_in_one_pipe_never_mix(void **state)
{
	static char text[1 << 20];
	struct stderr_now now = stderr_to_pipe();
	pid_t pids[2];
	size_t len = 0;
	ssize_t n = 1;
	int i, status;

	(void)state;
	assert_true(fcntl(now.reader, F_SETPIPE_SZ, 1 << 17) > 0);
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			char letter = (char)('a' + i);

			alarm(60);
			close(now.reader);
			log_open(EVH_INFO, LOG_JSON, NULL);
			write_many(&letter);
			_exit(0);
		}
	}
	dup2(now.saved, STDERR_FILENO);
	while (n > 0 && len < sizeof(text) - 1) {
		n = read(now.reader, text + len, sizeof(text) - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	text[len] = '\0';
	if (strrchr(text, '\n'))
		strrchr(text, '\n')[1] = '\0';
	close(now.reader);
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close(now.saved);
	/* Some found the pipe full: these are lost, and told. */
	assert_in_range(check_lines(text), 100, 2 * N_ENTRIES);
}

int
main(void)
{
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, place_make, place_remove)
	const struct CMUnitTest tests[] = {
		IN_PLACE(
			lines_of_several_threads_never_mix_while_the_file_is_rotated),
		cmocka_unit_test(lines_of_two_processes_in_one_pipe_never_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
