/*
 * client.h - a client of the plugin that speaks bytes, well or badly.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct rig;

struct answer {
	int status;	   /* 0: closed without a word */
	bool closed;	   /* the server closed after it */
	char head[4096];   /* with its status line, NUL-ended */
	char body[200000]; /* NUL-ended */
	size_t body_len;
};

int client_open(const struct rig *rig);
void client_send(int fd, const char *bytes, size_t n);
void client_str(int fd, const char *text);
/* One answer; head_only: it has no body whatever its length says. */
void client_read(int fd, struct answer *ret, bool head_only);
/* Whether the server closes within 2 s and sends nothing more. */
bool client_sees_end(int fd);
/* One connection, one request, one answer, and whether it was closed. */
void client_call(const struct rig *rig, const char *request,
		 struct answer *ret);
/* The value of a header, or NULL; valid until the next call. */
const char *answer_header(const struct answer *answer, const char *name);

/* A POST of this body. */
void client_post(const struct rig *rig, const char *body, struct answer *ret);

#endif
