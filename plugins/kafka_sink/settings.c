#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* librdkafka's own time limit is only a net below ours: what it times out it
 * skips, and goes on with the next of the key. */
#define NET_MS	     5000
#define TOPIC_PREFIX "topic."

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
	{ .name = "sasl_password",
	  .type = EVH_SECRET,
	  .def = "",
	  .help = "librdkafka's sasl.password" },
	{ .name = "ssl_key_password",
	  .type = EVH_SECRET,
	  .def = "",
	  .help = "librdkafka's ssl.key.password" },
	{ .name = "ssl_keystore_password",
	  .type = EVH_SECRET,
	  .def = "",
	  .help = "librdkafka's ssl.keystore.password" },
	{ .name = "oauth_client_secret",
	  .type = EVH_SECRET,
	  .def = "",
	  .help = "librdkafka's sasl.oauthbearer.client.secret" },
	{ .name = "rdkafka",
	  .type = EVH_MAP,
	  .def = "",
	  .help = "any other property of librdkafka: rdkafka.NAME = value" },
	{ 0 },
};

static const struct {
	const char *option, *property;
} secrets[] = {
	{ "sasl_password", "sasl.password" },
	{ "ssl_key_password", "ssl.key.password" },
	{ "ssl_keystore_password", "ssl.keystore.password" },
	{ "oauth_client_secret", "sasl.oauthbearer.client.secret" },
};

/* What holds unless the operator says otherwise, and may. */
static const struct {
	const char *name, *value;
} properties[] = {
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
	 * broker's limit of 1 MiB is what counts. */
	{ "message.max.bytes", "1048576" },
	{ "linger.ms", "0.2" },
	{ "socket.nagle.disable", "true" },
	{ "socket.keepalive.enable", "true" },
	{ "socket.timeout.ms", "10000" },
	{ "reconnect.backoff.ms", "100" },
	{ "reconnect.backoff.max.ms", "2000" },
	{ "retry.backoff.ms", "250" },
	{ "topic.metadata.refresh.interval.ms", "60000" },
};

/* ---- What an operator may not say ---- */

/* One row per property; `only` holds the values that are allowed all the
 * same, with a | around each. */
static const struct {
	const char *name, *only, *why;
} refusals[] = {
	{ "acks", "|all|-1|",
	  "an event is answered only when all in-sync "
	  "replicas have it; leave it at all" },
	{ "request.required.acks", "|all|-1|",
	  "an event is answered only when all in-sync replicas have it; leave "
	  "it at all" },
	{ "enable.idempotence", "|true|",
	  "without it a retry reorders and duplicates; leave it at true" },
	{ "enable.gapless.guarantee", "|true|",
	  "without it a refused batch is overtaken; leave it at true" },
	{ "max.in.flight.requests.per.connection", "|1|",
	  "with more, a refused first batch is overtaken and lost; leave it at "
	  "1" },
	{ "max.in.flight", "|1|",
	  "with more, a refused first batch is overtaken and lost; leave it at "
	  "1" },
	{ "delivery.report.only.error", "|false|",
	  "events are answered from delivery reports; leave it at false" },
	{ "queuing.strategy", "|fifo|",
	  "events of a key keep their order; "
	  "leave it at fifo" },
	{ "partitioner",
	  "|murmur2_random|murmur2|consistent_random|consistent|"
	  "fnv1a_random|fnv1a|",
	  "events of a key share a partition; use murmur2_random, or another "
	  "one that hashes the key" },
	{ "transactional.id", NULL, "this sink has no transactions" },
	{ "message.timeout.ms", NULL, "use the option message_timeout" },
	{ "delivery.timeout.ms", NULL, "use the option message_timeout" },
	{ "queue.buffering.max.messages", NULL,
	  "use the option queue_messages" },
	{ "queue.buffering.max.kbytes", NULL, "use the option queue_size" },
	{ "bootstrap.servers", NULL, "use the option brokers" },
	{ "metadata.broker.list", NULL, "use the option brokers" },
	{ "log.queue", "|true|",
	  "the log is read from its queue; leave it at "
	  "true" },
	{ "plugin.library.paths", NULL,
	  "no code is loaded behind evhd's "
	  "back" },
	{ "sasl.password", NULL,
	  "use the option sasl_password or "
	  "sasl_password_file, which is never shown" },
	{ "ssl.key.password", NULL,
	  "use the option ssl_key_password or ssl_key_password_file, which is "
	  "never shown" },
	{ "ssl.keystore.password", NULL,
	  "use the option ssl_keystore_password or "
	  "ssl_keystore_password_file, which is never shown" },
	{ "sasl.oauthbearer.client.secret", NULL,
	  "use the option oauth_client_secret or oauth_client_secret_file, "
	  "which is never shown" },
	{ "ssl.key.pem", NULL,
	  "use rdkafka.ssl.key.location, so that the key "
	  "is in no config file" },
	{ "enable.ssl.certificate.verification", "|true|",
	  "the brokers' certificates are checked; leave it at true" },
	{ "ssl.endpoint.identification.algorithm", "|https|",
	  "the brokers' names are checked; leave it at https" },
};

/* Contexts whose lines can hold the configuration or what authenticates. */
static const char *const loud[] = { "all", "security", "conf" };

static bool
listed(const char *list, const char *word, size_t len)
{
	while (list != NULL && *list == '|' && list[1] != '\0') {
		size_t n = strcspn(list + 1, "|");

		if (n == len && strncasecmp(list + 1, word, n) == 0)
			return true;
		list += n + 1;
	}
	return false;
}

static const char *
debug_refusal(const char *value)
{
	while (*value != '\0') {
		size_t n;

		value += strspn(value, " ,");
		n = strcspn(value, " ,");
		for (size_t i = 0; i < sizeof(loud) / sizeof(loud[0]); i++) {
			if (strlen(loud[i]) == n &&
			    strncasecmp(loud[i], value, n) == 0)
				return "the contexts all, security and conf "
				       "can log secrets; name others, such as "
				       "broker,topic,msg,eos";
		}
		value += n;
	}
	return NULL;
}

const char *
settings_refusal(const char *name, const char *value)
{
	/* librdkafka takes a topic's properties under both names. */
	if (strncmp(name, TOPIC_PREFIX, strlen(TOPIC_PREFIX)) == 0)
		name += strlen(TOPIC_PREFIX);
	if (strcmp(name, "debug") == 0)
		return debug_refusal(value);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (strcmp(refusals[i].name, name) != 0)
			continue;
		if (listed(refusals[i].only, value, strlen(value)))
			return NULL;
		return refusals[i].why;
	}
	return NULL;
}

/* ---- Reading ---- */

static int
check_map(struct evh_ctx *ctx)
{
	const char *name, *value;
	int bad = 0;

	for (unsigned i = 0;
	     (value = ctx->opt_at(ctx, "rdkafka", i, &name)) != NULL; i++) {
		const char *why = settings_refusal(name, value);

		if (why == NULL)
			continue;
		ctx->log(ctx, EVH_ERROR, "rdkafka.%s: %s", name, why);
		bad++;
	}
	return bad == 0 ? 0 : -EINVAL;
}

int
settings_read(struct evh_ctx *ctx, struct settings *ret)
{
	int64_t timeout_ms = ctx->opt_int(ctx, "message_timeout");
	struct settings s = {
		.brokers = ctx->opt_str(ctx, "brokers"),
		.topic = ctx->opt_str(ctx, "topic"),
		.create = ctx->opt_int(ctx, "create") != 0,
		.partitions = (int)ctx->opt_int(ctx, "partitions"),
		.replication = (int)ctx->opt_int(ctx, "replication"),
		.queue_messages = (int)ctx->opt_int(ctx, "queue_messages"),
		.is_docker = ctx->opt_int(ctx, "is_docker") != 0,
		.out_port = (int)ctx->opt_int(ctx, "out_port"),
	};
	rd_kafka_conf_t *conf;
	int rc;

	if (s.replication == 0)
		s.replication = -1;
	rc = check_map(ctx);
	if (timeout_ms < 500 || timeout_ms > 15 * 60 * 1000) {
		ctx->log(ctx, EVH_ERROR,
			 "message_timeout: %" PRId64
			 " ms is not between 500ms and 15m",
			 timeout_ms);
		return -EINVAL;
	}
	s.message_timeout_ms = (int)timeout_ms;
	if (rc < 0)
		return rc;

	/* Unknown properties and wrong values are found without a server. */
	rc = settings_conf(ctx, &s, NULL, &conf);
	if (rc < 0)
		return rc;
	rd_kafka_conf_destroy(conf);
	*ret = s;
	return 0;
}

/* ---- As librdkafka's configuration ---- */

/* Never logs a secret's value, which `why` could quote. */
static int
put(struct evh_ctx *ctx, rd_kafka_conf_t *conf, const char *name,
    const char *value, bool secret)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) ==
	    RD_KAFKA_CONF_OK)
		return 0;
	ctx->log(ctx, EVH_ERROR, "rdkafka.%s: %s", name,
		 secret ? "librdkafka does not take this value" : why);
	return -EINVAL;
}

static int
put_int(struct evh_ctx *ctx, rd_kafka_conf_t *conf, const char *name,
	int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return put(ctx, conf, name, text, false);
}

static int
put_options(struct evh_ctx *ctx, const struct settings *s,
	    rd_kafka_conf_t *conf)
{
	int64_t kbytes = ctx->opt_int(ctx, "queue_size") / 1024;
	char id[128];
	int bad = 0;

	snprintf(id, sizeof(id), "evhd/%s", ctx->name);
	bad += put(ctx, conf, "client.id", id, false);
	bad += put(ctx, conf, "bootstrap.servers", s->brokers, false);
	bad += put_int(ctx, conf, "message.timeout.ms",
		       s->message_timeout_ms + NET_MS);
	bad += put_int(ctx, conf, "request.timeout.ms", s->message_timeout_ms);
	bad += put_int(ctx, conf, "queue.buffering.max.messages",
		       s->queue_messages);
	bad += put_int(ctx, conf, "queue.buffering.max.kbytes",
		       kbytes > 0 ? kbytes : 1);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const char *value = ctx->opt_str(ctx, secrets[i].option);

		if (value != NULL && *value != '\0')
			bad += put(ctx, conf, secrets[i].property, value, true);
	}
	return bad;
}

static int
put_map(struct evh_ctx *ctx, rd_kafka_conf_t *conf)
{
	const char *name, *value;
	int bad = 0;

	for (unsigned i = 0;
	     (value = ctx->opt_at(ctx, "rdkafka", i, &name)) != NULL; i++)
		bad += put(ctx, conf, name, value, false);
	return bad;
}

static int
put_batching(struct evh_ctx *ctx, const struct batching *b,
	     rd_kafka_conf_t *conf)
{
	int bad = 0;

	if (b != NULL && b->max_bytes > 0)
		bad += put_int(ctx, conf, "batch.size", (int64_t)b->max_bytes);
	if (b != NULL && b->alone)
		bad += put_int(ctx, conf, "batch.num.messages", 1);
	return bad;
}

int
settings_conf(struct evh_ctx *ctx, const struct settings *s,
	      const struct batching *batching, rd_kafka_conf_t **ret)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int bad = 0;

	if (conf == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
		bad += put(ctx, conf, properties[i].name, properties[i].value,
			   false);
	bad += put_options(ctx, s, conf);
	bad += put_map(ctx, conf);
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
