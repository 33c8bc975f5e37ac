#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

/* clang-format off */
const struct evh_option settings_options[] = {
	{ .name = "host", .type = EVH_STR,
	  .help = "where PostgreSQL is: a name, an address, a socket's folder, "
		  "or several with commas" },
	{ .name = "port", .type = EVH_INT, .def = "5432", .values = "1..65535",
	  .help = "its port" },
	{ .name = "user", .type = EVH_STR, .help = "whom to connect as" },
	{ .name = "password", .type = EVH_SECRET, .help = "that user's" },
	{ .name = "dbname", .type = EVH_STR, .help = "the database" },
	{ .name = "sslmode", .type = EVH_STR, .def = "prefer",
	  .values = "disable|allow|prefer|require|verify-ca|verify-full",
	  .help = "TLS to the server; only verify-full proves who it is" },
	{ .name = "pq", .type = EVH_MAP, .def = "",
	  .help = "any other keyword of libpq: pq.sslrootcert = \"ca.pem\"" },
	{ .name = "is_docker", .type = EVH_BOOL, .def = "no",
	  .help = "evhd runs in a container beside its servers" },
	{ .name = "out_port", .type = EVH_INT, .def = "1234",
	  .values = "1..65535",
	  .help = "the port that the container's is published as; named when "
		  "host does not resolve" },
	{ .name = "connect_timeout", .type = EVH_MSEC, .def = "5s",
	  .values = "100..600000",
	  .help = "for one try to connect, name lookup included" },
	{ .name = "write_timeout", .type = EVH_MSEC, .def = "30s",
	  .values = "100..3600000",
	  .help = "from taking an event to answering it; half of it at most is "
		  "spent waiting for its turn" },
	{ .name = "writers", .type = EVH_INT, .def = "1", .values = "1..16",
	  .help = "connections that write side by side, each its own keys and "
		  "partitions" },
	{ .name = "queue", .type = EVH_INT, .def = "20000",
	  .values = "1..1000000",
	  .help = "events that wait while a transaction runs, of each writer" },
	{ .name = "batch_rows", .type = EVH_INT, .def = "5000",
	  .values = "1..50000", .help = "rows in a transaction at most" },
	{ .name = "batch_size", .type = EVH_SIZE, .def = "16M",
	  .values = "65536..268435456",
	  .help = "bytes of data in a transaction at most, or one event" },
	{ .name = "read_connections", .type = EVH_INT, .def = "2",
	  .values = "1..64", .help = "connections for those who ask for rows" },
	{ .name = "read_queue", .type = EVH_INT, .def = "1000",
	  .values = "1..100000", .help = "questions that wait at most" },
	{ .name = "read_timeout", .type = EVH_MSEC, .def = "2s",
	  .values = "50..600000", .help = "from question to answer" },
	{ .name = "read_size", .type = EVH_SIZE, .def = "16M",
	  .values = "1048576..1073741824",
	  .help = "bytes of an answer at most" },
	{ .name = "migrations", .type = EVH_STR, .def = "",
	  .help = "folder of the migration files; empty: the one that came "
		  "with evhd" },
	{ .name = "migrate_timeout", .type = EVH_MSEC, .def = "1h",
	  .values = "1000..604800000",
	  .help = "for one migration, waiting for others included" },
	{ .name = "auto_migrate", .type = EVH_BOOL, .def = "no",
	  .help = "bring an older schema up to date at start" },
	{ 0 },
};
/* clang-format on */

static void
conninfo_add(struct settings *settings, const char *keyword, const char *value)
{
	settings->keywords[settings->n_conninfo] = keyword;
	settings->values[settings->n_conninfo++] = value;
}

/* Is it one of libpq's, and not one that has an option of its own? */
static const char *
extra_refuse(const char *keyword)
{
	static const char *const ours[] = { "host",	  "hostaddr",
					    "port",	  "user",
					    "password",	  "dbname",
					    "sslmode",	  "client_encoding",
					    "replication" };
	PQconninfoOption *defaults, *o;
	const char *why = "is no keyword of libpq";
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!strcmp(keyword, ours[i]))
			return "is not for here";

	defaults = PQconndefaults();
	if (!defaults)
		return "cannot be checked: out of memory";

	for (o = defaults; o->keyword; o++)
		if (!strcmp(keyword, o->keyword))
			why = NULL;
	PQconninfoFree(defaults);
	return why;
}

static int
extras_add(struct settings *settings, struct evh_ctx *ctx)
{
	const char *keyword = NULL, *value, *why;
	unsigned i;

	for (i = 0; (value = ctx->opt_at(ctx, "pq", i, &keyword)); i++) {
		if (i == SETTINGS_EXTRAS) {
			ctx->log(ctx, EVH_ERROR, "more than %d settings pq.*",
				 SETTINGS_EXTRAS);
			return -EINVAL;
		}
		why = extra_refuse(keyword);
		if (why) {
			ctx->log(ctx, EVH_ERROR, "pq.%s %s", keyword, why);
			return -EINVAL;
		}
		conninfo_add(settings, keyword, value);
	}
	return 0;
}

static int
conninfo_make(struct settings *settings, struct evh_ctx *ctx)
{
	conninfo_add(settings, "host", settings->host);
	conninfo_add(settings, "port", settings->port);
	conninfo_add(settings, "user", ctx->opt_str(ctx, "user"));
	conninfo_add(settings, "password", ctx->opt_str(ctx, "password"));
	conninfo_add(settings, "dbname", ctx->opt_str(ctx, "dbname"));
	conninfo_add(settings, "sslmode", ctx->opt_str(ctx, "sslmode"));
	conninfo_add(settings, "client_encoding", "UTF8");
	conninfo_add(settings, "application_name", settings->application);
	/* GSSAPI would ask a Kerberos server first, for as long as it likes. */
	conninfo_add(settings, "gssencmode", "disable");
	/* A network that swallows packets is noticed after some 10 to 25 s;
	 * the kernel's defaults take hours. */
	conninfo_add(settings, "keepalives_idle", "10");
	conninfo_add(settings, "keepalives_interval", "5");
	conninfo_add(settings, "keepalives_count", "3");
	conninfo_add(settings, "tcp_user_timeout", "10000");
	/* libpq takes the last of two, so that the user's word counts. */
	return extras_add(settings, ctx);
}

int
settings_init(struct settings *settings, struct evh_ctx *ctx)
{
	const char *migrations = ctx->opt_str(ctx, "migrations");

	*settings = (struct settings){
		.host = ctx->opt_str(ctx, "host"),
		.is_docker = ctx->opt_int(ctx, "is_docker") != 0,
		.out_port = ctx->opt_int(ctx, "out_port"),
		.connect_timeout_ms = ctx->opt_int(ctx, "connect_timeout"),
		.write_timeout_ms = ctx->opt_int(ctx, "write_timeout"),
		.read_timeout_ms = ctx->opt_int(ctx, "read_timeout"),
		.migrate_timeout_ms = ctx->opt_int(ctx, "migrate_timeout"),
		.writers = (size_t)ctx->opt_int(ctx, "writers"),
		.queue_events = (size_t)ctx->opt_int(ctx, "queue"),
		.batch_rows = (size_t)ctx->opt_int(ctx, "batch_rows"),
		.batch_bytes = (size_t)ctx->opt_int(ctx, "batch_size"),
		.read_connections =
			(size_t)ctx->opt_int(ctx, "read_connections"),
		.read_queue = (size_t)ctx->opt_int(ctx, "read_queue"),
		.read_bytes = (size_t)ctx->opt_int(ctx, "read_size"),
		.auto_migrate = ctx->opt_int(ctx, "auto_migrate") != 0,
		.migrations = migrations && *migrations ? migrations : NULL,
	};
	snprintf(settings->port, sizeof(settings->port), "%d",
		 (int)ctx->opt_int(ctx, "port"));
	snprintf(settings->application, sizeof(settings->application),
		 "evhd/%s", ctx->name);
	return conninfo_make(settings, ctx);
}

void
settings_explain_host(const struct settings *settings, const char *host,
		      const char *why, char *ret, size_t size)
{
	/* Compose's names have no dot: any other is more likely mistyped. */
	if (settings->is_docker || strchr(host, '.')) {
		snprintf(ret, size, "host \"%s\" does not resolve: %s", host,
			 why);
		return;
	}
	snprintf(ret, size,
		 "host \"%s\" does not resolve: %s; if that is a container, "
		 "outside of Docker it is at localhost:%lld: set "
		 "EVENT_HANDLER_SERVICE_POSTGRES_HOST=localhost and "
		 "EVENT_HANDLER_SERVICE_POSTGRES_PORT to the value of "
		 "EVENT_HANDLER_SERVICE_POSTGRES_OUT_PORT",
		 host, why, (long long)settings->out_port);
}
