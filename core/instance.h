/*
 * instance.h - one configured plugin: its ctx, its self, its state.
 *
 * Made from a section of the config; goes through the life that plugin.h
 * draws.  What it is asked by plugins through its ctx is in context.c.
 */
#ifndef EVH_INSTANCE_H
#define EVH_INSTANCE_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "config.h"
#include "late.h"
#include "loader.h"
#include "options.h"
#include "serial.h"
#include "timer.h"

struct host;
struct isolate;
struct pipeline;

enum instance_life {
	INSTANCE_NEW,
	INSTANCE_CREATED,
	INSTANCE_STARTED,
	INSTANCE_STOPPED,
};

/* One every(): on the main thread. */
struct instance_every {
	struct instance *in;
	struct instance_every *next;
	struct timer timer;
	unsigned period_ms;
	void (*fn)(void *self);
};

#define INSTANCE_WHY_MAX 512

struct instance {
	struct evh_ctx ctx; /* first: a plugin's ctx is a pointer to us */
	struct host *host;
	const char *name;
	const struct loader_plugin *loaded;
	const struct evh_plugin *plugin;
	const struct config_instance *config;
	const struct options *options;
	void *self;
	enum instance_life life; /* [main] */

	/* Whose turn it is at the plugin's process, submit, done and every,
	 * when it is EVH_SERIAL. */
	struct serial serial;

	atomic_bool has_complained; /* logged an error */
	atomic_bool is_ready;
	atomic_bool is_draining; /* a source: emit says -ESHUTDOWN, */
	atomic_bool is_closed;	 /* and it hears no done() any more */
	atomic_uint n_telling;	 /* calls of its done() under way */
	pthread_cond_t told;	 /* with lock: that is 0, once closed */
	pthread_mutex_t lock;	 /* guards: has_spoken, why_not, and the
				  * order of changes of is_ready */
	bool has_spoken;	 /* called ready() at least once */
	char why_not[INSTANCE_WHY_MAX];

	/* A source: the pipelines that it heads, in the config's order. */
	struct pipeline **heads;
	unsigned n_heads;
	/* And what it has under way that no window counts: calls of emit(),
	 * events in several pipelines that it has not been told of. */
	atomic_uint n_open;
	/* Of a handler's section; 0: the pipeline's. */
	char **match; /* NULL-ended; strings belong to the options */
	unsigned attempts, backoff_ms, backoff_max_ms;
	unsigned timeout_ms;	 /* 0: none */
	bool aborts;		 /* on_timeout = "abort" */
	uint64_t mark;		 /* who it is in the marks of crashes */
	struct late late;	 /* what it has had for longer, */
	atomic_uint n_late;	 /* of it in process() still, */
	atomic_uint n_stuck;	 /* and of that with a worker standing */
	struct isolate *isolate; /* NULL: in this process */

	struct instance_every *everies; /* under the host's timers_lock */
};

/* NULL when out of memory.  Borrows all but the host's, which owns it. */
struct instance *instance_new(struct host *host,
			      const struct loader_plugin *loaded,
			      const struct config_instance *config,
			      const struct options *options);
void instance_free(struct instance *in); /* NULL is fine; destroys first */

/* The plugin's life; 0 or what it said, logged. [main] */
int instance_create(struct instance *in);
int instance_start(struct instance *in);
void instance_drain(struct instance *in);
void instance_flush(struct instance *in, int timeout_ms);
void instance_stop(struct instance *in, int timeout_ms);
/* A source is to be stopped while events of it are in flight: from now on it
 * hears of none.  Waits for calls of done() that have begun; false when they do
 * not return in time, and it must not be stopped then. [main] */
bool instance_close(struct instance *in);

/* Ready (NULL) or why not; tells the pipelines. [any] */
void instance_set_ready(struct instance *in, const char *why_not);
/* Copies why it is not ready; "" when it is. [any] */
void instance_why_not(struct instance *in, char *ret, size_t size);

/* Around every call of the plugin, as its threads ask: one at a time.  The
 * second waits no longer than that, and gives false when it has not entered. */
void instance_enter(struct instance *in);
bool instance_enter_for(struct instance *in, int64_t max_ns);
void instance_leave(struct instance *in);
/* An EVH_SERIAL one that is late with an event: whoever calls it waits. */
bool instance_is_blocked(const struct instance *in);
/* It is late with an event, and more than that one's lane waits: it is blocked,
 * or a worker stands for want of a spare thread. */
bool instance_is_stuck(const struct instance *in);
/* Calls submit, done as the plugin's threads ask. */
int instance_submit(struct instance *in, struct evh_event *const *evs, int n);
void instance_done(struct instance *in, struct evh_event *const *evs, int n,
		   enum evh_result result);

/* Fills in ctx (context.c). */
void context_init(struct instance *in);

/* The plugin broke a rule: logged with its name. */
void instance_blame(struct instance *in, const struct evh_event *ev,
		    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
