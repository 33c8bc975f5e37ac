/*
 * dead_reader.h - all of a topic read from its beginning to the ends that it
 * had when the reading began; by no group, so that nobody's offsets move.
 */
#ifndef KAFKA_SINK_DEAD_READER_H
#define KAFKA_SINK_DEAD_READER_H

#include "endings.h"
#include "settings.h"

#include <desk.h>

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stdint.h>

struct dead_part {
	int64_t low, high; /* read from here to before there */
	bool is_over;
};

struct dead_reader {
	struct desk *desk; /* this and the next: whose end ends it */
	const struct desk_request *request;
	rd_kafka_t *rk;
	struct ending *ending; /* of rk */
	struct evh_ctx *ctx;
	rd_kafka_queue_t *said;	    /* what librdkafka says of itself */
	char trouble[DESK_WHY_MAX]; /* the last of it */
	rd_kafka_topic_t *topic;
	struct dead_part *parts; /* by number */
	int32_t n_parts;	 /* 0: there is no such topic */
	char why[DESK_WHY_MAX];
};

/* Connects and asks for the ends.  0; or -EAGAIN, -ETIMEDOUT, -ENOMEM,
 * -ESHUTDOWN, -ECANCELED, and reader->why; close it either way. */
int dead_reader_open(struct dead_reader *reader, struct desk *desk,
		     const struct desk_request *request, struct evh_ctx *ctx,
		     const struct settings *settings);
void dead_reader_close(struct dead_reader *reader, struct endings *endings);

/* Calls fn(arg) for each message between the parts' bounds, those of a
 * partition in order, until it returns something negative, which is returned;
 * or 0; or as above.  fn may wait.  May be called again. */
typedef int dead_reader_fn(void *arg, const rd_kafka_message_t *message);
int dead_reader_pass(struct dead_reader *reader, dead_reader_fn *fn, void *arg);

/* Something that a broker is asked and waited for, so long at most. */
typedef rd_kafka_resp_err_t dead_reader_question(struct dead_reader *reader,
						 void *arg, int timeout_ms);
/* Asks until there is an answer, or it takes too long.  0; or as above. */
int dead_reader_ask(struct dead_reader *reader, dead_reader_question *question,
		    void *arg);

#endif
