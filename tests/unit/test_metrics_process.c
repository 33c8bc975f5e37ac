/*
 * test_metrics_process.c - what the process shows of itself.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "metrics.h"
#include "metrics_page.h"
#include "utf8.h"

static double
value_of(const char *text, const char *name)
{
	char line[96];
	const char *at;

	snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(text, line);
	if (!at)
		fail_msg("no %s in:\n%s", name, text);
	return strtod(at + strlen(line), NULL);
}

static int
count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
the_process_shows_what_the_kernel_knows_of_it(void **state)
{
	struct page *page = *state;
	volatile unsigned spin;
	double fds, cpu;
	int fd;

	assert_int_equal(metrics_add_process(page->metrics), 0);
	page_render(page);
	assert_int_equal(page_count(page->text, "# HELP "), 4);
	assert_in_range(
		(long)value_of(page->text, "evh_process_resident_memory_bytes"),
		1 << 20, 1L << 40);
	assert_in_range(
		(long)value_of(page->text, "evh_process_start_time_seconds"),
		time(NULL) - 3600, time(NULL) + 1);
	fds = value_of(page->text, "evh_process_open_fds");
	cpu = value_of(page->text, "evh_process_cpu_seconds_total");

	assert_int_equal((int)fds, count_fds());
	fd = dup(0);
	for (spin = 0; spin < 10000000; spin++)
		;
	page_render(page);
	close(fd);
	assert_int_equal((int)value_of(page->text, "evh_process_open_fds"),
			 (int)fds + 1);
	assert_true(value_of(page->text, "evh_process_cpu_seconds_total") >
		    cpu);

	/* Absolute, not added up at each rendering. */
	page_render(page);
	assert_true(value_of(page->text, "evh_process_cpu_seconds_total") <
		    (double)clock() / CLOCKS_PER_SEC + 0.001);
}

int
main(void)
{
#define ON_PAGE(test)                                                          \
	cmocka_unit_test_setup_teardown(test, page_make, page_remove)
	const struct CMUnitTest tests[] = {
		ON_PAGE(the_process_shows_what_the_kernel_knows_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
