/*
 * test_isolate.c - what a handler in a process of its own does with an event,
 * and what it has there.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "isolate_bench.h"
#include "metrics.h"
#include "rig.h"

#define SERIAL_PLUGIN "../fixtures/isolated/isolated_serial.so"

static void
a_verdict_comes_back(void **state)
{
	struct isolated b = { 0 };
	const struct isolated_seen *seen;

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	assert_string_equal(isolated_pass(&b, "any")->data, "{}");
	assert_int_equal(b.out.n_seen, 1);
	(void)isolated_pass(&b, "drop");
	assert_int_equal(b.gone.n_seen, 1);
	seen = isolated_pass(&b, "fail");
	assert_int_equal(b.dead.n_seen, 1);
	assert_non_null(strstr(seen->error, "\"message\":\"it is bad\""));
	assert_string_equal(seen->data, "{}");
	assert_string_equal(seen->changed, "before");
	isolated_close(&b);
}

static void
what_it_changes_is_seen_behind_it(void **state)
{
	struct isolated b = { 0 };
	const struct isolated_seen *seen;

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	seen = isolated_pass(&b, "change");
	assert_string_equal(seen->data, "{\"a\":1}");
	assert_string_equal(seen->key, "new");
	assert_string_equal(seen->added, "yes");
	assert_string_equal(seen->changed, "after");
	assert_string_equal(seen->removed, "");
	assert_int_equal(seen->n_headers, 3);
	isolated_close(&b);
}

static void
children_have_the_ids_that_they_have_in_process(void **state)
{
	static const char *const here[] = { "isolate", "no", NULL };
	static const unsigned char id[16] = { 1, 2, 3 };
	struct evh_spec spec = { .id = id, .name = "bear" };
	struct isolated_seen first[5];
	struct isolated b = { .is_twice = true };

	(void)state;
	for (int i = 0; i < 2; i++) {
		isolated_open(&b, 1, i ? isolated_plain : here);
		rig_emit_spec(&b.src, &spec);
		rig_await_heard(&b.src, 1);
		assert_int_equal(b.n_seen, 5);
		assert_string_equal(b.seen[0].name, "bear");
		assert_string_equal(b.seen[1].name, "born");
		assert_int_equal(b.seen[1].n_headers, 1);
		if (i == 0)
			memcpy(first, b.seen, sizeof(first));
		for (int j = 0; j < 5; j++)
			assert_memory_equal(first[j].id, b.seen[j].id, 16);
		/* The parent of both, and theirs are four. */
		for (int j = 1; j < 5; j++)
			assert_memory_not_equal(first[0].id, first[j].id, 16);
		isolated_close(&b);
	}
}

static void
a_retry_is_undone_and_tried_again(void **state)
{
	struct isolated b = { 0 };
	const struct isolated_seen *seen;

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	seen = isolated_pass(&b, "retry");
	assert_int_equal(b.out.n_seen, 1);
	assert_string_equal(seen->changed, "before");
	assert_int_equal(seen->attempts, 2);
	isolated_close(&b);
}

static void
what_is_no_verdict_counts_as_failed(void **state)
{
	struct isolated b = { 0 };
	const struct isolated_seen *seen;

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	seen = isolated_pass(&b, "zero");
	assert_int_equal(b.dead.n_seen, 1);
	assert_non_null(strstr(seen->error, "gave no verdict"));
	isolated_close(&b);
}

static void
it_may_hold_and_resume(void **state)
{
	struct isolated b = { 0 };

	(void)state;
	isolated_open(&b, 0, isolated_plain);
	(void)isolated_pass(&b, "hold");
	(void)isolated_pass(&b, "hold");
	assert_int_equal(b.out.n_seen, 2);
	isolated_close(&b);
}

static void
it_has_the_environment_and_nothing_else(void **state)
{
	static const char *const secret[] = { ISOLATED, "secret", "hush",
					      NULL };
	struct isolated b = { 0 };

	(void)state;
	assert_int_equal(dup2(STDERR_FILENO, 100), 100);
	setenv("EVH_TEST_ISOLATED", "1", 1);
	isolated_open(&b, 1, secret);
	assert_string_equal(isolated_pass(&b, "look")->error, "");
	assert_int_equal(b.out.n_seen, 1);
	close(100);
	isolated_close(&b);
}

static void
its_metrics_are_evhds(void **state)
{
	struct isolated b = { 0 };
	struct evh_metric *seen;
	const struct timespec pause = { 0, 1000000 };

	(void)state;
	isolated_open(&b, 1, isolated_plain);
	for (int i = 0; i < 10; i++)
		(void)isolated_pass(&b, "any");
	seen = b.in->ctx.metric(&b.in->ctx, EVH_COUNTER, "isolated_seen", NULL,
				NULL);
	for (int i = 0; i < ISOLATED_AWAIT_MS && metric_value(seen) < 10; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(metric_value(seen), 10);
	isolated_close(&b);
}

static void
workers_have_a_process_each(void **state)
{
	struct isolated b = { 0 };

	(void)state;
	isolated_open(&b, 4, isolated_plain);
	isolated_await_processes(&b, 4);
	isolated_close(&b);
}

static void
what_wants_one_call_at_a_time_has_one_process(void **state)
{
	static const char *const two[] = { ISOLATED, "isolate_processes", "2",
					   NULL };
	struct isolated b = { 0 };

	(void)state;
	assert_int_equal(isolated_make(&b, 1, SERIAL_PLUGIN, two), -EINVAL);
	isolated_close(&b);
	assert_int_equal(isolated_make(&b, 4, SERIAL_PLUGIN, isolated_plain),
			 0);
	rig_start(b.rig);
	for (int i = 0; i < 20; i++)
		isolated_emit_one(&b, "pid");
	rig_await_heard(&b.src, 20);
	for (int i = 0; i < 20; i++)
		assert_string_equal(b.seen[i].data, b.seen[0].data);
	isolated_close(&b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_comes_back),
		cmocka_unit_test(what_it_changes_is_seen_behind_it),
		cmocka_unit_test(
			children_have_the_ids_that_they_have_in_process),
		cmocka_unit_test(a_retry_is_undone_and_tried_again),
		cmocka_unit_test(what_is_no_verdict_counts_as_failed),
		cmocka_unit_test(it_may_hold_and_resume),
		cmocka_unit_test(it_has_the_environment_and_nothing_else),
		cmocka_unit_test(its_metrics_are_evhds),
		cmocka_unit_test(workers_have_a_process_each),
		cmocka_unit_test(what_wants_one_call_at_a_time_has_one_process),
	};

	isolated_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
