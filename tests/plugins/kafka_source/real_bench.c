#include "real_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker.h"
#include "consumer.h"

static const char *address;

int
bench_open(void **state)
{
	(void)state;
	address = broker_open();
	return 0;
}

int
bench_close(void **state)
{
	(void)state;
	broker_close();
	return 0;
}

void
bench_name(struct bench *b, int n_partitions)
{
	broker_unique("topic", b->topic, sizeof(b->topic));
	broker_unique("group", b->group, sizeof(b->group));
	if (n_partitions > 0)
		broker_topic(b->topic, n_partitions);
}

void
bench_fill(const struct bench *b, int32_t n_partitions, unsigned first,
	   unsigned n)
{
	for (int32_t p = 0; p < n_partitions; p++)
		broker_fill(b->topic, p, first, n, 200);
}

void
bench_host(struct fake_host *host, const struct bench *b,
	   const char *revoke_timeout)
{
	const struct fake_option options[] = {
		{ "brokers", address },
		{ "topic", b->topic },
		{ "group", b->group },
		{ "revoke_timeout", revoke_timeout },
		{ "rdkafka.topic.metadata.refresh.interval.ms", "500" },
		{ "rdkafka.session.timeout.ms", "6000" },
		{ "rdkafka.heartbeat.interval.ms", "500" },
		{ NULL, NULL },
	};

	fake_host_init(host, options);
}

void
bench_option(struct fake_host *host, const char *name, const char *value)
{
	unsigned n = 0;

	while (host->options[n].name != NULL)
		n++;
	assert_true(n + 1 < FAKE_OPTIONS);
	host->options[n] = (struct fake_option){ name, value };
	host->options[n + 1] = (struct fake_option){ NULL, NULL };
}

void
bench_await_ready(struct fake_host *host)
{
	if (!fake_host_wait(host, BENCH_WAIT_MS, fake_is_ready, 0))
		fail_msg("not ready: %s", host->why);
}

void
bench_await_records(struct fake_host *host, int64_t n)
{
	if (!fake_host_wait(host, BENCH_WAIT_MS, fake_has_records, n))
		fail_msg("%u of %d emitted", host->n_records, (int)n);
}

void
bench_await_answered(struct fake_host *host, int64_t n)
{
	if (!fake_host_wait(host, BENCH_WAIT_MS, fake_has_answered, n))
		fail_msg("%u of %d answered", host->n_answered, (int)n);
}

void
bench_await_committed(const struct bench *b, int64_t offset)
{
	int64_t due_ms = consumer_now_ms() + BENCH_WAIT_MS;
	int64_t committed;

	while ((committed = broker_committed(b->group, b->topic, 0)) != offset)
		if (consumer_now_ms() > due_ms)
			fail_msg("committed is %d, not %d", (int)committed,
				 (int)offset);
}

void
bench_stop(struct fake_host *host)
{
	(void)fake_host_stop(host, BENCH_STOP_MS);
	assert_int_equal(host->n_made, 0);
}

void
bench_in_order(const struct fake_host *host, int32_t partition, int64_t first,
	       int64_t end)
{
	int64_t next = first;

	for (unsigned i = 0; i < host->n_records; i++) {
		if (host->records[i].partition != partition)
			continue;
		assert_int_equal(host->records[i].offset, next);
		next++;
	}
	assert_int_equal(next, end);
}
