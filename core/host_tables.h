/*
 * host_tables.h - what the parts of a running evhd ask of the whole.
 *
 * The host owns all instances and pipelines and the metrics; an instance that
 * changes its readiness, asks for a service or a timer, or gives up for good
 * comes here.
 */
#ifndef EVH_HOST_TABLES_H
#define EVH_HOST_TABLES_H

#include <evh/plugin.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "instance.h"
#include "metrics.h"
#include "setup.h"
#include "timer.h"

struct marks;
struct pipeline;
struct state;

struct host {
	struct setup *setup;
	/* evhd check: what plugins say in create() goes here instead of the
	 * log; else NULL. [main] */
	struct problems *problems;
	struct metrics *metrics;
	struct marks *marks;	     /* of crashes; NULL: no state_dir */
	struct instance **instances; /* as in the config; NULL: not made */
	unsigned n_instances;
	struct pipeline **pipelines;
	unsigned n_pipelines;
	pthread_mutex_t timers_lock; /* guards: timers, instances' everies */
	struct timer_heap timers;    /* every() */
	int wake_fd;		     /* an eventfd that the main thread polls */
	int signal_fd;
	atomic_int exit_code; /* of what ended it; 0 so far */
	atomic_bool is_started;
	atomic_bool is_stopping;
	atomic_bool has_fatal;
	atomic_bool is_hurried; /* a second SIGTERM came */
	int64_t stop_due_ns;	/* when all of it has to be over. [main] */
	bool has_lock;		/* timers_lock is there */
	struct state *state;	/* what evh.host/1 answers from */
};

struct instance *host_instance(struct host *host, const char *name);

/* An instance became ready, or no longer is: counted in the pipelines that
 * need it; called under its lock, so in order.  Then all that have it are
 * told to look again. [any] */
void host_count_ready(struct host *host, const struct instance *in,
		      bool is_ready);
void host_poke_users(struct host *host, const struct instance *in);

/* The main thread is to look again. [any] */
void host_wake(struct host *host);

/* evhd has to stop, with this exit code. [any] */
void host_fatal(struct host *host, int exit_code);

/* evh.host/1, or NULL for another id. */
const void *host_service(struct host *host, const char *id);

/* Everything that the pipelines need is ready, no handler is stuck, and evhd is
 * not stopping. */
bool host_is_ready(struct host *host);

#endif
