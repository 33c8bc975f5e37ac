/*
 * plugin.c - admin: health and metrics of the evhd that it runs in, on a
 * small listener of their own.
 */
#include <evh/plugin.h>
#include <evh/services.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hostport.h"
#include "listen.h"
#include "server.h"

struct admin {
	struct evh_ctx *ctx;
	struct hostport range;
	struct server *server;
};

static int
admin_create(struct evh_ctx *ctx, void **ret_self)
{
	const char *listen = ctx->opt_str(ctx, "listen"), *why;
	struct admin *admin = calloc(1, sizeof(*admin));
	int rc;

	if (!admin)
		return -ENOMEM;
	admin->ctx = ctx;
	rc = hostport_split(listen, true, &admin->range, &why);
	if (rc < 0) {
		ctx->log(ctx, EVH_ERROR, "listen = \"%s\": %s", listen, why);
		free(admin);
		return rc;
	}
	*ret_self = admin;
	return 0;
}

static void
log_refused(const struct admin *admin, int rc)
{
	struct evh_ctx *ctx = admin->ctx;
	const char *listen = ctx->opt_str(ctx, "listen");

	if (rc == -EADDRINUSE)
		ctx->log(ctx, EVH_ERROR,
			 "no free port in listen = \"%s\": all are taken by "
			 "other programs",
			 listen);
	else if (rc == -EHOSTUNREACH)
		ctx->log(ctx, EVH_ERROR,
			 "listen = \"%s\": there is no host of this name",
			 listen);
	else
		ctx->log(ctx, EVH_ERROR, "cannot listen on %s: %s", listen,
			 strerror(-rc));
}

static int
admin_start(void *self)
{
	struct admin *admin = self;
	struct evh_ctx *ctx = admin->ctx;
	const struct evh_host *host;
	char url[300];
	uint16_t port;
	int fd;

	fd = listen_open(&admin->range, &port);
	if (fd < 0) {
		log_refused(admin, fd);
		return fd;
	}
	host = ctx->service(ctx, NULL, EVH_HOST_1);
	admin->server = server_start(
		ctx, host, fd, (unsigned)ctx->opt_int(ctx, "connections"));
	if (!admin->server)
		return -ENOMEM;

	listen_url(&admin->range, port, url, sizeof(url));
	ctx->log(ctx, EVH_INFO, "admin listening on %s", url);
	return 0;
}

static void
admin_stop(void *self, int timeout_ms)
{
	struct admin *admin = self;

	(void)timeout_ms; /* no request takes longer than its page */
	server_stop(admin->server);
	admin->server = NULL;
}

static void
admin_destroy(void *self)
{
	free(self);
}

static const struct evh_option admin_options[] = {
	{ .name = "listen",
	  .type = EVH_STR,
	  .def = "127.0.0.1:9901-9932",
	  .values = "HOST:FIRST-LAST",
	  .help = "HOST:PORT, or HOST:FIRST-LAST for the first free port" },
	{ .name = "connections",
	  .type = EVH_INT,
	  .def = "32",
	  .values = "1..1024",
	  .help = "how many at a time; beyond that, whoever has had no answer "
		  "for the longest time is let go" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_SERVICE,
	.threads = EVH_PARALLEL,
	.name = "admin",
	.version = EVH_VERSION,
	.summary = "health and metrics over HTTP: /livez, /readyz, /metrics",
	.options = admin_options,
	.create = admin_create,
	.start = admin_start,
	.stop = admin_stop,
	.destroy = admin_destroy,
};
