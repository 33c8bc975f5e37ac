#include "spool_recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

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
	if (ftruncate(fd, (off_t)segment->end) < 0 || fsync(fd) < 0)
		log_write(EVH_WARN, NULL, "spool %s: %s cannot be cut: %s",
			  log->dir.path, name, strerror(errno));
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
	spool_reader_set(&log->reader, -1);
	if (rc == -EBADMSG)
		spool_recovery_damage(log, segment->number, segment->end,
				      "there is no whole record");
	else if (rc == 0 && may_cut && segment->end < size)
		tail_cut(log, segment, fd, size);
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
	if (rc == 0 || rc == -EBADMSG) {
		log->size += segment->end;
		log->next = segment->next;
		log->n++;
	}
	return rc < 0 ? rc : next_rc;
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
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = segment_add(log, &segments[log->n], numbers, i, n);
	free(numbers);
	/* Of one that was about to be made the number is free again. */
	log->number = log->n > 0 ? segments[log->n - 1].number + 1 : 1;
	return rc == -EBADMSG ? 0 : rc;
}
