/*
 * kafka_source - events from a topic, as one member of a consumer group.
 *
 * An offset is committed only when everything before it in its partition has
 * gone through the whole pipeline.  See consumer.h.
 */
#include <evh/plugin.h>

#include "answers.h"
#include "consumer.h"
#include "poller.h"
#include "settings.h"

static int
create(struct evh_ctx *ctx, void **ret_self)
{
	int r = 0;
	struct consumer *c = consumer_new(ctx, &r);

	if (c == NULL)
		return r;
	*ret_self = c;
	return 0;
}

static int
start(void *self)
{
	return poller_start(self);
}

static void
drain(void *self)
{
	poller_drain(self);
}

static void
stop(void *self, int timeout_ms)
{
	poller_stop(self, timeout_ms);
}

static void
destroy(void *self)
{
	consumer_free(self);
}

static void
done(void *self, struct evh_event *const *evs, int n, enum evh_result result)
{
	answers_take(self, evs, n, result);
}

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_SOURCE,
	.threads = EVH_PARALLEL,
	.name = "kafka_source",
	.version = "0.1.0",
	.summary = "Reads a Kafka topic; commits what the pipeline has done",
	.options = settings_options,
	.create = create,
	.start = start,
	.drain = drain,
	.stop = stop,
	.destroy = destroy,
	.done = done,
};
