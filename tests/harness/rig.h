/*
 * rig.h - pipelines of the real host between elements made by a test.
 *
 * A rig is a host without a config file: its elements are structs of the test,
 * whose process() and submit() are functions of the test, or plugins of the
 * build; and everything between them is the real thing.  A source remembers
 * what it heard; a sink can keep what it takes until the test answers.
 */
#ifndef EVH_TEST_RIG_H
#define EVH_TEST_RIG_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>

#include "config.h"

struct instance;
struct pipeline;
struct rig;

#define RIG_MAX 4096

struct rig_element {
	const char *name;
	enum evh_kind kind;
	enum evh_threads threads; /* 0: EVH_PARALLEL */
	/* A handler's and a sink's function; a sink without one answers OK
	 * within submit(). */
	enum evh_result (*process)(struct rig_element *el,
				   struct evh_event *ev);
	int (*submit)(struct rig_element *el, struct evh_event *const *evs,
		      int n);
	void (*on_done)(struct rig_element *el, struct evh_event *const *evs,
			int n, enum evh_result result);
	char *match[4]; /* a handler's */
	unsigned attempts;
	unsigned timeout_ms; /* 0: none */
	bool aborts;	     /* on_timeout */
	bool starts_unready; /* says "not yet" in its start() */
	int limit;	     /* for the test's functions */

	/* Filled in by the rig. */
	struct evh_ctx *ctx;
	struct instance *in;
	struct rig *rig;
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	struct evh_event *held[RIG_MAX]; /* what a keeping sink has */
	int n_held;
	uintptr_t cookies[RIG_MAX]; /* of all that it was shown, in order */
	int n_seen;
	uintptr_t heard[RIG_MAX]; /* a source: cookies of done(), in order */
	enum evh_result results[RIG_MAX];
	int n_heard;
};

struct rig *rig_new(void);
/* Borrows the element, which must live until rig_free(). */
void rig_add(struct rig *rig, struct rig_element *el);
/*
 * A real plugin of the build, as one of the rig's elements.  Settings are names
 * and values by turns, NULL-ended; a name that comes again makes a list.  Gives
 * what its create() said; if that is negative, the rig goes on without it.
 */
int rig_add_plugin(struct rig *rig, const char *name, const char *plugin,
		   const char *const *settings);
/* Borrows the lists; fields left 0 get the config's defaults. */
struct pipeline *rig_pipeline(struct rig *rig, struct config_pipeline config);
void rig_start(struct rig *rig);
/* Drains as evhd does and frees all; fails the test when an event is left. */
void rig_free(struct rig *rig);

/* An event of this cookie, with a key (NULL: none), emitted by the source.
 * Gives what emit() said. */
int rig_emit(struct rig_element *source, uintptr_t cookie, const char *key,
	     int timeout_ms);
int rig_emit_named(struct rig_element *source, uintptr_t cookie,
		   const char *name);
int rig_emit_spec(struct rig_element *source, const struct evh_spec *spec);
/* n of them in one emit(), cookies from `first` on. */
int rig_emit_many(struct rig_element *source, uintptr_t first, int n,
		  const char *key);

/* The host's state, as JSON, malloced; *ret_rc: what evh.host/1 said. */
char *rig_state(struct rig *rig, int *ret_rc);
/* Opens the marks of crashes; before rig_start(). */
void rig_mark(struct rig *rig, const char *dir);

/* Waits until the source has heard, the element has seen, the sink keeps at
 * least n; fails the test after 10 seconds. */
void rig_await_heard(struct rig_element *source, int n);
void rig_await_seen(struct rig_element *el, int n);
void rig_await_held(struct rig_element *sink, int n);
/* Waits until a lane of the pipeline stands. */
void rig_await_standing(const struct pipeline *p);

/* submit() that keeps all, or at most el->limit at a time if that is > 0. */
int rig_keep(struct rig_element *el, struct evh_event *const *evs, int n);
/* Answers the first n that it keeps. */
void rig_answer(struct rig_element *sink, int n, enum evh_result result);

/* The first that a holding handler keeps gets its verdict by resume(). */
void rig_answer_held(struct rig_element *handler, enum evh_result verdict);

/* For process(): notes the cookie, gives el->limit as verdict (0: OK). */
enum evh_result rig_note(struct rig_element *el, struct evh_event *ev);

#endif
