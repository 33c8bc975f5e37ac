/*
 * metrics_text.c - all metrics as Prometheus' text format 0.0.4.
 *
 * Numbers are written from integers, so that nothing depends on the locale
 * and a sum of nanoseconds is exact.
 */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics_family.h"
#include "metrics_labels.h"

static const char *const kind_names[] = {
	[EVH_COUNTER] = "counter",
	[EVH_GAUGE] = "gauge",
	[EVH_HISTOGRAM] = "histogram",
};

static uint64_t
load(const atomic_uint_fast64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static bool
is_shown(const struct evh_metric *metric)
{
	return metric->kind != EVH_GAUGE ||
	       (int64_t)load(&metric->value) != INT64_MIN;
}

static void
nanoseconds_print(FILE *f, uint64_t ns)
{
	fprintf(f, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
}

static void
value_print(FILE *f, const struct evh_metric *metric)
{
	uint64_t value = load(&metric->value);

	/* A gauge may be negative; a sum may be beyond INT64_MAX. */
	if (metric->kind == EVH_GAUGE && (int64_t)value < 0) {
		fputc('-', f);
		value = -value;
	}
	if (metric->seconds)
		nanoseconds_print(f, value);
	else
		fprintf(f, "%" PRIu64, value);
}

/* The name, its suffix, and the labels in braces, if there are any. */
static void
name_print(FILE *f, const char *name, const char *suffix, const char *labels)
{
	fprintf(f, "%s%s%s%s%s ", name, suffix, *labels ? "{" : "", labels,
		*labels ? "}" : "");
}

static void
bucket_print(FILE *f, const char *name, const struct evh_metric *metric,
	     unsigned i, uint64_t count)
{
	uint64_t bound = UINT64_C(1) << i;

	fprintf(f, "%s_bucket{%s%sle=\"", name, metric->labels,
		*metric->labels ? "," : "");
	if (i == metric->n_buckets)
		fputs("+Inf", f);
	else if (metric->seconds)
		fprintf(f, "%" PRIu64 ".%06" PRIu64, bound / 1000000,
			bound % 1000000);
	else
		fprintf(f, "%" PRIu64, bound);
	fprintf(f, "\"} %" PRIu64 "\n", count);
}

/* Each bucket is read once: whatever is recorded meanwhile, they never fall
 * and _count is what +Inf says. */
static void
histogram_print(FILE *f, const char *name, const struct evh_metric *metric)
{
	uint64_t count = 0;
	unsigned i;

	for (i = 0; i <= metric->n_buckets; i++) {
		count += load(&metric->buckets[i]);
		bucket_print(f, name, metric, i, count);
	}
	name_print(f, name, "_sum", metric->labels);
	value_print(f, metric);
	fputc('\n', f);
	name_print(f, name, "_count", metric->labels);
	fprintf(f, "%" PRIu64 "\n", count);
}

static void
family_print(FILE *f, const struct family *family)
{
	bool begun = false;
	unsigned i;

	for (i = 0; i < family->n_series; i++) {
		const struct evh_metric *metric = family->series[i];

		if (!is_shown(metric))
			continue;
		if (!begun && family->help) {
			fprintf(f, "# HELP %s ", family->name);
			metrics_escape(f, family->help, "\\");
			fputc('\n', f);
		}
		if (!begun)
			fprintf(f, "# TYPE %s %s\n", family->name,
				kind_names[family->kind]);
		begun = true;
		if (family->kind == EVH_HISTOGRAM) {
			histogram_print(f, family->name, metric);
			continue;
		}
		name_print(f, family->name, "", metric->labels);
		value_print(f, metric);
		fputc('\n', f);
	}
}

/* Calls them without the lock: they get and record metrics themselves. */
static int
collect(struct metrics *metrics)
{
	struct collector *copy = NULL;
	unsigned i, n;

	pthread_mutex_lock(&metrics->lock);
	n = metrics->n_collectors;
	if (n > 0)
		copy = malloc(n * sizeof(*copy));
	if (copy)
		memcpy(copy, metrics->collectors, n * sizeof(*copy));
	pthread_mutex_unlock(&metrics->lock);
	if (n > 0 && !copy)
		return -ENOMEM;

	for (i = 0; i < n; i++)
		copy[i].fn(copy[i].arg);
	free(copy);
	return 0;
}

int
metrics_render(struct metrics *metrics, evh_put *put, void *arg)
{
	char *text = NULL;
	size_t len = 0;
	bool failed;
	unsigned i;
	FILE *f;
	int rc;

	rc = collect(metrics);
	if (rc < 0)
		return rc;
	f = open_memstream(&text, &len);
	if (!f)
		return -ENOMEM;

	pthread_mutex_lock(&metrics->lock);
	for (i = 0; i < metrics->n_families; i++)
		family_print(f, metrics->families[i]);
	pthread_mutex_unlock(&metrics->lock);
	failed = ferror(f);
	if (fclose(f) != 0 || failed)
		rc = -ENOMEM;
	else
		put(arg, text, len);
	free(text);
	return rc;
}
