/*
 * test_metrics.c - recording, and the text that Prometheus reads: each page
 * goes through a strict line checker of its own.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "metrics.h"
#include "utf8.h"

/* ---- A page -------------------------------------------------------------- */

struct page {
	struct metrics *metrics;
	char *text;
	size_t len;
};

static int
page_make(void **state)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return -1;
	page->metrics = metrics_new(8);
	*state = page;
	return page->metrics ? 0 : -1;
}

static int
page_remove(void **state)
{
	struct page *page = *state;

	metrics_free(page->metrics);
	free(page->text);
	free(page);
	return 0;
}

static void
page_put(void *arg, const char *text, size_t len)
{
	struct page *page = arg;

	page->text = realloc(page->text, page->len + len + 1);
	assert_non_null(page->text);
	memcpy(page->text + page->len, text, len);
	page->len += len;
	page->text[page->len] = '\0';
}

static void check_page(const char *text);

static const char *
page_render(struct page *page)
{
	page->len = 0;
	page_put(page, "", 0);
	assert_int_equal(metrics_render(page->metrics, page_put, page), 0);
	check_page(page->text);
	return page->text;
}

static void
assert_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return;
		at++;
	}
	fail_msg("no line %s in:\n%s", line, text);
}

static unsigned
count_of(const char *text, const char *part)
{
	unsigned n = 0;

	while ((text = strstr(text, part)) != NULL) {
		n++;
		text += strlen(part);
	}
	return n;
}

/* ---- The checker -----------------------------------------------------------
 */

/* What the lines of one family have shown so far. */
struct checked {
	char name[128], kind[16];
	bool helped;
	char series[4096]; /* of a histogram, labels without le */
	double le;
	uint64_t count;
	bool inf, sum;
};

struct checker {
	struct checked family;
	char seen[64][128]; /* families that are over, and this one */
	unsigned n_seen;
	const char *lines[4096]; /* name and labels of each sample */
	size_t lens[4096];
	unsigned n_lines;
};

static const char *
take_name(const char *p, char ret[128])
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	assert_in_range(n, 1, 127);
	assert_false(*p >= '0' && *p <= '9');
	memcpy(ret, p, n);
	ret[n] = '\0';
	return p + n;
}

static void
begin_family(struct checker *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->n_seen; i++)
		assert_string_not_equal(c->seen[i], name);
	assert_true(c->n_seen < 64);
	snprintf(c->seen[c->n_seen++], 128, "%s", name);
	c->family = (struct checked){ .le = -1 };
	snprintf(c->family.name, 128, "%s", name);
}

static void
end_histogram_series(const struct checked *family)
{
	if (family->series[0])
		fail_msg("%s: series %s has no _count", family->name,
			 family->series);
}

static void
check_comment(struct checker *c, const char *line)
{
	char name[128];
	const char *p = take_name(line + 7, name);

	assert_int_equal(*p, ' ');
	p++;
	end_histogram_series(&c->family);
	if (strncmp(line, "# HELP ", 7) == 0) {
		begin_family(c, name);
		c->family.helped = true;
		for (; *p != '\n'; p++)
			if (*p == '\\')
				assert_true(*++p == '\\' || *p == 'n');
		return;
	}
	assert_memory_equal(line, "# TYPE ", 7);
	if (strcmp(c->family.name, name) != 0 || !c->family.helped)
		begin_family(c, name);
	assert_string_equal(c->family.kind, "");
	memcpy(c->family.kind, p, strcspn(p, "\n"));
	assert_true(strcmp(c->family.kind, "counter") == 0 ||
		    strcmp(c->family.kind, "gauge") == 0 ||
		    strcmp(c->family.kind, "histogram") == 0);
}

/* Behind the labels; le, if there is one, and the others as text. */
static const char *
check_labels(const char *p, char ret_others[4096], char ret_le[64])
{
	char name[128], last[128] = "";
	const char *from;

	*ret_le = '\0';
	*ret_others = '\0';
	while (*p != '}') {
		from = p;
		p = take_name(p, name);
		assert_memory_equal(p, "=\"", 2);
		for (p += 2; *p != '"'; p++) {
			assert_true(*p && *p != '\n');
			if (*p == '\\')
				assert_true(*++p == '\\' || *p == '"' ||
					    *p == 'n');
		}
		if (strcmp(name, "le") == 0) {
			assert_string_equal(ret_le, "");
			snprintf(ret_le, 64, "%.*s", (int)(p - from - 4),
				 from + 4);
		} else {
			assert_true(strcmp(last, name) < 0);
			snprintf(last, sizeof(last), "%s", name);
			snprintf(ret_others + strlen(ret_others),
				 4096 - strlen(ret_others), "%.*s,",
				 (int)(p + 1 - from), from);
		}
		p++;
		if (*p == ',')
			assert_int_not_equal(*++p, '}');
		else
			assert_int_equal(*p, '}');
	}
	return p + 1;
}

static void
check_histogram(struct checked *family, const char *suffix, const char *others,
		const char *le, const char *value)
{
	char series[4096];

	snprintf(series, sizeof(series), "{%s", others);
	if (strcmp(suffix, "_bucket") == 0) {
		double bound =
			strcmp(le, "+Inf") == 0 ? INFINITY : strtod(le, NULL);
		uint64_t count = strtoull(value, NULL, 10);

		if (!family->series[0]) {
			memcpy(family->series, series, sizeof(series));
			family->le = -1;
			family->count = 0;
		}
		assert_string_equal(family->series, series);
		assert_true(strlen(le) > 0 && bound > family->le);
		assert_true(count >= family->count);
		family->le = bound;
		family->count = count;
		return;
	}
	assert_string_equal(le, "");
	assert_string_equal(family->series, series);
	assert_true(isinf(family->le));
	if (strcmp(suffix, "_sum") == 0) {
		assert_false(family->sum);
		family->sum = true;
		return;
	}
	assert_string_equal(suffix, "_count");
	assert_true(family->sum);
	assert_int_equal(strtoull(value, NULL, 10), family->count);
	family->series[0] = '\0';
	family->sum = false;
}

static void
check_sample(struct checker *c, const char *line)
{
	char name[128], others[4096] = "", le[64] = "";
	struct checked *family = &c->family;
	const char *p = take_name(line, name), *value;
	size_t n = strlen(family->name);
	unsigned i;

	if (*p == '{') {
		assert_int_not_equal(p[1], '}');
		p = check_labels(p + 1, others, le);
	}
	for (i = 0; i < c->n_lines; i++)
		assert_false(c->lens[i] == (size_t)(p - line) &&
			     memcmp(c->lines[i], line, c->lens[i]) == 0);
	assert_true(i < 4096);
	c->lines[i] = line;
	c->lens[i] = (size_t)(p - line);
	c->n_lines++;

	assert_int_equal(*p, ' ');
	value = ++p;
	p += *p == '-';
	assert_true(strspn(p, "0123456789") > 0);
	p += strspn(p, "0123456789");
	if (*p == '.') {
		assert_true(strspn(p + 1, "0123456789") > 0);
		p += 1 + strspn(p + 1, "0123456789");
	}
	assert_int_equal(*p, '\n');

	assert_string_not_equal(family->kind, "");
	assert_memory_equal(name, "evh_", 4);
	if (strcmp(family->kind, "histogram") == 0) {
		assert_memory_equal(name, family->name, n);
		check_histogram(family, name + n, others, le, value);
		return;
	}
	assert_string_equal(name, family->name);
	if (strcmp(family->kind, "counter") == 0)
		assert_string_equal(name + n - 6, "_total");
}

static void
check_page(const char *text)
{
	struct checker *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	assert_int_equal(utf8_prefix(text, strlen(text)), strlen(text));
	for (; *text; text = strchr(text, '\n') + 1) {
		assert_non_null(strchr(text, '\n'));
		if (*text == '#')
			check_comment(c, text);
		else
			check_sample(c, text);
	}
	end_histogram_series(&c->family);
	free(c);
}

/* ---- Counters and gauges
 * ------------------------------------------------------ */

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
	assert_line(page_render(page), "evh_lag{partition=\"1\"} 4");
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
	assert_line(page->text, "evh_a_seconds -1.500000000");
	assert_line(page->text, "evh_b_seconds_total 0.000000001");
	assert_line(page->text, "evh_c_seconds_total 20.000000000");
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

/* ---- Names and labels ------------------------------------------------------
 */

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
	assert_line(page->text, "# HELP evh_x_total Late help.");
	assert_line(page->text, "evh_x_total{a=\"1\",b=\"2\"} 0");
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
	assert_int_equal(count_of(page->text, "# HELP "), 5);
	assert_int_equal(count_of(page->text, "# TYPE "), 5);
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
	assert_line(page_render(page), "evh_x{a=\"\",b=\"x=y\"} 0");
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
	assert_int_equal(count_of(page->text, "\nevh_x_total{"), 9);
	assert_line(page->text, "evh_x_total{other=\"true\"} 12");
}

/* ---- Histograms
 * ---------------------------------------------------------------- */

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
	assert_line(page->text, "# TYPE evh_commit_seconds histogram");
#define BUCKET(le, n)                                                          \
	assert_line(page->text,                                                \
		    "evh_commit_seconds_bucket{db=\"a\",le=\"" le "\"} " n)
	BUCKET("0.000001", "4");
	BUCKET("0.000002", "6");
	BUCKET("0.000004", "7");
	BUCKET("0.001024", "7");
	BUCKET("33.554432", "7");
	BUCKET("67.108864", "8");
	BUCKET("+Inf", "10");
	assert_int_equal(count_of(page->text, "_bucket{"), 28);
	assert_line(page->text,
		    "evh_commit_seconds_sum{db=\"a\"} 2305843143.431427955");
	assert_line(page->text, "evh_commit_seconds_count{db=\"a\"} 10");
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
	assert_line(page->text, "evh_batch_rows_bucket{le=\"1\"} 2");
	assert_line(page->text, "evh_batch_rows_bucket{le=\"2\"} 3");
	assert_line(page->text, "evh_batch_rows_bucket{le=\"4\"} 5");
	assert_line(page->text, "evh_batch_rows_bucket{le=\"8\"} 6");
	assert_line(page->text, "evh_batch_rows_bucket{le=\"64\"} 6");
	assert_line(page->text, "evh_batch_rows_bucket{le=\"128\"} 56");
	assert_line(page->text, "evh_batch_rows_bucket{le=\"1048576\"} 57");
	assert_line(page->text, "evh_batch_rows_bucket{le=\"+Inf\"} 58");
	assert_line(page->text, "evh_batch_rows_sum 2102168");
	assert_line(page->text, "evh_batch_rows_count 58");
	assert_int_equal(count_of(page->text, "_bucket{"), 22);
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
		assert_line(page->text, line);
		snprintf(line, sizeof(line),
			 "evh_%s_bucket{le=\"%" PRIu64 "\"} 2", name,
			 2 * bound);
		assert_line(page->text, line);
		if (i > 0) {
			snprintf(line, sizeof(line),
				 "evh_%s_bucket{le=\"%" PRIu64 "\"} 0", name,
				 bound / 2);
			assert_line(page->text, line);
		}
	}
}

/* ---- Collecting
 * -------------------------------------------------------------- */

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
	assert_line(page_render(page), "evh_depth 42");
}

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
	assert_int_equal(count_of(page->text, "# HELP "), 4);
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

/* ---- Several threads
 * ------------------------------------------------------------ */

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
	assert_line(page->text, "evh_n_total 60000");
	assert_line(page->text, "evh_t_seconds_count 60000");
	assert_line(page->text, "evh_t_seconds_sum 599.970000000");
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
		ON_PAGE(the_same_name_and_labels_are_the_same_metric),
		ON_PAGE(a_name_has_help_and_type_once_and_names_are_sorted),
		ON_PAGE(awkward_labels_and_help_are_escaped),
		cmocka_unit_test(escaping_a_label_cuts_at_a_whole_character),
		ON_PAGE(malformed_names_and_labels_are_refused),
		ON_PAGE(a_name_that_another_kind_has_is_refused),
		ON_PAGE(beyond_max_series_label_sets_share_one),
		ON_PAGE(seconds_are_filed_by_powers_of_two_of_a_microsecond),
		ON_PAGE(other_values_are_filed_from_one_to_a_million),
		ON_PAGE(every_bound_is_inclusive),
		ON_PAGE(collectors_run_before_each_rendering),
		ON_PAGE(the_process_shows_what_the_kernel_knows_of_it),
		ON_PAGE(rendering_while_others_record_is_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
