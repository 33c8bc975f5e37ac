/*
 * real_topic.h - Kafka's side of a test: what is in a topic, and what is
 * done to topic and broker.
 */
#ifndef KAFKA_SINK_REAL_TOPIC_H
#define KAFKA_SINK_REAL_TOPIC_H

#include "real_bench.h"

#include <librdkafka/rdkafka.h>

#include <stdint.h>

/* SIGSTOP has reached every thread when the process's state says so. */
void broker_freeze(pid_t pid);
void topic_delete(struct bench *b);
/* With one partition, and one thing of its configuration. */
void topic_make(struct bench *b, const char *config, const char *value);

/* Called for each message of a topic. */
typedef void see(void *arg, const rd_kafka_message_t *message);

/* As the broker says. */
int topic_partitions(struct bench *b);
/* Reads all of the topic's messages, up to where it ends now. */
int topic_read(struct bench *b, see *fn, void *arg);
void assert_header(const rd_kafka_message_t *message, const char *name,
		   const char *value);

#endif
