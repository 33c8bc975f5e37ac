#include "secrets.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	const char *option, *property;
} secrets[] = {
	{ "sasl_password", "sasl.password" },
	{ "ssl_key_password", "ssl.key.password" },
	{ "ssl_keystore_password", "ssl.keystore.password" },
	{ "oauth_client_secret", "sasl.oauthbearer.client.secret" },
};

int
secrets_put(struct evh_ctx *ctx, rd_kafka_conf_t *conf)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const char *value = ctx->opt_str(ctx, secrets[i].option);

		/* librdkafka's own words could quote the value. */
		if (value == NULL || *value == '\0' ||
		    rd_kafka_conf_set(conf, secrets[i].property, value, NULL,
				      0) == RD_KAFKA_CONF_OK)
			continue;
		ctx->log(ctx, EVH_ERROR,
			 "%s: librdkafka does not take this value",
			 secrets[i].option);
		rc = -EINVAL;
	}
	return rc;
}
