/*
 * dlq_replay.h - a source inside evhd: it stands in front of a pipeline in the
 * place of the one that the configuration names, and makes events of dead
 * letters.
 */
#ifndef EVH_DLQ_REPLAY_H
#define EVH_DLQ_REPLAY_H

#include <evh/plugin.h>

/* Its descriptor; the instance's self is a struct dlq_replay. */
extern const struct evh_plugin dlq_replay_plugin;

struct dlq_replay {
	struct evh_ctx *ctx;
	/* What became of events; set before the first is emitted. [any] */
	void (*done)(void *arg, const struct evh_event *ev,
		     enum evh_result result);
	void *arg;
};

/* Copies all of spec.  0: it is on its way and done() will come; -EAGAIN: no
 * room within timeout_ms, or somebody is not ready; -ESHUTDOWN, -ENOMEM. */
int dlq_replay_emit(struct dlq_replay *replay, const struct evh_spec *spec,
		    int timeout_ms);

#endif
