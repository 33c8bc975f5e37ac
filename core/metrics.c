/*
 * metrics.c - finding, making and recording metrics.
 */
#include "metrics.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "metrics_family.h"
#include "metrics_labels.h"

/* ---- Recording ------------------------------------------------------------
 */

static unsigned
bucket_of(const struct evh_metric *metric, uint64_t value)
{
	unsigned i;

	if (value > 0)
		value--; /* a bucket's bound is in it */
	if (metric->seconds)
		value /= 1000;
	i = value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
	return i < metric->n_buckets ? i : metric->n_buckets;
}

void
metric_record_n(struct evh_metric *metric, int64_t value, uint64_t n)
{
	uint64_t add = (uint64_t)value;

	if (!metric)
		return;

	switch (metric->kind) {
	case EVH_GAUGE:
		atomic_store_explicit(&metric->value, add,
				      memory_order_relaxed);
		return;
	case EVH_HISTOGRAM:
		if (value < 0)
			add = 0; /* a clock that was set back */
		atomic_fetch_add_explicit(
			&metric->buckets[bucket_of(metric, add)], n,
			memory_order_relaxed);
		break;
	case EVH_COUNTER:
		if (value < 0)
			return;
		break;
	}
	atomic_fetch_add_explicit(&metric->value, add * n,
				  memory_order_relaxed);
}

void
metric_record(struct evh_metric *metric, int64_t value)
{
	metric_record_n(metric, value, 1);
}

void
metric_raise(struct evh_metric *metric, int64_t value)
{
	uint_fast64_t now;

	if (!metric || metric->kind != EVH_COUNTER)
		return;
	now = atomic_load_explicit(&metric->value, memory_order_relaxed);
	while ((int64_t)now < value &&
	       !atomic_compare_exchange_weak_explicit(
		       &metric->value, &now, (uint64_t)value,
		       memory_order_relaxed, memory_order_relaxed))
		;
}

int64_t
metric_value(const struct evh_metric *metric)
{
	uint64_t count = 0;
	unsigned i;

	if (!metric)
		return 0;
	if (metric->kind != EVH_HISTOGRAM)
		return (int64_t)atomic_load_explicit(&metric->value,
						     memory_order_relaxed);
	for (i = 0; i <= metric->n_buckets; i++)
		count += atomic_load_explicit(&metric->buckets[i],
					      memory_order_relaxed);
	return (int64_t)count;
}

/* ---- Series -----------------------------------------------------------------
 */

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), n_end = strlen(end);

	return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* Takes labels. */
static struct evh_metric *
series_new(enum evh_metric_kind kind, bool seconds, char *labels)
{
	unsigned n_buckets = seconds ? METRIC_BUCKETS_SECONDS : METRIC_BUCKETS;
	struct evh_metric *metric;
	size_t size = sizeof(*metric);

	if (kind == EVH_HISTOGRAM)
		size += (n_buckets + 1) * sizeof(metric->buckets[0]);
	size = (size + METRIC_ALIGN - 1) / METRIC_ALIGN * METRIC_ALIGN;
	metric = aligned_alloc(METRIC_ALIGN, size);
	if (!metric) {
		free(labels);
		return NULL;
	}
	memset(metric, 0, size);
	metric->kind = kind;
	metric->seconds = seconds;
	metric->n_buckets = kind == EVH_HISTOGRAM ? n_buckets : 0;
	metric->labels = labels;
	return metric;
}

static void
series_free(struct evh_metric *metric)
{
	if (metric)
		free(metric->labels);
	free(metric);
}

/* Where in the family it is, or would be inserted; the one that is there. */
static unsigned
series_place(const struct family *family, const char *labels,
	     struct evh_metric **ret_found)
{
	unsigned low = 0, high = family->n_series;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (strcmp(family->series[mid]->labels, labels) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_found = NULL;
	if (low < family->n_series &&
	    strcmp(family->series[low]->labels, labels) == 0)
		*ret_found = family->series[low];
	return low;
}

/* Takes labels; the series that has them, made if need be. */
static struct evh_metric *
series_get(struct family *family, bool seconds, char *labels)
{
	struct evh_metric *metric, **list;
	unsigned at = series_place(family, labels, &metric);

	if (metric) {
		free(labels);
		return metric;
	}
	metric = series_new(family->kind, seconds, labels);
	if (!metric)
		return NULL;
	list = reallocarray(family->series, family->n_series + 1,
			    sizeof(*list));
	if (!list) {
		series_free(metric);
		return NULL;
	}
	memmove(list + at + 1, list + at,
		(family->n_series - at) * sizeof(*list));
	list[at] = metric;
	family->series = list;
	family->n_series++;
	return metric;
}

/* ---- Families ---------------------------------------------------------------
 */

static void
family_free(struct family *family)
{
	unsigned i;

	if (!family)
		return;
	for (i = 0; i < family->n_series; i++)
		series_free(family->series[i]);
	free(family->series);
	free(family->name);
	free(family->help);
	free(family);
}

static unsigned
family_place(const struct metrics *metrics, const char *name, bool *ret_found)
{
	unsigned i;

	for (i = 0; i < metrics->n_families; i++) {
		int cmp = strcmp(metrics->families[i]->name, name);

		*ret_found = cmp == 0;
		if (cmp >= 0)
			return i;
	}
	*ret_found = false;
	return i;
}

/* Is `name` what the histogram writes beside its own name? */
static bool
is_part_of(const char *name, const struct family *histogram)
{
	size_t n = strlen(histogram->name);

	return histogram->kind == EVH_HISTOGRAM &&
	       strncmp(name, histogram->name, n) == 0 &&
	       (strcmp(name + n, "_bucket") == 0 ||
		strcmp(name + n, "_sum") == 0 ||
		strcmp(name + n, "_count") == 0);
}

static bool
family_clashes(const struct metrics *metrics, const struct family *family)
{
	unsigned i;

	for (i = 0; i < metrics->n_families; i++)
		if (is_part_of(family->name, metrics->families[i]) ||
		    is_part_of(metrics->families[i]->name, family))
			return true;
	return false;
}

/* Takes name, which is in full. */
static int
family_get(struct metrics *metrics, enum evh_metric_kind kind, char *name,
	   struct family **ret)
{
	struct family *family, **list;
	bool found;
	unsigned at = family_place(metrics, name, &found);

	if (found) {
		free(name);
		family = metrics->families[at];
		if (family->kind != kind)
			return -EEXIST;
		*ret = family;
		return 0;
	}

	family = calloc(1, sizeof(*family));
	if (!family) {
		free(name);
		return -ENOMEM;
	}
	family->name = name;
	family->kind = kind;
	if (family_clashes(metrics, family)) {
		family_free(family);
		return -EEXIST;
	}
	list = reallocarray(metrics->families, metrics->n_families + 1,
			    sizeof(*list));
	if (!list) {
		family_free(family);
		return -ENOMEM;
	}
	memmove(list + at + 1, list + at,
		(metrics->n_families - at) * sizeof(*list));
	list[at] = family;
	metrics->families = list;
	metrics->n_families++;
	*ret = family;
	return 0;
}

/* ---- Getting
 * ------------------------------------------------------------------ */

static bool
is_name(const char *name)
{
	const char *p;

	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return p > name;
}

/* Takes full_name and labels. */
static int
get_locked(struct metrics *metrics, enum evh_metric_kind kind, char *full_name,
	   bool seconds, char *labels, const char *help,
	   struct evh_metric **ret, bool *ret_overflowed)
{
	struct family *family;
	struct evh_metric *metric;
	int rc;

	rc = family_get(metrics, kind, full_name, &family);
	if (rc < 0) {
		free(labels);
		return rc;
	}
	if (help && !family->help)
		family->help = strdup(help); /* without, it works as well */

	series_place(family, labels, &metric);
	if (!metric && family->n_series >= metrics->max_series) {
		*ret_overflowed = !family->overflowed;
		family->overflowed = true;
		free(labels);
		labels = strdup("other=\"true\"");
	}
	metric = labels ? series_get(family, seconds, labels) : NULL;
	if (!metric)
		return -ENOMEM;
	*ret = metric;
	return 0;
}

static void
refuse(const char *name, const char *labels, int rc)
{
	log_write(EVH_ERROR, NULL, "metric %s{%s}: %s", name,
		  labels ? labels : "",
		  rc == -EINVAL	  ? "the name or the labels are malformed"
		  : rc == -EEXIST ? "the name belongs to another kind already"
				  : strerror(-rc));
}

struct evh_metric *
metrics_get(struct metrics *metrics, enum evh_metric_kind kind,
	    const char *name, const char *labels, const char *help)
{
	bool total = kind == EVH_COUNTER && !ends_with(name, "_total");
	bool overflowed = false;
	char *full_name, *text;
	struct evh_metric *metric = NULL;
	int rc = -EINVAL;

	if (is_name(name) && kind >= EVH_COUNTER && kind <= EVH_HISTOGRAM)
		rc = metrics_labels_text(labels, &text);
	if (rc == 0 &&
	    asprintf(&full_name, "evh_%s%s", name, total ? "_total" : "") < 0) {
		free(text);
		rc = -ENOMEM;
	}
	if (rc == 0) {
		bool seconds = ends_with(name, "_seconds") ||
			       ends_with(name, "_seconds_total");

		pthread_mutex_lock(&metrics->lock);
		rc = get_locked(metrics, kind, full_name, seconds, text, help,
				&metric, &overflowed);
		pthread_mutex_unlock(&metrics->lock);
	}

	if (rc < 0)
		refuse(name, labels, rc);
	if (overflowed)
		log_write(EVH_WARN, NULL,
			  "metric %s has %u label sets: further ones are "
			  "counted as other=\"true\"",
			  name, metrics->max_series);
	return metric;
}

int
metrics_collect(struct metrics *metrics, void (*fn)(void *arg), void *arg)
{
	struct collector *list;
	int rc = -ENOMEM;

	pthread_mutex_lock(&metrics->lock);
	list = reallocarray(metrics->collectors, metrics->n_collectors + 1,
			    sizeof(*list));
	if (list) {
		list[metrics->n_collectors++] = (struct collector){ fn, arg };
		metrics->collectors = list;
		rc = 0;
	}
	pthread_mutex_unlock(&metrics->lock);
	return rc;
}

struct metrics *
metrics_new(unsigned max_series)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return NULL;
	if (pthread_mutex_init(&metrics->lock, NULL) != 0) {
		free(metrics);
		return NULL;
	}
	metrics->max_series = max_series;
	return metrics;
}

void
metrics_free(struct metrics *metrics)
{
	unsigned i;

	if (!metrics)
		return;
	for (i = 0; i < metrics->n_families; i++)
		family_free(metrics->families[i]);
	free(metrics->families);
	free(metrics->collectors);
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}
