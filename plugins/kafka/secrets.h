/*
 * secrets.h - what authenticates at the brokers: options of a type that is
 * never shown and can come from a file, for properties of librdkafka that are
 * refused as rdkafka.NAME.
 */
#ifndef KAFKA_SECRETS_H
#define KAFKA_SECRETS_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

/* Rows of a plugin's table of options. */
/* clang-format off */
#define SECRETS_OPTIONS                                                        \
	{ .name = "sasl_password",                                             \
	  .type = EVH_SECRET,                                                  \
	  .def = "",                                                           \
	  .help = "librdkafka's sasl.password" },                              \
	{ .name = "ssl_key_password",                                          \
	  .type = EVH_SECRET,                                                  \
	  .def = "",                                                           \
	  .help = "librdkafka's ssl.key.password" },                           \
	{ .name = "ssl_keystore_password",                                     \
	  .type = EVH_SECRET,                                                  \
	  .def = "",                                                           \
	  .help = "librdkafka's ssl.keystore.password" },                      \
	{ .name = "oauth_client_secret",                                       \
	  .type = EVH_SECRET,                                                  \
	  .def = "",                                                           \
	  .help = "librdkafka's sasl.oauthbearer.client.secret" }
/* clang-format on */

/* Sets those that are given; logs, without the value, what librdkafka does
 * not take.  0 or -EINVAL. [any] */
int secrets_put(struct evh_ctx *ctx, rd_kafka_conf_t *conf);

#endif
