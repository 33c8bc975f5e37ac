/*
 * dead_letters.h - the ids that stand in a topic of dead letters, and where
 * each letter's message stood before.
 */
#ifndef FAULTS_DEAD_LETTERS_H
#define FAULTS_DEAD_LETTERS_H

#include <libpq-fe.h>

/* Reads the topic from its beginning to its end of now, and adds each
 * message's evh-id, and partition and offset of evh-source, to l_dead; it has
 * nulls for a letter that tells no place.  A topic that is not there is empty.
 * -EIO, said on stderr; at most timeout_ms. */
int dead_letters_read(PGconn *pg, const char *brokers, const char *topic,
		      int timeout_ms);

#endif
