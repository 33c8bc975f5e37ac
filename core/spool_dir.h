/*
 * spool_dir.h - the folder of a spool: whose it is, what is in it, and up to
 * where its records have been delivered.
 *
 * A file "lock" is locked by the evhd that has the folder, and says its pid; a
 * file "position" holds the number of the first record that is not delivered,
 * twice, so that one is right while the other is written.
 */
#ifndef EVH_SPOOL_DIR_H
#define EVH_SPOOL_DIR_H

#include <stdbool.h>
#include <stdint.h>

struct spool_dir {
	char *path;
	int fd;
	int lock_fd;
	int position_fd;
	/* The number of the first record that is not delivered, from 1 on; 0:
	 * not known. */
	uint64_t position;
	bool slot; /* which of the two in the file says so */
	/* What is read there may be in the system's memory alone: nothing is to
	 * be deleted for its sake. */
	bool is_unsure;
};

/* 0, or -errno, logged: -EAGAIN when another process has it.  That a full disk
 * refuses the position is a warning: what is there can be delivered. */
int spool_dir_open(struct spool_dir *dir, const char *path);
void spool_dir_close(struct spool_dir *dir);

/* The numbers of all segments, in order, malloced; 0 or -errno. */
int spool_dir_list(const struct spool_dir *dir, uint64_t **ret,
		   unsigned *ret_n);

/* Deletes a segment; that it cannot is logged. */
void spool_dir_unlink(const struct spool_dir *dir, uint64_t number);

/* 0 or -errno; it is on the disk then, and was changed in place, so that a full
 * disk does not matter. */
int spool_dir_set_position(struct spool_dir *dir, uint64_t number);

#endif
