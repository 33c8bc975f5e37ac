#include "spool_recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* Of what is written once more. */
#define PIECE ((size_t)64 << 10)

void
spool_recovery_damage(struct spool_log *log, uint64_t number, uint64_t place,
		      const char *what)
{
	char name[SPOOL_SEGMENT_NAME_MAX];

	spool_segment_name(name, number);
	snprintf(log->damage, sizeof(log->damage),
		 "spool %s: %s at byte %" PRIu64 " of %s: it takes no event, "
		 "and what stands behind that place is not delivered; restore "
		 "that file, or move it and all later ones away to go without "
		 "them, and start again",
		 log->dir.path, what, place, name);
	log_write(EVH_ERROR, NULL, "%s", log->damage);
}

/* Bytes that no acknowledged record can have. */
static void
tail_cut(struct spool_log *log, const struct spool_segment *segment, int fd,
	 uint64_t size)
{
	char name[SPOOL_SEGMENT_NAME_MAX];

	spool_segment_name(name, segment->number);
	log_write(EVH_WARN, NULL,
		  "spool %s: the last %" PRIu64 " bytes of %s are no whole "
		  "records, as a crash leaves them: cut off",
		  log->dir.path, size - segment->end, name);
	/* The next file's head says the same. */
	if (ftruncate(fd, (off_t)segment->end) < 0)
		log_write(EVH_WARN, NULL, "spool %s: %s cannot be cut: %s",
			  log->dir.path, name, strerror(errno));
}

/* The last group may be in the system's memory alone: who wrote it died before
 * its fsync, or that failed, and then no later one brings it to the disk.  But
 * the next file's head will say that it is there, whatever crashes.  So it is
 * written once more, as it was read. */
static int
tail_write(struct spool_reader *r, const struct spool_segment *segment, int fd)
{
	uint64_t place = segment->synced;
	int rc = 0;

	while (rc == 0 && place < segment->end) {
		uint64_t left = segment->end - place;
		size_t n = left < PIECE ? (size_t)left : PIECE;
		const unsigned char *at;

		rc = spool_reader_at(r, place, n, &at);
		if (rc == 0)
			rc = spool_segment_write(fd, at, n, place);
		place += n;
	}
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

/* On a disk that writes what it changes elsewhere, a group needs room again.
 * Without any it is delivered, and nothing follows it yet. */
static int
unsure_if_full(struct spool_log *log, int rc)
{
	if (rc != -ENOSPC)
		return rc;
	log->is_unsure = true;
	log_write(EVH_WARN, NULL,
		  "spool %s: %s; what is there is delivered, and it takes no "
		  "event until there is room",
		  log->dir.path, strerror(-rc));
	return 0;
}

int
spool_recovery_secure(struct spool_log *log)
{
	struct spool_reader r = { .fd = -1 };
	struct spool_segment found;
	const struct spool_segment *last;
	int rc, fd;

	if (log->n == 0) { /* nothing of it is left */
		log->is_unsure = false;
		return 0;
	}
	last = &log->segments[log->n - 1];
	fd = spool_segment_open(log->dir.fd, last->number, true, &found);
	if (fd < 0)
		return fd;
	spool_reader_set(&r, fd);
	rc = found.end > last->end && ftruncate(fd, (off_t)last->end) < 0
		     ? -errno
		     : tail_write(&r, last, fd);
	spool_reader_fini(&r);
	close(fd);
	if (rc == 0)
		log->is_unsure = false;
	return rc;
}

/* Nothing is in the last file, and not even its head need be on the disk: who
 * made it may have failed to sync that.  It goes; but it alone says where the
 * file before it ends, which so has to end there. */
static int
empty_forget(struct spool_log *log, uint64_t number)
{
	int rc = spool_recovery_secure(log);

	if (rc == 0)
		spool_dir_unlink(&log->dir, number);
	return unsure_if_full(log, rc);
}

/* One file is read.  end: where the next one's head says that it ends; 0:
 * there is none that does. */
static int
segment_read(struct spool_log *log, struct spool_segment *segment, int fd,
	     uint64_t end, bool may_cut)
{
	uint64_t size = segment->end;
	int rc;

	if (end > size) {
		spool_recovery_damage(log, segment->number, size,
				      "bytes are missing");
		return -EBADMSG;
	}
	if (end > 0)
		segment->end = end;
	spool_reader_set(&log->reader, fd);
	rc = spool_segment_check(segment, &log->reader, end == 0);
	if (rc == -EBADMSG)
		spool_recovery_damage(log, segment->number, segment->end,
				      "there is no whole record");
	else if (rc == 0 && may_cut && segment->end < size)
		tail_cut(log, segment, fd, size);
	if (rc == 0 && may_cut)
		rc = unsure_if_full(log, tail_write(&log->reader, segment, fd));
	spool_reader_set(&log->reader, -1);
	return rc;
}

/* What has to follow what. */
static const char *
misfit(const struct spool_log *log, const struct spool_segment *segment)
{
	const struct spool_segment *before =
		log->n > 0 ? &log->segments[log->n - 1] : NULL;

	if (before && segment->number != before->number + 1)
		return "the file before it is missing";
	if (before && segment->first != before->next)
		return "records are missing before it";
	if (!before && log->dir.position > 0 &&
	    segment->first > log->dir.position)
		return "the files before it are missing, with records that "
		       "were not delivered";
	return NULL;
}

/* Where this file is to be believed up to, by the head of the next; 0: it is
 * the last, for the next was about to be made. */
static int
end_by_next(struct spool_log *log, uint64_t number, bool is_last,
	    uint64_t *ret_end)
{
	struct spool_segment next;
	int fd;

	*ret_end = 0;
	if (is_last)
		return 0;
	fd = spool_segment_open(log->dir.fd, number, false, &next);
	if (fd == -ENODATA)
		return 0;
	if (fd == -EBADMSG)
		spool_recovery_damage(log, number, 0, "there is no whole head");
	if (fd < 0)
		return fd;
	close(fd);
	*ret_end = next.before_end;
	return 0;
}

/* -EBADMSG: it, or what follows it, is damaged; what is good of it stays. */
static int
segment_add(struct spool_log *log, struct spool_segment *segment,
	    const uint64_t *numbers, unsigned i, unsigned n)
{
	const char *what;
	uint64_t end;
	int fd, rc, next_rc;

	fd = spool_segment_open(log->dir.fd, numbers[i], true, segment);
	if (fd == -ENODATA && i + 1 == n) {
		spool_dir_unlink(&log->dir,
				 numbers[i]); /* it was about to be made */
		return 0;
	}
	if (fd == -EBADMSG || fd == -ENODATA) {
		spool_recovery_damage(log, numbers[i], 0,
				      "there is no whole head");
		return -EBADMSG;
	}
	if (fd < 0)
		return fd;
	what = misfit(log, segment);
	if (what) {
		spool_recovery_damage(log, numbers[i], 0, what);
		close(fd);
		return -EBADMSG;
	}
	next_rc = end_by_next(log, i + 1 < n ? numbers[i + 1] : 0, i + 1 == n,
			      &end);
	rc = segment_read(log, segment, fd, end, end == 0 && next_rc == 0);
	close(fd);
	if (rc == 0 && i + 1 == n && segment->next == segment->first)
		return empty_forget(log, numbers[i]);
	if (rc == 0 || rc == -EBADMSG) {
		log->size += segment->end;
		log->next = segment->next;
		log->n++;
	}
	return rc < 0 ? rc : next_rc;
}

/* The first record of a file; 0: nobody can say. */
static uint64_t
first_of(const struct spool_log *log, uint64_t number)
{
	struct spool_segment segment;
	int fd = spool_segment_open(log->dir.fd, number, false, &segment);

	if (fd < 0)
		return 0;
	close(fd);
	return segment.first;
}

/* Files of which all is delivered, and which a crash, or a disk that failed,
 * kept from being deleted: those behind them may have been.  How many are
 * left. */
static unsigned
delivered_forget(const struct spool_log *log, uint64_t *numbers, unsigned n)
{
	unsigned last = n;
	uint64_t first = 0;

	while (last > 1 && first == 0) {
		first = first_of(log, numbers[--last]);
		if (first > log->dir.position)
			first = 0;
	}
	if (first == 0)
		return n;
	for (unsigned i = 0; i < last && !log->dir.is_unsure; i++)
		spool_dir_unlink(&log->dir, numbers[i]);
	memmove(numbers, numbers + last, (n - last) * sizeof(*numbers));
	return n - last;
}

int
spool_recovery_read(struct spool_log *log)
{
	struct spool_segment *segments;
	uint64_t *numbers = NULL;
	unsigned n = 0;
	int rc = spool_dir_list(&log->dir, &numbers, &n);

	if (rc < 0)
		return rc;
	segments = calloc(n + 1, sizeof(*segments));
	if (!segments) {
		free(numbers);
		return -ENOMEM;
	}
	log->segments = segments;
	n = delivered_forget(log, numbers, n);
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = segment_add(log, &segments[log->n], numbers, i, n);
	/* Of one that was about to be made the number is free again; a lower
	 * one never is. */
	if (log->n > 0)
		log->number = segments[log->n - 1].number + 1;
	else
		log->number = n > 0 ? numbers[n - 1] : 1;
	free(numbers);
	return rc == -EBADMSG ? 0 : rc;
}
