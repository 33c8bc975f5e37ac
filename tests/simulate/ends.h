/*
 * ends.h - the scripted plugins: what they do when the host calls them, and
 * what they do by themselves when the schedule says so.
 *
 * They keep the rules of plugin.h to the letter, and within these do what
 * chance tells them: so whatever the oracle finds is the host's.
 */
#ifndef SIMULATE_ENDS_H
#define SIMULATE_ENDS_H

#include "scene.h"

/* The plugin's functions, by kind. */
const struct evh_plugin *ends_plugin(enum evh_kind kind);

/* A client: makes some events and emits them, with those it has still. */
void client_emit(struct end *source);
/* Gives back what it could not emit. */
void client_drop(struct end *source);
void client_done(struct end *source, struct evh_event *const *evs, int n,
		 enum evh_result result);

/* A handler's process() and flush(), and its own thread: resumes one. */
enum evh_result handler_process(void *self, struct evh_event *ev);
void handler_flush(void *self, int timeout_ms);
void handler_resume(struct end *handler);

/* A sink's submit() and flush(), and its own thread: answers some. */
int sink_submit(void *self, struct evh_event *const *evs, int n);
void sink_flush(void *self, int timeout_ms);
void sink_answer(struct end *sink, bool all);

/* OK, DROP, RETRY, FAIL or HOLD, as it is in the mood for. */
enum evh_result ends_answer(struct end *end);

/* What every source does: ctx->emit with the oracle looking on. */
int ends_emit(struct end *source, struct evh_event *const *evs, int n,
	      int timeout_ms);

#endif
