#include "spool_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define AHEAD ((size_t)256 << 10)

void
spool_reader_set(struct spool_reader *r, int fd)
{
	r->fd = fd;
	r->len = 0;
}

void
spool_reader_fini(struct spool_reader *r)
{
	free(r->buffer);
	*r = (struct spool_reader){ .fd = -1 };
}

static int
fill(struct spool_reader *r, uint64_t place)
{
	r->begin = place;
	r->len = 0;
	while (r->len < r->room) {
		ssize_t n = pread(r->fd, r->buffer + r->len, r->room - r->len,
				  (off_t)(place + r->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		r->len += (size_t)n;
	}
	return 0;
}

static bool
has(const struct spool_reader *r, uint64_t place, size_t n)
{
	return place >= r->begin && place - r->begin <= r->len &&
	       r->len - (place - r->begin) >= n;
}

int
spool_reader_at(struct spool_reader *r, uint64_t place, size_t n,
		const unsigned char **ret)
{
	int rc;

	if (!has(r, place, n)) {
		if (n > r->room || !r->buffer) {
			size_t room = n > AHEAD ? n : AHEAD;
			unsigned char *buffer = realloc(r->buffer, room);

			if (!buffer)
				return -ENOMEM;
			r->buffer = buffer;
			r->room = room;
		}
		rc = fill(r, place);
		if (rc < 0)
			return rc;
	}
	if (!has(r, place, n))
		return -ENODATA;
	*ret = r->buffer + (place - r->begin);
	return 0;
}

int
spool_reader_record(struct spool_reader *r, uint64_t place, uint64_t end,
		    struct spool_head *ret_head, const unsigned char **ret)
{
	const unsigned char *at;
	struct spool_head head;
	int rc;

	if (place > end || end - place < SPOOL_RECORD_HEAD)
		return -EBADMSG;
	rc = spool_reader_at(r, place, SPOOL_RECORD_HEAD, &at);
	if (rc < 0)
		return rc == -ENODATA ? -EBADMSG : rc;
	head = spool_record_head(at);
	if (head.body_len > SPOOL_RECORD_MAX || head.synced > place ||
	    head.body_len > end - place - SPOOL_RECORD_HEAD)
		return -EBADMSG;
	rc = spool_reader_at(r, place, SPOOL_RECORD_HEAD + head.body_len, &at);
	if (rc < 0)
		return rc == -ENODATA ? -EBADMSG : rc;
	if (!spool_record_is_whole(at, &head))
		return -EBADMSG;
	*ret_head = head;
	*ret = at;
	return 0;
}
