/*
 * message.h - an event as a message of Kafka: value, key, headers, time.
 *
 * The value is the envelope.  What failed because it is no event at all is
 * sent as the bytes that came, so that a dead letter topic keeps them.  What
 * is over and too large for the topic is sent without its bytes, so that the
 * letter at least is kept: its name, its place, its error, and how many bytes
 * there were, with their hash.
 */
#ifndef KAFKA_SINK_MESSAGE_H
#define KAFKA_SINK_MESSAGE_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>

/* How many bytes a message may have in all: that of an event, which is refused
 * beyond; and that of a dead letter, which is sent without its bytes. */
struct message_limits {
	size_t event, letter;
};

/*
 * Hands it to the producer's queue; borrows the event, copies what it needs
 * and never waits.  librdkafka's error says that it was not taken. [any]
 */
rd_kafka_resp_err_t message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
				    const struct evh_event *ev,
				    const struct message_limits *limits,
				    void *opaque);

/* The size of a dead letter that still has its bytes, as the limit counts it;
 * 0: it is none. [any] */
size_t message_letter_size(const rd_kafka_message_t *message);

/* Is this header one that the sink writes itself? */
bool message_is_ours(const char *name);

#endif
