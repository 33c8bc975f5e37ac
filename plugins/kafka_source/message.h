/*
 * message.h - what came from the topic, as the event to make of it.
 *
 * A message is an envelope (core/wire/envelope.h).  Whatever is none is
 * poison: it becomes an event all the same, with its bytes as data, its place
 * and the reason, so that somebody keeps it and its partition goes on.  Its
 * id, like that of a message without one, follows from topic, partition,
 * offset and timestamp: a redelivery is the same event, a message of a topic
 * that was made again is not.
 */
#ifndef KAFKA_SOURCE_MESSAGE_H
#define KAFKA_SOURCE_MESSAGE_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "envelope.h"

/* Of the source's own, never passed on: the sink that writes the event to a
 * topic again says them anew. */
#define MESSAGE_HEADER_ID	"evh-id"
#define MESSAGE_HEADER_ATTEMPTS "evh-attempts"
#define MESSAGE_HEADER_TYPE	"content-type"

/* A message as it came; everything is borrowed. */
struct message {
	const char *topic;
	int32_t partition;
	int64_t offset;
	int64_t timestamp_ms; /* -1: it has none */
	struct evh_bytes value;
	struct evh_bytes key;
};

/* Room to decode one message after the other. */
struct message_decoder {
	size_t max_message; /* bytes; a larger one is poison */
	struct envelope envelope;
	struct envelope_error poison;
	unsigned char id[16];
	struct evh_header *headers;
	uint32_t n_headers, size_headers;
	uint32_t attempts;
};

void message_decoder_init(struct message_decoder *d, size_t max_message);
void message_decoder_fini(struct message_decoder *d);

/* Forgets the headers of the message before. */
void message_begin(struct message_decoder *d);
/* One header of the message; borrowed until the event is made.  0, -ENOMEM. */
int message_add_header(struct message_decoder *d, const char *name,
		       struct evh_bytes value);

/*
 * The event to make of it.  0; 1 when it is poison, and why is in d->poison;
 * or -ENOMEM.  ret_spec borrows from message and decoder; cookie and release
 * are left for the caller.
 */
int message_decode(struct message_decoder *d, const struct message *m,
		   struct evh_spec *ret_spec);

#endif
