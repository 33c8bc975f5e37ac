/* gate.c - holds events until a file is there; what HOLD asks of a handler. */
#include <evh/plugin.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct waiter {
	struct waiter *next;
	struct evh_event *ev;
};

struct gate {
	struct evh_ctx *ctx;
	pthread_mutex_t lock;  /* guards: the rest */
	struct waiter *first;  /* in the order in which they came */
	struct waiter **after; /* where the next one goes */
};

static void
gate_let_go(struct gate *gate, enum evh_result verdict)
{
	struct waiter *w, *next;

	pthread_mutex_lock(&gate->lock);
	w = gate->first;
	gate->first = NULL;
	gate->after = &gate->first;
	pthread_mutex_unlock(&gate->lock); /* no lock is held in resume() */
	for (; w; w = next) {
		next = w->next; /* a waiter is gone with its event */
		gate->ctx->resume(gate->ctx, w->ev, verdict);
	}
}

static void
gate_look(void *self)
{
	struct gate *gate = self;

	if (access(gate->ctx->opt_str(gate->ctx, "file"), F_OK) == 0)
		gate_let_go(gate, EVH_OK);
}

static enum evh_result
gate_process(void *self, struct evh_event *ev)
{
	struct gate *gate = self;
	struct waiter *w = gate->ctx->event_alloc(gate->ctx, ev, sizeof(*w));

	if (!w)
		return EVH_RETRY; /* no memory: again later */
	*w = (struct waiter){ .ev = ev };
	pthread_mutex_lock(&gate->lock);
	*gate->after = w;
	gate->after = &w->next;
	pthread_mutex_unlock(&gate->lock);
	return EVH_HOLD; /* even if it has been resumed by now */
}

/* evhd wants to stop: nothing may be left here, so all come again later. */
static void
gate_flush(void *self, int timeout_ms)
{
	(void)timeout_ms; /* takes no time */
	gate_let_go(self, EVH_RETRY);
}

static int
gate_create(struct evh_ctx *ctx, void **ret_self)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return -ENOMEM;
	gate->ctx = ctx;
	gate->after = &gate->first;
	pthread_mutex_init(&gate->lock, NULL);
	*ret_self = gate;
	return 0;
}

static int
gate_start(void *self)
{
	struct gate *gate = self;

	return gate->ctx->every(gate->ctx, 100, gate_look);
}

static void
gate_destroy(void *self)
{
	struct gate *gate = self;

	pthread_mutex_destroy(&gate->lock);
	free(gate);
}

static const struct evh_option gate_options[] = {
	{ .name = "file",
	  .type = EVH_STR,
	  .help = "events wait until this is there" },
	{ 0 },
};

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_HANDLER,
	.threads = EVH_PARALLEL,
	.name = "gate",
	.version = "1.0",
	.summary = "holds events until a file is there",
	.options = gate_options,
	.create = gate_create,
	.start = gate_start,
	.flush = gate_flush,
	.destroy = gate_destroy,
	.process = gate_process,
};
