/*
 * disk.h - a folder on a disk that may fail, fill up, and forget.
 *
 * The linker puts these in the place of the file calls: what is about the
 * folder DISK_FOLDER stays here, all else goes to the system.  Of a file there
 * are the bytes that its process reads, and those that the disk is sure to
 * have; only an fsync() makes them the same, and one that fails does so for
 * some of them, and never says it again of the others, as Linux has it.  Names
 * come and go in their order, as in a journal, and are on the disk by an
 * fsync() of the folder.
 *
 * When the process dies, and it may do so within any call, what the next one
 * will find is decided: all that was written if the machine lives on; or else
 * what was synced, and of each file's rest a beginning of chance.  The dying
 * process does not notice, and goes on as far as the schedule lets it, in a
 * world that nobody will see.
 */
#ifndef SIMULATE_DISK_H
#define SIMULATE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance;

#define DISK_FOLDER "/simulated/spool"

/* How it is at the moment. */
struct disk_mood {
	unsigned fails;	 /* percent of calls that change something */
	unsigned shorts; /* percent of writes that are cut short */
	unsigned kills;	 /* within a call, in a thousand */
	size_t room;	 /* bytes of all files; more is ENOSPC */
};

/* An empty folder. */
void disk_begin(struct chance *chance);
void disk_end(void);
void disk_set_mood(const struct disk_mood *mood);

/* The process dies now; with it, perhaps, the machine. */
void disk_kill(void);
bool disk_is_dead(void);
/* The next process begins.  Fails the schedule when the last one has left a
 * file open. */
void disk_restart(void);

/* Whether a file has these bytes where no crash can take them. */
bool disk_is_sure_of(const void *bytes, size_t n);
/* Of all files whose names end so. */
size_t disk_used(const char *suffix);
/* That somebody wanted to delete. */
bool disk_has_kept_a_file(void);

#endif
