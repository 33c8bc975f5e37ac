#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TOPIC_MAX     249
#define ERROR_MAX     512
#define MESSAGE_MAX   (INT64_C(1) << 30)
#define REVOKE_MAX_MS 60000

const struct evh_option settings_options[] = {
	{ .name = "brokers",
	  .type = EVH_STR,
	  .values = "HOST:PORT,...",
	  .help = "Bootstrap servers: host:port, several with commas" },
	{ .name = "topic", .type = EVH_STR, .help = "The topic to read" },
	{ .name = "group",
	  .type = EVH_STR,
	  .def = "event_handler_group",
	  .help = "Consumer group; replicas of one group share the "
		  "partitions" },
	{ .name = "group_instance_id",
	  .type = EVH_STR,
	  .def = "",
	  .help = "Static membership: a name of its own for each replica; a "
		  "second one of the same name ends the first" },
	{ .name = "revoke_timeout",
	  .type = EVH_MSEC,
	  .def = "5s",
	  .help = "When partitions go to another replica: how long to wait "
		  "for their events in flight" },
	{ .name = "max_message",
	  .type = EVH_SIZE,
	  .def = "1M",
	  .help = "A larger message is poison" },
	{ .name = "rdkafka",
	  .type = EVH_MAP,
	  .def = "",
	  .help = "Any property of librdkafka, as rdkafka.NAME = value" },
	{ .name = "is_docker",
	  .type = EVH_BOOL,
	  .def = "false",
	  .help = "Runs in a container of the compose files (for hints)" },
	{ .name = "out_port",
	  .type = EVH_INT,
	  .def = "9094",
	  .values = "1..65535",
	  .help = "The brokers' port outside of the containers (for hints)" },
	{ 0 },
};

struct property {
	const char *name;
	const char *value; /* refusals: the only one allowed; NULL: none is */
	const char *why;
};

/* What an option or a promise already says.  Compared without case. */
static const struct property refused[] = {
	{ "bootstrap.servers", NULL, "the option brokers says it" },
	{ "metadata.broker.list", NULL, "the option brokers says it" },
	{ "group.id", NULL, "the option group says it" },
	{ "group.instance.id", NULL, "the option group_instance_id says it" },
	{ "enable.auto.offset.store", "false",
	  "a message would count as done as soon as it was read, and a crash "
	  "would lose it" },
	{ "enable.auto.commit", "true",
	  "what is done would never be committed, and each start would begin "
	  "from the beginning" },
	{ "auto.commit.enable", "true",
	  "what is done would never be committed, and each start would begin "
	  "from the beginning" },
	{ "offset.store.method", "broker",
	  "replicas share what is done through the broker only" },
	{ "enable.partition.eof", "false",
	  "the end of a partition is no message" },
	{ "isolation.level", "read_committed",
	  "messages of transactions that were taken back would be handled" },
	{ "allow.auto.create.topics", "false",
	  "a misspelt topic would be made; a missing one is waited for" },
	{ "consume.callback.max.messages", NULL, "no callback is used" },
	{ NULL, NULL, NULL },
};

/* Before the user's own.  The queue is large because librdkafka 2.0.2 fetches
 * nothing for a whole second each time that it is full. */
static const struct property defaults[] = {
	{ "enable.auto.offset.store", "false", NULL },
	{ "enable.auto.commit", "true", NULL },
	{ "auto.commit.interval.ms", "1000", NULL },
	{ "auto.offset.reset", "earliest", NULL },
	{ "partition.assignment.strategy", "range,roundrobin", NULL },
	{ "session.timeout.ms", "15000", NULL },
	{ "heartbeat.interval.ms", "3000", NULL },
	{ "max.poll.interval.ms", "300000", NULL },
	{ "isolation.level", "read_committed", NULL },
	{ "queued.min.messages", "250000", NULL },
	{ "queued.max.messages.kbytes", "131072", NULL },
	{ "fetch.wait.max.ms", "100", NULL },
	{ "fetch.min.bytes", "1", NULL },
	{ "fetch.message.max.bytes", "1048576", NULL },
	{ "fetch.max.bytes", "16777216", NULL },
	{ "fetch.error.backoff.ms", "100", NULL },
	{ "check.crcs", "true", NULL },
	{ "enable.partition.eof", "false", NULL },
	{ "allow.auto.create.topics", "false", NULL },
	{ "socket.nagle.disable", "true", NULL },
	{ "socket.keepalive.enable", "true", NULL },
	{ "socket.timeout.ms", "10000", NULL },
	{ "reconnect.backoff.ms", "100", NULL },
	{ "reconnect.backoff.max.ms", "2000", NULL },
	{ "topic.metadata.refresh.interval.ms", "10000", NULL },
	{ "log.connection.close", "false", NULL },
	{ NULL, NULL, NULL },
};

static bool
topic_is_valid(const char *topic)
{
	size_t len = strlen(topic);

	if (len == 0 || len > TOPIC_MAX || strcmp(topic, ".") == 0 ||
	    strcmp(topic, "..") == 0)
		return false;
	return strspn(topic, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

int
settings_init(struct settings *settings, struct evh_ctx *ctx)
{
	struct settings s = {
		.brokers = ctx->opt_str(ctx, "brokers"),
		.topic = ctx->opt_str(ctx, "topic"),
		.group = ctx->opt_str(ctx, "group"),
		.group_instance_id = ctx->opt_str(ctx, "group_instance_id"),
		.revoke_timeout_ms = ctx->opt_int(ctx, "revoke_timeout"),
		.is_docker = ctx->opt_int(ctx, "is_docker") != 0,
		.out_port = ctx->opt_int(ctx, "out_port"),
	};
	int64_t max_message = ctx->opt_int(ctx, "max_message");
	int r = 0;

	if (!topic_is_valid(s.topic)) {
		ctx->log(ctx, EVH_ERROR,
			 "topic \"%s\": a topic's name is 1 to %d of a-z A-Z "
			 "0-9 . _ -",
			 s.topic, TOPIC_MAX);
		r = -EINVAL;
	}
	if (s.group[0] == '\0') {
		ctx->log(ctx, EVH_ERROR, "group is empty");
		r = -EINVAL;
	}
	if (max_message < 1 || max_message > MESSAGE_MAX) {
		ctx->log(ctx, EVH_ERROR,
			 "max_message: %" PRId64 " bytes are not between 1 "
			 "and %" PRId64,
			 max_message, MESSAGE_MAX);
		r = -EINVAL;
	}
	/* While it waits nothing is polled; the group would throw it out. */
	if (s.revoke_timeout_ms < 0 || s.revoke_timeout_ms > REVOKE_MAX_MS) {
		ctx->log(ctx, EVH_ERROR,
			 "revoke_timeout: %" PRId64 " ms are not between 0 "
			 "and %d",
			 s.revoke_timeout_ms, REVOKE_MAX_MS);
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	s.max_message = (size_t)max_message;
	*settings = s;
	return 0;
}

static bool
is_true(const char *value)
{
	return strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
	       strcasecmp(value, "t") == 0;
}

static bool
is_false(const char *value)
{
	return strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0 ||
	       strcasecmp(value, "f") == 0;
}

static bool
is_same(const char *value, const char *allowed)
{
	if (strcmp(allowed, "true") == 0)
		return is_true(value);
	if (strcmp(allowed, "false") == 0)
		return is_false(value);
	return strcasecmp(value, allowed) == 0;
}

const char *
settings_refuse(const char *name, const char *value)
{
	if (strncasecmp(name, "topic.", 6) == 0 &&
	    strncasecmp(name, "topic.metadata.", 15) != 0 &&
	    strcasecmp(name, "topic.blacklist") != 0)
		name += 6;
	for (const struct property *p = refused; p->name != NULL; p++)
		if (strcasecmp(name, p->name) == 0 &&
		    (p->value == NULL || !is_same(value, p->value)))
			return p->why;
	if (strcasecmp(name, "auto.offset.reset") == 0 &&
	    strcasecmp(value, "earliest") != 0 &&
	    strcasecmp(value, "smallest") != 0 &&
	    strcasecmp(value, "beginning") != 0 &&
	    strcasecmp(value, "error") != 0)
		return "messages that came before the group's first start "
		       "would be skipped; earliest or error";
	if (strcasecmp(name, "partition.assignment.strategy") == 0 &&
	    strcasestr(value, "cooperative") != NULL)
		return "this plugin takes partitions all at once; range, "
		       "roundrobin or both";
	return NULL;
}

static int
set(rd_kafka_conf_t *conf, const char *name, const char *value,
    struct evh_ctx *ctx)
{
	char error[ERROR_MAX];

	if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) ==
	    RD_KAFKA_CONF_OK)
		return 0;
	ctx->log(ctx, EVH_ERROR, "librdkafka's %s: %s", name, error);
	return -EINVAL;
}

static int
set_users(rd_kafka_conf_t *conf, struct evh_ctx *ctx)
{
	const char *name, *value, *why;
	int r = 0;

	for (unsigned i = 0;
	     (value = ctx->opt_at(ctx, "rdkafka", i, &name)) != NULL; i++) {
		why = settings_refuse(name, value);
		if (why != NULL) {
			ctx->log(ctx, EVH_ERROR, "rdkafka.%s = %s: %s", name,
				 value, why);
			r = -EINVAL;
		} else if (set(conf, name, value, ctx) < 0) {
			r = -EINVAL;
		}
	}
	return r;
}

rd_kafka_conf_t *
settings_conf(const struct settings *settings, struct evh_ctx *ctx)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char client[128];
	int r = 0;

	(void)snprintf(client, sizeof(client), "evhd/%s", ctx->name);
	for (const struct property *p = defaults; p->name != NULL; p++)
		r |= set(conf, p->name, p->value, ctx);
	r |= set(conf, "client.id", client, ctx);
	r |= set_users(conf, ctx);
	r |= set(conf, "bootstrap.servers", settings->brokers, ctx);
	r |= set(conf, "group.id", settings->group, ctx);
	if (settings->group_instance_id[0] != '\0')
		r |= set(conf, "group.instance.id", settings->group_instance_id,
			 ctx);
	if (r == 0)
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

void
settings_explain_brokers(const struct settings *settings,
			 rd_kafka_resp_err_t err, const char *why, char *ret,
			 size_t size)
{
	if (err == RD_KAFKA_RESP_ERR__RESOLVE && !settings->is_docker)
		(void)snprintf(
			ret, size,
			"brokers %s: the host does not resolve; outside "
			"of the containers they are at localhost:%" PRId64
			" (EVENT_HANDLER_SERVICE_KAFKA_OUT_PORT)",
			settings->brokers, settings->out_port);
	else
		(void)snprintf(ret, size, "brokers %s cannot be reached: %s",
			       settings->brokers, why);
}
