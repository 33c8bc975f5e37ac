/*
 * test_metrics_labels.c - names and labels, and how many there may be.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "metrics.h"
#include "metrics_page.h"
#include "utf8.h"

static void
the_same_name_and_labels_are_the_same_metric(void **state)
{
	struct page *page = *state;
	struct evh_metric *a;

	a = metrics_get(page->metrics, EVH_COUNTER, "x", "a=1,b=2", NULL);
	assert_non_null(a);
	assert_ptr_equal(metrics_get(page->metrics, EVH_COUNTER, "x_total",
				     "b=2,a=1", "Late help."),
			 a);
	assert_ptr_not_equal(
		metrics_get(page->metrics, EVH_COUNTER, "x", "a=1,b=3", NULL),
		a);
	assert_ptr_not_equal(
		metrics_get(page->metrics, EVH_COUNTER, "x", NULL, NULL), a);
	page_render(page);
	page_assert_line(page->text, "# HELP evh_x_total Late help.");
	page_assert_line(page->text, "evh_x_total{a=\"1\",b=\"2\"} 0");
}

static void
a_name_has_help_and_type_once_and_names_are_sorted(void **state)
{
	static const char *const names[] = { "m", "z", "a", "m", "b_a", "b" };
	struct page *page = *state;
	char labels[16];
	size_t i;

	for (i = 0; i < 6; i++) {
		snprintf(labels, sizeof(labels), "i=%zu", i);
		metric_record(metrics_get(page->metrics, EVH_GAUGE, names[i],
					  labels, "Help."),
			      1);
	}
	page_render(page);
	assert_int_equal(page_count(page->text, "# HELP "), 5);
	assert_int_equal(page_count(page->text, "# TYPE "), 5);
	assert_true(strstr(page->text, "TYPE evh_a ") <
		    strstr(page->text, "TYPE evh_b "));
	assert_true(strstr(page->text, "TYPE evh_b ") <
		    strstr(page->text, "TYPE evh_b_a "));
	assert_true(strstr(page->text, "TYPE evh_b_a ") <
		    strstr(page->text, "TYPE evh_m "));
	assert_true(strstr(page->text, "TYPE evh_m ") <
		    strstr(page->text, "TYPE evh_z "));
}

static void
awkward_labels_and_help_are_escaped(void **state)
{
	struct page *page = *state;
	char labels[128] = "v=";

	metrics_label_escape(labels + 2, sizeof(labels) - 2,
			     "a,b=c\\d\"e\nf\xFFg{}");
	metric_record(metrics_get(page->metrics, EVH_GAUGE, "x", labels,
				  "One\\two\nthree \"four\" \xFF."),
		      1);
	assert_string_equal(page_render(page),
			    "# HELP evh_x One\\\\two\\nthree \"four\" "
			    "\xEF\xBF\xBD.\n"
			    "# TYPE evh_x gauge\n"
			    "evh_x{v=\"a,b=c\\\\d\\\"e\\nf\xEF\xBF\xBDg{}\"} "
			    "1\n");
}

static void
escaping_a_label_cuts_at_a_whole_character(void **state)
{
	char text[8];

	(void)state;
	metrics_label_escape(text, sizeof(text), "a,b");
	assert_string_equal(text, "a\\,b");
	metrics_label_escape(text, sizeof(text), "abcdefg");
	assert_string_equal(text, "abcdefg");
	metrics_label_escape(text, sizeof(text), "abcdefgh");
	assert_string_equal(text, "abcdefg");
	metrics_label_escape(text, sizeof(text), "abcdef\xC3\xBC");
	assert_string_equal(text, "abcdef");
	metrics_label_escape(text, sizeof(text), "abcdef=");
	assert_string_equal(text, "abcdef");
	metrics_label_escape(text, 1, "abc");
	assert_string_equal(text, "");
}

/* Refusals are logged: not here. */
static void
malformed_names_and_labels_are_refused(void **state)
{
	static const char *const names[] = { "", "a b", "a-b", "a{",
					     "\xC3\xBC" };
	static const char *const labels[] = {
		"a",	 "=1",	  "a=1,",    "a=1,,b=2", ",a=1",
		"1a=1",	 "a-b=1", "a=1,a=2", "le=5",	 "other=true",
		"__a=1", "a=1\\", "a b=1",
	};
	struct page *page = *state;
	size_t i;

	assert_int_equal(log_open(EVH_ERROR, LOG_LOGFMT, "/dev/null"), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(metrics_get(page->metrics, EVH_GAUGE, names[i],
					NULL, NULL));
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (metrics_get(page->metrics, EVH_GAUGE, "x", labels[i], NULL))
			fail_msg("taken: %s", labels[i]);
	assert_null(metrics_get(page->metrics, (enum evh_metric_kind)0, "x",
				NULL, NULL));
	assert_null(metrics_get(page->metrics, (enum evh_metric_kind)4, "x",
				NULL, NULL));
	log_close();
	assert_non_null(
		metrics_get(page->metrics, EVH_GAUGE, "x", "a=,b=x=y", NULL));
	page_assert_line(page_render(page), "evh_x{a=\"\",b=\"x=y\"} 0");
}

static void
a_name_that_another_kind_has_is_refused(void **state)
{
	static const struct {
		enum evh_metric_kind kind;
		const char *name;
	} rows[] = {
		{ EVH_COUNTER, "h" },	  { EVH_GAUGE, "c_total" },
		{ EVH_GAUGE, "h" },	  { EVH_GAUGE, "h_sum" },
		{ EVH_GAUGE, "h_count" }, { EVH_GAUGE, "h_bucket" },
		{ EVH_HISTOGRAM, "g" },
	};
	struct page *page = *state;
	uint64_t errors = log_count(EVH_ERROR);
	size_t i;

	metrics_get(page->metrics, EVH_COUNTER, "c", NULL, NULL);
	metrics_get(page->metrics, EVH_HISTOGRAM, "h", NULL, NULL);
	metrics_get(page->metrics, EVH_GAUGE, "g_count", NULL, NULL);
	assert_int_equal(log_open(EVH_ERROR, LOG_LOGFMT, "/dev/null"), 0);
	/* A counter's full name ends in _total: h is free for one. */
	assert_non_null(metrics_get(page->metrics, rows[0].kind, rows[0].name,
				    NULL, NULL));
	for (i = 1; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (metrics_get(page->metrics, rows[i].kind, rows[i].name, NULL,
				NULL))
			fail_msg("taken: %s", rows[i].name);
	log_close();
	assert_int_equal(log_count(EVH_ERROR) - errors, i - 1);
	page_render(page);
}

static void
beyond_max_series_label_sets_share_one(void **state)
{
	struct page *page = *state;
	struct evh_metric *metric, *other = NULL;
	uint64_t warnings = log_count(EVH_WARN);
	char labels[16];
	int i;

	assert_int_equal(log_open(EVH_WARN, LOG_LOGFMT, "/dev/null"), 0);
	for (i = 0; i < 20; i++) {
		snprintf(labels, sizeof(labels), "i=%d", i);
		metric = metrics_get(page->metrics, EVH_COUNTER, "x", labels,
				     NULL);
		metric_record(metric, 1);
		if (i == 8)
			other = metric;
		if (i >= 8)
			assert_ptr_equal(metric, other);
	}
	log_close();
	assert_int_equal(log_count(EVH_WARN) - warnings, 1);
	assert_ptr_not_equal(
		metrics_get(page->metrics, EVH_COUNTER, "x", "i=7", NULL),
		other);
	assert_ptr_not_equal(
		metrics_get(page->metrics, EVH_COUNTER, "y", "i=9", NULL),
		other);
	page_render(page);
	assert_int_equal(page_count(page->text, "\nevh_x_total{"), 9);
	page_assert_line(page->text, "evh_x_total{other=\"true\"} 12");
}

int
main(void)
{
#define ON_PAGE(test)                                                          \
	cmocka_unit_test_setup_teardown(test, page_make, page_remove)
	const struct CMUnitTest tests[] = {
		ON_PAGE(the_same_name_and_labels_are_the_same_metric),
		ON_PAGE(a_name_has_help_and_type_once_and_names_are_sorted),
		ON_PAGE(awkward_labels_and_help_are_escaped),
		cmocka_unit_test(escaping_a_label_cuts_at_a_whole_character),
		ON_PAGE(malformed_names_and_labels_are_refused),
		ON_PAGE(a_name_that_another_kind_has_is_refused),
		ON_PAGE(beyond_max_series_label_sets_share_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
