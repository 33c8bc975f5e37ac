/*
 * isolate_child.h - an isolated handler's process: `evhd --isolated NAME`.
 *
 * The same evhd, started by evhd with nothing open but standard error and a
 * socket, on which it is told who it is.  It loads the plugin by the same rules
 * and makes the same instance, whose ctx asks evhd for what it has not got
 * itself.  One thread does everything that plugin.h calls [main] and [worker],
 * so that an event that crashes it, or that it hangs at, is known for sure.
 */
#ifndef EVH_ISOLATE_CHILD_H
#define EVH_ISOLATE_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "config.h"
#include "host_tables.h"
#include "isolate_link.h"
#include "log.h"

/* Where evhd puts the socket, and what it calls the process's first argument.
 */
#define ISOLATE_FD   3
#define ISOLATE_WORD "--isolated"

struct event;

struct isolate_metric {
	struct isolate_child *child;
	struct isolate_metric *next;
	uint32_t number;
};

struct isolate_child {
	struct host host; /* of one instance: what the core asks of a host */
	struct setup setup;
	struct config config; /* strings lie in `told` */
	struct config_instance section;
	struct loader *loader;
	struct options *options;
	struct instance *in;
	struct isolate_link link;
	struct frame_buffer received;
	struct frame_buffer told; /* the config's frame */
	pthread_mutex_t lock;	  /* guards: metrics */
	struct isolate_metric *metrics;
	bool is_over;
};

/*
 * Serves until evhd says stop, or is gone; gives the exit code.  When
 * *ret_abandon, the process is to end at once, without a word to the plugin.
 */
int isolate_child_main(bool *ret_abandon);

/* The child that this ctx's instance lives in. */
struct isolate_child *isolate_child_of(struct evh_ctx *ctx);

/* Gives the instance the ctx of a process of its own (isolate_ctx.c). */
void isolate_ctx_init(struct isolate_child *child);
void isolate_ctx_fini(struct isolate_child *child);
/* The log goes to evhd. */
void isolate_log_take(void *arg, enum evh_level level,
		      const struct log_facts *facts, const char *msg);

/* Sends what became of the event, and frees it. [any] */
void isolate_child_answer(struct isolate_child *child, struct event *ev,
			  int verdict);

#endif
