/*
 * topic.h - what a test does with the world's Kafka topic, by librdkafka.
 */
#ifndef EVH_TEST_TOPIC_H
#define EVH_TEST_TOPIC_H

#include <stddef.h>
#include <stdint.h>

#include "world.h"

void topic_create(const struct world *w, int partitions);
/* With one setting of the topic's. */
void topic_create_with(const struct world *w, int partitions, const char *name,
		       const char *value);
void topic_delete(const struct world *w); /* fine when it is not there */
/* Writes a message, acks=all, and waits; -1: any partition.  headers: name,
 * value, ..., NULL; or NULL.  Gives its offset. */
int64_t topic_put(const struct world *w, int partition, const char *key,
		  const void *value, size_t len, const char *const *headers);
/* Puts n events {"name":...,"data":{"n":i}} without ids, quickly. */
void topic_fill(const struct world *w, const char *name, int n);
/* How many partitions it has; 0: there is no such topic. */
int topic_partitions(const struct world *w);
/* How many messages are in it, all partitions. */
int64_t topic_count(const struct world *w);
/* What the world's group has committed, summed; and what is behind that. */
int64_t topic_committed(const struct world *w);
/* The newest message of a partition, malloced value; NULL when empty.
 * headers: "name=value\n" lines, malloced, unless NULL. */
char *topic_last(const struct world *w, int partition, size_t *ret_len,
		 char **ret_key, char **ret_headers, int64_t *ret_time_ms);

#endif
