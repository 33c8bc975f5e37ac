/*
 * test_spool_log.c - what a spool has after a crash, on a bad disk, on a full
 * one.
 */
#include "../harness/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_log.h"

#define MAX_SIZE ((uint64_t)1 << 20)

/* The system calls that fail: the n-th from now on, once; 0: none. */
static int fail_write, fail_sync, fail_code;
/* Each write finds no room, also in place, as where a change is written
 * elsewhere. */
static bool is_full;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t place);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t place);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t place)
{
	if (is_full) {
		errno = ENOSPC;
		return -1;
	}
	if (fail_write == 0 || --fail_write > 0)
		return __real_pwrite(fd, data, len, place);
	/* Half of it, as a disk that fills up does, then the error. */
	if (len > 1) {
		fail_write = 1;
		return __real_pwrite(fd, data, len / 2, place);
	}
	errno = fail_code;
	return -1;
}

int
__wrap_fdatasync(int fd)
{
	if (fail_sync == 0 || --fail_sync > 0)
		return __real_fdatasync(fd);
	errno = fail_code;
	return -1;
}

struct fixture {
	struct tempdir dir;
	struct spool_log log;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tempdir_init(&f->dir);
	fail_write = fail_sync = 0;
	is_full = false;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	tempdir_fini(&f->dir);
	free(f);
	return 0;
}

static void
log_open_with(struct fixture *f, uint64_t max_size)
{
	assert_int_equal(spool_log_open(&f->log, f->dir.path, max_size), 0);
}

static void
reopen(struct fixture *f)
{
	log_open_with(f, MAX_SIZE);
}

static struct evh_event
event_of(uint64_t n, char data[32])
{
	int len = snprintf(data, 32, "{\"n\":%llu}", (unsigned long long)n);

	return (struct evh_event){ .name = "e",
				   .data = { data, (size_t)len },
				   .attempts = (uint32_t)n,
				   .status = EVH_PENDING };
}

/* Adds events n to n + count - 1, one group. */
static int
put_group(struct fixture *f, uint64_t n, unsigned count)
{
	char data[32];
	int rc = spool_log_begin(&f->log);

	for (unsigned i = 0; i < count && rc == 0; i++) {
		struct evh_event ev = event_of(n + i, data);

		rc = spool_log_add(&f->log, &ev);
	}
	return rc < 0 ? rc : spool_log_sync(&f->log);
}

/* The next one is event n. */
static void
expect_event(struct fixture *f, uint64_t n)
{
	struct evh_header *headers = NULL;
	struct evh_spec spec;
	uint64_t number;
	char data[32];
	struct evh_event ev = event_of(n, data);

	assert_int_equal(spool_log_read(&f->log, &number, &spec, &headers), 1);
	assert_int_equal(spec.attempts, n);
	assert_int_equal(spec.data.len, ev.data.len);
	assert_memory_equal(spec.data.data, data, ev.data.len);
}

static void
expect_end(struct fixture *f, int rc)
{
	struct evh_header *headers = NULL;
	struct evh_spec spec;
	uint64_t number;

	assert_int_equal(spool_log_read(&f->log, &number, &spec, &headers), rc);
}

static void
file_of(const struct fixture *f, uint64_t number, char ret[300])
{
	char name[SPOOL_SEGMENT_NAME_MAX];

	spool_segment_name(name, number);
	snprintf(ret, 300, "%s/%s", f->dir.path, name);
}

static off_t
file_size(const struct fixture *f, uint64_t number)
{
	char path[300];
	struct stat st;

	file_of(f, number, path);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void
file_cut(const struct fixture *f, uint64_t number, off_t size)
{
	char path[300];

	file_of(f, number, path);
	assert_int_equal(truncate(path, size), 0);
}

static void
bit_flip(const struct fixture *f, uint64_t number, off_t place, int bit)
{
	unsigned char byte;
	char path[300];
	int fd;

	file_of(f, number, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, place), 1);
	byte ^= (unsigned char)(1 << bit);
	assert_int_equal(__real_pwrite(fd, &byte, 1, place), 1);
	close(fd);
}

static void
what_was_synced_is_there_again_in_its_order(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	assert_int_equal(put_group(f, 1, 3), 0);
	assert_int_equal(put_group(f, 4, 1), 0);
	expect_event(f, 1);
	spool_log_close(&f->log);
	reopen(f);
	assert_int_equal(spool_log_count(&f->log), 4);
	assert_int_equal(put_group(f, 5, 1), 0); /* in a file of its own */
	for (uint64_t n = 1; n <= 5; n++)
		expect_event(f, n);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

static void
what_is_released_does_not_come_again_and_its_files_go(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	assert_int_equal(put_group(f, 1, 5), 0);
	spool_log_release(&f->log, 4);
	spool_log_close(&f->log);
	reopen(f);
	assert_int_equal(spool_log_count(&f->log), 2);
	expect_event(f, 4);
	expect_event(f, 5);
	expect_end(f, 0);
	spool_log_release(&f->log, 6);
	assert_int_equal(spool_log_persist(&f->log), 0);
	assert_int_equal(file_size(f, 1), -1);
	assert_int_equal(f->log.size, 0);
	assert_int_equal(put_group(f, 6, 1), 0);
	expect_event(f, 6);
	spool_log_close(&f->log);
	reopen(f);
	expect_event(f, 6);
	spool_log_close(&f->log);
}

static void
a_tail_torn_at_any_byte_costs_only_what_is_torn(void **state)
{
	struct fixture *f = *state;
	unsigned char bytes[4096];
	off_t before, after;
	char path[300];
	int fd;

	reopen(f);
	assert_int_equal(put_group(f, 1, 2), 0);
	before = file_size(f, 1);
	assert_int_equal(put_group(f, 3, 1), 0);
	after = file_size(f, 1);
	spool_log_close(&f->log);
	assert_true(after > before);
	file_of(f, 1, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), after);
	for (off_t size = after - 1; size >= before; size--) {
		assert_int_equal(__real_pwrite(fd, bytes, (size_t)after, 0),
				 after);
		file_cut(f, 1, size);
		reopen(f);
		assert_string_equal(f->log.damage, "");
		assert_int_equal(spool_log_count(&f->log), 2);
		expect_event(f, 1);
		expect_event(f, 2);
		expect_end(f, 0);
		assert_int_equal(file_size(f, 1), before);
		spool_log_close(&f->log);
	}
	close(fd);
}

static void
a_tail_of_zeroes_is_torn(void **state)
{
	struct fixture *f = *state;
	off_t size;

	reopen(f);
	assert_int_equal(put_group(f, 1, 2), 0);
	size = file_size(f, 1);
	spool_log_close(&f->log);
	file_cut(f, 1, size + 5000);
	reopen(f);
	assert_string_equal(f->log.damage, "");
	assert_int_equal(file_size(f, 1), size);
	assert_int_equal(put_group(f, 3, 1), 0);
	for (uint64_t n = 1; n <= 3; n++)
		expect_event(f, n);
	spool_log_close(&f->log);
}

/* Nobody was told that the last group is there: a hole in it is what a crash
 * leaves when the disk writes its second page first. */
static void
a_hole_in_the_group_that_was_not_synced_is_torn(void **state)
{
	struct fixture *f = *state;
	off_t before;

	reopen(f);
	assert_int_equal(put_group(f, 1, 1), 0);
	before = file_size(f, 1);
	assert_int_equal(put_group(f, 2, 3), 0);
	spool_log_close(&f->log);
	bit_flip(f, 1, before + 30, 0);
	reopen(f);
	assert_string_equal(f->log.damage, "");
	expect_event(f, 1);
	expect_end(f, 0);
	assert_int_equal(file_size(f, 1), before);
	spool_log_close(&f->log);
}

static void
a_bit_flipped_anywhere_in_the_middle_is_damage_that_names_its_place(
	void **state)
{
	struct fixture *f = *state;
	off_t begin, end;
	char place[64];

	reopen(f);
	assert_int_equal(put_group(f, 1, 1), 0);
	begin = file_size(f, 1);
	assert_int_equal(put_group(f, 2, 1), 0);
	end = file_size(f, 1);
	assert_int_equal(put_group(f, 3, 1), 0);
	spool_log_close(&f->log);
	snprintf(place, sizeof(place), "at byte %ld of 0000000000000001.spool",
		 (long)begin);
	for (off_t bit = begin * 8; bit < end * 8; bit++) {
		bit_flip(f, 1, bit / 8, (int)(bit % 8));
		reopen(f);
		assert_non_null(strstr(f->log.damage, place));
		assert_int_equal(put_group(f, 4, 1), -EBADMSG);
		expect_event(f, 1);
		expect_end(f, -EBADMSG);
		spool_log_close(&f->log);
		bit_flip(f, 1, bit / 8, (int)(bit % 8));
	}
	reopen(f);
	for (uint64_t n = 1; n <= 3; n++)
		expect_event(f, n);
	spool_log_close(&f->log);
}

/* One file full, one begun. */
static void
two_files(struct fixture *f)
{
	log_open_with(f, MAX_SIZE);
	f->log.segment_size = 100;
	assert_int_equal(put_group(f, 1, 2), 0);
	assert_int_equal(put_group(f, 3, 2), 0);
	assert_int_equal(f->log.n, 2);
	spool_log_close(&f->log);
}

static void
a_bit_flipped_in_a_file_that_has_a_next_is_damage(void **state)
{
	struct fixture *f = *state;
	off_t size;

	two_files(f);
	size = file_size(f, 1);
	for (off_t byte = 0; byte < size; byte++) {
		bit_flip(f, 1, byte, 5);
		reopen(f);
		assert_string_not_equal(f->log.damage, "");
		assert_int_equal(put_group(f, 5, 1), -EBADMSG);
		spool_log_close(&f->log);
		bit_flip(f, 1, byte, 5);
	}
	reopen(f);
	for (uint64_t n = 1; n <= 4; n++)
		expect_event(f, n);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

static void
a_file_that_is_shorter_than_the_next_one_says_is_damage(void **state)
{
	struct fixture *f = *state;
	off_t size;

	two_files(f);
	size = file_size(f, 1);
	file_cut(f, 1, size - 1);
	reopen(f);
	assert_non_null(strstr(f->log.damage, "bytes are missing"));
	spool_log_close(&f->log);
}

static void
a_file_that_is_missing_is_damage(void **state)
{
	struct fixture *f = *state;
	char path[300];

	two_files(f);
	file_of(f, 1, path);
	assert_int_equal(unlink(path), 0);
	reopen(f);
	assert_non_null(strstr(f->log.damage, "missing"));
	expect_end(f, -EBADMSG);
	spool_log_close(&f->log);
}

static void
a_file_that_was_about_to_be_made_is_none(void **state)
{
	struct fixture *f = *state;
	char path[300];
	int fd;

	two_files(f);
	file_of(f, 3, path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "EVHSP", 5), 5);
	close(fd);
	reopen(f);
	assert_string_equal(f->log.damage, "");
	assert_int_equal(put_group(f, 5, 1), 0);
	for (uint64_t n = 1; n <= 5; n++)
		expect_event(f, n);
	spool_log_close(&f->log);
}

static void
file_link(const struct fixture *f, const char *from, const char *to)
{
	char a[300], b[300];

	snprintf(a, sizeof(a), "%s/%s", f->dir.path, from);
	snprintf(b, sizeof(b), "%s/%s", f->dir.path, to);
	assert_int_equal(link(a, b), 0);
}

/* Those behind it were deleted, as it should have been. */
static void
a_delivered_file_that_could_not_be_deleted_is_no_damage(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	assert_int_equal(put_group(f, 1, 1), 0);
	file_link(f, "0000000000000001.spool", "kept");
	spool_log_close(&f->log);
	reopen(f);
	assert_int_equal(put_group(f, 2, 1), 0);
	spool_log_close(&f->log);
	reopen(f);
	assert_int_equal(put_group(f, 3, 1), 0);
	spool_log_release(&f->log, 3);
	spool_log_close(&f->log);
	assert_int_equal(file_size(f, 1), -1);
	assert_int_equal(file_size(f, 2), -1);
	file_link(f, "kept", "0000000000000001.spool");
	reopen(f);
	assert_string_equal(f->log.damage, "");
	expect_event(f, 3);
	expect_end(f, 0);
	assert_int_equal(file_size(f, 1), -1);
	assert_int_equal(put_group(f, 4, 1), 0);
	spool_log_close(&f->log);
}

static void
a_file_that_could_not_be_deleted_gives_way_to_a_new_one(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	file_link(f, "lock", "0000000000000001.spool");
	assert_int_equal(put_group(f, 1, 1), 0);
	spool_log_close(&f->log);
	reopen(f);
	expect_event(f, 1);
	spool_log_close(&f->log);
}

/* Its head need not be on the disk, and must not become one in the middle. */
static void
a_last_file_without_records_is_none(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	assert_int_equal(put_group(f, 1, 1), 0);
	spool_log_close(&f->log);
	reopen(f);
	assert_int_equal(put_group(f, 2, 1), 0);
	spool_log_close(&f->log);
	file_cut(f, 2, (off_t)SPOOL_SEGMENT_HEAD);
	reopen(f);
	assert_int_equal(file_size(f, 2), -1);
	expect_event(f, 1);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

static void
a_spoilt_position_only_delivers_again(void **state)
{
	struct fixture *f = *state;
	char path[300];

	reopen(f);
	assert_int_equal(put_group(f, 1, 3), 0);
	spool_log_release(&f->log, 3);
	assert_int_equal(spool_log_persist(&f->log), 0);
	spool_log_close(&f->log);
	snprintf(path, sizeof(path), "%s/position", f->dir.path);
	assert_int_equal(truncate(path, 10), 0);
	reopen(f);
	for (uint64_t n = 1; n <= 3; n++)
		expect_event(f, n);
	spool_log_close(&f->log);
}

static void
one_of_two_positions_is_enough(void **state)
{
	struct fixture *f = *state;
	char path[300];
	int fd;

	reopen(f);
	assert_int_equal(put_group(f, 1, 3), 0);
	spool_log_release(&f->log, 2);
	assert_int_equal(spool_log_persist(&f->log), 0);
	spool_log_release(&f->log, 3);
	assert_int_equal(spool_log_persist(&f->log), 0);
	snprintf(path, sizeof(path), "%s/position", f->dir.path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(
		__real_pwrite(fd, "torn", 4, f->log.dir.slot ? 4096 : 0), 4);
	close(fd);
	spool_log_close(&f->log);
	reopen(f);
	assert_int_equal(f->log.released, 2);
	spool_log_close(&f->log);
}

static void
a_failed_write_or_sync_leaves_the_file_for_good(void **state)
{
	struct fixture *f = *state;

	fail_code = EIO;
	for (int what = 0; what < 2; what++) {
		uint64_t first = 1 + 10 * (uint64_t)what, number;

		reopen(f);
		assert_int_equal(put_group(f, first, 2), 0);
		number = f->log.number - 1;
		*(what == 0 ? &fail_write : &fail_sync) = 1;
		assert_int_equal(put_group(f, 100, 3), -EIO);
		fail_write = fail_sync = 0;
		assert_int_equal(f->log.fd, -1);
		assert_int_equal(put_group(f, first + 2, 1), 0);
		assert_int_equal(f->log.number - 1, number + 1);
		for (uint64_t n = 0; n < 3; n++)
			expect_event(f, first + n);
		expect_end(f, 0);
		spool_log_close(&f->log);
		reopen(f);
		assert_string_equal(f->log.damage, "");
		for (uint64_t n = 0; n < 3; n++)
			expect_event(f, first + n);
		expect_end(f, 0);
		spool_log_release(&f->log, f->log.next);
		spool_log_close(&f->log);
	}
}

/* What the disk has behind the place up to which it was synced may be
 * anything, and stays there. */
static void
what_a_failed_sync_left_behind_is_not_believed(void **state)
{
	struct fixture *f = *state;
	char path[300];
	off_t size;
	int fd;

	fail_code = EIO;
	reopen(f);
	assert_int_equal(put_group(f, 1, 2), 0);
	size = file_size(f, 1);
	fail_sync = 1;
	assert_int_equal(put_group(f, 100, 3), -EIO);
	fail_sync = 0;
	assert_int_equal(put_group(f, 3, 1), 0);
	spool_log_close(&f->log);
	file_of(f, 1, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(__real_pwrite(fd, "whatever it is", 14, size), 14);
	close(fd);
	reopen(f);
	assert_string_equal(f->log.damage, "");
	for (uint64_t n = 1; n <= 3; n++)
		expect_event(f, n);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

static void
an_empty_last_file_goes_with_what_is_behind_the_end_before_it(void **state)
{
	struct fixture *f = *state;
	char path[300];
	off_t size;
	int fd;

	fail_code = EIO;
	reopen(f);
	assert_int_equal(put_group(f, 1, 2), 0);
	size = file_size(f, 1);
	fail_sync = 1;
	assert_int_equal(put_group(f, 100, 3), -EIO);
	fail_sync = 0;
	assert_int_equal(spool_log_begin(&f->log), 0);
	spool_log_close(&f->log);
	assert_int_equal(file_size(f, 2), SPOOL_SEGMENT_HEAD);
	file_of(f, 1, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(__real_pwrite(fd, "whatever it is", 14, size), 14);
	close(fd);
	reopen(f);
	assert_int_equal(file_size(f, 2), -1);
	assert_int_equal(file_size(f, 1), size);
	for (uint64_t n = 1; n <= 2; n++)
		expect_event(f, n);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

static void
on_a_full_disk_it_starts_and_delivers_and_takes_none_until_there_is_room(
	void **state)
{
	struct fixture *f = *state;

	reopen(f);
	assert_int_equal(put_group(f, 1, 2), 0);
	assert_int_equal(put_group(f, 3, 1), 0);
	spool_log_close(&f->log);
	is_full = true;
	reopen(f);
	for (uint64_t n = 1; n <= 3; n++)
		expect_event(f, n);
	expect_end(f, 0);
	assert_int_equal(put_group(f, 100, 1), -ENOSPC);
	assert_int_equal(file_size(f, 2), -1);
	spool_log_release(&f->log, 4);
	assert_int_equal(spool_log_persist(&f->log), -ENOSPC);
	assert_true(file_size(f, 1) > 0);
	is_full = false;
	assert_int_equal(put_group(f, 4, 1), 0);
	expect_event(f, 4);
	assert_int_equal(spool_log_persist(&f->log), 0);
	assert_int_equal(file_size(f, 1), -1);
	spool_log_close(&f->log);
	reopen(f);
	expect_event(f, 4);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

/* Whoever wrote the position may have died before its fsync: its files may be
 * needed after a crash. */
static void
on_a_full_disk_nothing_is_deleted_for_a_position_that_was_read(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	assert_int_equal(put_group(f, 1, 2), 0);
	spool_log_close(&f->log);
	assert_int_equal(spool_dir_open(&f->log.dir, f->dir.path), 0);
	assert_int_equal(spool_dir_set_position(&f->log.dir, 3), 0);
	spool_dir_close(&f->log.dir);
	is_full = true;
	reopen(f);
	expect_end(f, 0);
	assert_true(file_size(f, 1) > 0);
	is_full = false;
	assert_int_equal(spool_log_persist(&f->log), 0);
	assert_int_equal(file_size(f, 1), -1);
	spool_log_close(&f->log);
}

static void
a_failed_sync_of_a_new_file_leaves_none(void **state)
{
	struct fixture *f = *state;

	fail_code = ENOSPC;
	reopen(f);
	for (int i = 0; i < 5; i++) {
		fail_sync = 1;
		assert_int_equal(put_group(f, 100, 3), -ENOSPC);
		assert_int_equal(file_size(f, 1), -1);
		assert_int_equal(f->log.size, 0);
	}
	fail_sync = 0;
	assert_int_equal(put_group(f, 1, 1), 0);
	expect_event(f, 1);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

static void
max_size_is_never_exceeded_and_room_comes_back(void **state)
{
	struct fixture *f = *state;
	uint64_t n = 1, first;

	reopen(f);
	while (put_group(f, n, 100) == 0)
		n += 100;
	assert_true(f->log.size <= MAX_SIZE);
	assert_true(f->log.size > MAX_SIZE - MAX_SIZE / 8);
	assert_true(f->log.n >= 7);
	f->log.group.len = 0;
	f->log.n_group = 0;
	assert_int_equal(put_group(f, n, 100), -ENOSPC);
	f->log.group.len = 0;
	f->log.n_group = 0;
	first = f->log.segments[1].first;
	spool_log_release(&f->log, first);
	assert_int_equal(spool_log_persist(&f->log), 0);
	assert_int_equal(put_group(f, n, 100), 0);
	for (; first < n + 100; first++)
		expect_event(f, first);
	expect_end(f, 0);
	spool_log_close(&f->log);
}

static void
reading_again_begins_with_the_first_that_is_not_released(void **state)
{
	struct fixture *f = *state;

	two_files(f);
	reopen(f);
	for (uint64_t n = 1; n <= 4; n++)
		expect_event(f, n);
	spool_log_release(&f->log, 3);
	spool_log_rewind(&f->log);
	expect_event(f, 3);
	expect_event(f, 4);
	spool_log_close(&f->log);
}

static void
two_cannot_have_one_folder(void **state)
{
	struct fixture *f = *state;
	struct spool_log other;

	reopen(f);
	assert_int_equal(spool_log_open(&other, f->dir.path, MAX_SIZE),
			 -EAGAIN);
	spool_log_close(&f->log);
	assert_int_equal(spool_log_open(&other, f->dir.path, MAX_SIZE), 0);
	spool_log_close(&other);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_synced_is_there_again_in_its_order),
		TEST(what_is_released_does_not_come_again_and_its_files_go),
		TEST(a_tail_torn_at_any_byte_costs_only_what_is_torn),
		TEST(a_tail_of_zeroes_is_torn),
		TEST(a_hole_in_the_group_that_was_not_synced_is_torn),
		TEST(a_bit_flipped_anywhere_in_the_middle_is_damage_that_names_its_place),
		TEST(a_bit_flipped_in_a_file_that_has_a_next_is_damage),
		TEST(a_file_that_is_shorter_than_the_next_one_says_is_damage),
		TEST(a_file_that_is_missing_is_damage),
		TEST(a_file_that_was_about_to_be_made_is_none),
		TEST(a_delivered_file_that_could_not_be_deleted_is_no_damage),
		TEST(a_file_that_could_not_be_deleted_gives_way_to_a_new_one),
		TEST(a_last_file_without_records_is_none),
		TEST(a_spoilt_position_only_delivers_again),
		TEST(one_of_two_positions_is_enough),
		TEST(a_failed_write_or_sync_leaves_the_file_for_good),
		TEST(what_a_failed_sync_left_behind_is_not_believed),
		TEST(an_empty_last_file_goes_with_what_is_behind_the_end_before_it),
		TEST(on_a_full_disk_it_starts_and_delivers_and_takes_none_until_there_is_room),
		TEST(on_a_full_disk_nothing_is_deleted_for_a_position_that_was_read),
		TEST(a_failed_sync_of_a_new_file_leaves_none),
		TEST(max_size_is_never_exceeded_and_room_comes_back),
		TEST(reading_again_begins_with_the_first_that_is_not_released),
		TEST(two_cannot_have_one_folder),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
