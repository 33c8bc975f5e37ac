/*
 * feed.h - what sources of benchmarks share: a thread that emits `count`
 * events, in batches of `batch`, `ahead` of them under way at a time, says
 * what that took, and ends evhd.
 *
 * With count 0 it goes on until evhd is told to stop.  The events are borrowed
 * from memory that outlives them, as those of a Kafka message are.
 */
#ifndef BENCH_FEED_H
#define BENCH_FEED_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FEED_BATCH_MAX 1024

struct feed {
	struct evh_ctx *ctx;
	int64_t count, ahead;
	int batch;
	/* What event i is made of; 0, or negative and the thread ends. */
	int (*spec)(void *self, int64_t i, struct evh_spec *ret);
	void *self;
	pthread_t thread;
	atomic_int_least64_t n_done;
	atomic_bool stops;
	pthread_mutex_t lock; /* for changed */
	pthread_cond_t changed;
};

/* Reads the options of FEED_OPTIONS.  0, or -EINVAL. [main] */
int feed_init(struct feed *feed, struct evh_ctx *ctx);
int feed_start(struct feed *feed);
/* Joins the thread. [main] */
void feed_stop(struct feed *feed);
void feed_fini(struct feed *feed);
/* n of its events came to an end. [any] */
void feed_done(struct feed *feed, int n);

#define FEED_OPTIONS                                                           \
	{ .name = "count",                                                     \
	  .type = EVH_INT,                                                     \
	  .def = "1000000",                                                    \
	  .help = "events; 0: until evhd is told to stop" },                   \
		{ .name = "ahead",                                             \
		  .type = EVH_INT,                                             \
		  .def = "5000",                                               \
		  .help = "events under way at most" },                        \
	{                                                                      \
		.name = "batch", .type = EVH_INT, .def = "64",                 \
		.values = "1..1024", .help = "events of one emit()"            \
	}

#endif
