/*
 * test_marks.c - what a crash leaves in the file of marks, and what is made of
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/tempdir.h"
#include "event.h"
#include "log.h"
#include "marks.h"
#include "marks_table.h"
#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

static const unsigned char one[16] = { 1, [15] = 1 };
static const unsigned char two[16] = { 2, [15] = 2 };

struct place {
	struct tempdir dir;
	char state[96]; /* not made yet */
	char file[128];
};

static int
place_open(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	tempdir_init(&place->dir);
	snprintf(place->state, sizeof(place->state), "%s/state",
		 place->dir.path);
	snprintf(place->file, sizeof(place->file), "%s/marks", place->state);
	*state = place;
	return 0;
}

static int
place_close(void **state)
{
	struct place *place = *state;

	tempdir_fini(&place->dir);
	free(place);
	return 0;
}

static struct marks *
open_at(const struct place *place)
{
	struct marks *marks = NULL;

	assert_int_equal(marks_open(place->state, &marks), 0);
	assert_non_null(marks);
	return marks;
}

static unsigned
ends_of(const struct marks *marks, const unsigned char id[16], const char *name)
{
	return marks_find(marks, id, marks_handler(name)).n;
}

/* A process that is killed while its handler has the event, alone when it was
 * there at such an end before; with late, after its timeout; with left, after
 * process() has returned. */
static void
die_at(const struct place *place, const unsigned char id[16], bool is_late,
       bool has_left)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		static struct event ev;
		struct marks *marks = NULL;
		struct marks_slot *slot = NULL;

		if (marks_open(place->state, &marks) < 0 || !marks)
			_exit(1);
		memcpy(ev.pub.id, id, sizeof(ev.pub.id));
		if (!marks_admit(marks, &ev, marks_handler("h"),
				 ends_of(marks, id, "h") > 0, 0, &slot))
			_exit(1);
		if (is_late)
			marks_be_late(slot);
		if (has_left)
			marks_leave(slot);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
an_event_at_a_handler_when_its_process_is_killed_is_counted(void **state)
{
	const struct place *place = *state;
	struct marks *marks;

	die_at(place, one, false, false);
	marks = open_at(place);
	assert_int_equal(ends_of(marks, one, "h"), 1);
	assert_int_equal(ends_of(marks, one, "other"), 0);
	assert_int_equal(ends_of(marks, two, "h"), 0);
	marks_close(marks);
	die_at(place, one, false, false);
	die_at(place, one, true, false);
	marks = open_at(place);
	assert_int_equal(ends_of(marks, one, "h"), 3);
	assert_int_equal(marks_find(marks, one, marks_handler("h")).n_late, 1);
	marks_close(marks);
}

static void
what_the_handler_has_returned_is_not_counted(void **state)
{
	const struct place *place = *state;
	struct marks *marks;

	die_at(place, one, false, true);
	marks = open_at(place);
	assert_int_equal(ends_of(marks, one, "h"), 0);
	marks_close(marks);
}

static void
a_running_sibling_counts_it_and_a_living_one_is_left_alone(void **state)
{
	const struct place *place = *state;
	struct marks *marks = open_at(place);
	struct marks *sibling = open_at(place);
	struct marks_slot *slot = marks_enter(sibling, two, marks_handler("h"));

	die_at(place, one, false, false);
	marks_collect(marks);
	assert_int_equal(ends_of(marks, one, "h"), 1);
	assert_int_equal(ends_of(sibling, one, "h"), 1);
	marks_collect(sibling);
	assert_int_equal(ends_of(sibling, one, "h"), 1);
	assert_int_equal(ends_of(marks, two, "h"), 0);
	marks_leave(slot);
	marks_close(sibling);
	marks_close(marks);
}

static void
an_event_that_is_done_is_forgotten(void **state)
{
	const struct place *place = *state;
	struct marks *marks;

	die_at(place, one, false, false);
	die_at(place, two, false, false);
	marks = open_at(place);
	marks_forget(marks, one, marks_handler("other"));
	assert_int_equal(ends_of(marks, one, "h"), 1);
	marks_forget(marks, one, marks_handler("h"));
	assert_int_equal(ends_of(marks, one, "h"), 0);
	assert_int_equal(ends_of(marks, two, "h"), 1);
	marks_close(marks);
}

static void
an_end_on_purpose_counts_only_what_was_late(void **state)
{
	const struct place *place = *state;
	struct marks *marks;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		marks = open_at(place);
		(void)marks_enter(marks, one, marks_handler("h"));
		marks_keep_late(marks);
		assert_null(marks_enter(marks, two, marks_handler("h")));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	marks = open_at(place);
	assert_int_equal(ends_of(marks, one, "h"), 0);
	assert_int_equal(ends_of(marks, two, "h"), 0);
	marks_close(marks);
}

static void *
mark_and_end(void *arg)
{
	assert_non_null(marks_enter(arg, one, 1));
	return NULL;
}

/* It had looked before, and wrote afterwards. */
static void
who_was_about_to_enter_at_an_end_on_purpose_is_not_counted(void **state)
{
	const struct place *place = *state;
	struct marks *marks = NULL;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct marks_slot *slot;

		if (marks_open(place->state, &marks) < 0 || !marks)
			_exit(1);
		slot = marks_enter(marks, one, marks_handler("h"));
		marks_keep_late(marks);
		atomic_store(&slot->state, MARKS_INSIDE);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	marks = open_at(place);
	assert_int_equal(ends_of(marks, one, "h"), 0);
	marks_close(marks);
}

static void
a_thread_that_ends_gives_its_slot_back(void **state)
{
	const struct place *place = *state;
	struct marks *marks = open_at(place);

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
crowd_die(const struct place *place, int round)
{
	static struct crowd crowds[MARKS_THREADS];
	struct marks *marks = open_at(place);
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
		n += ends_of(marks, id, "h");
	}
	return n;
}

static void
beyond_its_room_the_oldest_counts_are_forgotten(void **state)
{
	const struct place *place = *state;
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
	marks = open_at(place);
	for (int round = 0; round < n; round++)
		all += crowd_count(marks, round);
	assert_in_range(all, MARKS_COUNTS / 2, MARKS_COUNTS);
	assert_int_equal(crowd_count(marks, n - 1), MARKS_THREADS);
	marks_close(marks);
}

/* ---- A file that is of no use ------------------------------------------- */

static void
assert_goes_without(const struct place *place)
{
	struct marks *marks = (struct marks *)&place;

	assert_int_equal(marks_open(place->state, &marks), 0);
	assert_null(marks);
}

static void
file_put(const struct place *place, size_t size, int byte)
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
file_size(const struct place *place)
{
	struct stat st;

	assert_int_equal(stat(place->file, &st), 0);
	return st.st_size;
}

static void
a_file_that_is_none_of_evhds_is_left_alone(void **state)
{
	const struct place *place = *state;
	off_t size;

	marks_close(open_at(place));
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
	const struct place *place = *state;
	off_t size;

	marks_close(open_at(place));
	size = file_size(place);
	file_put(place, (size_t)size, 0);
	marks_close(open_at(place));
	file_put(place, 0, 0);
	marks_close(open_at(place));
}

static void
garbage_behind_the_head_is_no_event(void **state)
{
	const struct place *place = *state;
	unsigned char garbage[4096];
	struct marks *marks;
	off_t size;
	int fd;

	marks_close(open_at(place));
	size = file_size(place);
	memset(garbage, 0xa5, sizeof(garbage));
	fd = open(place->file, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t at = 64; at + 4096 < size; at += 4096)
		assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at),
				 sizeof(garbage));
	close(fd);
	marks = open_at(place);
	assert_int_equal(ends_of(marks, one, "h"), 0);
	marks_leave(marks_enter(marks, one, 1));
	marks_collect(marks);
	marks_close(marks);
}

static void
a_full_disk_is_no_reason_not_to_run(void **state)
{
	const struct place *place = *state;
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
	marks_close(open_at(place));
}

static void
a_place_that_cannot_be_written_is_a_wrong_configuration(void **state)
{
	const struct place *place = *state;
	struct marks *marks = NULL;
	char path[160];

	assert_int_equal(marks_open("/dev/null/x", &marks), -EINVAL);
	snprintf(path, sizeof(path), "%s/a/b/c", place->dir.path);
	assert_int_equal(marks_open(path, &marks), -EINVAL);
	assert_int_equal(mkdir(place->state, 0700), 0);
	assert_int_equal(symlink("/dev/null", place->file), 0);
	assert_int_equal(marks_open(place->state, &marks), -EINVAL);
}

/* ---- What a pipeline makes of it ---------------------------------------- */

struct bench {
	struct rig *rig;
	struct rig_element src, look, out, dead;
	char error[256];
};

static struct bench *benched;

static int
keep_error(struct rig_element *el, struct evh_event *const *evs, int n)
{
	strncpy(benched->error, evs[0]->error, sizeof(benched->error) - 1);
	el->limit = (int)evs[0]->attempts;
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static enum evh_result
note_attempt(struct rig_element *el, struct evh_event *ev)
{
	el->limit = (int)ev->attempt;
	(void)rig_note(el, ev);
	return EVH_OK;
}

/* One event of this id through a handler "h" that allows so many attempts,
 * sent after so many; what became of it. */
static enum evh_result
pass_sent(struct bench *b, const struct place *place,
	  const unsigned char id[16], unsigned attempts, unsigned before)
{
	struct evh_spec spec = { .id = id,
				 .name = "x",
				 .data = { "{}", 2 },
				 .status = EVH_PROCESSED,
				 .attempts = before };
	enum evh_result result;

	*b = (struct bench){ .rig = rig_new() };
	benched = b;
	b->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	b->look = (struct rig_element){ .name = "h",
					.kind = EVH_HANDLER,
					.attempts = attempts,
					.process = note_attempt };
	b->out = (struct rig_element){ .name = "out", .kind = EVH_SINK };
	b->dead = (struct rig_element){ .name = "dead",
					.kind = EVH_SINK,
					.submit = keep_error };
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->look);
	rig_add(b->rig, &b->out);
	rig_add(b->rig, &b->dead);
	rig_pipeline(b->rig,
		     (struct config_pipeline){ .chain = LIST("src", "h", "out"),
					       .on_fail = LIST("dead"),
					       .workers = 1 });
	rig_mark(b->rig, place->state);
	rig_start(b->rig);
	rig_emit_spec(&b->src, &spec);
	rig_await_heard(&b->src, 1);
	result = b->src.results[0];
	rig_free(b->rig);
	return result;
}

static enum evh_result
pass_limited(struct bench *b, const struct place *place,
	     const unsigned char id[16], unsigned attempts)
{
	return pass_sent(b, place, id, attempts, 0);
}

static enum evh_result
pass_one(struct bench *b, const struct place *place, const unsigned char id[16])
{
	return pass_limited(b, place, id, 0);
}

/* It may have been another's end. */
static void
with_one_attempt_an_end_beside_others_is_not_the_last(void **state)
{
	const struct place *place = *state;
	struct bench b;

	die_at(place, one, false, false);
	assert_int_equal(pass_limited(&b, place, one, 1), EVH_OK);
	assert_int_equal(b.look.n_seen, 1);
	die_at(place, two, false, false);
	die_at(place, two, false, false);
	assert_int_equal(pass_limited(&b, place, two, 1), EVH_DROP);
	assert_int_equal(b.look.n_seen, 0);
}

/* That is known to be its own. */
static void
with_one_attempt_an_end_for_the_timeout_is_the_last(void **state)
{
	const struct place *place = *state;
	struct bench b;

	die_at(place, one, true, false);
	assert_int_equal(pass_limited(&b, place, one, 1), EVH_DROP);
	assert_int_equal(b.look.n_seen, 0);
}

static void
ends_of_the_process_are_attempts_used_up(void **state)
{
	const struct place *place = *state;
	struct bench b;

	die_at(place, one, false, false);
	die_at(place, one, false, false);
	assert_int_equal(pass_one(&b, place, one), EVH_OK);
	assert_int_equal(b.look.limit, 3);
	/* It was done: its count is forgotten. */
	assert_int_equal(pass_one(&b, place, one), EVH_OK);
	assert_int_equal(b.look.limit, 1);
}

static void
after_the_last_of_its_attempts_it_is_not_tried_again(void **state)
{
	const struct place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		die_at(place, one, false, false);
	assert_int_equal(pass_one(&b, place, two), EVH_OK);
	assert_int_equal(pass_one(&b, place, one), EVH_DROP);
	assert_int_equal(b.look.n_seen, 0);
	assert_int_equal(b.dead.limit, 3);
	assert_string_equal(b.error,
			    "{\"stage\":\"h\",\"type\":\"handler\",\"message\":"
			    "\"the process ended 3 times while it was here\"}");
}

/* Its source may not have noted that it is done when the next one crashes. */
static void
what_has_failed_so_fails_at_once_when_it_comes_again(void **state)
{
	const struct place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		die_at(place, one, false, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pass_one(&b, place, one), EVH_DROP);
		assert_int_equal(b.look.n_seen, 0);
		assert_int_equal(b.dead.limit, 3);
	}
}

static void
a_retry_of_what_has_failed_so_is_tried_and_counted_anew(void **state)
{
	const struct place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		die_at(place, one, false, false);
	assert_int_equal(pass_one(&b, place, one), EVH_DROP);
	assert_int_equal(pass_sent(&b, place, one, 0, 3), EVH_OK);
	assert_int_equal(b.look.n_seen, 1);
	assert_int_equal(b.look.limit, 1);
	/* What was sent first is dead still. */
	assert_int_equal(pass_one(&b, place, one), EVH_DROP);
}

/* A neighbour's end is no attempt of it. */
static void
a_first_end_uses_up_no_attempt(void **state)
{
	const struct place *place = *state;
	struct bench b;

	die_at(place, one, false, false);
	assert_int_equal(pass_one(&b, place, one), EVH_OK);
	assert_int_equal(b.look.limit, 1);
}

static void
ends_for_the_timeout_fail_it_as_that(void **state)
{
	const struct place *place = *state;
	struct bench b;

	for (int i = 0; i < 3; i++)
		die_at(place, one, true, false);
	assert_int_equal(pass_one(&b, place, one), EVH_DROP);
	assert_non_null(strstr(b.error, "\"type\":\"timeout\""));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, place_open, place_close)

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
		TEST(with_one_attempt_an_end_beside_others_is_not_the_last),
		TEST(with_one_attempt_an_end_for_the_timeout_is_the_last),
		TEST(ends_of_the_process_are_attempts_used_up),
		TEST(a_first_end_uses_up_no_attempt),
		TEST(after_the_last_of_its_attempts_it_is_not_tried_again),
		TEST(what_has_failed_so_fails_at_once_when_it_comes_again),
		TEST(a_retry_of_what_has_failed_so_is_tried_and_counted_anew),
		TEST(ends_for_the_timeout_fail_it_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
