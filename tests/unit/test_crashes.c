/*
 * test_crashes.c - who is taken for the cause when a process ends, and who is
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crash_bench.h"
#include "marks.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

/* ---- What an end says --------------------------------------------------- */

static struct marks_ends
ends_of(const struct tempdir *dir, unsigned number)
{
	struct marks *marks = crash_marks(dir);
	struct marks_ends ends;
	unsigned char id[16];

	crash_id(number, id);
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
		crash_die_with(dir, 2, both);
	assert_int_equal(ends_of(dir, 0).n, 1);
	assert_int_equal(ends_of(dir, 1).n, 1);
}

static void
an_end_of_one_that_is_alone_is_its_own_and_of_nobody_at_the_door(void **state)
{
	const enum marks_state states[] = { MARKS_ALONE, MARKS_INSIDE };
	const struct tempdir *dir = *state;

	for (int i = 0; i < 3; i++)
		crash_die_with(dir, 2, states);
	assert_int_equal(ends_of(dir, 0).n, 3);
	assert_int_equal(ends_of(dir, 1).n, 0);
}

static void
a_late_one_is_counted_before_one_that_is_alone(void **state)
{
	const enum marks_state states[] = { MARKS_ALONE, MARKS_LATE };
	const struct tempdir *dir = *state;

	for (int i = 0; i < 3; i++)
		crash_die_with(dir, 2, states);
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
		crash_die_with(dir, 2, states);
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
		crash_die_with(dir, 2, states);
	assert_int_equal(ends_of(dir, 0).n, 3);
	assert_int_equal(ends_of(dir, 1).n, 1);
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
	crash_emit(&src, EVENTS);
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
	cmocka_unit_test_setup_teardown(name, crash_place_open,                \
					crash_place_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_beside_others_count_as_one),
		TEST(an_end_of_one_that_is_alone_is_its_own_and_of_nobody_at_the_door),
		TEST(a_late_one_is_counted_before_one_that_is_alone),
		TEST(one_that_is_alone_is_counted_before_one_that_takes_long),
		TEST(one_that_takes_long_is_counted_before_those_that_came_in_later),
		TEST(each_that_crashes_is_dead_after_three_ends_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
