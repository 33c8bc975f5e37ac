/*
 * spool_reader.h - bytes of a spool's file, read ahead.
 */
#ifndef EVH_SPOOL_READER_H
#define EVH_SPOOL_READER_H

#include <stdint.h>

#include "spool_record.h"

/* Zero it, with fd -1, first. */
struct spool_reader {
	int fd; /* borrowed */
	unsigned char *buffer;
	size_t room;
	uint64_t begin; /* the place in the file of what is in the buffer, */
	size_t len;	/* and how much that is */
};

/* Another file from now on. */
void spool_reader_set(struct spool_reader *r, int fd);
void spool_reader_fini(struct spool_reader *r);

/*
 * n bytes from this place on, valid until the next call.  0; -ENODATA when the
 * file ends before, -ENOMEM, -errno of read(2).
 */
int spool_reader_at(struct spool_reader *r, uint64_t place, size_t n,
		    const unsigned char **ret);

/*
 * The record at this place, in a file that is to be believed up to `end`; *ret
 * is where its head begins.  0; -EBADMSG when there is no whole one there.
 */
int spool_reader_record(struct spool_reader *r, uint64_t place, uint64_t end,
			struct spool_head *ret_head, const unsigned char **ret);

#endif
