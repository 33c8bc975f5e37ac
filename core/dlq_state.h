/*
 * dlq_state.h - which dead letters a retry has done, in a file, so that the
 * same command goes on where it was ended.
 *
 *     019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e 3
 *
 * An id and the attempts that its letter had: when it fails once more it is
 * another letter.  Lines are added when an event has been delivered, so after
 * a crash the last few may be sent again, which is harmless, and none is
 * forgotten.  One process at a time has the file.
 */
#ifndef EVH_DLQ_STATE_H
#define EVH_DLQ_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id_map.h"

struct dlq_state {
	int fd; /* -1: none */
	struct id_map done;
};

/* Reads the file, or makes it; file NULL: nothing is remembered.  0, or -errno
 * and a sentence. [main] */
int dlq_state_open(struct dlq_state *state, const char *file, char *ret_why,
		   size_t size);
/* Waits for the disk.  0 or -errno. */
int dlq_state_close(struct dlq_state *state);

/* Has a letter with so many attempts, or more, been done?  Of the file as it
 * was opened. [any] */
bool dlq_state_has(const struct dlq_state *state, const unsigned char id[16],
		   uint32_t attempts);
/* Adds a line.  0 or -errno. [any], one at a time */
int dlq_state_add(struct dlq_state *state, const unsigned char id[16],
		  uint32_t attempts);

#endif
