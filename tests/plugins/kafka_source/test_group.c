/*
 * test_group.c - two members of one group on a real Kafka.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker.h"
#include "fake_host.h"
#include "real_bench.h"

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* How many different ids both have seen, and how many records in all. */
static void
count_ids(const struct fake_host *a, const struct fake_host *b,
	  unsigned *ret_different, unsigned *ret_all)
{
	unsigned n = a->n_records + b->n_records;
	unsigned different = 0;
	unsigned char(*ids)[16] = malloc(n * sizeof(*ids));

	assert_non_null(ids);
	for (unsigned i = 0; i < n; i++)
		memcpy(ids[i],
		       i < a->n_records ? a->records[i].id
					: b->records[i - a->n_records].id,
		       16);
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (unsigned i = 0; i < n; i++)
		different += i == 0 || memcmp(ids[i], ids[i - 1], 16) != 0;
	free(ids);
	*ret_different = different;
	*ret_all = n;
}

static bool
has_rebalances(struct fake_host *host, int64_t n)
{
	return host->rebalances.value >= n;
}

static void
a_member_that_joins_and_one_that_leaves_lose_and_repeat_nothing(void **state)
{
	unsigned n_different, n_all;
	static struct fake_host a, b;
	struct bench bench;

	(void)state;
	bench_name(&bench, 6);
	bench_fill(&bench, 6, 0, 4000);
	bench_host(&a, &bench, "30s");
	bench_host(&b, &bench, "30s");
	a.ctx.name = "a";
	b.ctx.name = "b";
	/* At any moment some are in flight. */
	a.window = b.window = 500;
	a.slow_ms = b.slow_ms = 50;
	fake_host_start(&a);
	bench_await_answered(&a, 2000);
	fake_host_start(&b);
	assert_true(fake_host_wait(&b, BENCH_WAIT_MS, fake_has_partitions, 3));
	assert_true(fake_host_wait(&a, BENCH_WAIT_MS, fake_has_partitions, 3));
	bench_fill(&bench, 6, 4000, 1000);
	bench_await_answered(&b, 100);
	(void)fake_host_stop(&a, BENCH_STOP_MS);
	assert_int_equal(a.n_made, 0);
	bench_fill(&bench, 6, 5000, 100);
	assert_true(fake_host_wait(&b, BENCH_WAIT_MS, fake_has_partitions, 6));
	assert_true(fake_host_wait(&b, BENCH_WAIT_MS, fake_has_answered,
				   6 * 5100 - (int64_t)a.n_answered));
	(void)fake_host_stop(&b, BENCH_STOP_MS);
	assert_int_equal(b.n_made, 0);
	count_ids(&a, &b, &n_different, &n_all);
	assert_int_equal(n_different, 6 * 5100);
	assert_int_equal(n_all, 6 * 5100);
	for (int32_t p = 0; p < 6; p++)
		assert_int_equal(broker_committed(bench.group, bench.topic, p),
				 5100);
	fake_host_fini(&a);
	fake_host_fini(&b);
}

static void
an_answer_after_the_partition_is_gone_is_late_and_commits_nothing(void **state)
{
	static struct fake_host a, b;
	struct bench bench;

	(void)state;
	bench_name(&bench, 2);
	bench_fill(&bench, 2, 0, 50);
	bench_host(&a, &bench, "200");
	bench_host(&b, &bench, "200");
	a.ctx.name = "a";
	b.ctx.name = "b";
	a.is_held = b.is_held = true;
	fake_host_start(&a);
	bench_await_records(&a, 100);
	fake_host_start(&b);
	assert_true(fake_host_wait(&a, BENCH_WAIT_MS, has_rebalances, 1));
	assert_true(fake_host_wait(&b, BENCH_WAIT_MS, fake_has_partitions, 1));
	bench_await_records(&a, 150); /* its own half again */
	bench_await_records(&b, 50);
	fake_host_hold(&a, false);
	bench_await_answered(&a, 150);
	assert_int_equal(a.late.value, 100);
	bench_stop(&a);
	bench_stop(&b); /* hears RETRY */
	fake_host_fini(&a);
	fake_host_fini(&b);
}

static void
more_members_than_partitions_are_ready_too(void **state)
{
	static struct fake_host a, b;
	struct bench bench;

	(void)state;
	bench_name(&bench, 1);
	bench_host(&a, &bench, "30s");
	bench_host(&b, &bench, "30s");
	fake_host_start(&a);
	fake_host_start(&b);
	bench_await_ready(&a);
	bench_await_ready(&b);
	bench_stop(&a);
	bench_stop(&b);
	fake_host_fini(&a);
	fake_host_fini(&b);
}

static bool
is_fatal(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return host->fatal[0] != '\0';
}

static void
a_second_member_of_the_same_name_ends_the_first(void **state)
{
	static struct fake_host a, b;
	struct bench bench;

	(void)state;
	bench_name(&bench, 1);
	bench_host(&a, &bench, "30s");
	bench_host(&b, &bench, "30s");
	bench_option(&a, "group_instance_id", "one");
	bench_option(&b, "group_instance_id", "one");
	fake_host_start(&a);
	bench_await_ready(&a);
	fake_host_start(&b);
	bench_await_ready(&b);
	assert_true(fake_host_wait(&a, BENCH_WAIT_MS, is_fatal, 0));
	print_message("%s\n", a.fatal);
	bench_stop(&a);
	bench_stop(&b);
	fake_host_fini(&a);
	fake_host_fini(&b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_member_that_joins_and_one_that_leaves_lose_and_repeat_nothing),
		cmocka_unit_test(
			an_answer_after_the_partition_is_gone_is_late_and_commits_nothing),
		cmocka_unit_test(more_members_than_partitions_are_ready_too),
		cmocka_unit_test(
			a_second_member_of_the_same_name_ends_the_first),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, bench_open, bench_close);
}
