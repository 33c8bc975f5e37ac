#include "settings.h"

#include <evh/services.h>

#include "event_body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LOOPS_MAX 64

const struct evh_option settings_options[] = {
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
	  .values = EVH_STORE_1,
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
settings_sizes(struct evh_ctx *ctx, struct settings *set)
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

int
settings_read(struct evh_ctx *ctx, struct settings *ret)
{
	const char *why = "";
	int rc = settings_sizes(ctx, ret);

	ret->store = ctx->opt_str(ctx, "store");
	if (ret->store != NULL && ret->store[0] == '\0')
		ret->store = NULL;
	ret->key = ctx->opt_str(ctx, "key");
	ret->forbid_extra = strcmp(ctx->opt_str(ctx, "extra"), "forbid") == 0;
	if (!event_body_key_rule(ret->key))
		rc = refuse(ctx, "key",
			    "want none, id, name, or a JSON Pointer such as "
			    "/user_id");
	if (hostport_split(ctx->opt_str(ctx, "listen"), false, &ret->listen,
			   &why) < 0)
		rc = refuse(ctx, "listen", why);
	return rc;
}
