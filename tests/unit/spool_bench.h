/*
 * spool_bench.h - a source, a spool and a sink that comes and goes, in the real
 * host; for some, a handler between them.
 *
 * Events are told apart by `created_ns`, their number.
 */
#ifndef EVH_TESTS_SPOOL_BENCH_H
#define EVH_TESTS_SPOOL_BENCH_H

#include "../harness/tempdir.h"

#include <stdatomic.h>

#include "pipeline.h"
#include "rig.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

struct spool_bench {
	struct tempdir dir;
	struct rig *rig;
	struct rig_element src, look, out;
	struct pipeline *p;
	int64_t numbers[RIG_MAX]; /* that the sink was offered; under its lock
				   */
	enum evh_result result;	  /* of the sink; 0: it keeps them */
	int64_t failing;	  /* this one fails */
	atomic_int n_spooled;	  /* that the source heard of so */
};

/* cmocka's setup and teardown; *state is the bench, with an empty folder, and
 * the disk a good one. */
int chain_make(void **state);
int chain_remove(void **state);
/* The source and the sink, which take part in it; a test may build a rig of its
 * own with them. */
void chain_fill(struct spool_bench *b);
/* Builds and starts the host with this pipeline, whose spool lies in the
 * folder; without a chain of its own it has the source and the sink. */
void chain_open(struct spool_bench *b, struct config_pipeline config);

/* What emit() says. */
int chain_put(struct spool_bench *b, int64_t number);
int chain_put_keyed(struct spool_bench *b, int64_t number, const char *key);
/* The sink is away, and is back. */
void chain_sink_leaves(struct spool_bench *b);
void chain_sink_returns(struct spool_bench *b);
/* The sink leaves, and events 1 to n go into the spool; singly: each before the
 * next one comes. */
void chain_spool(struct spool_bench *b, int n);
void chain_spool_singly(struct spool_bench *b, int n);
/* From now on, of each event; 0: it keeps them. */
void chain_sink_says(struct spool_bench *b, enum evh_result result);
/* Of the i-th event that the sink was offered. */
int64_t chain_number(struct spool_bench *b, int i);
/* Until the spool has nothing, cannot go on, and can again. */
void chain_await_empty(struct spool_bench *b);
void chain_await_wrong(struct spool_bench *b);
void chain_await_right(struct spool_bench *b);
/* That the source hears of so many that they are spooled. */
void chain_expect_spooled(struct spool_bench *b, int n);

#endif
