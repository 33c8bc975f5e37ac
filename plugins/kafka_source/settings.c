#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "properties.h"
#include "secrets.h"

#define TOPIC_MAX 249

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
	/* While it waits nothing is polled; the group would throw it out. */
	{ .name = "revoke_timeout",
	  .type = EVH_MSEC,
	  .def = "5s",
	  .values = "0..60s",
	  .help = "When partitions go to another replica: how long to wait "
		  "for their events in flight" },
	{ .name = "max_message",
	  .type = EVH_SIZE,
	  .def = "1M",
	  .values = "1..1G",
	  .help = "A larger message is poison" },
	SECRETS_OPTIONS,
	{ .name = "rdkafka",
	  .type = EVH_MAP,
	  .def = "",
	  .help = "Any other property of librdkafka, as rdkafka.NAME = value" },
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

#define COMMIT_WHY                                                             \
	"what is done would never be committed, and each start would begin "   \
	"from the beginning"

/* What an operator may not say, beside what properties.c refuses. */
static const struct property_rule rules[] = {
	{ .name = "group.id", .why = "use the option group" },
	{ .name = "group.instance.id",
	  .why = "use the option group_instance_id" },
	{ .name = "enable.auto.offset.store",
	  .only = "|false|",
	  .why = "a message would count as done as soon as it was read, and a "
		 "crash would lose it" },
	{ .name = "enable.auto.commit", .only = "|true|", .why = COMMIT_WHY },
	{ .name = "auto.commit.enable", .only = "|true|", .why = COMMIT_WHY },
	{ .name = "offset.store.method",
	  .only = "|broker|",
	  .why = "replicas share what is done through the broker only" },
	{ .name = "enable.partition.eof",
	  .only = "|false|",
	  .why = "the end of a partition is no message" },
	{ .name = "isolation.level",
	  .only = "|read_committed|",
	  .why = "messages of transactions that were taken back would be "
		 "handled" },
	{ .name = "allow.auto.create.topics",
	  .only = "|false|",
	  .why = "a misspelt topic would be made; a missing one is waited "
		 "for" },
	{ .name = "consume.callback.max.messages",
	  .why = "no callback is used" },
	{ .name = "log.queue",
	  .only = "|false|",
	  .why = "nobody would read the log; leave it at false" },
	{ .name = "auto.offset.reset",
	  .only = "|earliest|smallest|beginning|error|",
	  .why = "messages that came before the group's first start would be "
		 "skipped; earliest or error" },
	{ .name = "partition.assignment.strategy",
	  .never = "|cooperative-sticky|",
	  .why = "this plugin takes partitions all at once; range, "
		 "roundrobin or both" },
	{ 0 },
};

/* Before the user's own.  The queue is large because librdkafka 2.0.2 fetches
 * nothing for a whole second each time that it is full. */
static const struct property defaults[] = {
	{ "enable.auto.offset.store", "false" },
	{ "enable.auto.commit", "true" },
	{ "auto.commit.interval.ms", "1000" },
	{ "auto.offset.reset", "earliest" },
	{ "partition.assignment.strategy", "range,roundrobin" },
	{ "session.timeout.ms", "15000" },
	{ "heartbeat.interval.ms", "3000" },
	{ "max.poll.interval.ms", "300000" },
	{ "isolation.level", "read_committed" },
	{ "queued.min.messages", "250000" },
	{ "queued.max.messages.kbytes", "131072" },
	{ "fetch.wait.max.ms", "100" },
	{ "fetch.min.bytes", "1" },
	{ "fetch.message.max.bytes", "1048576" },
	{ "fetch.max.bytes", "16777216" },
	{ "fetch.error.backoff.ms", "100" },
	{ "check.crcs", "true" },
	{ "enable.partition.eof", "false" },
	{ "allow.auto.create.topics", "false" },
	{ "socket.nagle.disable", "true" },
	{ "socket.keepalive.enable", "true" },
	{ "socket.timeout.ms", "10000" },
	{ "reconnect.backoff.ms", "100" },
	{ "reconnect.backoff.max.ms", "2000" },
	{ "topic.metadata.refresh.interval.ms", "10000" },
	{ "log.connection.close", "false" },
	{ 0 },
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
settings_read(struct settings *settings, struct evh_ctx *ctx)
{
	struct settings s = {
		.brokers = ctx->opt_str(ctx, "brokers"),
		.topic = ctx->opt_str(ctx, "topic"),
		.group = ctx->opt_str(ctx, "group"),
		.group_instance_id = ctx->opt_str(ctx, "group_instance_id"),
		.revoke_timeout_ms = ctx->opt_int(ctx, "revoke_timeout"),
		.max_message = (size_t)ctx->opt_int(ctx, "max_message"),
		.is_docker = ctx->opt_int(ctx, "is_docker") != 0,
		.out_port = ctx->opt_int(ctx, "out_port"),
	};
	rd_kafka_conf_t *conf;
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
	/* Unknown properties and wrong values are found without a server. */
	conf = settings_conf(&s, ctx);
	if (conf == NULL)
		r = -EINVAL;
	else
		rd_kafka_conf_destroy(conf);
	if (r == 0)
		*settings = s;
	return r;
}

rd_kafka_conf_t *
settings_conf(const struct settings *settings, struct evh_ctx *ctx)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char client[128];
	int r = 0;

	if (conf == NULL) {
		ctx->log(ctx, EVH_ERROR, "out of memory");
		return NULL;
	}
	(void)snprintf(client, sizeof(client), "evhd/%s", ctx->name);
	r |= properties_put_list(ctx, conf, defaults);
	r |= properties_put(ctx, conf, "client.id", client);
	r |= secrets_put(ctx, conf);
	r |= properties_put_map(ctx, conf, rules);
	r |= properties_put(ctx, conf, "bootstrap.servers", settings->brokers);
	r |= properties_put(ctx, conf, "group.id", settings->group);
	if (settings->group_instance_id[0] != '\0')
		r |= properties_put(ctx, conf, "group.instance.id",
				    settings->group_instance_id);
	if (r == 0)
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}
