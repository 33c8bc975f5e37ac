/*
 * messages.c - a source that decodes Kafka messages from memory, as
 * kafka_source decodes those that come from a broker: what a message costs
 * before any network.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "feed.h"
#include "message.h"

#define MESSAGES 1024 /* different ones, by turns */
#define SIZE	 400

struct messages {
	struct feed feed;
	struct message_decoder decoder;
	struct {
		size_t len;
		char text[SIZE];
	} all[MESSAGES];
};

/* Every event has an id of its own, in order as UUIDv7 have it. */
static void
messages_write(struct messages *m)
{
	for (int i = 0; i < MESSAGES; i++)
		m->all[i].len = (size_t)snprintf(
			m->all[i].text, SIZE,
			"{\"id\":\"019a204e-0cbf-7%03x-8891-%012x\",\"name\":"
			"\"user.created\",\"data\":{\"user_id\":%d,\"email\":"
			"\"someone@example.org\",\"plan\":\"pro\",\"tags\":"
			"[\"a\",\"b\"],\"amount\":12.5},\"created_at\":"
			"\"2026-11-22T20:23:59.%06dZ\"}",
			(unsigned)i, (unsigned)i, i, i);
}

static void
messages_release(void *arg)
{
	(void)arg; /* the texts stay */
}

static int
messages_spec(void *self, int64_t i, struct evh_spec *ret)
{
	struct messages *m = self;
	struct message msg = {
		.topic = "messages",
		.partition = (int32_t)(i & 3),
		.offset = i,
		.timestamp_ms = -1,
		.value = { m->all[i % MESSAGES].text,
			   m->all[i % MESSAGES].len },
	};
	int rc;

	message_begin(&m->decoder);
	rc = message_decode(&m->decoder, &msg, ret);
	ret->release = messages_release;
	return rc == 0 ? 0 : -EINVAL;
}

static int
messages_create(struct evh_ctx *ctx, void **ret_self)
{
	struct messages *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	rc = feed_init(&m->feed, ctx);
	if (rc < 0) {
		free(m);
		return rc;
	}
	message_decoder_init(&m->decoder, 1 << 20);
	messages_write(m);
	m->feed.spec = messages_spec;
	m->feed.self = m;
	*ret_self = m;
	return 0;
}

static int
messages_start(void *self)
{
	struct messages *m = self;

	return feed_start(&m->feed);
}

static void
messages_done(void *self, struct evh_event *const *evs, int n,
	      enum evh_result result)
{
	struct messages *m = self;

	(void)evs;
	(void)result;
	feed_done(&m->feed, n);
}

static void
messages_stop(void *self, int timeout_ms)
{
	struct messages *m = self;

	(void)timeout_ms;
	feed_stop(&m->feed);
}

static void
messages_destroy(void *self)
{
	struct messages *m = self;

	message_decoder_fini(&m->decoder);
	feed_fini(&m->feed);
	free(m);
}

static const struct evh_option options[] = { FEED_OPTIONS, { 0 } };

const struct evh_plugin evh_plugin = {
	EVH_PLUGIN_HEAD,
	.kind = EVH_SOURCE,
	.threads = EVH_PARALLEL,
	.name = "messages",
	.version = "1",
	.summary = "decodes Kafka messages from memory",
	.options = options,
	.create = messages_create,
	.start = messages_start,
	.stop = messages_stop,
	.destroy = messages_destroy,
	.done = messages_done,
};
