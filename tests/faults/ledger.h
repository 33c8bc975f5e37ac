/*
 * ledger.h - what a load has sent and what it was told, in a file that only
 * grows: the one witness that no fault touches.
 *
 * Four kinds of line, each a word and its fields:
 *
 *	sent KEY N KIND		before the event's first byte leaves
 *	taken KEY N ID		it got its 2xx, with this id
 *	unknown KEY N		no answer told, and it was not sent again
 *	put PARTITION OFFSET KIND	a message put beside the API
 *
 * A thread of the ledger's own writes and fsyncs whatever has come since its
 * last fsync, so that nobody waits for the disk line by line; a line counts
 * once it is on the disk.
 */
#ifndef FAULTS_LEDGER_H
#define FAULTS_LEDGER_H

#include <stdint.h>

struct ledger;

/* Opens the file, made when missing, and starts the thread.  Yours; end it by
 * ledger_close().  -errno. [main] */
int ledger_open(struct ledger **ret, const char *path);
/* Adds a line, the line break included.  -ENOBUFS when the disk is behind by
 * more than a few megabytes, -EIO once a write or an fsync has failed: what
 * the ledger says then proves nothing. [main] */
int ledger_add(struct ledger *ledger, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Writes the rest, fsyncs, ends the thread and frees it.  -EIO when any line
 * did not get to the disk. [main] */
int ledger_close(struct ledger *ledger);

#endif
