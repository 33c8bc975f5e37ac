/*
 * topic.h - is the topic there, as the brokers say; and made when it is not.
 */
#ifndef KAFKA_SINK_TOPIC_H
#define KAFKA_SINK_TOPIC_H

#include "settings.h"

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>

enum topic_state {
	TOPIC_HERE = 1,
	TOPIC_MISSING,
	TOPIC_REFUSED, /* no right to it, or no leader; ret_why says */
	TOPIC_AWAY,    /* no broker has answered */
};

/* Asks for the topic's metadata; waits at most timeout_ms. ret_why is written
 * unless it is HERE. [any] */
enum topic_state topic_probe(rd_kafka_t *rk, rd_kafka_topic_t *topic,
			     int timeout_ms, char *ret_why, size_t size);

/* How long to wait for an answer. */
struct topic_wait {
	int timeout_ms;
	bool (*is_over)(void *arg); /* true: no longer, whatever comes */
	void *arg;
};

/*
 * Creates it.  0, also when somebody else was first; -EAGAIN and why.  Waits
 * no longer than `wait` says. [any]
 */
int topic_create(rd_kafka_t *rk, const struct settings *s,
		 const struct topic_wait *wait, char *ret_why, size_t size);

#endif
