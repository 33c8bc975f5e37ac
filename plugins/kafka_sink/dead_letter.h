/*
 * dead_letter.h - a message of a dead letter topic, as message.c has written
 * it, read again.
 */
#ifndef KAFKA_SINK_DEAD_LETTER_H
#define KAFKA_SINK_DEAD_LETTER_H

#include <envelope.h>
#include <evh/services.h>

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>

/* Room to decode one after the other. */
struct dead_decoder {
	struct evh_letter letter; /* the last one; borrows from the message */
	struct envelope envelope;
	struct evh_header *headers;
	size_t n_headers, size_headers;
	char *error, *topic, *name; /* name: of one without its bytes */
	char lost_sha256[65];
	bool is_over; /* it has failed, or was dropped */
	bool is_raw, has_id, has_created;
};

void dead_decoder_init(struct dead_decoder *d);
void dead_decoder_fini(struct dead_decoder *d);

/* 1 and d->letter; 0: this is no dead letter (d->is_over: but one that was
 * dropped); or -ENOMEM. */
int dead_decode(struct dead_decoder *d, const rd_kafka_message_t *message);

#endif
