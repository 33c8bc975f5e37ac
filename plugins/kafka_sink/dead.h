/*
 * dead.h - the sink's topic as a keeper of dead letters.
 *
 * A topic keeps every failure of an event, and those of what has come through
 * since; of each event only the newest counts, so that a retry of all sends
 * each of them once.  A request therefore reads the topic twice: to find the
 * newest of each id, and to give those that fit.
 */
#ifndef KAFKA_SINK_DEAD_H
#define KAFKA_SINK_DEAD_H

#include "endings.h"
#include "settings.h"

#include <desk.h>

struct dead {
	struct desk desk;
	struct evh_ctx *ctx;
	const struct settings *settings;
	struct endings *endings;
};

/* Borrows both.  0 or -errno. [main] */
int dead_start(struct dead *dead, struct evh_ctx *ctx,
	       const struct settings *settings);
/* Waits at most timeout_ms, or for a question that is under way: 1 s. [main] */
void dead_stop(struct dead *dead, int timeout_ms);

#endif
