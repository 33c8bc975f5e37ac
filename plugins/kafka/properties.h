/*
 * properties.h - the properties of librdkafka that an operator sets with
 * rdkafka.NAME, and those that he may not.
 *
 * A plugin has defaults, which hold until the operator says otherwise, and
 * rules for what would break one of its promises.  To these come the rules
 * that both plugins share: no secret in plain text, brokers are checked, no
 * code is loaded.  Names are compared without case, and without the prefix
 * "topic.", with which librdkafka takes a topic's properties as well.
 */
#ifndef KAFKA_PROPERTIES_H
#define KAFKA_PROPERTIES_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdint.h>

struct property { /* a list ends with { 0 } */
	const char *name, *value;
};

/*
 * Lists of values have a | around each.  With neither list no value is
 * allowed.  A list ends with { 0 }.
 */
struct property_rule {
	const char *name;
	const char *only;  /* these values are allowed */
	const char *never; /* no word of the value may be one of these */
	const char *why;   /* a sentence, behind "rdkafka.NAME: " */
};

/* Why the property may not have this value, by the plugin's rules or by the
 * shared ones; NULL when it may. [any] */
const char *properties_refusal(const struct property_rule *rules,
			       const char *name, const char *value);

/* Each sets in conf and logs what librdkafka refuses; the last two set all
 * that they can before they return.  0 or -EINVAL. [any] */
int properties_put(struct evh_ctx *ctx, rd_kafka_conf_t *conf, const char *name,
		   const char *value);
int properties_put_int(struct evh_ctx *ctx, rd_kafka_conf_t *conf,
		       const char *name, int64_t value);
int properties_put_list(struct evh_ctx *ctx, rd_kafka_conf_t *conf,
			const struct property *list);
/* The operator's own: ctx's option "rdkafka". */
int properties_put_map(struct evh_ctx *ctx, rd_kafka_conf_t *conf,
		       const struct property_rule *rules);

#endif
