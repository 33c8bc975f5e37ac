/*
 * http_ingest - events come in by HTTP.
 *
 * POST makes an event and answers when the chain is done with it; GET reads
 * from whatever store is configured; /health, /livez and /readyz tell how it
 * is.  This file is the front door: descriptor and life.  From here:
 * loop.c turns, access.c hears libmicrohttpd, request.c is a request's life,
 * head.c finds what it asks for, create.c, reads.c and health.c do it, reply.c
 * says it.
 */
#include <evh/plugin.h>
#include <evh/services.h>

#include "create.h"
#include "http.h"
#include "listener.h"
#include "loop.h"

#include <clock.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_MS 2000
/* Beyond its time a loop only has to notice it, and to close its sockets. */
#define JOIN_EXTRA_MS 3000

static int
http_create(struct evh_ctx *ctx, void **ret_self)
{
	struct http *http = calloc(1, sizeof(*http));
	int rc;

	if (http == NULL)
		return -ENOMEM;
	http->ctx = ctx;
	rc = settings_read(ctx, &http->set);
	if (rc < 0) {
		free(http);
		return rc;
	}
	http->bodies.size = http->set.body_memory;
	http->answers.size = http->set.answer_memory;
	atomic_store(&http->life, HTTP_RUNNING);
	*ret_self = http;
	return 0;
}

static void
loops_free(struct http *http)
{
	for (unsigned i = 0; i < http->set.loops; i++)
		loop_free(http->loops[i]);
	free(http->loops);
	http->loops = NULL;
}

static int
loops_new(struct http *http)
{
	int rc = listener_probe(&http->listener);

	for (unsigned i = 0; rc >= 0 && i < http->set.loops; i++) {
		rc = listener_open(&http->listener);
		if (rc >= 0)
			http->loops[i] = loop_new(http, i, rc, &rc);
	}
	return rc < 0 ? rc : 0;
}

/* Ends the threads, and waits for them; true when all have ended owing
 * nothing, so that their memory may go. */
static bool
loops_end(struct http *http, int timeout_ms)
{
	int64_t stop_by_ms = clock_ms() + timeout_ms;
	int64_t until_ms = stop_by_ms + JOIN_EXTRA_MS;
	bool ended = true;

	atomic_store(&http->stop_by_ms, stop_by_ms);
	atomic_store(&http->life, HTTP_STOPPING);
	for (unsigned i = 0; i < http->set.loops && http->loops[i] != NULL; i++)
		loop_wake(http->loops[i]);
	for (unsigned i = 0; i < http->set.loops && http->loops[i] != NULL; i++)
		if (loop_join(http->loops[i], until_ms) < 0 ||
		    http->loops[i]->n_waiting > 0)
			ended = false;
	/* A callback that has brought the last answer may still be on its way
	 * out of request_post(): a few instructions. */
	while (atomic_load(&http->posting) > 0 && clock_ms() < until_ms)
		sched_yield();
	return ended && atomic_load(&http->posting) == 0;
}

static int
http_start(void *self)
{
	struct http *http = self;
	struct evh_ctx *ctx = http->ctx;
	char name[128];
	int rc;

	rc = listener_resolve(&http->set.listen, &http->listener);
	if (rc < 0) {
		ctx->log(ctx, EVH_ERROR, "listen: the host %s does not resolve",
			 http->set.listen.host);
		return rc;
	}
	listener_name(&http->listener, name, sizeof(name));
	meters_init(&http->meters, ctx);
	http->host = ctx->service(ctx, NULL, EVH_HOST_1);
	if (http->set.store != NULL)
		http->store = ctx->service(ctx, http->set.store, EVH_STORE_1);
	http->loops = calloc(http->set.loops, sizeof(struct loop *));
	rc = http->loops != NULL ? loops_new(http) : -ENOMEM;
	for (unsigned i = 0; rc == 0 && i < http->set.loops; i++)
		rc = loop_start(http->loops[i]);
	if (rc < 0) {
		ctx->log(ctx, EVH_ERROR, "listen on %s: %s", name,
			 strerror(-rc));
		if (http->loops != NULL) {
			(void)loops_end(http, 0);
			loops_free(http);
		}
		return rc;
	}
	listener_name(&http->listener, name, sizeof(name));
	ctx->log(ctx, EVH_INFO, "listening on %s, %u loops", name,
		 http->set.loops);
	return 0;
}

static void
http_drain(void *self)
{
	struct http *http = self;
	int64_t until_ms = clock_ms() + DRAIN_MS;

	if (atomic_exchange(&http->life, HTTP_DRAINING) != HTTP_RUNNING)
		return;
	for (unsigned i = 0; i < http->set.loops; i++)
		loop_wake(http->loops[i]);
	for (unsigned i = 0; i < http->set.loops; i++)
		if (loop_wait_quiet(http->loops[i], until_ms) < 0)
			http->ctx->log(http->ctx, EVH_WARN,
				       "loop %u is slow to close its listener",
				       i);
}

static void
http_stop(void *self, int timeout_ms)
{
	struct http *http = self;

	if (loops_end(http, timeout_ms)) {
		loops_free(http);
		return;
	}
	/* Somebody may still call back: what he will touch must stay. */
	http->ctx->log(http->ctx, EVH_ERROR,
		       "a store has not answered in time: its requests are "
		       "left behind");
}

static void
http_destroy(void *self)
{
	struct http *http = self;

	if (http->loops == NULL)
		free(http);
}

static void
http_done(void *self, struct evh_event *const *evs, int n,
	  enum evh_result result)
{
	(void)self;
	create_done(evs, n, result);
}

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_SOURCE,
	.threads = EVH_PARALLEL,
	.name = "http_ingest",
	.version = EVH_VERSION,
	.summary = "takes events by HTTP and answers when they are safe",
	.options = settings_options,
	.create = http_create,
	.start = http_start,
	.drain = http_drain,
	.stop = http_stop,
	.destroy = http_destroy,
	.done = http_done,
};
