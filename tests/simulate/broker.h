/*
 * broker.h - a topic, its group, and the functions of librdkafka that
 * kafka_source calls, under the schedule's control.
 *
 * The program brings these functions itself, so the linker takes none of the
 * library.  It does what librdkafka is documented and was seen to do, also
 * where that is unpleasant: a resume may bring messages a second time, a seek
 * may fail, an assignment may be lost without a last commit.  And a topic is
 * deleted and made again: then a partition's log begins anew, below what was
 * read and committed, which librdkafka goes to by itself, but commits nothing
 * that is less than before.
 */
#ifndef SIMULATE_BROKER_H
#define SIMULATE_BROKER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "commits.h"

#define BROKER_PARTITIONS   3
#define BROKER_MESSAGES_MAX 64

struct broker_message {
	int64_t offset;
	char key; /* 0: none */
	char name;
	unsigned serial;
	bool is_poison;
	unsigned size; /* of its data */
};

struct broker_partition {
	struct broker_message messages[BROKER_MESSAGES_MAX];
	unsigned n;
	int64_t end;	   /* the next offset */
	int64_t position;  /* where the consumer reads on */
	int64_t committed; /* by the group */
	int64_t asked;	   /* to be committed, as it was said; -1: nothing */
	int64_t newest;	   /* of what was handed over; -1: nothing */
	bool may_repeat;   /* it was paused or resumed after that */
	bool is_renewed;   /* a new log, of which the consumer knows nothing */
	bool is_owed;	   /* it has to say where it begins in that */
	unsigned n_logs;
	bool is_assigned;
	bool is_paused;
	struct commits commits; /* what the oracle knows of them, */
	struct commits next;	/* and of the new log */
};

struct chance;

struct broker {
	struct chance *chance;
	void *consumer; /* the topic's opaque */
	struct broker_partition partitions[BROKER_PARTITIONS];
	unsigned n_out;	 /* messages handed over and not destroyed */
	unsigned n_keys; /* 8 at most */
	unsigned n_made; /* messages */
	bool is_lost;	 /* the assignment is */
	/* No answer met a rebalance or a rewind half-way, on another thread:
	 * then the tracker may rightly know less than the oracle. */
	bool is_exact;
	unsigned n_answering; /* done() has begun and not ended */
	bool is_closing;
	bool is_closed;
	bool is_calm; /* nothing goes wrong any more */
	void (*revoke)(struct broker *b);
	/* A commit has succeeded. */
	void (*committed)(struct broker *b,
			  const rd_kafka_topic_partition_list_t *list);
};

void broker_init(struct broker *b, struct chance *chance, unsigned n_keys,
		 void *consumer);
/* The consumer had its turn: what it owes is said. */
void broker_look(const struct broker *b);
/* What is stored is committed, as librdkafka does now and then: of what is not
 * beyond the last that it knows of, nothing. */
void broker_commit(struct broker *b);
/* Of what the consumer has asked to be committed some is, some never will. */
void broker_serve(struct broker *b);

#endif
