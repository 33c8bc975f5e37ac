#include "dlq_replay.h"

#include <errno.h>
#include <stdlib.h>

static int
replay_create(struct evh_ctx *ctx, void **ret_self)
{
	struct dlq_replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return -ENOMEM;
	replay->ctx = ctx;
	*ret_self = replay;
	return 0;
}

static void
replay_destroy(void *self)
{
	free(self);
}

static void
replay_done(void *self, struct evh_event *const *evs, int n,
	    enum evh_result result)
{
	struct dlq_replay *replay = self;

	for (int i = 0; i < n; i++)
		replay->done(replay->arg, evs[i], result);
}

int
dlq_replay_emit(struct dlq_replay *replay, const struct evh_spec *spec,
		int timeout_ms)
{
	struct evh_ctx *ctx = replay->ctx;
	struct evh_event *ev = ctx->event_new(ctx, spec, NULL);
	int rc;

	if (!ev)
		return -ENOMEM;
	rc = ctx->emit(ctx, &ev, 1, timeout_ms);
	if (rc == 1)
		return 0;
	ctx->event_free(ctx, &ev, 1);
	return rc < 0 ? rc : -EAGAIN;
}

const struct evh_plugin dlq_replay_plugin = {
	EVH_PLUGIN_HEAD,	 .kind = EVH_SOURCE,
	.threads = EVH_PARALLEL, .name = "dlq_replay",
	.version = EVH_VERSION,	 .summary = "makes events of dead letters",
	.create = replay_create, .destroy = replay_destroy,
	.done = replay_done,
};
