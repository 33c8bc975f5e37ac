/*
 * broker.h - the real Kafka that these tests talk to: the one that the
 * environment names (scripts/servers env), or one started by that script for
 * this run and ended with it.
 */
#ifndef KAFKA_SOURCE_TEST_BROKER_H
#define KAFKA_SOURCE_TEST_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* host:port.  Ends the program, with a word, when there is none. */
const char *broker_open(void);
void broker_close(void);

/* A name that no run before has used. */
void broker_unique(const char *stem, char *ret, size_t size);
void broker_topic(const char *topic, int n_partitions);
/* With all its messages; gone when it returns, so that it can be made again. */
void broker_topic_delete(const char *topic);
/* n proper events into one partition, numbered from `first`, of at least
 * `size` bytes each; acknowledged when it returns. */
void broker_fill(const char *topic, int32_t partition, unsigned first,
		 unsigned n, size_t size);
/* One message as it is, NULL for none, with headers evh-attempts: 3, a: b. */
void broker_put(const char *topic, int32_t partition, const void *value,
		size_t len);
/* What the group has committed; -1001 (RD_KAFKA_OFFSET_INVALID): nothing. */
int64_t broker_committed(const char *group, const char *topic,
			 int32_t partition);

/* The group, of which nobody is a member, is at this offset from now on. */
void broker_commit(const char *group, const char *topic, int32_t partition,
		   int64_t offset);

/* The broker's process stands still, as a machine that hangs. */
void broker_freeze(void);
void broker_thaw(void);

#endif
