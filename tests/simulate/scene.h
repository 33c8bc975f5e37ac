/*
 * scene.h - the host of one schedule: instances with scripted plugins behind
 * them, and the real pipelines between these.
 *
 * Everything is drawn from the seed: who heads which pipelines with which
 * match, lengths of chains, who is serial, optional, in on_fail and on_drop,
 * workers, windows, attempts, deadlines.  No thread is started; the schedule
 * gives each worker its turns.
 */
#ifndef SIMULATE_SCENE_H
#define SIMULATE_SCENE_H

#include <evh/plugin.h>

#include <stdbool.h>

#include "chance.h"
#include "host_tables.h"
#include "pipeline.h"

#define SCENE_SOURCES	2u
#define SCENE_HANDLERS	3u
#define SCENE_SINKS	3u
#define SCENE_ENDS	(SCENE_SOURCES + SCENE_HANDLERS + SCENE_SINKS)
#define SCENE_PIPELINES 3u
#define SCENE_LIST	8u
#define END_HELD_MAX	64u

/* How likely an end does what, in percent; drawn anew now and then. */
struct mood {
	unsigned ok, retry, fail, drop, hold; /* weights of answers */
	unsigned children;		      /* of a handler's try */
	unsigned refuses;		      /* a sink takes less than all */
	unsigned at_once;		      /* answers within its call */
	unsigned slow;			      /* time goes by in its call */
};

/* What stands behind an instance. */
struct end {
	char name[8];
	enum evh_kind kind;
	unsigned number;
	struct scene *scene;
	struct instance *in;
	struct evh_ctx *ctx;
	int (*emit)(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
		    int timeout_ms); /* the host's */
	struct mood mood;
	/* What a sink has in hand, or a handler holds, oldest first; what a
	 * source made and could not emit. */
	struct evh_event *held[END_HELD_MAX];
	bool must_retry[END_HELD_MAX]; /* an earlier one of its lane was */
	unsigned n_held;
	/* A sink: lanes whose done() has not returned, some twice. */
	struct answering {
		int lane;
		enum evh_result result;
	} answering[2 * END_HELD_MAX];
	unsigned n_answering;
	bool is_busy;	       /* a source: in its emit() on some stack below */
	struct reader *reader; /* of a Kafka source; or NULL */
};

struct scene {
	struct chance *chance;
	struct host host;
	struct setup setup;
	struct config config;
	struct end ends[SCENE_ENDS];
	unsigned n_sources, n_handlers, n_sinks, n_ends;
	struct instance *instances[SCENE_ENDS];
	struct config_instance sections[SCENE_ENDS];
	struct config_pipeline configs[SCENE_PIPELINES];
	char *lists[SCENE_PIPELINES][5][SCENE_LIST];
	struct pipeline *pipelines[SCENE_PIPELINES];
	int64_t due_ns[SCENE_PIPELINES][4];  /* next turn of each worker */
	bool is_turning[SCENE_PIPELINES][4]; /* it is in one */
	unsigned n_pipelines;
	unsigned n_keys;  /* few: long lanes; many: many lanes */
	unsigned serial;  /* of what sources make */
	bool is_calm;	  /* everybody is ready and says OK at once */
	bool is_stopping; /* time is short, and nobody starves */
	bool is_fatal;	  /* an instance can never work again */
};

/* Once a process: what all schedules share. */
void scene_share(void);
struct metrics *scene_metrics(void);

void scene_open(struct scene *scene, struct chance *chance);
/* After shutdown_drain(): stops and frees all. */
void scene_close(struct scene *scene);

/* In what mood it is from now on. */
void scene_mood(struct scene *scene, struct end *end);

/* The end of this instance. */
struct end *scene_end(const struct scene *scene, const struct instance *in);
unsigned scene_pipeline(const struct scene *scene, const struct pipeline *p);

#endif
