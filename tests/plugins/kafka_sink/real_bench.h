/*
 * real_bench.h - a sink in front of a real Kafka, with a topic of its own.
 */
#ifndef KAFKA_SINK_REAL_BENCH_H
#define KAFKA_SINK_REAL_BENCH_H

#include "fake_host.h"
#include "keeper.h"

#include <sys/types.h>

struct bench {
	char brokers[100], topic[60];
	pid_t kafka;
	struct fake_host host;
	struct settings settings;
	struct keeper *keeper;
};

/* cmocka's setup and teardown; *state is the bench, without a sink yet. */
int bench_setup(void **state);
int bench_teardown(void **state);

/* Makes the sink and starts it, with what the host was told until now. */
void bench_begin(struct bench *b);
int bench_submit(void *self, struct evh_event *const *evs, int n);
/* Until it has taken all of them. */
void bench_offer(struct bench *b, struct fake_event *evs, int n);
/* As the host does: again after a RETRY, which a partition that is just being
 * made may be the reason for.  Until so many are delivered. */
void bench_deliver(struct bench *b, struct fake_event *e, int ok);

#endif
