/*
 * metrics.h - counters, gauges and histograms, and their Prometheus text.
 *
 * A metric is a name with labels; asking twice for the same pair gives the
 * same metric.  Recording is a relaxed atomic add, cheap enough for every
 * event; rendering walks them all, sorted by name, so that each name has its
 * HELP and TYPE once.  A metric of any kind whose name ends in "_seconds" is
 * given nanoseconds and shown in seconds.  Memory is bounded: beyond max_series
 * label sets of one name, further ones share the series whose labels say
 * other="true".
 *
 * A histogram files by powers of two, so that the bucket is found by counting
 * zeros and recording is two additions: from 1 us to 67.1 s (27 buckets) for
 * "_seconds", which spans a function call and the longest back-off, and from 1
 * to 1,048,576 (21 buckets) for others, which count rows or bytes.  A quantile
 * read from them is off by a factor of two at worst.
 */
#ifndef EVH_METRICS_H
#define EVH_METRICS_H

#include <evh/plugin.h>
#include <evh/services.h>

#include <stdint.h>

struct metrics;

struct metrics *metrics_new(unsigned max_series);
void metrics_free(struct metrics *metrics);

/*
 * name is without "evh_", and a counter's without "_total"; both are put in
 * front and behind.  labels: NULL or "topic=a,partition=3" (a comma, an
 * equals sign or a backslash in a value is escaped by a backslash).  All
 * strings are copied; the order of labels does not matter, and the first help
 * that is not NULL is shown.  NULL, which metric_record ignores, when out of
 * memory, or, logged, when the name is taken by another kind or name or labels
 * are none of Prometheus'.  Lives as long as `metrics`. [any]
 */
struct evh_metric *metrics_get(struct metrics *metrics,
			       enum evh_metric_kind kind, const char *name,
			       const char *labels, const char *help);

/* Counter: adds.  Gauge: sets; INT64_MIN is "not shown".  Histogram: files.
 * NULL is ignored. [any] */
void metric_record(struct evh_metric *metric, int64_t value);
/* The same n times: for a histogram or a counter. [any] */
void metric_record_n(struct evh_metric *metric, int64_t value, uint64_t n);
/* Counter: becomes this, unless it has been further already.  For what is
 * counted elsewhere and only shown here. [any] */
void metric_raise(struct evh_metric *metric, int64_t value);
int64_t metric_value(const struct evh_metric *metric); /* histogram: count */

/*
 * Adds a function that is called at each rendering, before it, to set what
 * is not counted as it happens (open files, queue lengths).  It may be called
 * on several threads at once. 0 or -ENOMEM. [main]
 */
int metrics_collect(struct metrics *metrics, void (*fn)(void *arg), void *arg);

/* The text, in pieces; 0 or -ENOMEM. [any] */
int metrics_render(struct metrics *metrics, evh_put *put, void *arg);

/* process_cpu_seconds_total, process_resident_memory_bytes,
 * process_open_fds, process_start_time_seconds, as Prometheus' own client
 * libraries name them (with evh_ in front).  0 or -ENOMEM. [main] */
int metrics_add_process(struct metrics *metrics);

/* "a,b" -> "a\,b": for building labels from names that users chose.  Writes
 * at most size bytes with the NUL, cut at a whole character. */
void metrics_label_escape(char *ret, size_t size, const char *value);

#endif
