/*
 * stream.h - what goes through a proxy in one direction, cut into the
 * messages of its protocol, which may come in any pieces.
 *
 * PostgreSQL: a type and a length; the first ones of a client have no type.
 * Kafka: a length.  Only the first bytes of each message are kept: they say
 * what it is.
 */
#ifndef FAULTS_STREAM_H
#define FAULTS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_HEAD 64

enum stream_kind {
	STREAM_PLAIN = 1, /* no messages: never reports one */
	STREAM_PG_CLIENT,
	STREAM_PG_SERVER,
	STREAM_KAFKA,
};

/* One message whose last byte has come: its first bytes, NUL-ended, with what
 * goes before them (type, length) left out. */
struct message {
	char type; /* PostgreSQL's, 0 where there is none */
	const unsigned char *head;
	size_t head_len;
};

struct stream {
	enum stream_kind kind;
	bool is_started; /* PostgreSQL: the untyped messages are over */
	unsigned char prefix[5];
	size_t prefix_len;
	uint64_t left; /* of the message's bytes */
	unsigned char head[STREAM_HEAD + 1];
	size_t head_len;
};

/* Takes in bytes up to the end of the next message; returns how many those
 * were.  ret is filled, and true in *ret_is_whole, when a message ended. */
size_t stream_take(struct stream *stream, const void *bytes, size_t len,
		   struct message *ret, bool *ret_is_whole);

#endif
