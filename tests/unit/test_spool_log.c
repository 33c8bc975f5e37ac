/*
 * test_spool_log.c - what a spool keeps, gives and lets go.
 */
#include <errno.h>

#include "spool_log_bench.h"

static void
what_was_synced_is_there_again_in_its_order(void **state)
{
	struct store *s = *state;

	store_open(s);
	store_put(s, 1, 3);
	store_put(s, 4, 1);
	store_expect_event(s, 1);
	store_reopen(s);
	assert_int_equal(spool_log_count(&s->log), 4);
	store_put(s, 5, 1); /* in a file of its own */
	store_expect_only(s, 1, 5);
	store_close(s);
}

static void
what_is_released_does_not_come_again_and_its_files_go(void **state)
{
	struct store *s = *state;

	store_open(s);
	store_put(s, 1, 5);
	spool_log_release(&s->log, 4);
	store_reopen(s);
	assert_int_equal(spool_log_count(&s->log), 2);
	store_expect_only(s, 4, 5);
	spool_log_release(&s->log, 6);
	assert_int_equal(spool_log_persist(&s->log), 0);
	assert_int_equal(store_file_size(s, 1), -1);
	assert_int_equal(s->log.size, 0);
	store_put(s, 6, 1);
	store_expect_event(s, 6);
	store_reopen(s);
	store_expect_event(s, 6);
	store_close(s);
}

static void
reading_again_begins_with_the_first_that_is_not_released(void **state)
{
	struct store *s = *state;

	store_two_files(s);
	store_open(s);
	store_expect_events(s, 1, 4);
	spool_log_release(&s->log, 3);
	spool_log_rewind(&s->log);
	store_expect_event(s, 3);
	store_expect_event(s, 4);
	store_close(s);
}

static void
two_cannot_have_one_folder(void **state)
{
	struct store *s = *state;
	struct spool_log other;

	store_open(s);
	assert_int_equal(spool_log_open(&other, s->dir.path, STORE_MAX_SIZE),
			 -EAGAIN);
	store_close(s);
	assert_int_equal(spool_log_open(&other, s->dir.path, STORE_MAX_SIZE),
			 0);
	spool_log_close(&other);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)
	const struct CMUnitTest tests[] = {
		TEST(what_was_synced_is_there_again_in_its_order),
		TEST(what_is_released_does_not_come_again_and_its_files_go),
		TEST(reading_again_begins_with_the_first_that_is_not_released),
		TEST(two_cannot_have_one_folder),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
