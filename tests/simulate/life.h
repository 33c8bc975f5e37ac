/*
 * life.h - one process that has a spool: a host with a source, a pipeline
 * before whose chain the spool is, and one sink.
 *
 * All of it is the real thing, but for the threads, whose turns the schedule
 * gives, the two plugins, and the disk below it (disk.h).  What the plugins see
 * goes to account.h as long as the process is alive.
 */
#ifndef SIMULATE_LIFE_H
#define SIMULATE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "chance.h"
#include "host_tables.h"
#include "pipeline.h"

#define LIFE_HELD_MAX 64u
#define LIFE_WORKERS  2u

/* What its configuration says: the same in all lives of a schedule. */
struct life_plan {
	unsigned in_flight, deadline_ms, workers, n_keys;
	uint64_t max_size;
	bool is_always, is_serial;
};

struct life {
	struct chance *chance;
	const struct life_plan *plan;
	struct host host;
	struct setup setup;
	struct config config;
	struct config_pipeline pipeline_config;
	struct config_instance sections[2];
	struct loader_plugin loaded[2];
	struct instance *instances[2]; /* the source, the sink */
	struct pipeline *pipelines[1];
	struct pipeline *p;
	struct evh_ctx *source, *sink;
	int64_t worker_due_ns[LIFE_WORKERS + 1], spool_due_ns;
	bool is_working[LIFE_WORKERS + 1], is_spooling; /* in a turn */
	bool is_up;					/* its threads run */
	bool is_emitting;
	/* What the sink has, oldest first, and whether it is answering. */
	struct evh_event *held[LIFE_HELD_MAX];
	unsigned n_held;
	bool is_answering;
	unsigned refuses, retries, failures, at_once; /* percent, of the sink */
	bool is_calm;
};

/* Begins one; false when its spool cannot be opened, and it has ended. */
bool life_begin(struct life *life, struct chance *chance,
		const struct life_plan *plan);
/* Stops as evhd does, and frees all; dead or not. */
void life_end(struct life *life);
/* How the sink is from now on. */
void life_mood(struct life *life);
/* From now on all goes well. */
void life_calm(struct life *life);

/* One step of each; false when it had nothing to do. */
bool life_emit(struct life *life);
bool life_work(struct life *life);
bool life_spool(struct life *life);
bool life_answer(struct life *life);
bool life_change_readiness(struct life *life);
/* When the next turn is due; INT64_MAX: when something comes. */
int64_t life_due_ns(const struct life *life);

/* How many records its spool has to deliver; none, and the next event passes
 * it by. */
uint64_t life_count(struct life *life);
bool life_is_through(struct life *life);

#endif
