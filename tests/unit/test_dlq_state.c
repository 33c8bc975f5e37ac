/*
 * test_dlq_state.c - what a retry has done, remembered.
 */
#include "../harness/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "dlq_state.h"

static const unsigned char a[16] = { 1 }, b[16] = { 2 };

static struct dlq_state
opened(const char *file)
{
	struct dlq_state state;
	char why[256];

	assert_int_equal(dlq_state_open(&state, file, why, sizeof(why)), 0);
	return state;
}

static void
what_was_done_is_known_the_next_time(void **unused)
{
	struct tempdir dir;
	struct dlq_state state;
	char file[128];

	(void)unused;
	tempdir_init(&dir);
	snprintf(file, sizeof(file), "%s/done", dir.path);
	state = opened(file);
	assert_false(dlq_state_has(&state, a, 1));
	assert_int_equal(dlq_state_add(&state, a, 1), 0);
	assert_int_equal(dlq_state_close(&state), 0);

	state = opened(file);
	assert_true(dlq_state_has(&state, a, 1));
	assert_false(dlq_state_has(&state, b, 1));
	/* It has failed once more: another letter. */
	assert_false(dlq_state_has(&state, a, 2));
	assert_int_equal(dlq_state_close(&state), 0);
	tempdir_fini(&dir);
}

static void
a_torn_last_line_is_no_line_and_spoils_no_other(void **unused)
{
	struct tempdir dir;
	struct dlq_state state;
	char file[128];
	int fd;

	(void)unused;
	tempdir_init(&dir);
	snprintf(file, sizeof(file), "%s/done", dir.path);
	state = opened(file);
	assert_int_equal(dlq_state_add(&state, a, 1), 0);
	assert_int_equal(dlq_state_add(&state, b, 12), 0);
	assert_int_equal(dlq_state_close(&state), 0);
	fd = open(file, O_RDWR);
	assert_true(fd >= 0);
	/* "... 12" without the 2 and the end would read as 1. */
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 2), 0);
	close(fd);

	state = opened(file);
	assert_true(dlq_state_has(&state, a, 1));
	assert_false(dlq_state_has(&state, b, 1));
	assert_int_equal(dlq_state_add(&state, b, 3), 0);
	assert_int_equal(dlq_state_close(&state), 0);
	state = opened(file);
	assert_true(dlq_state_has(&state, b, 3));
	assert_int_equal(dlq_state_close(&state), 0);
	tempdir_fini(&dir);
}

static void
one_at_a_time_has_the_file(void **unused)
{
	struct tempdir dir;
	struct dlq_state state, other;
	char file[128], why[256];

	(void)unused;
	tempdir_init(&dir);
	snprintf(file, sizeof(file), "%s/done", dir.path);
	state = opened(file);
	assert_int_equal(dlq_state_open(&other, file, why, sizeof(why)),
			 -EWOULDBLOCK);
	assert_non_null(strstr(why, "another one has it"));
	assert_int_equal(dlq_state_close(&state), 0);
	tempdir_fini(&dir);
}

static void
without_a_file_nothing_is_remembered(void **unused)
{
	struct dlq_state state = opened(NULL);

	(void)unused;
	assert_int_equal(dlq_state_add(&state, a, 1), 0);
	assert_false(dlq_state_has(&state, a, 1));
	assert_int_equal(dlq_state_close(&state), 0);
}

static void
a_line_that_is_cut_short_is_told_as_that(void **unused)
{
	struct rlimit before, small;
	struct tempdir dir;
	struct dlq_state state;
	char file[128];

	(void)unused;
	tempdir_init(&dir);
	snprintf(file, sizeof(file), "%s/done", dir.path);
	state = opened(file);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	errno = EEXIST; /* of something else */
	assert_int_equal(dlq_state_add(&state, a, 1), -EIO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(dlq_state_close(&state), 0);
	tempdir_fini(&dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_is_known_the_next_time),
		cmocka_unit_test(
			a_torn_last_line_is_no_line_and_spoils_no_other),
		cmocka_unit_test(one_at_a_time_has_the_file),
		cmocka_unit_test(a_line_that_is_cut_short_is_told_as_that),
		cmocka_unit_test(without_a_file_nothing_is_remembered),
	};

	return cmocka_run_group_tests_name("dlq_state", tests, NULL, NULL);
}
