/*
 * real_bench.h - what a test on a real Kafka begins with: a topic and a group
 * that no other has, and fake hosts that read the one as members of the other.
 *
 * The hosts are static, one for each test: the threads of a test that failed
 * may live on, and are not to stand on another's stack.
 */
#ifndef KAFKA_SOURCE_TEST_REAL_BENCH_H
#define KAFKA_SOURCE_TEST_REAL_BENCH_H

#include <stdint.h>

#include "fake_host.h"

#define BENCH_NAME_MAX 128
#define BENCH_WAIT_MS  60000
#define BENCH_STOP_MS  60000

struct bench {
	char topic[BENCH_NAME_MAX];
	char group[BENCH_NAME_MAX];
};

/* cmocka's set-up and tear-down of the group: the broker. */
int bench_open(void **state);
int bench_close(void **state);

/* New names; the topic is made, unless it is to have no partitions. */
void bench_name(struct bench *b, int n_partitions);
/* The first so many partitions get n messages each, of 200 bytes, numbered from
 * `first` on. */
void bench_fill(const struct bench *b, int32_t n_partitions, unsigned first,
		unsigned n);
/* A host that is not started yet; borrows the names.  revoke_timeout is the
 * setting. */
void bench_host(struct fake_host *host, const struct bench *b,
		const char *revoke_timeout);
/* One more setting of a host that is not started yet; borrows both. */
void bench_option(struct fake_host *host, const char *name, const char *value);

/* Each fails the test, with what there is, when it takes BENCH_WAIT_MS. */
void bench_await_ready(struct fake_host *host);
void bench_await_records(struct fake_host *host, int64_t n);
void bench_await_answered(struct fake_host *host, int64_t n);
/* Partition 0's offset, which a member commits once a second. */
void bench_await_committed(const struct bench *b, int64_t offset);

/* Nothing that was made is left. */
void bench_stop(struct fake_host *host);
/* From `first` on, each offset of the partition once and in order. */
void bench_in_order(const struct fake_host *host, int32_t partition,
		    int64_t first, int64_t end);

#endif
