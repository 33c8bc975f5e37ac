/*
 * test_intake.c - the consumer on a real Kafka, with a host that has no room:
 * what is taken then, and of whom.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker.h"
#include "consumer.h"
#include "fake_host.h"
#include "real_bench.h"

#define LATE_MS 700 /* a stop costs a second, a busy machine some of it */

static void
a_full_window_stops_the_intake_and_room_resumes_it(void **state)
{
	static struct fake_host host;
	struct bench bench;

	(void)state;
	bench_name(&bench, 3);
	bench_fill(&bench, 3, 0, 5000);
	bench_host(&host, &bench, "30s");
	host.window = 100;
	host.is_held = true;
	fake_host_start(&host);
	bench_await_records(&host, 100);
	/* Long enough for the pauses that a standstill brings. */
	(void)fake_host_wait(&host, 3500, fake_has_records, 101);
	assert_int_equal(host.n_records, 100);
	/* At most every 20 ms one try: nobody spins. */
	assert_true(host.n_refused < 1000);
	fake_host_hold(&host, false);
	bench_await_answered(&host, 15000);
	bench_stop(&host);
	for (int32_t p = 0; p < 3; p++)
		bench_in_order(&host, p, 0, 5000);
	fake_host_fini(&host);
}

static bool
has_refused(struct fake_host *host, int64_t n)
{
	return host->n_refused >= n;
}

static void
while_a_sink_is_not_ready_nobody_spins(void **state)
{
	static struct fake_host host;
	struct bench bench;
	unsigned n_refused;

	(void)state;
	bench_name(&bench, 1);
	broker_fill(bench.topic, 0, 0, 2000, 200);
	bench_host(&host, &bench, "30s");
	host.is_not_ready = true;
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, BENCH_WAIT_MS, has_refused, 10));
	fake_host_lock(&host);
	n_refused = host.n_refused;
	fake_host_unlock(&host);
	(void)fake_host_wait(&host, 2000, fake_has_records, 1);
	assert_int_equal(host.n_records, 0);
	fake_host_lock(&host);
	n_refused = host.n_refused - n_refused;
	host.is_not_ready = false;
	fake_host_unlock(&host);
	assert_in_range(n_refused, 0, 500);
	bench_await_answered(&host, 2000);
	bench_stop(&host);
	bench_in_order(&host, 0, 0, 2000);
	fake_host_fini(&host);
}

/* So many events of partition 0 are answered; all of the others. */
static enum evh_result
some_of_0(struct fake_host *host, const struct evh_event *ev)
{
	int64_t *n_allowed = host->decide_arg;

	if (ev->partition == 0 && ev->offset >= *n_allowed)
		return 0;
	return EVH_OK;
}

static void
allow(struct fake_host *host, int64_t *n_allowed, int64_t n)
{
	fake_host_lock(host);
	*n_allowed = n;
	pthread_cond_broadcast(&host->changed);
	fake_host_unlock(host);
}

static int64_t
count_records(const struct fake_host *host, int32_t partition)
{
	int64_t n = 0;

	for (unsigned i = 0; i < host->n_records; i++)
		n += host->records[i].partition == partition;
	return n;
}

static bool
has_of_0(struct fake_host *host, int64_t n)
{
	return count_records(host, 0) >= n;
}

static bool
has_of_1(struct fake_host *host, int64_t n)
{
	return count_records(host, 1) >= n;
}

/* A host in which partition 0, with so many messages, stands at its window. */
static void
stand_begin(struct fake_host *host, struct bench *bench, unsigned n,
	    int64_t *n_allowed)
{
	bench_name(bench, 2);
	broker_fill(bench->topic, 0, 0, n, 200);
	bench_host(host, bench, "30s");
	host->lane_window = 10;
	host->decide = some_of_0;
	host->decide_arg = n_allowed;
	fake_host_start(host);
	bench_await_records(host, 10);
}

/* Partition 0 stands, goes on for a while, and stands again, each time with
 * all that may wait of it.  The first stop costs the others a second, most of
 * the twenty nothing to speak of. */
static void
a_partition_that_stands_again_and_again_halts_no_other(void **state)
{
	static struct fake_host host;
	int64_t n_allowed = 0;
	struct bench bench;
	int n_late = 0;

	(void)state;
	stand_begin(&host, &bench, 10000, &n_allowed);
	for (int i = 1; i <= 20; i++) {
		int64_t from_ms;

		allow(&host, &n_allowed, 400 * i);
		assert_true(fake_host_wait(&host, BENCH_WAIT_MS, has_of_0,
					   400 * i + 10));
		from_ms = consumer_now_ms();
		broker_fill(bench.topic, 1, (unsigned)i * 10, 10, 200);
		assert_true(
			fake_host_wait(&host, BENCH_WAIT_MS, has_of_1, 10 * i));
		n_late += consumer_now_ms() - from_ms > LATE_MS;
	}
	assert_in_range(n_late, 0, 12);
	allow(&host, &n_allowed, 10000);
	bench_await_answered(&host, 10200);
	bench_stop(&host);
	bench_in_order(&host, 0, 0, 10000);
	bench_in_order(&host, 1, 0, 200);
	fake_host_fini(&host);
}

/* All of partition 0 lies before partition 1's in what was fetched. */
static void
a_partition_that_crawls_keeps_no_other_to_its_pace(void **state)
{
	int64_t n_allowed = 0, from_ms;
	static struct fake_host host;
	struct bench bench;

	(void)state;
	stand_begin(&host, &bench, 4000, &n_allowed);
	broker_fill(bench.topic, 1, 0, 100, 200);
	from_ms = consumer_now_ms();
	while (!fake_host_wait(&host, 20, has_of_1, 100)) {
		allow(&host, &n_allowed, n_allowed + 1);
		assert_true(consumer_now_ms() - from_ms < 60000);
	}
	allow(&host, &n_allowed, 4000);
	bench_await_answered(&host, 4100);
	bench_stop(&host);
	bench_in_order(&host, 0, 0, 4000);
	bench_in_order(&host, 1, 0, 100);
	fake_host_fini(&host);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_full_window_stops_the_intake_and_room_resumes_it),
		cmocka_unit_test(while_a_sink_is_not_ready_nobody_spins),
		cmocka_unit_test(
			a_partition_that_stands_again_and_again_halts_no_other),
		cmocka_unit_test(
			a_partition_that_crawls_keeps_no_other_to_its_pace),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
