/*
 * test_log.c - what the log says of an event that passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "stand.h"

/* Lets one event pass, with evhd's log at info; gives all that was logged. */
static void
pass_one(const char *const *settings, const char *name, const char *data,
	 char *ret, size_t size)
{
	char file[] = "/tmp/evh-handler-log-XXXXXX";
	int fd = mkstemp(file);
	struct stand st;
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(log_open(EVH_INFO, LOG_LOGFMT, file), 0);
	stand_up(&st, "log", settings, 0);
	stand_emit(&st, name, data);
	stand_await(&st, 1);
	stand_assert_ends(&st, 1, 0, 0);
	stand_down(&st);
	log_close();
	n = pread(fd, ret, size - 1, 0);
	assert_true(n >= 0);
	ret[n] = '\0';
	close(fd);
	unlink(file);
}

static void
a_passing_event_is_named_with_id_and_attempt(void **state)
{
	char text[4096], *line;

	(void)state;
	pass_one(NULL, "user.created", "{}", text, sizeof(text));
	line = strstr(text, "user.created passes");
	assert_non_null(line);
	assert_non_null(strstr(line, "event="));
	assert_non_null(strstr(line, "attempt=1"));
}

static void
its_data_is_not_in_the_log(void **state)
{
	char text[4096];

	(void)state;
	pass_one(NULL, "user.created", "{\"password\":\"hunter2\"}", text,
		 sizeof(text));
	assert_null(strstr(text, "hunter2"));
	assert_null(strstr(text, "password"));
}

static void
its_level_decides_who_sees_it(void **state)
{
	char text[4096];

	(void)state;
	pass_one(SETTINGS("level", "debug"), "quiet", "{}", text, sizeof(text));
	assert_null(strstr(text, "passes"));
	pass_one(SETTINGS("level", "error"), "loud", "{}", text, sizeof(text));
	assert_non_null(strstr(text, "level=error"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_passing_event_is_named_with_id_and_attempt),
		cmocka_unit_test(its_data_is_not_in_the_log),
		cmocka_unit_test(its_level_decides_who_sees_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
