/*
 * test_last_resort.c - what is said where there is no last resort.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>

#include "config.h"
#include "host_tables.h"
#include "last_resort.h"
#include "log.h"
#include "setup.h"
#include "stderr_now.h"

static void
one_that_cannot_be_had_is_told_and_nobody_waits_for_it(void **state)
{
	struct config config = { .shutdown_timeout_ms = 1000 };
	struct setup setup = { .config = &config };
	struct host host = { .setup = &setup, .signal_fd = -1 };
	struct last_resort last;
	struct rlimit before, none;
	struct stderr_now now = stderr_to_pipe();
	char said[4096];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 1; /* with none at all the log could not poll() */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	last_resort_arm(&last, &host, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	last_resort_disarm(&last);
	stderr_read(now.reader, said, sizeof(said));
	stderr_restore(&now);
	assert_non_null(strstr(said, "level=warn msg=\"nobody ends a stop that "
				     "takes too long: Too many open files\""));
	assert_null(strstr(said, "level=error"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			one_that_cannot_be_had_is_told_and_nobody_waits_for_it),
	};

	return cmocka_run_group_tests_name("last_resort", tests, NULL, NULL);
}
