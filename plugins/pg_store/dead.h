/*
 * dead.h - the table as a keeper of dead letters: rows that have failed.
 *
 * Read, and deleted, over a connection that is made for one request and closed
 * behind it; neither the writer nor the readers of evh.store/1 notice.
 */
#ifndef PG_STORE_DEAD_H
#define PG_STORE_DEAD_H

#include <desk.h>

#include "settings.h"

struct dead {
	struct desk desk;
	const struct settings *settings;
};

/* Borrows settings.  0 or -errno. [main] */
int dead_start(struct dead *dead, const struct settings *settings);
void dead_stop(struct dead *dead); /* [main] */

#endif
