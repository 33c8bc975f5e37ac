/*
 * arrival.h - a message that has come, as the event that it is.
 *
 * The event has librdkafka's message until it is released, which happens on
 * whatever thread releases it last; the consumer counts what is out.
 */
#ifndef KAFKA_SOURCE_ARRIVAL_H
#define KAFKA_SOURCE_ARRIVAL_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>
#include <stdint.h>

struct consumer;

/* Takes the message, also when it fails: NULL when out of memory.  What is no
 * event is one with an error. [poll thread] */
struct evh_event *arrival_event(struct consumer *c, rd_kafka_message_t *msg,
				uintptr_t cookie);

#endif
