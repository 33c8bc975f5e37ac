/*
 * metrics_family.h - the insides that recording (metrics.c) and rendering
 * (metrics_text.c) share: a family is all series of one name, a series is one
 * struct evh_metric.
 */
#ifndef EVH_METRICS_FAMILY_H
#define EVH_METRICS_FAMILY_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "metrics.h"

enum {
	METRIC_BUCKETS_SECONDS = 27, /* 1 us * 2^0 ... 2^26, 67.1 s */
	METRIC_BUCKETS = 21,	     /* 2^0 ... 2^20 */
	/* Series are written by several threads; each has its own lines. */
	METRIC_ALIGN = 64,
};

struct evh_metric {
	alignas(METRIC_ALIGN) enum evh_metric_kind kind;
	bool seconds;	    /* values are nanoseconds */
	unsigned n_buckets; /* not the one for +Inf, which is behind them */
	/* As it is rendered, without braces: `a="x",b="y"`, sorted. */
	char *labels;
	/* Counter, gauge; a histogram's sum.  A sum of nanoseconds begins
	 * anew after 584 years' worth, which rate() takes for a restart. */
	atomic_uint_fast64_t value;
	/* Of a histogram: n_buckets + 1, not cumulative, so that a value
	 * touches one; the count is their sum. */
	atomic_uint_fast64_t buckets[];
};

struct family {
	char *name; /* in full: "evh_events_total" */
	char *help; /* or NULL */
	enum evh_metric_kind kind;
	bool overflowed;	    /* has said so in the log */
	struct evh_metric **series; /* sorted by labels */
	unsigned n_series;
};

struct collector {
	void (*fn)(void *arg);
	void *arg;
};

struct metrics {
	/* guards: all of the following and all in it, but for the series'
	 * atomics */
	pthread_mutex_t lock;
	unsigned max_series;
	struct family **families; /* sorted by name */
	unsigned n_families;
	struct collector *collectors;
	unsigned n_collectors;
};

#endif
