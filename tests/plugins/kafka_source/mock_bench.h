/*
 * mock_bench.h - the consumer at librdkafka's mock brokers, which are good for
 * one thing: errors on demand.
 *
 * They refuse no fetch of a single partition.  So what librdkafka says then
 * comes here instead of a message without a value: by the linker
 * rd_kafka_consume_queue() leads here.
 */
#ifndef KAFKA_SOURCE_TEST_MOCK_BENCH_H
#define KAFKA_SOURCE_TEST_MOCK_BENCH_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdint.h>

#include "fake_host.h"

#define BENCH_WAIT_MS 60000
#define BENCH_STOP_MS 10000

/* Kafka's ApiKeys. */
enum { OFFSET_FETCH = 9, JOIN_GROUP = 11, HEARTBEAT = 12 };

struct bench {
	struct fake_host host;
	rd_kafka_t *producer; /* has the mock cluster, too */
	rd_kafka_mock_cluster_t *cluster;
	unsigned n_put;
	/* NULL: the host's */
	void (*log)(struct evh_ctx *ctx, enum evh_level level, const char *fmt,
		    ...);
};

/* cmocka's set-up and tear-down; *state is the bench, with a topic of two
 * partitions and without a consumer yet. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

#define BENCH_TEST(f)                                                          \
	cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

/* Starts the consumer; and waits until it is ready. */
void bench_start(struct bench *b);
void bench_begin(struct bench *b);

/* A proper event into the partition. */
void bench_put(struct bench *b, int32_t partition);
/* The consumer is told this error of the partition, */
void bench_refuse(struct bench *b, int32_t partition, rd_kafka_resp_err_t err);
/* or of the topic as a whole, */
void bench_refuse_all(bool is_of_all);
/* or of a partition's first offset, from now on. */
void bench_refuse_first(bool is_unread);
/* The next n times that somebody asks where the group is. */
void bench_refuse_offsets(struct bench *b, int n);

/* Each fails the test, with what there is, when it takes BENCH_WAIT_MS: all
 * that was put is answered, */
void bench_await_answered(struct bench *b);
/* it is ready, or has said this at some time since it began, or since the last
 * bench_forget(). */
void bench_await_ready(struct bench *b);
void bench_await_said(struct bench *b, const char *part);
void bench_forget(struct bench *b);

#endif
