#include "spool_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"

#define VERSION 1

static const unsigned char magic[8] = "EVHSPOOL";

void
spool_segment_name(char ret[SPOOL_SEGMENT_NAME_MAX], uint64_t number)
{
	snprintf(ret, SPOOL_SEGMENT_NAME_MAX, "%016" PRIu64 ".spool", number);
}

uint64_t
spool_segment_number(const char *name)
{
	char again[SPOOL_SEGMENT_NAME_MAX];
	uint64_t number = strtoull(name, NULL, 10);

	spool_segment_name(again, number);
	return strcmp(name, again) == 0 ? number : 0;
}

int
spool_segment_write(int fd, const void *data, size_t len, uint64_t place)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)place);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
		place += (uint64_t)n;
	}
	return 0;
}

/* ---- The head ----------------------------------------------------------- */

static uint32_t
head_sum(const unsigned char *head)
{
	uint32_t crc = crc32c(0, head, 12);

	return crc32c(crc, head + 16, SPOOL_SEGMENT_HEAD - 16);
}

static int
head_write(int fd, const struct spool_segment *segment)
{
	unsigned char head[SPOOL_SEGMENT_HEAD];

	memcpy(head, magic, sizeof(magic));
	spool_put_u32(head + 8, VERSION);
	spool_put_u64(head + 16, segment->number);
	spool_put_u64(head + 24, segment->first);
	spool_put_u64(head + 32, segment->before_end);
	spool_put_u32(head + 12, head_sum(head));
	return spool_segment_write(fd, head, sizeof(head), 0);
}

/* One that is there already was given up, and could not be deleted then. */
static int
file_make(int dir_fd, const char *name)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dir_fd, name, flags, 0600);

	if (fd < 0 && errno == EEXIST && unlinkat(dir_fd, name, 0) == 0)
		fd = openat(dir_fd, name, flags, 0600);
	return fd;
}

int
spool_segment_create(int dir_fd, struct spool_segment *segment)
{
	char name[SPOOL_SEGMENT_NAME_MAX];
	int rc, fd;

	spool_segment_name(name, segment->number);
	fd = file_make(dir_fd, name);
	if (fd < 0)
		return -errno;
	rc = head_write(fd, segment);
	if (rc == 0 && (fsync(fd) < 0 || fsync(dir_fd) < 0))
		rc = -errno;
	if (rc < 0) {
		close(fd);
		unlinkat(dir_fd, name, 0);
		return rc;
	}
	segment->next = segment->first;
	segment->end = SPOOL_SEGMENT_HEAD;
	return fd;
}

static int
head_read(int fd, uint64_t number, struct spool_segment *ret)
{
	unsigned char head[SPOOL_SEGMENT_HEAD];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	do
		n = pread(fd, head, sizeof(head), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(head) ||
	    memcmp(head, magic, sizeof(magic)) != 0 ||
	    spool_get_u32(head + 8) != VERSION ||
	    spool_get_u32(head + 12) != head_sum(head) ||
	    spool_get_u64(head + 16) != number)
		return (uint64_t)st.st_size <= SPOOL_SEGMENT_HEAD ? -ENODATA
								  : -EBADMSG;
	ret->number = number;
	ret->first = ret->next = spool_get_u64(head + 24);
	ret->before_end = spool_get_u64(head + 32);
	ret->end = (uint64_t)st.st_size;
	return 0;
}

int
spool_segment_open(int dir_fd, uint64_t number, bool is_writable,
		   struct spool_segment *ret)
{
	char name[SPOOL_SEGMENT_NAME_MAX];
	int rc, fd;

	spool_segment_name(name, number);
	fd = openat(dir_fd, name,
		    (is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	rc = head_read(fd, number, ret);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* ---- The records -------------------------------------------------------- */

/* Something that was written when this place had been synced already: then it
 * was whole once. */
static int
find_later(struct spool_reader *r, uint64_t place, uint64_t end,
	   uint64_t number)
{
	for (uint64_t at = place + 1; at + SPOOL_RECORD_HEAD <= end; at++) {
		const unsigned char *bytes;
		struct spool_head head;
		int rc = spool_reader_at(r, at, SPOOL_RECORD_HEAD, &bytes);

		if (rc < 0)
			return rc;
		head = spool_record_head(bytes);
		/* Most places are none, and cost no checksum. */
		if (head.synced <= place || head.number < number ||
		    head.number - number > end)
			continue;
		rc = spool_reader_record(r, at, end, &head, &bytes);
		if (rc != -EBADMSG)
			return rc < 0 ? rc : 1;
	}
	return 0;
}

int
spool_segment_check(struct spool_segment *segment, struct spool_reader *r,
		    bool is_last)
{
	uint64_t end = segment->end;
	uint64_t place = SPOOL_SEGMENT_HEAD;
	int rc = 0;

	segment->next = segment->first;
	segment->synced = SPOOL_SEGMENT_HEAD;
	while (place < end) {
		const unsigned char *bytes;
		struct spool_head head;

		rc = spool_reader_record(r, place, end, &head, &bytes);
		if (rc == 0 && head.number != segment->next)
			rc = -EBADMSG;
		if (rc < 0)
			break;
		place += SPOOL_RECORD_HEAD + head.body_len;
		segment->next++;
		segment->synced = head.synced;
	}
	segment->end = place;
	if (rc != -EBADMSG || !is_last)
		return rc;
	rc = find_later(r, place, end, segment->next);
	return rc > 0 ? -EBADMSG : rc;
}
