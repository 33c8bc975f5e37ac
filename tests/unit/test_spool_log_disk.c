/*
 * test_spool_log_disk.c - what a spool does on a bad disk and on a full one.
 */
#include <errno.h>

#include "bad_disk.h"
#include "spool_log_bench.h"
#include "stderr_now.h"

/* Those behind it were deleted, as it should have been. */
static void
a_delivered_file_that_could_not_be_deleted_is_no_damage(void **state)
{
	struct store *s = *state;

	store_open(s);
	store_put(s, 1, 1);
	store_file_link(s, "0000000000000001.spool", "kept");
	store_reopen(s);
	store_put(s, 2, 1);
	store_reopen(s);
	store_put(s, 3, 1);
	spool_log_release(&s->log, 3);
	store_close(s);
	assert_int_equal(store_file_size(s, 1), -1);
	assert_int_equal(store_file_size(s, 2), -1);
	store_file_link(s, "kept", "0000000000000001.spool");
	store_open(s);
	assert_string_equal(s->log.damage, "");
	store_expect_only(s, 3, 3);
	assert_int_equal(store_file_size(s, 1), -1);
	store_put(s, 4, 1);
	store_close(s);
}

static void
a_file_that_could_not_be_deleted_gives_way_to_a_new_one(void **state)
{
	struct store *s = *state;

	store_open(s);
	store_file_link(s, "lock", "0000000000000001.spool");
	store_put(s, 1, 1);
	store_reopen(s);
	store_expect_event(s, 1);
	store_close(s);
}

static void
a_failed_write_or_sync_leaves_the_file_for_good(void **state)
{
	struct store *s = *state;

	for (int what = 0; what < 2; what++) {
		void (*worsen)(int code) =
			what == 0 ? bad_disk_fail_write : bad_disk_fail_sync;
		uint64_t first = 1 + 10 * (uint64_t)what, number;

		store_open(s);
		store_put(s, first, 2);
		number = s->log.number - 1;
		worsen(EIO);
		assert_int_equal(store_try(s, 100, 3), -EIO);
		bad_disk_mend();
		assert_int_equal(s->log.fd, -1);
		store_put(s, first + 2, 1);
		assert_int_equal(s->log.number - 1, number + 1);
		store_expect_only(s, first, first + 2);
		store_reopen(s);
		assert_string_equal(s->log.damage, "");
		store_expect_only(s, first, first + 2);
		spool_log_release(&s->log, s->log.next);
		store_close(s);
	}
}

/* Two events that are synced, and some that are not; returns where these
 * begin. */
static off_t
put_and_fail(struct store *s)
{
	off_t size;

	store_put(s, 1, 2);
	size = store_file_size(s, 1);
	bad_disk_fail_sync(EIO);
	assert_int_equal(store_try(s, 100, 3), -EIO);
	bad_disk_mend();
	return size;
}

/* What the disk has behind the place up to which it was synced may be
 * anything, and stays there. */
static void
what_a_failed_sync_left_behind_is_not_believed(void **state)
{
	struct store *s = *state;
	off_t size;

	store_open(s);
	size = put_and_fail(s);
	store_put(s, 3, 1);
	store_close(s);
	store_file_write(s, "0000000000000001.spool", "whatever it is", size);
	store_open(s);
	assert_string_equal(s->log.damage, "");
	store_expect_only(s, 1, 3);
	store_close(s);
}

static void
an_empty_last_file_goes_with_what_is_behind_the_end_before_it(void **state)
{
	struct store *s = *state;
	off_t size;

	store_open(s);
	size = put_and_fail(s);
	assert_int_equal(spool_log_begin(&s->log), 0);
	store_close(s);
	assert_int_equal(store_file_size(s, 2), SPOOL_SEGMENT_HEAD);
	store_file_write(s, "0000000000000001.spool", "whatever it is", size);
	store_open(s);
	assert_int_equal(store_file_size(s, 2), -1);
	assert_int_equal(store_file_size(s, 1), size);
	store_expect_only(s, 1, 2);
	store_close(s);
}

static void
on_a_full_disk_it_starts_and_delivers_and_takes_none_until_there_is_room(
	void **state)
{
	struct store *s = *state;

	store_open(s);
	store_put(s, 1, 2);
	store_put(s, 3, 1);
	store_close(s);
	bad_disk_fill();
	store_open(s);
	store_expect_only(s, 1, 3);
	assert_int_equal(store_try(s, 100, 1), -ENOSPC);
	assert_int_equal(store_file_size(s, 2), -1);
	spool_log_release(&s->log, 4);
	assert_int_equal(spool_log_persist(&s->log), -ENOSPC);
	assert_true(store_file_size(s, 1) > 0);
	bad_disk_mend();
	store_put(s, 4, 1);
	store_expect_event(s, 4);
	assert_int_equal(spool_log_persist(&s->log), 0);
	assert_int_equal(store_file_size(s, 1), -1);
	store_reopen(s);
	store_expect_only(s, 4, 4);
	store_close(s);
}

static void
on_a_full_disk_an_empty_last_file_stays_and_that_is_said(void **state)
{
	static const char sentence[] =
		": No space left on device; what is there is delivered, and it "
		"takes no event until there is room";
	struct store *s = *state;
	struct stderr_now now;
	char text[2048];
	const char *first;

	store_open(s);
	put_and_fail(s);
	assert_int_equal(spool_log_begin(&s->log), 0);
	store_close(s);
	bad_disk_fill();
	now = stderr_to_pipe();
	store_open(s);
	stderr_read(now.reader, text, sizeof(text));
	stderr_restore(&now);
	first = strstr(text, sentence);
	assert_non_null(first);
	assert_null(strstr(first + 1, sentence)); /* once */
	assert_int_equal(store_file_size(s, 2), SPOOL_SEGMENT_HEAD);
	assert_int_equal(store_try(s, 100, 1), -ENOSPC);
	store_expect_only(s, 1, 2);
	bad_disk_mend();
	store_put(s, 3, 1);
	store_expect_event(s, 3);
	store_close(s);
}

/* Whoever wrote the position may have died before its fsync: its files may be
 * needed after a crash. */
static void
on_a_full_disk_nothing_is_deleted_for_a_position_that_was_read(void **state)
{
	struct store *s = *state;

	store_open(s);
	store_put(s, 1, 2);
	store_close(s);
	assert_int_equal(spool_dir_open(&s->log.dir, s->dir.path), 0);
	assert_int_equal(spool_dir_set_position(&s->log.dir, 3), 0);
	spool_dir_close(&s->log.dir);
	bad_disk_fill();
	store_open(s);
	store_expect_end(s, 0);
	assert_true(store_file_size(s, 1) > 0);
	bad_disk_mend();
	assert_int_equal(spool_log_persist(&s->log), 0);
	assert_int_equal(store_file_size(s, 1), -1);
	store_close(s);
}

static void
a_failed_sync_of_a_new_file_leaves_none(void **state)
{
	struct store *s = *state;

	store_open(s);
	for (int i = 0; i < 5; i++) {
		bad_disk_fail_sync(ENOSPC);
		assert_int_equal(store_try(s, 100, 3), -ENOSPC);
		assert_int_equal(store_file_size(s, 1), -1);
		assert_int_equal(s->log.size, 0);
	}
	bad_disk_mend();
	store_put(s, 1, 1);
	store_expect_only(s, 1, 1);
	store_close(s);
}

/* What found no room is not kept for the next try. */
static void
forget_group(struct store *s)
{
	s->log.group.len = 0;
	s->log.n_group = 0;
}

static void
max_size_is_never_exceeded_and_room_comes_back(void **state)
{
	struct store *s = *state;
	uint64_t n = 1, first;

	store_open(s);
	while (store_try(s, n, 100) == 0)
		n += 100;
	assert_true(s->log.size <= STORE_MAX_SIZE);
	assert_true(s->log.size > STORE_MAX_SIZE - STORE_MAX_SIZE / 8);
	assert_true(s->log.n >= 7);
	forget_group(s);
	assert_int_equal(store_try(s, n, 100), -ENOSPC);
	forget_group(s);
	first = s->log.segments[1].first;
	spool_log_release(&s->log, first);
	assert_int_equal(spool_log_persist(&s->log), 0);
	store_put(s, n, 100);
	store_expect_only(s, first, n + 99);
	store_close(s);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_delivered_file_that_could_not_be_deleted_is_no_damage),
		TEST(a_file_that_could_not_be_deleted_gives_way_to_a_new_one),
		TEST(a_failed_write_or_sync_leaves_the_file_for_good),
		TEST(what_a_failed_sync_left_behind_is_not_believed),
		TEST(an_empty_last_file_goes_with_what_is_behind_the_end_before_it),
		TEST(on_a_full_disk_it_starts_and_delivers_and_takes_none_until_there_is_room),
		TEST(on_a_full_disk_an_empty_last_file_stays_and_that_is_said),
		TEST(on_a_full_disk_nothing_is_deleted_for_a_position_that_was_read),
		TEST(a_failed_sync_of_a_new_file_leaves_none),
		TEST(max_size_is_never_exceeded_and_room_comes_back),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
