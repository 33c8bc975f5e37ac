#include "spool_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "spool_recovery.h"

#define SEGMENT_MAX ((uint64_t)64 << 20)
/* So many files make max_size: what is released goes a file at a time. */
#define SEGMENTS 8

static struct spool_segment *
last_of(struct spool_log *log)
{
	return log->n > 0 ? &log->segments[log->n - 1] : NULL;
}

int
spool_log_open(struct spool_log *log, const char *path, uint64_t max_size)
{
	int rc;

	*log = (struct spool_log){ .fd = -1,
				   .max_size = max_size,
				   .segment_size = max_size / SEGMENTS,
				   .reader = { .fd = -1 } };
	if (log->segment_size > SEGMENT_MAX)
		log->segment_size = SEGMENT_MAX;
	rc = spool_dir_open(&log->dir, path);
	if (rc < 0)
		return rc;
	rc = spool_recovery_read(log);
	if (rc < 0) {
		log_write(EVH_ERROR, NULL, "spool %s: cannot be read: %s", path,
			  strerror(-rc));
		spool_log_close(log);
		return rc;
	}
	log->released = log->dir.position;
	if (log->n > 0 && log->released < log->segments[0].first)
		log->released = log->segments[0].first;
	if (log->released == 0)
		log->released = 1;
	if (log->next < log->released)
		log->next = log->released;
	spool_log_rewind(log);
	/* What a crash kept from being deleted. */
	(void)spool_log_persist(log);
	return 0;
}

/* ---- Writing ------------------------------------------------------------ */

/* The file that it was to read next is gone: it is at the end of that before.
 */
static void
reader_go_back(struct spool_log *log)
{
	if (log->reader.fd >= 0)
		close(log->reader.fd);
	spool_reader_set(&log->reader, -1);
	log->at = log->n - 1;
	log->read_place = last_of(log)->end;
}

/* It is never written again. */
static void
segment_leave(struct spool_log *log)
{
	struct spool_segment *segment = last_of(log);

	if (log->fd < 0)
		return;
	close(log->fd);
	log->fd = -1;
	if (segment->next > segment->first)
		return;
	/* Nothing in it is to be believed. */
	spool_dir_unlink(&log->dir, segment->number);
	log->size -= segment->end;
	log->n--;
	log->number = segment->number;
	if (log->n == 0)
		spool_log_rewind(log);
	else if (log->at == log->n)
		reader_go_back(log);
}

static int
segment_new(struct spool_log *log)
{
	const struct spool_segment *before = last_of(log);
	struct spool_segment segment = { .number = log->number,
					 .first = log->next,
					 .before_end =
						 before ? before->end : 0 };
	struct spool_segment *grown;
	int fd;

	grown = reallocarray(log->segments, log->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	log->segments = grown;
	fd = spool_segment_create(log->dir.fd, &segment);
	if (fd < 0)
		return fd;
	log->fd = fd;
	log->segments[log->n++] = segment;
	log->size += segment.end;
	log->number++;
	return 0;
}

int
spool_log_begin(struct spool_log *log)
{
	if (*log->damage)
		return -EBADMSG;
	if (log->fd >= 0 && last_of(log)->end > SPOOL_SEGMENT_HEAD &&
	    last_of(log)->end >= log->segment_size)
		segment_leave(log);
	if (log->is_unsure) {
		int rc = spool_recovery_secure(log);

		if (rc < 0)
			return rc;
	}
	return log->fd >= 0 ? 0 : segment_new(log);
}

int
spool_log_add(struct spool_log *log, const struct evh_event *ev)
{
	const struct spool_segment *segment = last_of(log);
	int rc;

	if (log->size + log->group.len + spool_record_size(ev) > log->max_size)
		return -ENOSPC;
	rc = spool_record_add(&log->group, ev, log->next + log->n_group,
			      segment->end);
	if (rc == 0)
		log->n_group++;
	return rc;
}

/* What was written of it takes room that the next one may need. */
static void
group_give_up(struct spool_log *log)
{
	const struct spool_segment *segment = last_of(log);

	if (ftruncate(log->fd, (off_t)segment->end) < 0)
		log_write(EVH_WARN, NULL, "spool %s: a file cannot be cut: %s",
			  log->dir.path, strerror(errno));
	segment_leave(log);
}

int
spool_log_sync(struct spool_log *log)
{
	struct spool_segment *segment = last_of(log);
	size_t len = log->group.len;
	uint64_t n = log->n_group;
	int rc;

	log->group.len = 0;
	log->n_group = 0;
	if (n == 0)
		return 0;
	rc = spool_segment_write(log->fd, log->group.at, len, segment->end);
	if (rc == 0 && fdatasync(log->fd) < 0)
		rc = -errno;
	if (rc < 0) {
		group_give_up(log);
		return rc;
	}
	segment->end += len;
	segment->next += n;
	log->size += len;
	log->next += n;
	return 0;
}

/* ---- Reading ------------------------------------------------------------ */

void
spool_log_rewind(struct spool_log *log)
{
	if (log->reader.fd >= 0)
		close(log->reader.fd);
	spool_reader_set(&log->reader, -1);
	log->at = 0;
	log->read_place = SPOOL_SEGMENT_HEAD;
	log->read_next = log->n > 0 ? log->segments[0].first : log->next;
}

/* At the end of a file that has a next one. */
static void
reader_go_on(struct spool_log *log)
{
	close(log->reader.fd);
	spool_reader_set(&log->reader, -1);
	log->at++;
	log->read_place = SPOOL_SEGMENT_HEAD;
}

static int
reader_open(struct spool_log *log)
{
	struct spool_segment found;
	int fd = spool_segment_open(log->dir.fd, log->segments[log->at].number,
				    false, &found);

	if (fd == -ENODATA || fd == -ENOENT)
		fd = -EBADMSG;
	if (fd == -EBADMSG)
		spool_recovery_damage(log, log->segments[log->at].number, 0,
				      "there is no whole head");
	if (fd < 0)
		return fd;
	spool_reader_set(&log->reader, fd);
	return 0;
}

/* 1, 0 at the end of all, -errno. */
static int
read_one(struct spool_log *log, struct spool_head *ret_head,
	 const unsigned char **ret)
{
	struct spool_segment *segment;
	int rc;

	for (;;) {
		if (log->at >= log->n)
			return 0;
		segment = &log->segments[log->at];
		if (log->reader.fd < 0) {
			rc = reader_open(log);
			if (rc < 0)
				return rc;
		}
		if (log->read_place < segment->end)
			break;
		if (log->at + 1 == log->n)
			return 0;
		reader_go_on(log);
	}
	rc = spool_reader_record(&log->reader, log->read_place, segment->end,
				 ret_head, ret);
	if (rc == 0 && ret_head->number != log->read_next)
		rc = -EBADMSG;
	if (rc == -EBADMSG)
		spool_recovery_damage(log, segment->number, log->read_place,
				      "there is no whole record");
	return rc < 0 ? rc : 1;
}

int
spool_log_read(struct spool_log *log, uint64_t *ret_number,
	       struct evh_spec *ret, struct evh_header **ret_headers)
{
	const unsigned char *at;
	struct spool_head head;
	int rc;

	do {
		rc = read_one(log, &head, &at);
		if (rc <= 0)
			return *log->damage && rc == 0 ? -EBADMSG : rc;
		log->read_place += SPOOL_RECORD_HEAD + head.body_len;
		log->read_next++;
	} while (head.number < log->released);
	rc = spool_record_spec(at + SPOOL_RECORD_HEAD, head.body_len, ret,
			       ret_headers);
	if (rc < 0) {
		/* Asked again, it is the same one. */
		log->read_place -= SPOOL_RECORD_HEAD + head.body_len;
		log->read_next--;
		if (rc == -EBADMSG)
			spool_recovery_damage(
				log, log->segments[log->at].number,
				log->read_place, "there is no event");
		return rc;
	}
	*ret_number = head.number;
	return 1;
}

/* ---- Letting go --------------------------------------------------------- */

void
spool_log_release(struct spool_log *log, uint64_t number)
{
	if (number > log->released)
		log->released = number;
}

/* The first one, which nobody needs. */
static void
first_delete(struct spool_log *log)
{
	spool_dir_unlink(&log->dir, log->segments[0].number);
	log->size -= log->segments[0].end;
	log->n--;
	memmove(log->segments, log->segments + 1,
		log->n * sizeof(*log->segments));
	if (log->at > 0)
		log->at--;
	else
		spool_log_rewind(log);
}

int
spool_log_persist(struct spool_log *log)
{
	int rc = 0;

	/* The next group would begin another one: it may go, too. */
	if (log->fd >= 0 && last_of(log)->end >= log->segment_size &&
	    last_of(log)->next <= log->released)
		segment_leave(log);
	if (log->dir.position != log->released || log->dir.is_unsure)
		rc = spool_dir_set_position(&log->dir, log->released);
	if (rc < 0)
		return rc;
	/* A damaged one stays, for whoever will mend it. */
	while (log->n > (log->fd >= 0 || *log->damage ? 1 : 0) &&
	       log->segments[0].next <= log->released)
		first_delete(log);
	return 0;
}

void
spool_log_close(struct spool_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	if (log->dir.fd >= 0 && log->segments)
		(void)spool_log_persist(log);
	if (log->reader.fd >= 0)
		close(log->reader.fd);
	spool_reader_fini(&log->reader);
	spool_dir_close(&log->dir);
	free(log->segments);
	free(log->group.at);
	log->segments = NULL;
	log->group = (struct spool_bytes){ 0 };
	log->n = 0;
}

uint64_t
spool_log_count(const struct spool_log *log)
{
	return log->next - log->released;
}
