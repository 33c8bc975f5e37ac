/*
 * test_marks.c - what a crash leaves in the file of marks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "mark_bench.h"
#include "marks.h"
#include "marks_table.h"

static void
an_event_at_a_handler_when_its_process_is_killed_is_counted(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks;

	mark_die(place, mark_one, false, false);
	marks = mark_open(place);
	assert_int_equal(mark_ends(marks, mark_one, "h"), 1);
	assert_int_equal(mark_ends(marks, mark_one, "other"), 0);
	assert_int_equal(mark_ends(marks, mark_two, "h"), 0);
	marks_close(marks);
	mark_die(place, mark_one, false, false);
	mark_die(place, mark_one, true, false);
	marks = mark_open(place);
	assert_int_equal(mark_ends(marks, mark_one, "h"), 3);
	assert_int_equal(marks_find(marks, mark_one, marks_handler("h")).n_late,
			 1);
	marks_close(marks);
}

static void
what_the_handler_has_returned_is_not_counted(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks;

	mark_die(place, mark_one, false, true);
	marks = mark_open(place);
	assert_int_equal(mark_ends(marks, mark_one, "h"), 0);
	marks_close(marks);
}

static void
a_running_sibling_counts_it_and_a_living_one_is_left_alone(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks = mark_open(place);
	struct marks *sibling = mark_open(place);
	struct marks_slot *slot =
		marks_enter(sibling, mark_two, marks_handler("h"));

	mark_die(place, mark_one, false, false);
	marks_collect(marks);
	assert_int_equal(mark_ends(marks, mark_one, "h"), 1);
	assert_int_equal(mark_ends(sibling, mark_one, "h"), 1);
	marks_collect(sibling);
	assert_int_equal(mark_ends(sibling, mark_one, "h"), 1);
	assert_int_equal(mark_ends(marks, mark_two, "h"), 0);
	marks_leave(slot);
	marks_close(sibling);
	marks_close(marks);
}

static void
an_event_that_is_done_is_forgotten(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks;

	mark_die(place, mark_one, false, false);
	mark_die(place, mark_two, false, false);
	marks = mark_open(place);
	marks_forget(marks, mark_one, marks_handler("other"));
	assert_int_equal(mark_ends(marks, mark_one, "h"), 1);
	marks_forget(marks, mark_one, marks_handler("h"));
	assert_int_equal(mark_ends(marks, mark_one, "h"), 0);
	assert_int_equal(mark_ends(marks, mark_two, "h"), 1);
	marks_close(marks);
}

static void
an_end_on_purpose_counts_only_what_was_late(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		marks = mark_open(place);
		(void)marks_enter(marks, mark_one, marks_handler("h"));
		marks_keep_late(marks);
		assert_null(marks_enter(marks, mark_two, marks_handler("h")));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	marks = mark_open(place);
	assert_int_equal(mark_ends(marks, mark_one, "h"), 0);
	assert_int_equal(mark_ends(marks, mark_two, "h"), 0);
	marks_close(marks);
}

static void *
mark_and_end(void *arg)
{
	assert_non_null(marks_enter(arg, mark_one, 1));
	return NULL;
}

/* It had looked before, and wrote afterwards. */
static void
who_was_about_to_enter_at_an_end_on_purpose_is_not_counted(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks = NULL;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct marks_slot *slot;

		if (marks_open(place->state, &marks) < 0 || !marks)
			_exit(1);
		slot = marks_enter(marks, mark_one, marks_handler("h"));
		marks_keep_late(marks);
		atomic_store(&slot->state, MARKS_INSIDE);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	marks = mark_open(place);
	assert_int_equal(mark_ends(marks, mark_one, "h"), 0);
	marks_close(marks);
}

static void
a_thread_that_ends_gives_its_slot_back(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks = mark_open(place);

	for (int i = 0; i < 3 * MARKS_THREADS; i++) {
		pthread_t thread;

		assert_int_equal(
			pthread_create(&thread, NULL, mark_and_end, marks), 0);
		pthread_join(thread, NULL);
	}
	marks_close(marks);
}

/* What each of a process's threads is at when that is killed. */
struct crowd {
	struct marks *marks;
	unsigned char id[16];
	pthread_barrier_t *all;
};

static void *
mark_and_stay(void *arg)
{
	struct crowd *crowd = arg;

	(void)marks_enter(crowd->marks, crowd->id, marks_handler("h"));
	pthread_barrier_wait(crowd->all);
	pause();
	return NULL;
}

static void
crowd_id(int round, int i, unsigned char ret[16])
{
	memset(ret, 0, 16);
	ret[0] = (unsigned char)(round + 1);
	ret[8] = (unsigned char)i;
}

static void
crowd_die(const struct mark_place *place, int round)
{
	static struct crowd crowds[MARKS_THREADS];
	struct marks *marks = mark_open(place);
	pthread_barrier_t all;
	pthread_t thread;

	pthread_barrier_init(&all, NULL, MARKS_THREADS + 1);
	for (int i = 0; i < MARKS_THREADS; i++) {
		crowds[i] = (struct crowd){ .marks = marks, .all = &all };
		crowd_id(round, i, crowds[i].id);
		if (pthread_create(&thread, NULL, mark_and_stay, &crowds[i]))
			_exit(1);
	}
	pthread_barrier_wait(&all);
	raise(SIGKILL);
}

static unsigned
crowd_count(const struct marks *marks, int round)
{
	unsigned char id[16];
	unsigned n = 0;

	for (int i = 0; i < MARKS_THREADS; i++) {
		crowd_id(round, i, id);
		n += mark_ends(marks, id, "h");
	}
	return n;
}

static void
beyond_its_room_the_oldest_counts_are_forgotten(void **state)
{
	const struct mark_place *place = *state;
	const int n = 2 * MARKS_COUNTS / MARKS_THREADS;
	struct marks *marks;
	unsigned all = 0;
	int status;

	for (int round = 0; round < n; round++) {
		pid_t pid = fork();

		if (pid == 0)
			crowd_die(place, round);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	marks = mark_open(place);
	for (int round = 0; round < n; round++)
		all += crowd_count(marks, round);
	assert_in_range(all, MARKS_COUNTS / 2, MARKS_COUNTS);
	assert_int_equal(crowd_count(marks, n - 1), MARKS_THREADS);
	marks_close(marks);
}

/* ---- A file that is of no use ------------------------------------------- */

static void
assert_goes_without(const struct mark_place *place)
{
	struct marks *marks = (struct marks *)&place;

	assert_int_equal(marks_open(place->state, &marks), 0);
	assert_null(marks);
}

static void
file_put(const struct mark_place *place, size_t size, int byte)
{
	FILE *out;

	assert_true(mkdir(place->state, 0700) == 0 || errno == EEXIST);
	out = fopen(place->file, "we");
	assert_non_null(out);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(fputc(byte, out), byte);
	assert_int_equal(fclose(out), 0);
}

static off_t
file_size(const struct mark_place *place)
{
	struct stat st;

	assert_int_equal(stat(place->file, &st), 0);
	return st.st_size;
}

static void
a_file_that_is_none_of_evhds_is_left_alone(void **state)
{
	const struct mark_place *place = *state;
	off_t size;

	marks_close(mark_open(place));
	size = file_size(place);
	file_put(place, (size_t)size, 'x');
	assert_goes_without(place);
	file_put(place, 5, 'x');
	assert_goes_without(place);
	assert_int_equal(file_size(place), 5);
	file_put(place, (size_t)size + 1, 0);
	assert_goes_without(place);
}

static void
a_torn_file_whose_writing_had_just_begun_is_begun_again(void **state)
{
	const struct mark_place *place = *state;
	off_t size;

	marks_close(mark_open(place));
	size = file_size(place);
	file_put(place, (size_t)size, 0);
	marks_close(mark_open(place));
	file_put(place, 0, 0);
	marks_close(mark_open(place));
}

static void
garbage_behind_the_head_is_no_event(void **state)
{
	const struct mark_place *place = *state;
	unsigned char garbage[4096];
	struct marks *marks;
	off_t size;
	int fd;

	marks_close(mark_open(place));
	size = file_size(place);
	memset(garbage, 0xa5, sizeof(garbage));
	fd = open(place->file, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t at = 64; at + 4096 < size; at += 4096)
		assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at),
				 sizeof(garbage));
	close(fd);
	marks = mark_open(place);
	assert_int_equal(mark_ends(marks, mark_one, "h"), 0);
	marks_leave(marks_enter(marks, mark_one, 1));
	marks_collect(marks);
	marks_close(marks);
}

static void
a_full_disk_is_no_reason_not_to_run(void **state)
{
	const struct mark_place *place = *state;
	struct rlimit before;
	struct rlimit small;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_goes_without(place);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(file_size(place), 0);
	marks_close(mark_open(place));
}

static void
a_place_that_cannot_be_written_is_a_wrong_configuration(void **state)
{
	const struct mark_place *place = *state;
	struct marks *marks = NULL;
	char path[160];

	assert_int_equal(marks_open("/dev/null/x", &marks), -EINVAL);
	snprintf(path, sizeof(path), "%s/a/b/c", place->dir.path);
	assert_int_equal(marks_open(path, &marks), -EINVAL);
	assert_int_equal(mkdir(place->state, 0700), 0);
	assert_int_equal(symlink("/dev/null", place->file), 0);
	assert_int_equal(marks_open(place->state, &marks), -EINVAL);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, mark_place_open, mark_place_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_at_a_handler_when_its_process_is_killed_is_counted),
		TEST(what_the_handler_has_returned_is_not_counted),
		TEST(a_running_sibling_counts_it_and_a_living_one_is_left_alone),
		TEST(an_event_that_is_done_is_forgotten),
		TEST(an_end_on_purpose_counts_only_what_was_late),
		TEST(who_was_about_to_enter_at_an_end_on_purpose_is_not_counted),
		TEST(a_thread_that_ends_gives_its_slot_back),
		TEST(beyond_its_room_the_oldest_counts_are_forgotten),
		TEST(a_file_that_is_none_of_evhds_is_left_alone),
		TEST(a_torn_file_whose_writing_had_just_begun_is_begun_again),
		TEST(garbage_behind_the_head_is_no_event),
		TEST(a_full_disk_is_no_reason_not_to_run),
		TEST(a_place_that_cannot_be_written_is_a_wrong_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
