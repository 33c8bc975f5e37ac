/*
 * server.h - the admin page's HTTP: one thread of libmicrohttpd's own, few
 * connections, short limits.
 *
 * It polls, since MHD 0.9.75's own epoll thread stands still when a multiple
 * of 128 connections is ready at once.
 */
#ifndef ADMIN_SERVER_H
#define ADMIN_SERVER_H

#include <evh/plugin.h>
#include <evh/services.h>

struct server;

/*
 * Answers on listen_fd from now on.  Takes listen_fd, also when it fails;
 * borrows ctx and host, which may be NULL, until server_stop().  NULL when
 * memory or threads are short, logged. [main]
 */
struct server *server_start(struct evh_ctx *ctx, const struct evh_host *host,
			    int listen_fd, unsigned connections);
/* Answers nobody any more when it returns; NULL is fine. [main] */
void server_stop(struct server *server);

#endif
