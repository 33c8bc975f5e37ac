/*
 * writers.h - the writers of one pg_store, and which of them an event goes to.
 *
 * PostgreSQL works for one connection on one core, so several write side by
 * side, each with a queue and a thread of its own.  Events of a lane (a key;
 * without one a topic's partition) have one writer, which keeps the order that
 * the host wants kept.  An event without a lane goes by its id.
 */
#ifndef PG_STORE_WRITERS_H
#define PG_STORE_WRITERS_H

#include "outage.h"
#include "queue.h"
#include "settings.h"
#include "writer.h"

#include <evh/plugin.h>

#include <stdint.h>

struct writers {
	unsigned n;
	struct queue queues[SETTINGS_WRITERS];
	struct writer writers[SETTINGS_WRITERS];
	struct outage outage; /* of all of them */
};

/* Makes the queues of settings->writers, closed.  0 or -errno. [main] */
int writers_init(struct writers *writers, const struct settings *settings);
void writers_fini(struct writers *writers);

/* Starts their threads.  Borrows both until writers_stop(). 0, -errno. [main]
 */
int writers_start(struct writers *writers, struct evh_ctx *ctx,
		  const struct settings *settings);
void writers_stop(struct writers *writers);

/* Which of n an event goes to. [any] */
unsigned writers_choose(const struct evh_event *ev, unsigned n);

/* Takes the first k of n and returns k; -EAGAIN when the first one's writer
 * has no connection.  [any] */
int writers_push(struct writers *writers, struct evh_event *const *evs, int n);

/* Until nothing is queued or in hand: 0 or -ETIMEDOUT. [main] */
int writers_wait_idle(struct writers *writers, int64_t deadline);
/* Makes them give back all that they and their queues have. [main] */
void writers_cancel(struct writers *writers);

#endif
