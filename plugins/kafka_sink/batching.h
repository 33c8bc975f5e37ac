/*
 * batching.h - how large the producer's batches may be.
 *
 * A broker refuses a batch as a whole, for one record in it or for its size,
 * and does not say which.  So a batch of several that was refused says nothing
 * about any of them: they are tried again, in smaller company, until the
 * culprit is refused alone.  A size is learned for good, since the topic has
 * it for good; for anything else batches of one last until none was refused
 * for a while.  A dead letter that was refused alone for its size is learned
 * from, too: such letters are sent without their bytes.
 */
#ifndef KAFKA_SINK_BATCHING_H
#define KAFKA_SINK_BATCHING_H

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BATCHING_ALONE_MS 10000

struct batching {
	size_t max_bytes;	/* 0: as configured; likewise: */
	size_t max_letter;	/* of a dead letter that has its bytes */
	bool alone;		/* one record a batch, */
	int64_t alone_until_ms; /* until then (CLOCK_MONOTONIC) */
};

/* A batch of n records, of so many bytes, was refused. */
void batching_refused(struct batching *b, rd_kafka_resp_err_t err, size_t n,
		      size_t bytes, int64_t now_ms);
/* A dead letter of this size, as message.h counts it, was refused for it. */
void batching_refused_letter(struct batching *b, size_t size);
/* True when batches of one have had their time: a new producer may go back
 * to usual batches. */
bool batching_is_over(const struct batching *b, int64_t now_ms);
/* Says so for the next producer. */
void batching_end(struct batching *b);

#endif
