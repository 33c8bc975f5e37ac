/*
 * test_isolate_start.c - how a handler in a process of its own begins, and when
 * it is ready.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../harness/tempdir.h"
#include "instance.h"
#include "isolate_keeper.h"
#include "isolate_bench.h"
#include "rig.h"

static void
what_create_refuses_is_refused(void **state)
{
	static const char *const wrong[] = { ISOLATED, "fault", "create",
					     NULL };
	struct isolated b = { 0 };

	(void)state;
	assert_int_equal(isolated_make(&b, 1, ISOLATED_PLUGIN, wrong), -EINVAL);
	isolated_close(&b);
}

static void
what_start_refuses_is_refused(void **state)
{
	static const char *const wrong[] = { ISOLATED, "fault", "start", NULL };
	struct isolated b = { 0 };

	(void)state;
	assert_int_equal(isolated_make(&b, 1, ISOLATED_PLUGIN, wrong), 0);
	assert_int_equal(instance_start(b.in), -EADDRINUSE);
	/* Nobody will call its stop(). */
	assert_false(b.in->isolate->has_thread);
	isolated_close(&b);
}

static void
a_crash_at_create_or_start_is_readiness(void **state)
{
	static const char *const faults[] = { "create_crash", "start_crash" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *const wrong[] = { ISOLATED, "fault", faults[i],
					      NULL };
		struct isolated b = { 0 };

		isolated_open(&b, 1, wrong);
		isolated_await_why(&b, "its process ended by signal 6");
		assert_int_equal(isolated_emit(&b, "any", "{}", 2), -EAGAIN);
		isolated_close(&b);
	}
}

static void
it_says_itself_when_it_is_ready(void **state)
{
	static const char *const unready[] = { ISOLATED, "fault", "unready",
					       NULL };
	struct isolated b = { 0 };

	(void)state;
	isolated_open(&b, 1, unready);
	isolated_await_ready(&b, true); /* by its every() */
	(void)isolated_pass(&b, "any");
	isolated_close(&b);
}

/* Each of them notices it for itself. */
static void
an_outage_that_processes_notice_in_turn_uses_up_no_attempt(void **state)
{
	struct tempdir dir;
	char server[sizeof(dir.path) + 16];
	struct isolated b = { 0 };
	FILE *file;
	int n;

	(void)state;
	tempdir_init(&dir);
	snprintf(server, sizeof(server), "%s/server", dir.path);
	isolated_open(&b, 1,
		      (const char *const[]){ ISOLATED, "isolate_processes", "4",
					     "attempts", "3", "server", server,
					     NULL });
	isolated_await_processes(&b, 4);
	n = b.src.n_heard;
	isolated_emit_one(&b, "ask");
	isolated_await_why(&b, "its server is away");
	file = fopen(server, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	rig_await_heard(&b.src, n + 1);
	assert_int_equal(b.dead.n_seen, 0);
	assert_int_equal(b.seen[n].attempts, 0);
	isolated_close(&b);
	tempdir_fini(&dir);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_create_refuses_is_refused),
		cmocka_unit_test(what_start_refuses_is_refused),
		cmocka_unit_test(a_crash_at_create_or_start_is_readiness),
		cmocka_unit_test(it_says_itself_when_it_is_ready),
		cmocka_unit_test(
			an_outage_that_processes_notice_in_turn_uses_up_no_attempt),
	};

	isolated_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
