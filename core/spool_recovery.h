/*
 * spool_recovery.h - what a spool's log finds of itself at the start.
 *
 * Each file is read from its head to its end, in their order.  What a crash
 * tears off at the end of the last one was never acknowledged, and is cut off;
 * anything else that is not as it was written is damage, and is never passed
 * over.
 */
#ifndef EVH_SPOOL_RECOVERY_H
#define EVH_SPOOL_RECOVERY_H

#include "spool_log.h"

/* Fills in the segments, up to damage, if there is any, and numbers.  0 or
 * -errno. */
int spool_recovery_read(struct spool_log *log);

/* The last file is cut at its end, and its last group on the disk, whoever
 * wrote it: then another one may follow.  0, and is_unsure is false; -errno. */
int spool_recovery_secure(struct spool_log *log);

/* Notes it, with file and place, and says so in the log. */
void spool_recovery_damage(struct spool_log *log, uint64_t number,
			   uint64_t place, const char *what);

#endif
