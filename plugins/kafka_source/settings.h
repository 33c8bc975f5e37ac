/*
 * settings.h - the options of one kafka_source, read once, and the librdkafka
 * configuration that follows from them.
 *
 * Any property of librdkafka can be set by `rdkafka.NAME`, but for those that
 * would break a promise (offsets committed before they are done, messages
 * skipped) or that an option of ours already says; each of these is refused
 * with a sentence.
 */
#ifndef KAFKA_SOURCE_SETTINGS_H
#define KAFKA_SOURCE_SETTINGS_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings {
	const char *brokers;
	const char *topic;
	const char *group;
	const char *group_instance_id; /* "": none */
	int64_t revoke_timeout_ms;
	size_t max_message;
	bool is_docker;
	int64_t out_port;
};

extern const struct evh_option settings_options[]; /* ends with { 0 } */

/* Reads ctx's options and logs each mistake, those of the map too, before it
 * returns.  Borrows ctx's strings.  0 or -EINVAL. [main] */
int settings_read(struct settings *settings, struct evh_ctx *ctx);

/* The configuration, yours, without callbacks; NULL when a property is
 * refused, by us or by librdkafka, which is logged. [main] */
rd_kafka_conf_t *settings_conf(const struct settings *settings,
			       struct evh_ctx *ctx);

#endif
