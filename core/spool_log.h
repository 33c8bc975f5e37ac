/*
 * spool_log.h - the log of a spool: records on one disk, in order.
 *
 * Appended in groups, one fdatasync() each; read from the first that was not
 * released; a file goes when all of it is released.  After a write or an fsync
 * that failed nobody knows what the disk has: the file is believed up to what
 * was synced before, and gets no more records; who opens it next writes its
 * last ones once more, and syncs them, before they are believed.
 *
 * Belongs to one thread at a time.
 */
#ifndef EVH_SPOOL_LOG_H
#define EVH_SPOOL_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "spool_dir.h"
#include "spool_reader.h"
#include "spool_segment.h"

#define SPOOL_LOG_WHY_MAX 512

struct spool_log {
	struct spool_dir dir;
	uint64_t max_size;     /* of all files together, bytes */
	uint64_t segment_size; /* no group begins beyond this */

	struct spool_segment *segments; /* oldest first */
	unsigned n;
	uint64_t size;	   /* of all of them */
	uint64_t released; /* first record that is not */
	uint64_t next;	   /* the next that is written, when synced */
	uint64_t number;   /* the next file's */
	/* The end of the last file could not be secured: a full disk.  No head
	 * may say yet that it is there. */
	bool is_unsure;

	int fd; /* of the last segment, which is written; -1: a new one next */
	struct spool_bytes group;
	uint64_t n_group;

	struct spool_reader reader;
	unsigned at;	     /* the segment that is read */
	uint64_t read_place; /* in it */
	uint64_t read_next;  /* record */

	/* Damage, in a sentence with file and place; "": none.  What was
	 * written behind it is neither read nor written any more. */
	char damage[SPOOL_LOG_WHY_MAX];
};

/*
 * Opens the folder and reads all that is there.  0, or -errno, logged.  Damage
 * is no error: what stands before it can still be read.
 */
int spool_log_open(struct spool_log *log, const char *path, uint64_t max_size);
/* Persists what is released and goes.  Fine after a failed open. */
void spool_log_close(struct spool_log *log);

/* Ready to add to: 0; -EBADMSG when it is damaged; -errno of making a new
 * file. */
int spool_log_begin(struct spool_log *log);
/* Adds to the group; 0, -ENOSPC: max_size, -ENOMEM, -EMSGSIZE. */
int spool_log_add(struct spool_log *log, const struct evh_event *ev);
/* Writes the group and syncs it.  0; or -errno, and none of it is there. */
int spool_log_sync(struct spool_log *log);

/*
 * The next record: its number, and spec and headers as in spool_record.h,
 * valid until the next call.  1; 0 at the end; -EBADMSG: damage, see there;
 * -errno.
 */
int spool_log_read(struct spool_log *log, uint64_t *ret_number,
		   struct evh_spec *ret, struct evh_header **ret_headers);
/* Reads again from the first that is not released. */
void spool_log_rewind(struct spool_log *log);

/* All records before this one are delivered. */
void spool_log_release(struct spool_log *log, uint64_t number);
/* On the disk, too; deletes what is not needed any more.  0 or -errno. */
int spool_log_persist(struct spool_log *log);

/* Records that are not released. */
uint64_t spool_log_count(const struct spool_log *log);

#endif
