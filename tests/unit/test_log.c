/*
 * test_log.c - what is written and counted, and the files it goes to.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "log_place.h"

/* ---- What an entry looks like -------------------------------------------- */

static void
only_the_level_and_above_are_written_and_counted(void **state)
{
	struct place *place = *state;
	uint64_t debug = log_count(EVH_DEBUG), warn = log_count(EVH_WARN),
		 error = log_count(EVH_ERROR);

	assert_int_equal(log_open(EVH_WARN, LOG_LOGFMT, place->file), 0);
	assert_false(log_wants(EVH_INFO));
	assert_true(log_wants(EVH_WARN));
	log_write(EVH_DEBUG, NULL, "no");
	log_write(EVH_INFO, NULL, "no");
	log_write(EVH_WARN, NULL, "yes");
	log_write(EVH_ERROR, NULL, "yes");
	log_write((enum evh_level)9, NULL, "yes");
	log_write((enum evh_level)0, NULL, "no");
	assert_int_equal(lines_count(place_read(place, place->file)), 3);
	assert_null(strstr(place->text, "no"));
	assert_int_equal(log_count(EVH_DEBUG) - debug, 0);
	assert_int_equal(log_count(EVH_WARN) - warn, 1);
	assert_int_equal(log_count(EVH_ERROR) - error, 2);
}

static void
names_of_levels_and_formats_are_known(void **state)
{
	(void)state;
	assert_int_equal(log_level_from("debug"), EVH_DEBUG);
	assert_int_equal(log_level_from("info"), EVH_INFO);
	assert_int_equal(log_level_from("warn"), EVH_WARN);
	assert_int_equal(log_level_from("error"), EVH_ERROR);
	assert_int_equal(log_level_from("INFO"), 0);
	assert_int_equal(log_level_from(""), 0);
	assert_int_equal(log_format_from("logfmt"), LOG_LOGFMT);
	assert_int_equal(log_format_from("json"), LOG_JSON);
	assert_int_equal(log_format_from("text"), 0);
}

static void
errno_is_left_alone(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, "/dev/full"), 0);
	errno = EXDEV;
	log_write(EVH_INFO, NULL, "%m");
	assert_int_equal(errno, EXDEV);

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	errno = EXDEV;
	log_write(EVH_INFO, NULL, "%m");
	assert_non_null(strstr(place_read(place, place->file), "cross-device"));
}

/* ---- Files --------------------------------------------------------------- */

static void
after_a_rename_reopen_begins_a_new_file(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "one");
	assert_int_equal(rename(place->file, place->old), 0);
	log_write(EVH_INFO, NULL, "two");
	assert_int_equal(log_reopen(), 0);
	log_write(EVH_INFO, NULL, "three");

	assert_non_null(strstr(place_read(place, place->old), "msg=one\n"));
	assert_non_null(strstr(place->text, "msg=two\n"));
	assert_int_equal(lines_count(place->text), 2);
	assert_non_null(strstr(place_read(place, place->file), "msg=three\n"));
	assert_int_equal(lines_count(place->text), 1);
}

static void
an_existing_file_is_appended_to(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "one");
	log_close();
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "two");
	assert_int_equal(lines_count(place_read(place, place->file)), 2);
}

static void
a_reopen_that_fails_says_so_in_the_old_file(void **state)
{
	struct place *place = *state;
	struct stat st;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(rename(place->file, place->old), 0);
	assert_int_equal(mkdir(place->file, 0700), 0);
	assert_int_equal(log_reopen(), -EISDIR);
	log_write(EVH_INFO, NULL, "on");
	assert_int_equal(rmdir(place->file), 0);
	assert_non_null(strstr(place_read(place, place->old), "cannot reopen"));
	assert_non_null(strstr(place->text, "msg=on\n"));
	assert_int_equal(stat(place->old, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

static void
a_file_that_cannot_be_opened_changes_nothing(void **state)
{
	struct place *place = *state;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(log_open(EVH_DEBUG, LOG_JSON, "/nowhere/at/all"),
			 -ENOENT);
	assert_non_null(strstr(line_behind_time(place_read(place, place->file)),
			       "/nowhere/at/all: No such file"));
	assert_false(log_wants(EVH_DEBUG));
}

static void
a_fifo_without_a_reader_is_an_error_not_a_wait(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkfifo(place->old, 0600), 0);
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->old), -ENXIO);
}

static void
a_full_disk_loses_entries_and_counts_them(void **state)
{
	struct place *place = *state;
	uint64_t lost = log_count_lost(), info = log_count(EVH_INFO);
	int i;

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, "/dev/full"), 0);
	for (i = 0; i < 5; i++)
		log_write(EVH_INFO, NULL, "x");
	assert_int_equal(log_count_lost() - lost, 5);
	assert_int_equal(log_count(EVH_INFO) - info, 0);

	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	log_write(EVH_INFO, NULL, "y");
	log_write(EVH_INFO, NULL, "z");
	assert_int_equal(lines_count(place_read(place, place->file)), 3);
	assert_non_null(strstr(place->text,
			       "level=warn msg=\"5 log entries were lost\"\n"));
}

static void
after_half_an_entry_the_next_has_a_line_of_its_own(void **state)
{
	struct rlimit limit, small;
	struct place *place = *state;
	const char *second;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 20;
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, place->file), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	log_write(EVH_INFO, NULL, "torn");
	log_write(EVH_INFO, NULL, "lost");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_write(EVH_INFO, NULL, "whole");

	second = strchr(place_read(place, place->file), '\n');
	assert_non_null(second);
	assert_int_equal(second - place->text, 20);
	assert_memory_equal(line_behind_time(second + 1),
			    "level=info msg=whole\n", 21);
	assert_non_null(strstr(second, "2 log entries were lost"));
}

int
main(void)
{
#define IN_PLACE(test)                                                         \
	cmocka_unit_test_setup_teardown(test, place_make, place_remove)
	const struct CMUnitTest tests[] = {
		IN_PLACE(only_the_level_and_above_are_written_and_counted),
		cmocka_unit_test(names_of_levels_and_formats_are_known),
		IN_PLACE(errno_is_left_alone),
		IN_PLACE(after_a_rename_reopen_begins_a_new_file),
		IN_PLACE(an_existing_file_is_appended_to),
		IN_PLACE(a_reopen_that_fails_says_so_in_the_old_file),
		IN_PLACE(a_file_that_cannot_be_opened_changes_nothing),
		IN_PLACE(a_fifo_without_a_reader_is_an_error_not_a_wait),
		IN_PLACE(a_full_disk_loses_entries_and_counts_them),
		IN_PLACE(after_half_an_entry_the_next_has_a_line_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
