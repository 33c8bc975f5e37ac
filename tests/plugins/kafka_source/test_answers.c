/*
 * test_answers.c - the consumer on a real Kafka, whose events are not all done:
 * what is committed then, and what is read again.
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

/* Only partition *decide_arg is answered. */
static enum evh_result
only_one(struct fake_host *host, const struct evh_event *ev)
{
	return ev->partition == *(int32_t *)host->decide_arg ? EVH_OK : 0;
}

static void
what_is_not_done_is_not_committed(void **state)
{
	int32_t partition = 1;
	static struct fake_host host;
	struct bench bench;

	(void)state;
	bench_name(&bench, 2);
	bench_fill(&bench, 2, 0, 100);
	bench_host(&host, &bench, "0s");
	host.decide = only_one;
	host.decide_arg = &partition;
	fake_host_start(&host);
	bench_await_records(&host, 200);
	bench_await_answered(&host, 100);
	fake_host_hold(&host, true); /* what remains hears RETRY at the end */
	bench_stop(&host);
	/* Where it was read first, and no further. */
	assert_int_equal(broker_committed(bench.group, bench.topic, 0), 0);
	assert_int_equal(broker_committed(bench.group, bench.topic, 1), 100);
	fake_host_fini(&host);
}

static enum evh_result
retry_offset_50_once(struct fake_host *host, const struct evh_event *ev)
{
	bool *did = host->decide_arg;

	if (ev->partition != 0 || ev->offset != 50 || *did)
		return EVH_OK;
	*did = true;
	return EVH_RETRY;
}

/* The partition's end came after its offset 50 came twice, and partition 1 is
 * through. */
static bool
has_read_again(struct fake_host *host, int64_t end)
{
	unsigned n_50 = 0, n_other = 0;
	bool at_end = false;

	for (unsigned i = 0; i < host->n_records; i++) {
		n_other += host->records[i].partition == 1;
		if (host->records[i].partition != 0)
			continue;
		n_50 += host->records[i].offset == 50;
		at_end = host->records[i].offset == end - 1 && n_50 == 2;
	}
	return at_end && n_other == end;
}

static void
retry_reads_the_partition_again_from_there(void **state)
{
	static struct fake_host host;
	bool did = false;
	unsigned n_50 = 0, n_49 = 0;
	struct bench bench;

	(void)state;
	bench_name(&bench, 2);
	bench_fill(&bench, 2, 0, 3000);
	bench_host(&host, &bench, "30s");
	host.decide = retry_offset_50_once;
	host.decide_arg = &did;
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, BENCH_WAIT_MS, has_read_again, 3000));
	bench_await_answered(&host, host.n_records);
	bench_stop(&host);
	assert_true(did);
	for (unsigned i = 0; i < host.n_records; i++) {
		if (host.records[i].partition != 0)
			continue;
		n_50 += host.records[i].offset == 50;
		n_49 += host.records[i].offset == 49;
	}
	assert_int_equal(n_50, 2);
	assert_int_equal(n_49, 1);
	bench_in_order(&host, 1, 0, 3000);
	assert_int_equal(broker_committed(bench.group, bench.topic, 0), 3000);
	assert_int_equal(broker_committed(bench.group, bench.topic, 1), 3000);
	fake_host_fini(&host);
}

static enum evh_result
fail_offset_70(struct fake_host *host, const struct evh_event *ev)
{
	(void)host;
	return ev->partition == 1 && ev->offset == 70 ? EVH_FAIL : EVH_OK;
}

static bool
has_stopped(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return strstr(host->why, "stopped at offset 70") != NULL;
}

static void
fail_stops_its_partition_there_and_no_other(void **state)
{
	unsigned n_before = 0;
	static struct fake_host host;
	struct bench bench;

	(void)state;
	bench_name(&bench, 2);
	bench_fill(&bench, 2, 0, 100);
	bench_host(&host, &bench, "30s");
	host.decide = fail_offset_70;
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, BENCH_WAIT_MS, has_stopped, 0));
	assert_non_null(strstr(host.why, "partition 1 of "));
	assert_non_null(strstr(host.why, "nobody keeps a failed event"));
	bench_fill(&bench, 2, 100, 2000);
	bench_await_answered(&host, 2100 + 71);
	(void)fake_host_wait(&host, 1500, fake_has_records, 4000);
	bench_stop(&host);
	bench_in_order(&host, 0, 0, 2100);
	for (unsigned i = 0; i < host.n_records; i++)
		n_before += host.records[i].partition == 1;
	assert_in_range(n_before, 71, 100);
	assert_int_equal(broker_committed(bench.group, bench.topic, 0), 2100);
	assert_int_equal(broker_committed(bench.group, bench.topic, 1), 70);
	fake_host_fini(&host);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_done_is_not_committed),
		cmocka_unit_test(retry_reads_the_partition_again_from_there),
		cmocka_unit_test(fail_stops_its_partition_there_and_no_other),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
