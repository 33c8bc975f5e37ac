/*
 * http_ingest - events come in by HTTP.
 *
 * POST makes an event and answers when the chain is done with it; GET reads
 * from whatever store is configured; /health, /livez and /readyz tell how it
 * is.  This file is the front door: descriptor, options, life.  From here:
 * loop.c turns, request.c is a request's life, head.c finds what it asks for,
 * create.c, reads.c and health.c do it, reply.c says it.
 */
#include <evh/plugin.h>
#include <evh/services.h>

#include "create.h"
#include "event_body.h"
#include "http.h"
#include "listener.h"
#include "loop.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_MS 2000
/* Beyond its time a loop only has to notice it, and to close its sockets. */
#define JOIN_EXTRA_MS 3000
#define LOOPS_MAX     64

static const struct evh_option options[] = {
	{ .name = "listen",
	  .type = EVH_STR,
	  .def = "0.0.0.0:8000",
	  .values = "HOST:PORT",
	  .help = "HOST:PORT to listen on" },
	{ .name = "loops",
	  .type = EVH_INT,
	  .def = "0",
	  .values = "0..64",
	  .help = "epoll loops, each a thread; 0: one for each core" },
	{ .name = "connections",
	  .type = EVH_INT,
	  .def = "1000",
	  .values = "1..100000",
	  .help = "open connections of one loop" },
	{ .name = "store",
	  .type = EVH_INSTANCE,
	  .def = "",
	  .help = "where GET reads events; none: 501" },
	{ .name = "key",
	  .type = EVH_STR,
	  .def = "none",
	  .help = "an event's key: none, id, name, or a JSON Pointer into "
		  "data" },
	{ .name = "extra",
	  .type = EVH_STR,
	  .def = "ignore",
	  .values = "ignore|forbid",
	  .help = "members of a body beside name and data" },
	{ .name = "max_body",
	  .type = EVH_SIZE,
	  .def = "960K",
	  .help = "largest body" },
	{ .name = "max_headers",
	  .type = EVH_SIZE,
	  .def = "16K",
	  .help = "largest head, its first line included" },
	{ .name = "body_memory",
	  .type = EVH_SIZE,
	  .def = "64M",
	  .help = "bytes of bodies that are being read, of all clients" },
	{ .name = "answer_memory",
	  .type = EVH_SIZE,
	  .def = "64M",
	  .help = "bytes of answers that clients have yet to read, beyond "
		  "16 KiB each" },
	{ .name = "header_timeout",
	  .type = EVH_MSEC,
	  .def = "10s",
	  .help = "for a whole head" },
	{ .name = "body_timeout",
	  .type = EVH_MSEC,
	  .def = "30s",
	  .help = "for a whole body, and for a client to read its answer" },
	{ .name = "idle_timeout",
	  .type = EVH_MSEC,
	  .def = "15s",
	  .help = "for the next request of a connection" },
	{ .name = "answer_timeout",
	  .type = EVH_MSEC,
	  .def = "13s",
	  .help = "from a request's last byte to its answer, whatever is "
		  "away" },
	{ 0 },
};

static unsigned
online_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > LOOPS_MAX ? LOOPS_MAX : (unsigned)n;
}

static int
refuse(struct evh_ctx *ctx, const char *option, const char *why)
{
	ctx->log(ctx, EVH_ERROR, "option %s: %s", option, why);
	return -EINVAL;
}

/* A number of an option that must lie between two others. */
static int
number(struct evh_ctx *ctx, const char *name, int64_t min, int64_t max,
       int64_t *ret)
{
	int64_t value = ctx->opt_int(ctx, name);

	if (value < min || value > max) {
		ctx->log(ctx, EVH_ERROR,
			 "option %s: %lld is not between %lld and %lld", name,
			 (long long)value, (long long)min, (long long)max);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int
settings_sizes(struct evh_ctx *ctx, struct http_settings *set)
{
	static const struct {
		const char *name;
		int64_t min, max;
	} rows[] = {
		{ "loops", 0, LOOPS_MAX },
		{ "connections", 1, 100000 },
		{ "max_body", 1, (int64_t)1 << 30 },
		{ "max_headers", 1024, 1 << 20 },
		{ "body_memory", 1, (int64_t)1 << 40 },
		{ "answer_memory", 1, (int64_t)1 << 40 },
		{ "header_timeout", 1, 3600000 },
		{ "body_timeout", 1, 3600000 },
		{ "idle_timeout", 1, 3600000 },
		{ "answer_timeout", 1, 3600000 },
	};
	int64_t v[sizeof(rows) / sizeof(rows[0])];
	int rc = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (number(ctx, rows[i].name, rows[i].min, rows[i].max, &v[i]) <
		    0)
			rc = -EINVAL;
	if (rc < 0)
		return rc;
	set->loops = v[0] > 0 ? (unsigned)v[0] : online_cores();
	set->connections = (unsigned)v[1];
	set->max_body = (size_t)v[2];
	set->max_headers = (size_t)v[3];
	set->body_memory = (size_t)v[4];
	set->answer_memory = (size_t)v[5];
	set->header_timeout_ms = (unsigned)v[6];
	set->body_timeout_ms = (unsigned)v[7];
	set->idle_timeout_ms = (unsigned)v[8];
	set->answer_timeout_ms = (unsigned)v[9];
	return 0;
}

static int
settings_read(struct evh_ctx *ctx, struct http_settings *set)
{
	const char *why = "";
	int rc = settings_sizes(ctx, set);

	set->store = ctx->opt_str(ctx, "store");
	if (set->store != NULL && set->store[0] == '\0')
		set->store = NULL;
	set->key = ctx->opt_str(ctx, "key");
	set->forbid_extra = strcmp(ctx->opt_str(ctx, "extra"), "forbid") == 0;
	if (!event_body_key_rule(set->key))
		rc = refuse(ctx, "key",
			    "want none, id, name, or a JSON Pointer such as "
			    "/user_id");
	if (hostport_split(ctx->opt_str(ctx, "listen"), false, &set->listen,
			   &why) < 0)
		rc = refuse(ctx, "listen", why);
	return rc;
}

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
	int64_t stop_by_ms = loop_clock_ms() + timeout_ms;
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
	while (atomic_load(&http->posting) > 0 && loop_clock_ms() < until_ms)
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
	int64_t until_ms = loop_clock_ms() + DRAIN_MS;

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
	.options = options,
	.create = http_create,
	.start = http_start,
	.drain = http_drain,
	.stop = http_stop,
	.destroy = http_destroy,
	.done = http_done,
};
