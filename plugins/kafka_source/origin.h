/*
 * origin.h - where the reading of a partition began: at the first message that
 * came after it was assigned, or after its log has begun anew.
 *
 * What is committed of a topic may outlive it: of one that was deleted and made
 * again, or whose log an old replica has cut back, the group may have an offset
 * beyond what is there.  librdkafka then reads from the beginning, but commits
 * nothing below the offset that it knows to be committed; and whoever begins
 * when the new log has grown beyond that offset passes over what is before.  So
 * what is read first is committed as it is, once, whether that is less or not:
 * all before it is done, or is no more.  From then on librdkafka commits what
 * is done.
 *
 * On the poll thread, but for what the consumer's lock guards.
 */
#ifndef KAFKA_SOURCE_ORIGIN_H
#define KAFKA_SOURCE_ORIGIN_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct consumer;
struct partition;

struct origin {
	bool is_found;	 /* a message has come */
	int64_t offset;	 /* of the first that has */
	bool is_due;	 /* it is not known to be committed */
	int64_t sent;	 /* what was handed over for that; -1: nothing */
	unsigned n_sent; /* so often */
	int64_t due_ms;	 /* when it is tried again */
};

/* The first message has come, and nothing of this life is done. */
void origin_found(struct consumer *c, struct partition *p, int64_t offset);
/* Has committed what is not, without waiting; again after a while, until
 * the brokers say that it is. */
void origin_attend(struct consumer *c);
/* A commit is over, of these; the list is borrowed, or NULL. */
void origin_committed(struct consumer *c,
		      const rd_kafka_topic_partition_list_t *list);

#endif
