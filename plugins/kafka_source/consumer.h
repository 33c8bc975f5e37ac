/*
 * consumer.h - one member of a Kafka consumer group: what its poll thread and
 * those who answer share.
 *
 * The thread (poller.h) does everything but answer: it serves the group
 * (group.h: who has which partitions), takes messages and emits them
 * (intake.h).  Answers come on any thread (answers.h) and meet it under one
 * lock, which is held for marks and numbers and never while calling out.
 *
 * Messages and the group's own affairs come in two queues.  librdkafka puts
 * the messages of all partitions into `inbox`; what remains in the consumer's
 * queue are rebalances and errors.  So the group can be served while there is
 * no room for a message, without pausing anything: what is not taken from the
 * inbox fills it, and librdkafka stops fetching.  (rd_kafka_consume_queue() of
 * one message; the batch API of librdkafka 2.0.2 loses messages.)
 */
#ifndef KAFKA_SOURCE_CONSUMER_H
#define KAFKA_SOURCE_CONSUMER_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "health.h"
#include "message.h"
#include "partition.h"
#include "settings.h"

struct consumer {
	struct evh_ctx *ctx;
	struct settings settings;
	rd_kafka_conf_t *conf; /* until start */
	rd_kafka_t *rk;
	rd_kafka_queue_t *inbox;
	pthread_t thread;
	atomic_bool is_draining;
	atomic_bool is_quitting;
	atomic_bool is_attention; /* a partition's state has changed */
	atomic_uint n_messages;	  /* held by events that are not released */
	/* Set before is_quitting: when the last commit, and everything, has to
	 * be over. */
	_Atomic int64_t close_due_ms, stop_due_ms;

	/* guards: the five below. */
	pthread_mutex_t end_lock;
	pthread_cond_t ended;
	unsigned n_calling; /* threads that are in a call of ctx */
	bool is_over;	    /* the poll thread has done its last */
	bool is_abandoned;  /* it was not waited for any longer: ctx is not
			     * ours any more */
	bool is_disowned;   /* freed after that: it frees the rest */
	bool is_needed;	    /* by events that are not released: never freed */

	/* guards: generation, the table of partitions, and the part of each
	 * partition that says so. */
	pthread_mutex_t lock;
	pthread_cond_t changed;	       /* nothing waits any more, or quitting */
	uint32_t generation;	       /* the last one given to a partition */
	struct partition **partitions; /* by number; NULL: never ours */
	int32_t n_partitions;

	/* The poll thread's own.  It alone changes the table, so it may read
	 * it without the lock. */
	struct partition **mine;
	int32_t n_mine;
	int32_t turn; /* who is offered first when room is scarce */
	struct message_decoder decoder;
	struct health health;
	int64_t second_ms; /* when the once-a-second work is due */
	bool commit_fails;
	bool is_fatal;
	bool is_missing;		  /* the topic, or a partition of it */
	char refusal[HEALTH_WHY_MAX];	  /* of the topic as a whole, */
	rd_kafka_resp_err_t refusal_code; /* and its error */
	char unread[HEALTH_WHY_MAX];	  /* why some of ours are not read; "":
					   * all are */
	unsigned unread_tries;		  /* to take them again, in a row, */
	int64_t unread_due_ms;		  /* and when the next one is due */
	char last_error[HEALTH_WHY_MAX];  /* of one broker */
	rd_kafka_resp_err_t last_error_code;

	struct evh_metric *metric_partitions;
	struct evh_metric *metric_rebalances;
	struct evh_metric *metric_late;
};

/* NULL when the configuration is wrong or memory is short, logged. [main] */
struct consumer *consumer_new(struct evh_ctx *ctx, int *ret_error);
/* Stopped before, or never started.  NULL is fine. [main] */
void consumer_free(struct consumer *c);

/* The poll thread's last word: whoever waits for it goes on; frees the consumer
 * if it was left behind. */
void consumer_over(struct consumer *c);

int64_t consumer_now_ms(void); /* monotonic */

/* As ctx's, for a poll thread that may have been left behind: then it has
 * nobody to talk to. */
void consumer_say(struct consumer *c, enum evh_level level, const char *fmt,
		  ...) EVH_PRINTF(3, 4);
void consumer_record(struct consumer *c, struct evh_metric *metric,
		     int64_t value);

/* What came instead of a message, from either queue.  librdkafka says when
 * something begins to be refused and not when it ends: */
void consumer_error(struct consumer *c, const rd_kafka_message_t *msg);
/* a message of the partition has come, */
void consumer_reads(struct consumer *c, struct partition *p);
/* the brokers say that the topic is there, */
void consumer_found(struct consumer *c);
/* or that we may have it, or be of the group, */
void consumer_allowed(struct consumer *c);
/* it is assigned anew, */
void consumer_begins(struct consumer *c);
/* or what was not read has been taken again. */
void consumer_taken_again(struct consumer *c);
/* The partition of this number, or NULL. */
struct partition *consumer_partition(const struct consumer *c, int32_t id);

#endif
