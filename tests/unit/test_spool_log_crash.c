/*
 * test_spool_log_crash.c - what a spool has after a crash: what is torn, and
 * what is damage.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bad_disk.h"
#include "spool_log_bench.h"

static void
a_tail_torn_at_any_byte_costs_only_what_is_torn(void **state)
{
	struct store *s = *state;
	unsigned char bytes[4096];
	off_t before, after;
	char path[300];
	int fd;

	store_open(s);
	store_put(s, 1, 2);
	before = store_file_size(s, 1);
	store_put(s, 3, 1);
	after = store_file_size(s, 1);
	store_close(s);
	assert_true(after > before);
	store_file_of(s, 1, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), after);
	for (off_t size = after - 1; size >= before; size--) {
		assert_int_equal(__real_pwrite(fd, bytes, (size_t)after, 0),
				 after);
		store_file_cut(s, 1, size);
		store_open(s);
		assert_string_equal(s->log.damage, "");
		assert_int_equal(spool_log_count(&s->log), 2);
		store_expect_only(s, 1, 2);
		assert_int_equal(store_file_size(s, 1), before);
		store_close(s);
	}
	close(fd);
}

static void
a_tail_of_zeroes_is_torn(void **state)
{
	struct store *s = *state;
	off_t size;

	store_open(s);
	store_put(s, 1, 2);
	size = store_file_size(s, 1);
	store_close(s);
	store_file_cut(s, 1, size + 5000);
	store_open(s);
	assert_string_equal(s->log.damage, "");
	assert_int_equal(store_file_size(s, 1), size);
	store_put(s, 3, 1);
	store_expect_events(s, 1, 3);
	store_close(s);
}

/* Nobody was told that the last group is there: a hole in it is what a crash
 * leaves when the disk writes its second page first. */
static void
a_hole_in_the_group_that_was_not_synced_is_torn(void **state)
{
	struct store *s = *state;
	off_t before;

	store_open(s);
	store_put(s, 1, 1);
	before = store_file_size(s, 1);
	store_put(s, 2, 3);
	store_close(s);
	store_bit_flip(s, 1, before + 30, 0);
	store_open(s);
	assert_string_equal(s->log.damage, "");
	store_expect_only(s, 1, 1);
	assert_int_equal(store_file_size(s, 1), before);
	store_close(s);
}

/* Its head need not be on the disk, and must not become one in the middle. */
static void
a_last_file_without_records_is_none(void **state)
{
	struct store *s = *state;

	store_open(s);
	store_put(s, 1, 1);
	store_reopen(s);
	store_put(s, 2, 1);
	store_close(s);
	store_file_cut(s, 2, (off_t)SPOOL_SEGMENT_HEAD);
	store_open(s);
	assert_int_equal(store_file_size(s, 2), -1);
	store_expect_only(s, 1, 1);
	store_close(s);
}

static void
a_file_that_was_about_to_be_made_is_none(void **state)
{
	struct store *s = *state;
	char path[300];
	int fd;

	store_two_files(s);
	store_file_of(s, 3, path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "EVHSP", 5), 5);
	close(fd);
	store_open(s);
	assert_string_equal(s->log.damage, "");
	store_put(s, 5, 1);
	store_expect_events(s, 1, 5);
	store_close(s);
}

static void
a_spoilt_position_only_delivers_again(void **state)
{
	struct store *s = *state;
	char path[300];

	store_open(s);
	store_put(s, 1, 3);
	spool_log_release(&s->log, 3);
	assert_int_equal(spool_log_persist(&s->log), 0);
	store_close(s);
	snprintf(path, sizeof(path), "%s/position", s->dir.path);
	assert_int_equal(truncate(path, 10), 0);
	store_open(s);
	store_expect_events(s, 1, 3);
	store_close(s);
}

static void
one_of_two_positions_is_enough(void **state)
{
	struct store *s = *state;

	store_open(s);
	store_put(s, 1, 3);
	spool_log_release(&s->log, 2);
	assert_int_equal(spool_log_persist(&s->log), 0);
	spool_log_release(&s->log, 3);
	assert_int_equal(spool_log_persist(&s->log), 0);
	store_file_write(s, "position", "torn", s->log.dir.slot ? 4096 : 0);
	store_reopen(s);
	assert_int_equal(s->log.released, 2);
	store_close(s);
}

static void
a_bit_flipped_anywhere_in_the_middle_is_damage_that_names_its_place(
	void **state)
{
	struct store *s = *state;
	off_t begin, end;
	char place[64];

	store_open(s);
	store_put(s, 1, 1);
	begin = store_file_size(s, 1);
	store_put(s, 2, 1);
	end = store_file_size(s, 1);
	store_put(s, 3, 1);
	store_close(s);
	snprintf(place, sizeof(place), "at byte %ld of 0000000000000001.spool",
		 (long)begin);
	for (off_t bit = begin * 8; bit < end * 8; bit++) {
		store_bit_flip(s, 1, bit / 8, (int)(bit % 8));
		store_open(s);
		assert_non_null(strstr(s->log.damage, place));
		assert_int_equal(store_try(s, 4, 1), -EBADMSG);
		store_expect_event(s, 1);
		store_expect_end(s, -EBADMSG);
		store_close(s);
		store_bit_flip(s, 1, bit / 8, (int)(bit % 8));
	}
	store_open(s);
	store_expect_events(s, 1, 3);
	store_close(s);
}

static void
a_bit_flipped_in_a_file_that_has_a_next_is_damage(void **state)
{
	struct store *s = *state;
	off_t size;

	store_two_files(s);
	size = store_file_size(s, 1);
	for (off_t byte = 0; byte < size; byte++) {
		store_bit_flip(s, 1, byte, 5);
		store_open(s);
		assert_string_not_equal(s->log.damage, "");
		assert_int_equal(store_try(s, 5, 1), -EBADMSG);
		store_close(s);
		store_bit_flip(s, 1, byte, 5);
	}
	store_open(s);
	store_expect_only(s, 1, 4);
	store_close(s);
}

static void
a_file_that_is_shorter_than_the_next_one_says_is_damage(void **state)
{
	struct store *s = *state;
	off_t size;

	store_two_files(s);
	size = store_file_size(s, 1);
	store_file_cut(s, 1, size - 1);
	store_open(s);
	assert_non_null(strstr(s->log.damage, "bytes are missing"));
	store_close(s);
}

static void
a_file_that_is_missing_is_damage(void **state)
{
	struct store *s = *state;
	char path[300];

	store_two_files(s);
	store_file_of(s, 1, path);
	assert_int_equal(unlink(path), 0);
	store_open(s);
	assert_non_null(strstr(s->log.damage, "missing"));
	store_expect_end(s, -EBADMSG);
	store_close(s);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, store_make, store_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_tail_torn_at_any_byte_costs_only_what_is_torn),
		TEST(a_tail_of_zeroes_is_torn),
		TEST(a_hole_in_the_group_that_was_not_synced_is_torn),
		TEST(a_last_file_without_records_is_none),
		TEST(a_file_that_was_about_to_be_made_is_none),
		TEST(a_spoilt_position_only_delivers_again),
		TEST(one_of_two_positions_is_enough),
		TEST(a_bit_flipped_anywhere_in_the_middle_is_damage_that_names_its_place),
		TEST(a_bit_flipped_in_a_file_that_has_a_next_is_damage),
		TEST(a_file_that_is_shorter_than_the_next_one_says_is_damage),
		TEST(a_file_that_is_missing_is_damage),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
