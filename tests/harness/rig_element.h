/*
 * rig_element.h - a source, handler or sink that is a struct of the test.
 *
 * Its process() and submit() are functions of the test.  A source emits when
 * the test wants it, and remembers what it heard; a sink can keep what it takes
 * until the test answers.
 */
#ifndef EVH_TEST_RIG_ELEMENT_H
#define EVH_TEST_RIG_ELEMENT_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>

struct instance;
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

/* What follows is the rig's: the plugin that the element is, which borrows its
 * name; its lock and condition, until its instance has gone; and the create()
 * of its instance, el->in. */
struct evh_plugin rig_element_plugin(const struct rig_element *el);
void rig_element_init(struct rig_element *el);
void rig_element_fini(struct rig_element *el);
void rig_element_create(struct rig_element *el);

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

/* submit() that keeps all, or at most el->limit at a time if that is > 0. */
int rig_keep(struct rig_element *el, struct evh_event *const *evs, int n);
/* Answers the first n that it keeps. */
void rig_answer(struct rig_element *sink, int n, enum evh_result result);

/* The first that a holding handler keeps gets its verdict by resume(). */
void rig_answer_held(struct rig_element *handler, enum evh_result verdict);

/* For process(): notes the cookie, gives el->limit as verdict (0: OK). */
enum evh_result rig_note(struct rig_element *el, struct evh_event *ev);

#endif
