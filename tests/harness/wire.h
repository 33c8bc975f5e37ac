/*
 * wire.h - one connection to evhd, byte for byte, kept as long as the test
 * wants: for what a well-behaved client never sends, and for seeing whether
 * the server keeps the connection or closes it.
 */
#ifndef EVH_TEST_WIRE_H
#define EVH_TEST_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "http_client.h"

struct wire {
	int fd;
	char *in; /* what came and was not yet taken, NUL-ended */
	size_t len;
	bool ended; /* the server has closed */
	bool reset; /* and not by a clean end: an answer may be lost by that */
};

/* Connects to 127.0.0.1; fails the test when it cannot. */
void wire_open(struct wire *wire, int port);
void wire_close(struct wire *wire);

/* All of it, within 10 s; false when the server has closed before. */
bool wire_send(struct wire *wire, const void *bytes, size_t len);
bool wire_say(struct wire *wire, const char *text);

/*
 * The next answer, by its Content-Length; status 0: the server closed, or was
 * silent for timeout_ms, before there was a whole one.  A 1xx comes as an
 * answer of its own.  no_body: the request was a HEAD.  Fails the test when
 * what came is no HTTP.
 */
struct http_answer wire_answer(struct wire *wire, int timeout_ms);
struct http_answer wire_answer_to_head(struct wire *wire, int timeout_ms);

/* Whether something came that was not yet taken; does not wait. */
bool wire_has_more(struct wire *wire);
/* Whether the server closes within timeout_ms, having said no more. */
bool wire_closes(struct wire *wire, int timeout_ms);

#endif
