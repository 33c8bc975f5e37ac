#include "isolate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "condition.h"
#include "event.h"
#include "host_tables.h"
#include "instance.h"
#include "isolate_keeper.h"
#include "log.h"

/* Without `timeout`: nothing may hang for ever unseen. */
#define TIMEOUT_MS 60000
/* For create(), start(): a little longer than the keeper waits. */
#define LIFE_MAX_MS 15000
/* To hand back what is in hand, which waits for nobody. */
#define BACK_MAX_MS 1000
/* To stop what was never started. */
#define DESTROY_MS 1000

/* Until *flag, and under the lock. */
static void
wait_for(struct isolate *iso, const bool *flag)
{
	int64_t due_ns = timer_now_ns() + LIFE_MAX_MS * NS_PER_MS;

	while (!*flag && condition_wait(&iso->changed, &iso->lock, due_ns))
		;
}

/* Or until nothing is in hand; false when the time is over. */
static bool
wait_empty(struct isolate *iso, unsigned timeout_ms)
{
	int64_t due_ns = timer_now_ns() + timeout_ms * NS_PER_MS;

	while (iso->n_in_hand > 0 &&
	       condition_wait(&iso->changed, &iso->lock, due_ns))
		;
	return iso->n_in_hand == 0;
}

/* The first process shows whether the plugin likes its options. */
static int
isolate_create(struct evh_ctx *ctx, void **ret_self)
{
	struct instance *in = (struct instance *)ctx; /* its first member */
	struct isolate *iso = in->isolate;
	int rc;

	if (iso->n_processes > 1 && in->loaded->plugin.threads == EVH_SERIAL) {
		ctx->log(ctx, EVH_ERROR,
			 "isolate_processes = %u: the plugin %s wants one call "
			 "at a time, so it can have one process only",
			 iso->n_processes, in->plugin->name);
		return -EINVAL;
	}
	iso->ends = ctx->metric(ctx, EVH_COUNTER, "isolate_ends", NULL,
				"Processes of isolated handlers that ended "
				"unasked.");
	rc = keeper_open(iso);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&iso->lock);
	wait_for(iso, &iso->is_created);
	rc = iso->created_rc;
	pthread_mutex_unlock(&iso->lock);
	if (rc < 0) {
		keeper_close(iso, DESTROY_MS);
		return rc;
	}
	*ret_self = iso;
	return 0;
}

static int
isolate_start(void *self)
{
	struct isolate *iso = self;
	int rc;

	pthread_mutex_lock(&iso->lock);
	iso->wants_start = true;
	pthread_mutex_unlock(&iso->lock);
	keeper_wake(iso);
	pthread_mutex_lock(&iso->lock);
	wait_for(iso, &iso->is_started);
	rc = iso->started_rc;
	pthread_mutex_unlock(&iso->lock);
	/* stop() will not be called, and the pipelines that the keeper tells of
	 * readiness go before destroy(). */
	if (rc < 0)
		keeper_close(iso, DESTROY_MS);
	return rc;
}

static enum evh_result
isolate_process(void *self, struct evh_event *pub)
{
	struct isolate *iso = self;
	struct event *ev = (struct event *)pub;
	struct isolate_task *task = NULL;

	if (atomic_load(&iso->in->is_ready))
		task = calloc(1, sizeof(*task));
	if (!task) {
		ev->blame = EVENT_BLAMELESS;
		return EVH_RETRY;
	}
	task->ev = ev;
	task->given_ns = timer_now_ns();
	pthread_mutex_lock(&iso->lock);
	task_list_push(&iso->arrived, task);
	iso->n_in_hand++;
	pthread_mutex_unlock(&iso->lock);
	keeper_wake(iso);
	return EVH_HOLD;
}

static void
isolate_flush(void *self, int timeout_ms)
{
	struct isolate *iso = self;
	unsigned ms = timeout_ms > 0 ? (unsigned)timeout_ms : 0;

	pthread_mutex_lock(&iso->lock);
	if (iso->n_in_hand > 0) {
		iso->wants_flush = true;
		iso->wish_ms = ms;
		pthread_mutex_unlock(&iso->lock);
		keeper_wake(iso);
		pthread_mutex_lock(&iso->lock);
	}
	if (!wait_empty(iso, ms)) {
		iso->wants_back = true;
		pthread_mutex_unlock(&iso->lock);
		keeper_wake(iso);
		pthread_mutex_lock(&iso->lock);
		(void)wait_empty(iso, BACK_MAX_MS);
	}
	pthread_mutex_unlock(&iso->lock);
}

static void
isolate_stop(void *self, int timeout_ms)
{
	keeper_close(self, timeout_ms > 0 ? (unsigned)timeout_ms : 0);
}

static void
isolate_destroy(void *self)
{
	keeper_close(self, DESTROY_MS);
}

static void
plugin_replace(struct isolate *iso)
{
	struct evh_plugin *plugin = &iso->plugin;

	*plugin = iso->in->loaded->plugin;
	plugin->threads = EVH_PARALLEL;
	plugin->create = isolate_create;
	plugin->start = isolate_start;
	plugin->drain = NULL;
	plugin->flush = isolate_flush;
	plugin->stop = isolate_stop;
	plugin->destroy = isolate_destroy;
	plugin->process = isolate_process;
	plugin->service = NULL;
	iso->in->plugin = plugin;
}

int
instance_isolate(struct instance *in)
{
	struct isolate *iso;
	int64_t timeout_ms;

	if (in->plugin->kind != EVH_HANDLER ||
	    strcmp(options_str(in->options, "isolate"), "process") != 0)
		return 0;
	iso = calloc(1, sizeof(*iso));
	if (!iso)
		return -ENOMEM;
	if (pthread_mutex_init(&iso->lock, NULL) != 0)
		goto fail_lock;
	if (condition_init(&iso->changed) != 0)
		goto fail_condition;
	timeout_ms = options_int(in->options, "timeout");
	iso->in = in;
	iso->timeout_ms = timeout_ms > 0 ? (unsigned)timeout_ms : TIMEOUT_MS;
	iso->n_processes =
		(unsigned)options_int(in->options, "isolate_processes");
	in->isolate = iso;
	/* Late is who has it in the process, which its keeper ends. */
	in->timeout_ms = 0;
	in->aborts = false;
	plugin_replace(iso);
	return 0;
fail_condition:
	pthread_mutex_destroy(&iso->lock);
fail_lock:
	free(iso);
	return -ENOMEM;
}

void
instance_unisolate(struct instance *in)
{
	struct isolate *iso = in->isolate;

	if (!iso)
		return;
	in->plugin = &in->loaded->plugin;
	in->isolate = NULL;
	pthread_cond_destroy(&iso->changed);
	pthread_mutex_destroy(&iso->lock);
	free(iso);
}
