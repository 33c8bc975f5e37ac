#include "clock.h"
#include "dead.h"
#include "keeper.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct kafka_sink {
	struct evh_ctx *ctx;
	struct settings settings;
	struct keeper *keeper;
	struct dead dead;
};

static int
kafka_create(struct evh_ctx *ctx, void **ret_self)
{
	struct kafka_sink *sink = calloc(1, sizeof(*sink));
	int rc;

	if (sink == NULL)
		return -ENOMEM;
	sink->ctx = ctx;
	rc = settings_read(ctx, &sink->settings);
	if (rc < 0)
		goto fail;
	sink->keeper = keeper_new(ctx, &sink->settings);
	if (sink->keeper == NULL) {
		rc = -ENOMEM;
		goto fail;
	}
	*ret_self = sink;
	return 0;
fail:
	free(sink);
	return rc;
}

static int
kafka_start(void *self)
{
	struct kafka_sink *sink = self;

	int rc = dead_start(&sink->dead, sink->ctx, &sink->settings);

	if (rc < 0) {
		sink->ctx->log(sink->ctx, EVH_ERROR,
			       "cannot show dead letters: %s", strerror(-rc));
		return rc;
	}
	rc = keeper_start(sink->keeper);
	if (rc < 0)
		dead_stop(&sink->dead, 0);
	return rc;
}

static void
kafka_flush(void *self, int timeout_ms)
{
	struct kafka_sink *sink = self;

	keeper_flush(sink->keeper, timeout_ms);
}

static void
kafka_stop(void *self, int timeout_ms)
{
	struct kafka_sink *sink = self;

	int64_t due_ms = clock_ms() + timeout_ms;
	int64_t rest_ms;

	dead_stop(&sink->dead, timeout_ms);
	rest_ms = due_ms - clock_ms();
	keeper_stop(sink->keeper, rest_ms > 0 ? (int)rest_ms : 0);
}

static void
kafka_destroy(void *self)
{
	struct kafka_sink *sink = self;

	keeper_free(sink->keeper);
	free(sink);
}

static int
kafka_submit(void *self, struct evh_event *const *evs, int n)
{
	struct kafka_sink *sink = self;

	return keeper_submit(sink->keeper, evs, n);
}

static const void *
kafka_service(void *self, const char *id)
{
	struct kafka_sink *sink = self;

	return strcmp(id, EVH_DEAD_1) == 0 ? &sink->dead.desk.service : NULL;
}

EVH_EXPORT const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_SINK,
	.threads = EVH_PARALLEL,
	.name = "kafka_sink",
	.version = EVH_VERSION,
	.summary = "Writes events to a Kafka topic, answered from the "
		   "delivery report",
	.options = settings_options,
	.create = kafka_create,
	.start = kafka_start,
	.flush = kafka_flush,
	.stop = kafka_stop,
	.destroy = kafka_destroy,
	.submit = kafka_submit,
	.service = kafka_service,
};
