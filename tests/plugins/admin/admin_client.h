/*
 * admin_client.h - who asks: libcurl, or a bare socket.
 */
#ifndef EVH_TESTS_ADMIN_CLIENT_H
#define EVH_TESTS_ADMIN_CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "admin_bench.h"

#define CLIENT_WAIT_MS 60000 /* what the plugin does, on any machine */

struct got {
	CURL *curl;
	char body[1 << 20];
	size_t len;
	char headers[4096];
	size_t headers_len;
	long status;
	long connects;
};

/* What one client got last; yours. */
struct got *got_new(void);
void got_free(struct got *got);
/* Over the connection of the last time, if it is still there. */
CURLcode got_ask(struct got *got, const struct bench *bench, const char *method,
		 const char *target, const char *body);
/* Asks, and what comes must be this status and body. */
void got_answers(struct got *got, const struct bench *bench, const char *method,
		 const char *target, long status, const char *body);
int socket_to(const struct bench *bench);
void socket_send(int fd, const char *text);
/* Reads until the other side closes, or for timeout_ms; false then. */
bool socket_read(int fd, char *ret, size_t size, int timeout_ms);
/* Reads until an answer with this text has come, with a minute's patience. */
void socket_hears(int fd, const char *what, char *ret, size_t size);

#endif
