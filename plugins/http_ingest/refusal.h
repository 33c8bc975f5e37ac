/*
 * refusal.h - answers that are written on the socket itself, past
 * libmicrohttpd.
 *
 * There are three.  A head or body that takes too long, for which the library
 * has no call.  A first line that is no request at all, on which it closes
 * without a word.  And the heads that it refuses itself (no colon in a line,
 * a length that is no number, more than its memory holds), for which it would
 * send a page of HTML: it tells its log first, with the status, and at that
 * moment the connection that it means is found, answered in JSON and shut
 * for writing, so that the page has nowhere to go.
 *
 * The log names no connection.  The one meant is the only one of the loop
 * that is within a head (or a chunked body); when several are, in the same
 * pass, nobody can tell, and the page leaves as it is.
 */
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

#include <stdarg.h>
#include <stdbool.h>

#include "reply.h"

struct conn;

/* libmicrohttpd's log; cls is the loop. [loop] */
void refusal_log(void *cls, const char *fmt, va_list args);

/* Sends a fixed answer, says the end, counts it. [loop] */
void refusal_send(struct conn *conn, enum reply reply);

/* Have bytes come that are no whole head yet? [loop] */
bool refusal_has_begun(const struct conn *conn);

/* The connection is about to be closed: answers it when nobody has. [loop] */
void refusal_closing(struct conn *conn);

#endif
