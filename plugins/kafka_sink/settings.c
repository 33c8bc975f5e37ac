#include "settings.h"
#include "properties.h"
#include "secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole milliseconds: for less its thread does not sleep but looks again and
 * again until they are over. */
#define LINGER_MS "1"

/* librdkafka's own time limit is only a net below ours: what it times out it
 * skips, and goes on with the next of the key. */
#define NET_MS 5000

/* librdkafka's limits of message.max.bytes. */
#define MESSAGE_MAX	     1000000000
#define MESSAGE_MAX_PROPERTY "message.max.bytes"

#define ACKS_WHY                                                               \
	"an event is answered only when all in-sync replicas have it; leave "  \
	"it at all"
#define IN_FLIGHT_WHY                                                          \
	"with more, a refused first batch is overtaken and lost; leave it at " \
	"1"

const struct evh_option settings_options[] = {
	{ .name = "brokers",
	  .type = EVH_STR,
	  .values = "HOST:PORT,...",
	  .help = "first brokers to ask, HOST:PORT,HOST:PORT" },
	{ .name = "topic", .type = EVH_STR, .help = "where the events go" },
	{ .name = "create",
	  .type = EVH_BOOL,
	  .def = "yes",
	  .help = "create the topic when it is missing" },
	{ .name = "partitions",
	  .type = EVH_INT,
	  .def = "6",
	  .values = "1..10000",
	  .help = "of a topic that is created" },
	{ .name = "replication",
	  .type = EVH_INT,
	  .def = "0",
	  .values = "0..100",
	  .help = "replicas of a topic that is created; 0: as the broker has "
		  "it" },
	{ .name = "message_timeout",
	  .type = EVH_MSEC,
	  .def = "10s",
	  .values = "500ms..15m",
	  .help = "an event without a delivery report is answered RETRY after "
		  "this; below the pipeline's deadline" },
	{ .name = "queue_messages",
	  .type = EVH_INT,
	  .def = "100000",
	  .values = "1..10000000",
	  .help = "events in the producer's queue" },
	{ .name = "queue_size",
	  .type = EVH_SIZE,
	  .def = "256M",
	  .values = "1K..2047G", /* librdkafka counts it in KiB, in an int */
	  .help = "bytes in the producer's queue" },
	{ .name = "is_docker",
	  .type = EVH_BOOL,
	  .def = "false",
	  .help = "runs in the network of the compose file" },
	{ .name = "out_port",
	  .type = EVH_INT,
	  .def = "9094",
	  .values = "1..65535",
	  .help = "port that the compose file gives Kafka on the host" },
	SECRETS_OPTIONS,
	{ .name = "rdkafka",
	  .type = EVH_MAP,
	  .def = "",
	  .help = "any other property of librdkafka: rdkafka.NAME = value" },
	{ 0 },
};

/* What holds unless the operator says otherwise, and may. */
static const struct property defaults[] = {
	{ "acks", "all" },
	{ "enable.idempotence", "true" },
	/* What follows a refused batch must not be delivered before it is
	 * tried again: with this, librdkafka itself stops at once. */
	{ "enable.gapless.guarantee", "true" },
	/* One request at a time to a broker: with more, one that refuses the
	 * first batch of a new producer (its partition is just being made, an
	 * in-sync replica is missing) takes the second, and the first one, sent
	 * again, counts as a duplicate.  No slower in our measurements, for
	 * what comes meanwhile makes the next batch larger. */
	{ "max.in.flight.requests.per.connection", "1" },
	{ "partitioner", "murmur2_random" }, /* as Java's */
	{ "allow.auto.create.topics", "false" },
	{ "log.queue", "true" },
	/* The HTTP body's limit is 960 KiB; with envelope and headers the
	 * broker's limit of 1 MiB is what counts.  A dead letter may be twice
	 * as large: see limits_read(). */
	{ MESSAGE_MAX_PROPERTY, "1048576" },
	/* Only while many come at once: see hurry.h. */
	{ "linger.ms", LINGER_MS },
	/* A request carries one partition: those that come together share one,
	 * and the broker has a request instead of six.  By itself librdkafka
	 * takes twice the linger, which only spans a request or two. */
	{ "sticky.partitioning.linger.ms", "10" },
	{ "socket.nagle.disable", "true" },
	{ "socket.keepalive.enable", "true" },
	{ "socket.timeout.ms", "10000" },
	{ "reconnect.backoff.ms", "100" },
	{ "reconnect.backoff.max.ms", "2000" },
	{ "retry.backoff.ms", "250" },
	{ "topic.metadata.refresh.interval.ms", "60000" },
	{ 0 },
};

/* Of whoever reads the topic from its beginning to its ends. */
static const struct property reader_defaults[] = {
	{ "enable.partition.eof", "true" },
	{ "log.queue", "true" },
	{ "auto.offset.reset", "earliest" },
	{ "allow.auto.create.topics", "false" },
	{ "fetch.wait.max.ms", "100" },
	/* A letter waits while an event made of the one before is on its way:
	 * so much of each partition waits with it. */
	{ "queued.max.messages.kbytes", "16384" },
	{ "socket.keepalive.enable", "true" },
	{ "socket.timeout.ms", "10000" },
	{ "reconnect.backoff.ms", "100" },
	{ "reconnect.backoff.max.ms", "2000" },
	{ 0 },
};

/* What an operator may not say, beside what properties.c refuses. */
static const struct property_rule rules[] = {
	{ .name = "acks", .only = "|all|-1|", .why = ACKS_WHY },
	{ .name = "request.required.acks",
	  .only = "|all|-1|",
	  .why = ACKS_WHY },
	{ .name = "enable.idempotence",
	  .only = "|true|",
	  .why = "without it a retry reorders and duplicates; leave it at "
		 "true" },
	{ .name = "enable.gapless.guarantee",
	  .only = "|true|",
	  .why = "without it a refused batch is overtaken; leave it at true" },
	{ .name = "max.in.flight.requests.per.connection",
	  .only = "|1|",
	  .why = IN_FLIGHT_WHY },
	{ .name = "max.in.flight", .only = "|1|", .why = IN_FLIGHT_WHY },
	{ .name = "delivery.report.only.error",
	  .only = "|false|",
	  .why = "events are answered from delivery reports; leave it at "
		 "false" },
	{ .name = "queuing.strategy",
	  .only = "|fifo|",
	  .why = "events of a key keep their order; leave it at fifo" },
	{ .name = "partitioner",
	  .only = "|murmur2_random|murmur2|consistent_random|consistent|"
		  "fnv1a_random|fnv1a|",
	  .why = "events of a key share a partition; use murmur2_random, or "
		 "another one that hashes the key" },
	{ .name = "transactional.id", .why = "this sink has no transactions" },
	{ .name = "message.timeout.ms",
	  .why = "use the option message_timeout" },
	{ .name = "delivery.timeout.ms",
	  .why = "use the option message_timeout" },
	{ .name = "queue.buffering.max.messages",
	  .why = "use the option queue_messages" },
	{ .name = "queue.buffering.max.kbytes",
	  .why = "use the option queue_size" },
	{ .name = "log.queue",
	  .only = "|true|",
	  .why = "the log is read from its queue; leave it at true" },
	{ 0 },
};

/* ---- As librdkafka's configuration ---- */

static int
put_options(struct evh_ctx *ctx, const struct settings *s,
	    rd_kafka_conf_t *conf)
{
	char id[128];
	int bad = 0;

	snprintf(id, sizeof(id), "evhd/%s", ctx->name);
	bad += properties_put(ctx, conf, "client.id", id);
	bad += properties_put(ctx, conf, "bootstrap.servers", s->brokers);
	bad += properties_put_int(ctx, conf, "message.timeout.ms",
				  s->message_timeout_ms + NET_MS);
	bad += properties_put_int(ctx, conf, "request.timeout.ms",
				  s->message_timeout_ms);
	bad += properties_put_int(ctx, conf, "queue.buffering.max.messages",
				  s->queue_messages);
	bad += properties_put_int(ctx, conf, "queue.buffering.max.kbytes",
				  ctx->opt_int(ctx, "queue_size") / 1024);
	bad += secrets_put(ctx, conf);
	return bad;
}

static int
put_batching(struct evh_ctx *ctx, const struct batching *b,
	     rd_kafka_conf_t *conf)
{
	int bad = 0;

	if (b != NULL && b->max_bytes > 0)
		bad += properties_put_int(ctx, conf, "batch.size",
					  (int64_t)b->max_bytes);
	if (b != NULL && b->alone)
		bad += properties_put_int(ctx, conf, "batch.num.messages", 1);
	return bad;
}

static int
conf_make(struct evh_ctx *ctx, const struct settings *s,
	  const struct batching *batching, rd_kafka_conf_t **ret)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int bad = 0;

	if (conf == NULL)
		return -ENOMEM;
	bad += properties_put_list(ctx, conf, defaults);
	bad += put_options(ctx, s, conf);
	bad += properties_put_map(ctx, conf, rules);
	bad += put_batching(ctx, batching, conf);
	if (bad < 0) {
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR |
					       RD_KAFKA_EVENT_ERROR |
					       RD_KAFKA_EVENT_LOG);
	*ret = conf;
	return 0;
}

/* ---- Reading ---- */

/*
 * What message.max.bytes says is meant for events.  A dead letter has more to
 * say than the event that it was, and poison that is larger than any event is
 * to be kept as well: it may be twice as large.
 */
static struct message_limits
limits_read(const rd_kafka_conf_t *conf)
{
	struct message_limits limits;
	char text[24] = "";
	size_t size = sizeof(text);

	(void)rd_kafka_conf_get(conf, MESSAGE_MAX_PROPERTY, text, &size);
	limits.event = strtoul(text, NULL, 10);
	limits.letter =
		limits.event < MESSAGE_MAX / 2 ? 2 * limits.event : MESSAGE_MAX;
	return limits;
}

/* An operator who says another linger than ours gets just that. */
static bool
linger_is_ours(const rd_kafka_conf_t *conf)
{
	char text[24] = "";
	size_t size = sizeof(text);

	(void)rd_kafka_conf_get(conf, "linger.ms", text, &size);
	return strcmp(text, LINGER_MS) == 0;
}

int
settings_read(struct evh_ctx *ctx, struct settings *ret)
{
	struct settings s = {
		.brokers = ctx->opt_str(ctx, "brokers"),
		.topic = ctx->opt_str(ctx, "topic"),
		.create = ctx->opt_int(ctx, "create") != 0,
		.partitions = (int)ctx->opt_int(ctx, "partitions"),
		.replication = (int)ctx->opt_int(ctx, "replication"),
		.message_timeout_ms = (int)ctx->opt_int(ctx, "message_timeout"),
		.queue_messages = (int)ctx->opt_int(ctx, "queue_messages"),
		.is_docker = ctx->opt_int(ctx, "is_docker") != 0,
		.out_port = (int)ctx->opt_int(ctx, "out_port"),
	};
	rd_kafka_conf_t *conf;
	int rc;

	if (s.replication == 0)
		s.replication = -1;
	/* Unknown properties and wrong values are found without a server. */
	rc = conf_make(ctx, &s, NULL, &conf);
	if (rc < 0)
		return rc;
	s.limits = limits_read(conf);
	s.hurries = linger_is_ours(conf);
	rd_kafka_conf_destroy(conf);
	*ret = s;
	return 0;
}

/* ---- Made ---- */

int
settings_conf(struct evh_ctx *ctx, const struct settings *s,
	      const struct batching *batching, rd_kafka_conf_t **ret)
{
	rd_kafka_conf_t *conf;
	int rc = conf_make(ctx, s, batching, &conf);

	if (rc < 0)
		return rc;
	/* The one of events is looked after by message.c. */
	if (properties_put_int(ctx, conf, MESSAGE_MAX_PROPERTY,
			       (int64_t)s->limits.letter) < 0) {
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	*ret = conf;
	return 0;
}

int
settings_conf_reader(struct evh_ctx *ctx, const struct settings *s,
		     rd_kafka_conf_t **ret)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char id[128];
	int bad = 0;

	if (conf == NULL)
		return -ENOMEM;
	snprintf(id, sizeof(id), "evhd/%s/dead", ctx->name);
	bad += properties_put_map(ctx, conf, rules);
	bad += properties_put_list(ctx, conf, reader_defaults);
	bad += properties_put(ctx, conf, "client.id", id);
	bad += properties_put(ctx, conf, "bootstrap.servers", s->brokers);
	bad += secrets_put(ctx, conf);
	if (bad < 0) {
		rd_kafka_conf_destroy(conf);
		return -EINVAL;
	}
	rd_kafka_conf_set_events(conf,
				 RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
	*ret = conf;
	return 0;
}
