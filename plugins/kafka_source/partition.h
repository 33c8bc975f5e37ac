/*
 * partition.h - one partition of the topic: what was read of it and waits to
 * be emitted, what was emitted and is not answered, and whether librdkafka
 * may bring more.
 *
 * It is made when the partition is assigned for the first time and kept until
 * the end, because answers may come long after it was taken away.
 */
#ifndef KAFKA_SOURCE_PARTITION_H
#define KAFKA_SOURCE_PARTITION_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "health.h"
#include "offsets.h"
#include "origin.h"
#include "pace.h"

struct consumer;

/* Events in one call of emit, and the most that wait for it. */
#define PARTITION_RUN_MAX 256u

enum partition_state {
	PARTITION_AWAY = 1, /* not ours */
	PARTITION_RUNNING,
	PARTITION_REWINDS, /* an event came back: read it again, later */
	PARTITION_STOPPED, /* an event failed and nobody keeps it */
};

struct partition {
	int32_t id;
	const char *topic;

	/* Under the consumer's lock. */
	struct offsets offsets;
	enum partition_state state;
	int64_t lost_offset; /* of the event that stopped or rewinds it */
	bool is_dirty;	     /* offsets.next has moved in this done() */
	struct partition *next_dirty;
	/* To store offsets with; NULL while it is not ours.  librdkafka keeps
	 * in it what it knows of the partition, which it forgets with a topic
	 * that is deleted: so each assignment has its own. */
	rd_kafka_topic_partition_list_t *place;

	/* The poll thread's own. */
	bool is_open;		   /* messages are taken */
	bool is_paused;		   /* by us */
	bool may_repeat;	   /* resumed, and nothing new has come since */
	struct pace pace;	   /* of the run */
	enum partition_state held; /* REWINDS or STOPPED, seen to; or 0 */
	int64_t due_ms;		   /* held to rewind: when */
	unsigned n_backoffs;	   /* before that, in a row */
	int64_t rewound_at;	 /* where the last rewind went; -1: none yet */
	int64_t seek_to;	 /* begun and not done; -1: none */
	struct origin origin;	 /* where its reading began */
	rd_kafka_queue_t *queue; /* librdkafka's, of the last assignment */
	unsigned n_run;
	struct evh_event *run[PARTITION_RUN_MAX]; /* the oldest first */
	char refusal[HEALTH_WHY_MAX]; /* why it is not read; "": it is */
	struct evh_metric *lag;
};

/* Borrows topic.  NULL when out of memory. */
struct partition *partition_new(struct evh_ctx *ctx, const char *topic,
				int32_t id);
/* No event is left in its run.  Must come before rd_kafka_destroy(). */
void partition_free(struct partition *p); /* NULL is fine */

/* Its messages are to come to the inbox.  This has to be said before it is
 * assigned, or they go to the consumer's queue.  0 or -ENOMEM. */
int partition_forward(struct partition *p, rd_kafka_t *rk,
		      rd_kafka_queue_t *inbox);
/* What librdkafka still has for it comes to the inbox, too. */
void partition_forget(struct partition *p, rd_kafka_queue_t *inbox);

/* It is ours from now on, as if never seen before (0 or -ENOMEM); or no longer.
 * Under the consumer's lock. */
int partition_assigned(struct partition *p, uint32_t generation);
void partition_revoked(struct partition *p, uint32_t generation);

/* Of one that is ours, whose assignment is made once more: it begins again to
 * store offsets, with what is known.  0 or -ENOMEM.  Under the consumer's
 * lock. */
int partition_again(struct partition *p, rd_kafka_t *rk);

/* Stores what is done, for the next commit: all before this offset.  Under the
 * consumer's lock, so that an older number never comes after a newer one. */
void partition_store(struct partition *p, rd_kafka_t *rk, int64_t offset);

/* Stops and lets go on what librdkafka brings of it; what was fetched already
 * is fetched again.  0 or -EIO, logged. */
int partition_pause(struct partition *p, struct consumer *c);
int partition_resume(struct partition *p, struct consumer *c);
/* librdkafka's thread has done all that it was told about the partition before.
 * 0 or -EIO, logged. */
int partition_settle(struct partition *p, struct consumer *c);
/* A message came that is not beyond the newest one: whether that is because
 * the partition was made anew or cut back, rather than one brought twice. */
bool partition_began_anew(const struct partition *p, rd_kafka_t *rk,
			  int64_t newest);
/* Reads from this offset on.  Waits a moment for librdkafka's own thread. */
int partition_seek(struct partition *p, struct consumer *c, int64_t offset);

/* How long to wait before the next rewind: it doubles while nothing gets
 * done in between.  Under the consumer's lock. */
int64_t partition_backoff(struct partition *p);

#endif
