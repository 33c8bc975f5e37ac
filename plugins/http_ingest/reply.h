/*
 * reply.h - what is answered: the fixed answers, made once, and JSON.
 *
 * Each loop has a set of its own, because a libmicrohttpd response counts its
 * users under a lock.  Every answer exists twice: one keeps the connection,
 * the other says `Connection: close`.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "routes.h"
#include "text.h"

enum reply {
	REPLY_NONE,
	REPLY_ALIVE,
	REPLY_MALFORMED,
	REPLY_BODY_NOT_UTF8,
	REPLY_NOT_FOUND,
	REPLY_NO_EVENT,
	REPLY_TOO_SLOW,
	REPLY_NOT_FAILED,
	REPLY_NO_BYTES, /* a retry of what is no event */
	REPLY_KEY_TOO_LONG,
	REPLY_NO_LENGTH,
	REPLY_TOO_LARGE,
	REPLY_TARGET_TOO_LONG,
	REPLY_MEDIA,
	REPLY_CODING,
	REPLY_EXPECT,
	REPLY_HEADERS_TOO_LARGE,
	REPLY_VERSION,
	REPLY_FAULT, /* 500: nothing should lead here */
	REPLY_NO_STORE,
	REPLY_FULL,
	REPLY_AWAY,
	REPLY_DRAINING,
	REPLY_NO_MEMORY,
	REPLY_UNDELIVERED,
	REPLY_UNDELIVERED_AWAY,
	REPLY_FAILED, /* 500: asked again, it would end the same way */
	REPLY_LATE,
	REPLY_UNREADABLE, /* a read that has no room */
	REPLY_STORE_AWAY,
	REPLY_STORE_LATE,
	REPLY_PAGE_TOO_LARGE,
	REPLY_RETRY_STORE, /* a retry that could not read its event */
	REPLY_METHOD,	   /* 405: one for each route, by reply_method() */
	REPLY_METHOD_LAST = REPLY_METHOD + N_ROUTES - 1,
	REPLY_OPTIONS, /* 204, likewise */
	REPLY_OPTIONS_LAST = REPLY_OPTIONS + N_ROUTES - 1,
	N_REPLIES,
};

struct replies;

/* A set, for a service that takes bodies of up to max_body bytes; NULL when out
 * of memory. */
struct replies *replies_new(size_t max_body);
void replies_free(struct replies *replies);

enum reply reply_method(enum route route);
enum reply reply_options(enum route route);
/* The fixed answer that goes with a status libmicrohttpd would send. */
enum reply reply_for_status(unsigned status);

/* Queues it; returns the status, or 0 when it could not be. [loop] */
unsigned reply_fixed(const struct replies *replies,
		     struct MHD_Connection *connection, enum reply reply,
		     bool close);

/*
 * Queues JSON, which must live until the request is completed.  location may
 * be NULL; it is copied.  Returns status, or 0. [loop]
 */
unsigned reply_json(struct MHD_Connection *connection, unsigned status,
		    const struct text *json, const char *location, bool close);
/* 307, without a body. */
unsigned reply_redirect(struct MHD_Connection *connection, const char *location,
			bool close);

/* The whole of a fixed answer as bytes, closing the connection, for a socket
 * of which libmicrohttpd must not be asked; returns the length. */
size_t reply_bytes(const struct replies *replies, enum reply reply, char *ret,
		   size_t size);
unsigned reply_status(enum reply reply);

#endif
