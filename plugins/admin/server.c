/*
 * server.c - from libmicrohttpd's callbacks to answers.
 */
#include "server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "guests.h"

enum {
	TIMEOUT_S = 5,
	CONNECTION_MEMORY = 16 * 1024, /* the head of a request fits or 431 */
};

struct server {
	struct evh_ctx *ctx;
	const struct evh_host *host;
	struct MHD_Daemon *daemon;
	struct guests guests; /* of the daemon's thread */
};

/* A body is never read; what follows it on the connection is not either. */
static bool
has_body(struct MHD_Connection *connection)
{
	static const char *const headers[] = {
		MHD_HTTP_HEADER_CONTENT_LENGTH,
		MHD_HTTP_HEADER_TRANSFER_ENCODING
	};
	size_t i;

	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						headers[i]))
			return true;
	return false;
}

/* Takes answer's text. */
static enum MHD_Result
answer_queue(struct MHD_Connection *connection, struct answer *answer,
	     bool close)
{
	enum MHD_Result rc = MHD_YES;
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(answer->len, answer->text,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(answer->text);
		return MHD_NO; /* out of memory: MHD closes the connection */
	}
	rc = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				     answer->type);
	if (rc == MHD_YES && answer->allow)
		rc = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					     answer->allow);
	if (rc == MHD_YES && close)
		rc = MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (rc == MHD_YES)
		rc = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result
request_answer(struct server *server, struct MHD_Connection *connection,
	       const char *method, const char *url, bool close)
{
	struct answer answer;
	bool verbose;

	verbose = MHD_lookup_connection_value_n(
			  connection, MHD_GET_ARGUMENT_KIND, "verbose",
			  strlen("verbose"), NULL, NULL) == MHD_YES;
	if (answer_make(server->host, method, url, verbose, &answer) < 0) {
		server->ctx->log(server->ctx, EVH_ERROR,
				 "no memory to answer %s", url);
		return MHD_NO;
	}
	return answer_queue(connection, &answer, close);
}

/*
 * MHD calls it first behind the headers, and again behind the body.  Whoever
 * answers in the first call closes the connection, which is right only where
 * there is a body.
 */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url,
	   const char *method, const char *version, const char *body,
	   size_t *body_len, void **request)
{
	struct server *server = arg;

	(void)version;
	(void)body;
	(void)body_len;
	if (*request)
		return request_answer(server, connection, method, url, false);
	*request = server;
	if (has_body(connection))
		return request_answer(server, connection, method, url, true);
	return MHD_YES;
}

/* Paths match byte for byte: one with a % in it is none of ours. */
static size_t
keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

static struct guest *
guest_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static struct guest *
guest_new(struct server *server, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? guests_add(&server->guests, info->connect_fd) : NULL;
}

/* MHD tells nobody of its thread; this is the first call that runs on it. */
static void
on_connection(void *arg, struct MHD_Connection *connection, void **socket_arg,
	      enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		pthread_setname_np(pthread_self(), "admin");
		*socket_arg = guest_new(server, connection);
	} else if (*socket_arg) {
		guests_remove(&server->guests, *socket_arg);
		*socket_arg = NULL;
	}
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **request,
	     enum MHD_RequestTerminationCode code)
{
	struct server *server = arg;
	struct guest *guest = guest_of(connection);

	*request = NULL;
	if (guest && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		guests_answered(&server->guests, guest);
}

static void __attribute__((format(printf, 2, 0)))
on_message(void *arg, const char *fmt, va_list args)
{
	struct server *server = arg;

	(void)args; /* may be a client's bytes */
	server->ctx->log(server->ctx, EVH_DEBUG, "libmicrohttpd: %.*s",
			 (int)strcspn(fmt, "\n"), fmt);
}

static struct MHD_Daemon *
daemon_start(struct server *server, int listen_fd)
{
	return MHD_start_daemon(
		MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
		on_message, server, MHD_OPTION_LISTEN_SOCKET, listen_fd,
		/* One more, so that it comes in to whom another gives way. */
		MHD_OPTION_CONNECTION_LIMIT, server->guests.max + 1,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escapes, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
		server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
		MHD_OPTION_END);
}

/* Of its failures some close the socket that it was given, and some do not. */
static void
close_if_still(int fd, const struct stat *socket)
{
	struct stat now;

	if (fstat(fd, &now) == 0 && now.st_dev == socket->st_dev &&
	    now.st_ino == socket->st_ino)
		close(fd);
}

struct server *
server_start(struct evh_ctx *ctx, const struct evh_host *host, int listen_fd,
	     unsigned connections)
{
	struct server *server = calloc(1, sizeof(*server));
	struct stat socket;

	if (!server || fstat(listen_fd, &socket) < 0) {
		close(listen_fd);
		free(server);
		return NULL;
	}
	server->ctx = ctx;
	server->host = host;
	server->guests.max = connections;
	server->daemon = daemon_start(server, listen_fd);
	if (!server->daemon) {
		ctx->log(ctx, EVH_ERROR, "libmicrohttpd does not start");
		close_if_still(listen_fd, &socket);
		free(server);
		return NULL;
	}
	return server;
}

void
server_stop(struct server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}
