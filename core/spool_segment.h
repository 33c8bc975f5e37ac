/*
 * spool_segment.h - one file of a spool: a head, then records.
 *
 *     head   "EVHSPOOL", u32 version, u32 CRC-32C, u64 number of the file,
 *            u64 number of its first record, u64 end of the file before it
 *
 * The head is on the disk, with the file's name, before a record is written;
 * so a file that is no longer than its head may be one that was about to be
 * made.  It says up to where the file before it is to be believed: what stands
 * behind that was never acknowledged, and nothing that stood before it may be
 * missing.
 */
#ifndef EVH_SPOOL_SEGMENT_H
#define EVH_SPOOL_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "spool_reader.h"

#define SPOOL_SEGMENT_HEAD     ((uint64_t)40)
#define SPOOL_SEGMENT_NAME_MAX 32

struct spool_segment {
	uint64_t number;
	uint64_t first;	     /* record; */
	uint64_t next;	     /* and behind its last one */
	uint64_t end;	     /* bytes that are to be believed */
	uint64_t synced;     /* those that were so before the last group */
	uint64_t before_end; /* of the file before it; 0: there was none */
};

void spool_segment_name(char ret[SPOOL_SEGMENT_NAME_MAX], uint64_t number);
/* Its number by its name; 0: it is none. */
uint64_t spool_segment_number(const char *name);

/*
 * Makes the file: number, first and before_end are given, the rest is filled
 * in.  Its descriptor, or -errno, and then it is not there.
 */
int spool_segment_create(int dir_fd, struct spool_segment *segment);

/*
 * Opens it for reading (is_writable: for cutting it, too) and fills in what
 * its head says; end is the file's size.  Its descriptor, or -errno: -ENODATA
 * when it is not longer than a head and has none, -EBADMSG when its head is
 * damaged.
 */
int spool_segment_open(int dir_fd, uint64_t number, bool is_writable,
		       struct spool_segment *ret);

/*
 * Reads all of it, and fills in `next`, `end`, `synced`.  is_last: its end may
 * be torn off, and `end` is then less than it was; otherwise `end` must be
 * right.  0; -EBADMSG: it is damaged, and end is the place; -errno.
 */
int spool_segment_check(struct spool_segment *segment, struct spool_reader *r,
			bool is_last);

/* All of it, at this place; 0 or -errno. */
int spool_segment_write(int fd, const void *data, size_t len, uint64_t place);

#endif
