/*
 * test_deleted.c - a topic that is deleted and made again, on a real Kafka:
 * what is committed of it belongs to the log that is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker.h"
#include "fake_host.h"
#include "real_bench.h"

static void
begin(struct fake_host *host, const struct bench *b)
{
	bench_host(host, b, "5s");
	fake_host_start(host);
}

/* All that was in the topic is committed; then the topic goes. */
static void
delete_after(struct fake_host *host, const struct bench *b, unsigned n)
{
	broker_fill(b->topic, 0, 0, n, 200);
	bench_await_answered(host, n);
	bench_await_committed(b, n);
	broker_topic_delete(b->topic);
}

static void
a_shorter_log_is_committed_while_it_is_read(void **state)
{
	static struct fake_host host;
	struct bench b;

	(void)state;
	bench_name(&b, 1);
	begin(&host, &b);
	delete_after(&host, &b, 100);
	broker_topic(b.topic, 1);
	broker_fill(b.topic, 0, 0, 50, 200);
	bench_await_answered(&host, 150);
	bench_await_committed(&b, 50);
	(void)fake_host_stop(&host, BENCH_STOP_MS);
	fake_host_fini(&host);
}

/* As above, but the group has heard of it: it gave the partition up. */
static void
a_topic_that_was_missed_is_committed_and_left_again(void **state)
{
	static struct fake_host host;
	struct bench b;

	(void)state;
	bench_name(&b, 1);
	begin(&host, &b);
	delete_after(&host, &b, 100);
	assert_true(
		fake_host_wait(&host, BENCH_WAIT_MS, fake_has_partitions, 0));
	broker_topic(b.topic, 1);
	broker_fill(b.topic, 0, 0, 50, 200);
	bench_await_answered(&host, 150);
	bench_await_committed(&b, 50);
	/* With all of its time, it would have waited for librdkafka in vain. */
	assert_true(fake_host_stop(&host, BENCH_STOP_MS) < BENCH_STOP_MS);
	fake_host_fini(&host);
}

/* The group's offset is of the old log: an answer of it came late, or the
 * broker forgets nothing. */
static void
a_group_that_is_beyond_the_log_is_set_back(void **state)
{
	static struct fake_host host;
	struct bench b;

	(void)state;
	bench_name(&b, 1);
	broker_fill(b.topic, 0, 0, 50, 200);
	broker_commit(b.group, b.topic, 0, 100);
	begin(&host, &b);
	bench_await_answered(&host, 50);
	bench_await_committed(&b, 50);
	(void)fake_host_stop(&host, BENCH_STOP_MS);
	fake_host_fini(&host);
}

/* What is read first is the group's at once: before anything is done. */
static void
a_group_that_is_beyond_the_log_is_set_back_before_anything_is_done(void **state)
{
	static struct fake_host host;
	struct bench b;

	(void)state;
	bench_name(&b, 1);
	broker_fill(b.topic, 0, 0, 50, 200);
	broker_commit(b.group, b.topic, 0, 100);
	bench_host(&host, &b, "5s");
	host.is_held = true;
	fake_host_start(&host);
	bench_await_committed(&b, 0);
	fake_host_hold(&host, false);
	(void)fake_host_stop(&host, BENCH_STOP_MS);
	fake_host_fini(&host);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shorter_log_is_committed_while_it_is_read),
		cmocka_unit_test(
			a_topic_that_was_missed_is_committed_and_left_again),
		cmocka_unit_test(a_group_that_is_beyond_the_log_is_set_back),
		cmocka_unit_test(
			a_group_that_is_beyond_the_log_is_set_back_before_anything_is_done),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
