/*
 * http.h - one instance of http_ingest: its settings, what it uses of others,
 * and its loops.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <evh/plugin.h>
#include <evh/services.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listener.h"
#include "meters.h"
#include "room.h"
#include "settings.h"

struct loop;

enum http_life { HTTP_RUNNING = 1, HTTP_DRAINING, HTTP_STOPPING };

struct http {
	struct evh_ctx *ctx;
	struct settings set;
	const struct evh_host *host;   /* or NULL */
	const struct evh_store *store; /* or NULL */
	struct listener listener;      /* from start() on */
	struct meters meters;
	struct loop **loops; /* set.loops of them, from start() to stop() */
	_Atomic int life;    /* enum http_life */
	/* Monotonic; until then stop() waits for what is still unanswered. */
	_Atomic int64_t stop_by_ms;
	/* Of all loops: bodies that are being read or checked, and answers
	 * from when they are made until their clients have them. */
	struct room bodies, answers;
	/* Threads that are laying something into a mailbox just now. */
	_Atomic unsigned posting;
};

/* Can events be taken?  0, or -EAGAIN. [any] */
int http_ready(const struct http *http);
bool http_is_draining(const struct http *http);

#endif
