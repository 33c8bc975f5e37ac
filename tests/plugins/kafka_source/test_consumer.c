/*
 * test_consumer.c - the consumer on a real Kafka, where nothing is in its way:
 * what comes of each message that is in the topic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker.h"
#include "fake_host.h"
#include "real_bench.h"

static void
each_message_is_emitted_once_and_in_the_order_of_its_partition(void **state)
{
	static struct fake_host host;
	struct bench bench;

	(void)state;
	bench_name(&bench, 6);
	bench_fill(&bench, 6, 0, 5000);
	bench_host(&host, &bench, "30s");
	fake_host_start(&host);
	bench_await_answered(&host, 30000);
	bench_await_ready(&host);
	bench_stop(&host);
	for (int32_t p = 0; p < 6; p++) {
		bench_in_order(&host, p, 0, 5000);
		assert_int_equal(broker_committed(bench.group, bench.topic, p),
				 5000);
	}
	fake_host_fini(&host);
}

/* Deleted and made again, it begins at offset 0, below what was read. */
static void
a_log_that_begins_anew_is_read_from_there(void **state)
{
	static struct fake_host host;
	struct bench bench;

	(void)state;
	bench_name(&bench, 1);
	broker_fill(bench.topic, 0, 0, 100, 200);
	bench_host(&host, &bench, "30s");
	fake_host_start(&host);
	bench_await_answered(&host, 100);
	broker_topic_delete(bench.topic);
	broker_topic(bench.topic, 1);
	broker_fill(bench.topic, 0, 0, 50, 200);
	bench_await_answered(&host, 150);
	bench_stop(&host);
	assert_int_equal(host.records[100].offset, 0);
	assert_int_equal(host.records[149].offset, 49);
	assert_int_equal(broker_committed(bench.group, bench.topic, 0), 50);
	fake_host_fini(&host);
}

static bool
is_missing(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return strstr(host->why, "does not exist yet") != NULL;
}

static void
a_missing_topic_is_waited_for_and_said(void **state)
{
	static struct fake_host host;
	struct bench bench;

	(void)state;
	bench_name(&bench, 0);
	bench_host(&host, &bench, "30s");
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, BENCH_WAIT_MS, is_missing, 0));
	broker_topic(bench.topic, 2);
	broker_fill(bench.topic, 1, 0, 10, 200);
	bench_await_answered(&host, 10);
	bench_await_ready(&host);
	bench_stop(&host);
	fake_host_fini(&host);
}

static void
poison_is_an_event_with_its_bytes_and_its_place(void **state)
{
	static const char good[] = "{\"name\":\"a\",\"data\":{}}";
	static struct fake_host host;
	struct bench bench;

	(void)state;
	bench_name(&bench, 1);
	broker_put(bench.topic, 0, "no JSON", 7);
	broker_put(bench.topic, 0, NULL, 0);
	broker_put(bench.topic, 0, good, sizeof(good) - 1);
	bench_host(&host, &bench, "30s");
	bench_option(&host, "max_message", "20");
	fake_host_start(&host);
	bench_await_answered(&host, 3);
	bench_stop(&host);
	bench_in_order(&host, 0, 0, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(host.records[i].is_poison);
		assert_int_equal(host.records[i].attempts, 3);
		assert_int_equal(host.records[i].n_headers, 1);
	}
	assert_int_equal(host.records[0].data_len, 7);
	assert_int_equal(host.records[1].data_len, 0);
	assert_int_equal(host.records[2].data_len, sizeof(good) - 1);
	assert_int_equal(broker_committed(bench.group, bench.topic, 0), 3);
	fake_host_fini(&host);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_message_is_emitted_once_and_in_the_order_of_its_partition),
		cmocka_unit_test(a_log_that_begins_anew_is_read_from_there),
		cmocka_unit_test(a_missing_topic_is_waited_for_and_said),
		cmocka_unit_test(
			poison_is_an_event_with_its_bytes_and_its_place),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
