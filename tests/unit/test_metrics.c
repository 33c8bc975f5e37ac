/*
 * test_metrics.c - recording, collecting, and the text that Prometheus reads.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "metrics.h"
#include "metrics_page.h"
#include "utf8.h"

/* ---- Counters and gauges ------------------------------------------------- */

static void
a_counter_adds_and_a_gauge_takes(void **state)
{
	struct page *page = *state;
	struct evh_metric *counter = metrics_get(page->metrics, EVH_COUNTER,
						 "rows", NULL, "Rows."),
			  *gauge = metrics_get(page->metrics, EVH_GAUGE,
					       "depth", "queue=a", "Depth.");

	metric_record(counter, 2);
	metric_record_n(counter, 3, 4);
	metric_record(counter, -1);
	metric_record(gauge, 7);
	metric_record(gauge, -5);
	assert_int_equal(metric_value(counter), 14);
	assert_int_equal(metric_value(gauge), -5);
	assert_string_equal(page_render(page), "# HELP evh_depth Depth.\n"
					       "# TYPE evh_depth gauge\n"
					       "evh_depth{queue=\"a\"} -5\n"
					       "# HELP evh_rows_total Rows.\n"
					       "# TYPE evh_rows_total counter\n"
					       "evh_rows_total 14\n");
}

static void
a_counter_is_raised_and_never_lowered(void **state)
{
	struct page *page = *state;
	struct evh_metric *counter = metrics_get(page->metrics, EVH_COUNTER,
						 "lines_total", NULL, NULL);

	metric_raise(counter, 10);
	metric_raise(counter, 5);
	metric_raise(NULL, 5);
	assert_string_equal(page_render(page),
			    "# TYPE evh_lines_total counter\n"
			    "evh_lines_total 10\n");
}

static void
a_gauge_at_int64_min_is_not_shown(void **state)
{
	struct page *page = *state;
	struct evh_metric *gone = metrics_get(page->metrics, EVH_GAUGE, "lag",
					      "partition=0", "Lag.");

	metric_record(gone, INT64_MIN);
	assert_string_equal(page_render(page), "");
	metric_record(metrics_get(page->metrics, EVH_GAUGE, "lag",
				  "partition=1", "Lag."),
		      4);
	page_assert_line(page_render(page), "evh_lag{partition=\"1\"} 4");
	assert_null(strstr(page->text, "partition=\"0\""));
}

static void
what_ends_in_seconds_is_given_nanoseconds(void **state)
{
	struct page *page = *state;

	metric_record(
		metrics_get(page->metrics, EVH_GAUGE, "a_seconds", NULL, NULL),
		-1500000000);
	metric_record(metrics_get(page->metrics, EVH_COUNTER, "b_seconds", NULL,
				  NULL),
		      1);
	metric_record(metrics_get(page->metrics, EVH_COUNTER, "c_seconds_total",
				  NULL, NULL),
		      20000000000);
	page_render(page);
	page_assert_line(page->text, "evh_a_seconds -1.500000000");
	page_assert_line(page->text, "evh_b_seconds_total 0.000000001");
	page_assert_line(page->text, "evh_c_seconds_total 20.000000000");
}

static void
null_is_ignored(void **state)
{
	(void)state;
	metric_record(NULL, 1);
	metric_record_n(NULL, 1, 2);
	assert_int_equal(metric_value(NULL), 0);
	metrics_free(NULL);
}

/* ---- Collecting ---------------------------------------------------------- */

static void
collect_depth(void *arg)
{
	/* Getting one from here must not stand still. */
	metric_record(metrics_get(arg, EVH_GAUGE, "depth", NULL, NULL), 42);
}

static void
collectors_run_before_each_rendering(void **state)
{
	struct page *page = *state;

	assert_int_equal(
		metrics_collect(page->metrics, collect_depth, page->metrics),
		0);
	page_assert_line(page_render(page), "evh_depth 42");
}

/* ---- Several threads ----------------------------------------------------- */

enum { N_THREADS = 3, N_RECORDS = 20000 };

static void *
record_many(void *arg)
{
	struct metrics *metrics = arg;
	struct evh_metric *h, *c;
	char labels[16];
	int i;

	h = metrics_get(metrics, EVH_HISTOGRAM, "t_seconds", NULL, "T.");
	c = metrics_get(metrics, EVH_COUNTER, "n", NULL, "N.");
	for (i = 0; i < N_RECORDS; i++) {
		metric_record(h, (int64_t)i * 1000);
		metric_record(c, 1);
		metric_raise(c, 1);
		if (i % 1000 == 0) {
			snprintf(labels, sizeof(labels), "i=%d", i);
			metric_record(metrics_get(metrics, EVH_GAUGE, "g",
						  labels, NULL),
				      i);
		}
	}
	return NULL;
}

static void
rendering_while_others_record_is_consistent(void **state)
{
	struct page *page = *state;
	pthread_t threads[N_THREADS];
	int i;

	assert_int_equal(log_open(EVH_ERROR, LOG_LOGFMT, "/dev/null"), 0);
	for (i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, record_many,
						page->metrics),
				 0);
	for (i = 0; i < 50; i++)
		page_render(page);
	for (i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	log_close();
	page_render(page);
	page_assert_line(page->text, "evh_n_total 60000");
	page_assert_line(page->text, "evh_t_seconds_count 60000");
	page_assert_line(page->text, "evh_t_seconds_sum 599.970000000");
}

int
main(void)
{
#define ON_PAGE(test)                                                          \
	cmocka_unit_test_setup_teardown(test, page_make, page_remove)
	const struct CMUnitTest tests[] = {
		ON_PAGE(a_counter_adds_and_a_gauge_takes),
		ON_PAGE(a_counter_is_raised_and_never_lowered),
		ON_PAGE(a_gauge_at_int64_min_is_not_shown),
		ON_PAGE(what_ends_in_seconds_is_given_nanoseconds),
		cmocka_unit_test(null_is_ignored),
		ON_PAGE(collectors_run_before_each_rendering),
		ON_PAGE(rendering_while_others_record_is_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
