/*
 * message.h - an event as a message of Kafka: value, key, headers, time.
 *
 * The value is the envelope.  What failed because it is no event at all is
 * sent as the bytes that came, so that a dead letter topic keeps them.
 */
#ifndef KAFKA_SINK_MESSAGE_H
#define KAFKA_SINK_MESSAGE_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdbool.h>

/*
 * Hands it to the producer's queue; borrows the event, copies what it needs
 * and never waits.  librdkafka's error says that it was not taken. [any]
 */
rd_kafka_resp_err_t message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
				    const struct evh_event *ev, void *opaque);

/* Is this header one that the sink writes itself? */
bool message_is_ours(const char *name);

#endif
