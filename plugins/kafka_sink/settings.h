/*
 * settings.h - what the config section says, checked, and as librdkafka's
 * configuration.
 *
 * The sink's promise (an answer only from a delivery report of all replicas,
 * in order per key, in bounded time) rests on a dozen of librdkafka's
 * properties.  These are set here and an operator's other value is refused
 * with a sentence; all the rest may be set by `rdkafka.NAME = value`.
 */
#ifndef KAFKA_SINK_SETTINGS_H
#define KAFKA_SINK_SETTINGS_H

#include "batching.h"
#include "message.h"

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stddef.h>

extern const struct evh_option settings_options[];

struct settings { /* the strings live as long as ctx */
	const char *brokers, *topic;
	bool create;
	int partitions, replication; /* replication -1: the broker's default */
	int message_timeout_ms;
	int queue_messages;
	bool hurries; /* the linger is ours: hurry.h */
	struct message_limits limits;
	bool is_docker;
	int out_port;
};

/* Logs each mistake, those of the map too, before it returns -EINVAL; or
 * -ENOMEM. [main] */
int settings_read(struct evh_ctx *ctx, struct settings *ret);

/*
 * A new configuration, the caller's, with the limits that batching has
 * learned (or NULL).  Logs; -EINVAL or -ENOMEM. [any]
 */
int settings_conf(struct evh_ctx *ctx, const struct settings *s,
		  const struct batching *batching, rd_kafka_conf_t **ret);

/* The same for whoever reads the topic, of no group.  Says nothing: what is
 * wrong has been said. */
int settings_conf_reader(struct evh_ctx *ctx, const struct settings *s,
			 rd_kafka_conf_t **ret);

#endif
