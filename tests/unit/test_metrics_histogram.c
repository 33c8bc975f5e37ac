/*
 * test_metrics_histogram.c - where a value is filed.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "metrics.h"
#include "metrics_page.h"
#include "utf8.h"

static void
seconds_are_filed_by_powers_of_two_of_a_microsecond(void **state)
{
	static const int64_t values[] = { -5,
					  0,
					  1,
					  1000,
					  1001,
					  2000,
					  2001,
					  67108864000L,
					  67108864001L,
					  INT64_MAX / 4 };
	struct page *page = *state;
	struct evh_metric *metric =
		metrics_get(page->metrics, EVH_HISTOGRAM, "commit_seconds",
			    "db=a", "Commit.");
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		metric_record(metric, values[i]);
	assert_int_equal(metric_value(metric), 10);
	page_render(page);
	page_assert_line(page->text, "# TYPE evh_commit_seconds histogram");
#define BUCKET(le, n)                                                          \
	page_assert_line(page->text,                                           \
			 "evh_commit_seconds_bucket{db=\"a\",le=\"" le         \
			 "\"} " n)
	BUCKET("0.000001", "4");
	BUCKET("0.000002", "6");
	BUCKET("0.000004", "7");
	BUCKET("0.001024", "7");
	BUCKET("33.554432", "7");
	BUCKET("67.108864", "8");
	BUCKET("+Inf", "10");
	assert_int_equal(page_count(page->text, "_bucket{"), 28);
	page_assert_line(
		page->text,
		"evh_commit_seconds_sum{db=\"a\"} 2305843143.431427955");
	page_assert_line(page->text, "evh_commit_seconds_count{db=\"a\"} 10");
}

static void
other_values_are_filed_from_one_to_a_million(void **state)
{
	static const int64_t values[] = { 0, 1, 2, 3, 4, 5, 1048576, 1048577 };
	struct page *page = *state;
	struct evh_metric *metric = metrics_get(page->metrics, EVH_HISTOGRAM,
						"batch_rows", NULL, NULL);
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		metric_record(metric, values[i]);
	metric_record_n(metric, 100, 50);
	page_render(page);
	page_assert_line(page->text, "evh_batch_rows_bucket{le=\"1\"} 2");
	page_assert_line(page->text, "evh_batch_rows_bucket{le=\"2\"} 3");
	page_assert_line(page->text, "evh_batch_rows_bucket{le=\"4\"} 5");
	page_assert_line(page->text, "evh_batch_rows_bucket{le=\"8\"} 6");
	page_assert_line(page->text, "evh_batch_rows_bucket{le=\"64\"} 6");
	page_assert_line(page->text, "evh_batch_rows_bucket{le=\"128\"} 56");
	page_assert_line(page->text,
			 "evh_batch_rows_bucket{le=\"1048576\"} 57");
	page_assert_line(page->text, "evh_batch_rows_bucket{le=\"+Inf\"} 58");
	page_assert_line(page->text, "evh_batch_rows_sum 2102168");
	page_assert_line(page->text, "evh_batch_rows_count 58");
	assert_int_equal(page_count(page->text, "_bucket{"), 22);
}

/* Every bound is in its bucket, and the next value is not. */
static void
every_bound_is_inclusive(void **state)
{
	struct page *page = *state;
	char name[32], line[96];
	unsigned i;

	for (i = 0; i < 20; i++) {
		struct evh_metric *metric;
		uint64_t bound = UINT64_C(1) << i;

		snprintf(name, sizeof(name), "n%u", i);
		metric = metrics_get(page->metrics, EVH_HISTOGRAM, name, NULL,
				     NULL);
		metric_record(metric, (int64_t)bound);
		metric_record(metric, (int64_t)bound + 1);
		page_render(page);
		snprintf(line, sizeof(line),
			 "evh_%s_bucket{le=\"%" PRIu64 "\"} 1", name, bound);
		page_assert_line(page->text, line);
		snprintf(line, sizeof(line),
			 "evh_%s_bucket{le=\"%" PRIu64 "\"} 2", name,
			 2 * bound);
		page_assert_line(page->text, line);
		if (i > 0) {
			snprintf(line, sizeof(line),
				 "evh_%s_bucket{le=\"%" PRIu64 "\"} 0", name,
				 bound / 2);
			page_assert_line(page->text, line);
		}
	}
}

int
main(void)
{
#define ON_PAGE(test)                                                          \
	cmocka_unit_test_setup_teardown(test, page_make, page_remove)
	const struct CMUnitTest tests[] = {
		ON_PAGE(seconds_are_filed_by_powers_of_two_of_a_microsecond),
		ON_PAGE(other_values_are_filed_from_one_to_a_million),
		ON_PAGE(every_bound_is_inclusive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
