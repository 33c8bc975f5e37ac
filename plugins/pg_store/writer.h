/*
 * writer.h - the thread that turns queued events into committed rows.
 *
 * It takes whatever was queued while its last transaction ran, writes it
 * (write_batch.h), by one statement as a rule, and answers after the COMMIT, in
 * the order in which the events came.  While there is no usable connection the
 * queue is closed and empty: an outage holds no event.  From taking an event
 * to answering it never takes longer than write_timeout.
 *
 * What each error means is sqlstate.h's; a batch with a bad row in it is
 * halved (halving.h) until that row stands alone.
 */
#ifndef PG_STORE_WRITER_H
#define PG_STORE_WRITER_H

#include "connection.h"
#include "outage.h"
#include "queue.h"
#include "settings.h"
#include "write_batch.h"

#include <evh/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct writer {
	struct evh_ctx *ctx;
	const struct settings *settings;
	struct queue *queue;
	unsigned number; /* the first one says what is the same for all */
	pthread_t thread;
	int cancel_fd; /* eventfd: give up what you wait for */
	atomic_bool stopping;

	/* From here on the thread's own. */
	struct connection connection;
	struct standing standing;
	struct write_batch hand;
	struct failure failure; /* the last one */
	bool was_connected, warned_of_durability, warned_of_newer;

	struct evh_metric *reconnects;
};

/*
 * Starts the thread.  Borrows all, which live until writer_join().
 * 0 or -errno. [main]
 */
int writer_start(struct writer *writer, unsigned number, struct evh_ctx *ctx,
		 const struct settings *settings, struct queue *queue,
		 struct outage *outage);
/* Makes the writer give back all that it and the queue have. [main] */
void writer_cancel(struct writer *writer);
/* Tells the thread to end, and waits for it; it is never deaf for long. [main]
 */
void writer_quit(struct writer *writer);
void writer_join(struct writer *writer);

#endif
