/*
 * test_outage.c - the consumer and a Kafka that is away, or stands still.
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

#define WATCHDOG_MS 50000 /* what is bounded ends long before */

static void
a_stop_with_the_broker_frozen_ends_in_time(void **state)
{
	static struct fake_host host;
	struct bench bench;
	int64_t took_ms;

	(void)state;
	bench_name(&bench, 2);
	broker_fill(bench.topic, 0, 0, 2000, 200);
	bench_host(&host, &bench, "30s");
	fake_host_start(&host);
	bench_await_answered(&host, 2000);
	broker_freeze();
	took_ms = fake_host_stop(&host, 4000);
	broker_thaw();
	assert_int_equal(host.n_made, 0);
	assert_true(took_ms < WATCHDOG_MS);
	fake_host_fini(&host);
	/* Whatever was not committed comes again, and then it is. */
	bench_host(&host, &bench, "30s");
	fake_host_start(&host);
	bench_await_ready(&host);
	bench_await_committed(&bench, 2000);
	bench_stop(&host);
	assert_int_equal(broker_committed(bench.group, bench.topic, 0), 2000);
	fake_host_fini(&host);
}

static void
a_stop_without_time_takes_none(void **state)
{
	static struct fake_host host;
	struct bench bench;
	int64_t took_ms;

	(void)state;
	bench_name(&bench, 1);
	bench_host(&host, &bench, "30s");
	fake_host_start(&host);
	bench_await_ready(&host);
	broker_freeze();
	took_ms = fake_host_stop(&host, 0);
	broker_thaw();
	assert_true(took_ms < WATCHDOG_MS);
	fake_host_fini(&host);
}

static bool
is_unreachable(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return strstr(host->why, "no broker of") != NULL;
}

static void
brokers_that_are_away_are_said_with_the_reason(void **state)
{
	const struct fake_option options[] = {
		{ "brokers", "127.0.0.1:1" },
		{ "topic", "t" },
		{ NULL, NULL },
	};
	static struct fake_host host;

	(void)state;
	fake_host_init(&host, options);
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, BENCH_WAIT_MS, is_unreachable, 0));
	assert_non_null(strstr(host.why, "127.0.0.1:1"));
	assert_non_null(strstr(host.why, "refused"));
	assert_true(fake_host_stop(&host, 3000) < WATCHDOG_MS);
	fake_host_fini(&host);
}

static void
a_broker_that_hangs_is_said_and_its_return_too(void **state)
{
	static struct fake_host host;
	bool is_said;
	struct bench bench;

	(void)state;
	bench_name(&bench, 1);
	bench_host(&host, &bench, "30s");
	bench_option(&host, "rdkafka.socket.timeout.ms", "2000");
	fake_host_start(&host);
	bench_await_ready(&host);
	broker_freeze();
	is_said = fake_host_wait(&host, BENCH_WAIT_MS, is_unreachable, 0);
	broker_thaw();
	assert_true(is_said);
	bench_await_ready(&host);
	broker_fill(bench.topic, 0, 0, 10, 200);
	bench_await_answered(&host, 10);
	bench_stop(&host);
	bench_in_order(&host, 0, 0, 10);
	fake_host_fini(&host);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_with_the_broker_frozen_ends_in_time),
		cmocka_unit_test(a_stop_without_time_takes_none),
		cmocka_unit_test(
			brokers_that_are_away_are_said_with_the_reason),
		cmocka_unit_test(
			a_broker_that_hangs_is_said_and_its_return_too),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
