/*
 * group.h - who has which partitions: what happens when the group gives this
 * member partitions, and when it takes them away.
 *
 * Assignment is eager: all partitions at once.  Before they are given up,
 * their events in flight get a moment to be answered, so that the next owner
 * does little twice.  What is answered later belongs to an old generation.
 */
#ifndef KAFKA_SOURCE_GROUP_H
#define KAFKA_SOURCE_GROUP_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct consumer;

/* Not ready: no partitions are assigned.  [main] before the poll thread is
 * there, then on that. */
void group_await(struct consumer *c);

/* What is committed of those, as their offsets; waits for the brokers a little.
 * False: it is refused, or they say nothing.  On the poll thread. */
bool group_committed(struct consumer *c, rd_kafka_topic_partition_list_t *list);

/* librdkafka's rebalance_cb; opaque is the consumer.  On the poll thread. */
void group_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
		     rd_kafka_topic_partition_list_t *list, void *opaque);

#endif
