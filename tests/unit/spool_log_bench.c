#include "spool_log_bench.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bad_disk.h"

int
store_make(void **state)
{
	struct store *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	tempdir_init(&s->dir);
	bad_disk_mend();
	*state = s;
	return 0;
}

int
store_remove(void **state)
{
	struct store *s = *state;

	tempdir_fini(&s->dir);
	free(s);
	return 0;
}

void
store_open(struct store *s)
{
	assert_int_equal(spool_log_open(&s->log, s->dir.path, STORE_MAX_SIZE),
			 0);
}

void
store_close(struct store *s)
{
	spool_log_close(&s->log);
}

void
store_reopen(struct store *s)
{
	store_close(s);
	store_open(s);
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

int
store_try(struct store *s, uint64_t n, unsigned count)
{
	char data[32];
	int rc = spool_log_begin(&s->log);

	for (unsigned i = 0; i < count && rc == 0; i++) {
		struct evh_event ev = event_of(n + i, data);

		rc = spool_log_add(&s->log, &ev);
	}
	return rc < 0 ? rc : spool_log_sync(&s->log);
}

void
store_put(struct store *s, uint64_t n, unsigned count)
{
	assert_int_equal(store_try(s, n, count), 0);
}

void
store_expect_event(struct store *s, uint64_t n)
{
	struct evh_header *headers = NULL;
	struct evh_spec spec;
	uint64_t number;
	char data[32];
	struct evh_event ev = event_of(n, data);

	assert_int_equal(spool_log_read(&s->log, &number, &spec, &headers), 1);
	assert_int_equal(spec.attempts, n);
	assert_int_equal(spec.data.len, ev.data.len);
	assert_memory_equal(spec.data.data, data, ev.data.len);
}

void
store_expect_events(struct store *s, uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++)
		store_expect_event(s, n);
}

void
store_expect_end(struct store *s, int rc)
{
	struct evh_header *headers = NULL;
	struct evh_spec spec;
	uint64_t number;

	assert_int_equal(spool_log_read(&s->log, &number, &spec, &headers), rc);
}

void
store_expect_only(struct store *s, uint64_t first, uint64_t last)
{
	store_expect_events(s, first, last);
	store_expect_end(s, 0);
}

void
store_file_of(const struct store *s, uint64_t number, char ret[300])
{
	char name[SPOOL_SEGMENT_NAME_MAX];

	spool_segment_name(name, number);
	snprintf(ret, 300, "%s/%s", s->dir.path, name);
}

off_t
store_file_size(const struct store *s, uint64_t number)
{
	char path[300];
	struct stat st;

	store_file_of(s, number, path);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

void
store_file_cut(const struct store *s, uint64_t number, off_t size)
{
	char path[300];

	store_file_of(s, number, path);
	assert_int_equal(truncate(path, size), 0);
}

void
store_file_write(const struct store *s, const char *name, const char *text,
		 off_t place)
{
	size_t len = strlen(text);
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", s->dir.path, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(__real_pwrite(fd, text, len, place), len);
	close(fd);
}

void
store_bit_flip(const struct store *s, uint64_t number, off_t place, int bit)
{
	unsigned char byte;
	char path[300];
	int fd;

	store_file_of(s, number, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, place), 1);
	byte ^= (unsigned char)(1 << bit);
	assert_int_equal(__real_pwrite(fd, &byte, 1, place), 1);
	close(fd);
}

void
store_two_files(struct store *s)
{
	store_open(s);
	s->log.segment_size = 100;
	store_put(s, 1, 2);
	store_put(s, 3, 2);
	assert_int_equal(s->log.n, 2);
	store_close(s);
}

void
store_file_link(const struct store *s, const char *from, const char *to)
{
	char a[300], b[300];

	snprintf(a, sizeof(a), "%s/%s", s->dir.path, from);
	snprintf(b, sizeof(b), "%s/%s", s->dir.path, to);
	assert_int_equal(link(a, b), 0);
}
