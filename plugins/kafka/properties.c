#include "properties.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TOPIC_PREFIX "topic."
#define WHY_MAX	     512
#define BETWEEN	     " \t\r\n\v\f,+-" /* words; +word and -word are debug's */

static const struct property_rule shared[] = {
	{ .name = "bootstrap.servers", .why = "use the option brokers" },
	{ .name = "metadata.broker.list", .why = "use the option brokers" },
	{ .name = "plugin.library.paths",
	  .why = "no code is loaded behind evhd's back" },
	{ .name = "ssl.engine.location",
	  .why = "no code is loaded behind evhd's back" },
	{ .name = "sasl.password",
	  .why = "use the option sasl_password or sasl_password_file, which "
		 "is never shown" },
	{ .name = "ssl.key.password",
	  .why = "use the option ssl_key_password or ssl_key_password_file, "
		 "which is never shown" },
	{ .name = "ssl.keystore.password",
	  .why = "use the option ssl_keystore_password or "
		 "ssl_keystore_password_file, which is never shown" },
	{ .name = "sasl.oauthbearer.client.secret",
	  .why = "use the option oauth_client_secret or "
		 "oauth_client_secret_file, which is never shown" },
	{ .name = "ssl.key.pem",
	  .why = "use rdkafka.ssl.key.location, so that the key is in no "
		 "config file" },
	{ .name = "enable.ssl.certificate.verification",
	  .only = "|true|",
	  .why = "the brokers' certificates are checked; leave it at true" },
	{ .name = "ssl.endpoint.identification.algorithm",
	  .only = "|https|",
	  .why = "the brokers' names are checked; leave it at https" },
	/* Lines of these can hold the configuration, or what authenticates. */
	{ .name = "debug",
	  .never = "|all|security|conf|",
	  .why = "the contexts all, security and conf can log secrets; name "
		 "others, such as broker,topic,msg,eos" },
	{ 0 },
};

/* ---- What an operator may not say --------------------------------------- */

static bool
listed(const char *list, const char *word, size_t len)
{
	while (*list == '|' && list[1] != '\0') {
		size_t n = strcspn(list + 1, "|");

		if (n == len && strncasecmp(list + 1, word, n) == 0)
			return true;
		list += n + 1;
	}
	return false;
}

/* librdkafka has more words than one for true and false. */
static bool
allowed(const char *only, const char *value)
{
	const char *same = only;

	if (strcmp(only, "|true|") == 0)
		same = "|true|t|1|";
	else if (strcmp(only, "|false|") == 0)
		same = "|false|f|0|";
	return listed(same, value, strlen(value));
}

static bool
has_word(const char *value, const char *words)
{
	while (*value != '\0') {
		size_t n;

		value += strspn(value, BETWEEN);
		n = strcspn(value, " \t\r\n\v\f,");
		if (n > 0 && listed(words, value, n))
			return true;
		value += n;
	}
	return false;
}

static const char *
refusal(const struct property_rule *rules, const char *name, const char *value)
{
	for (const struct property_rule *r = rules; r->name != NULL; r++) {
		if (strcasecmp(r->name, name) != 0)
			continue;
		if (r->never != NULL)
			return has_word(value, r->never) ? r->why : NULL;
		if (r->only != NULL && allowed(r->only, value))
			return NULL;
		return r->why;
	}
	return NULL;
}

const char *
properties_refusal(const struct property_rule *rules, const char *name,
		   const char *value)
{
	const char *why;

	if (strncasecmp(name, TOPIC_PREFIX, strlen(TOPIC_PREFIX)) == 0)
		name += strlen(TOPIC_PREFIX);
	why = refusal(rules, name, value);
	return why != NULL ? why : refusal(shared, name, value);
}

/* ---- Into librdkafka's configuration ------------------------------------ */

int
properties_put(struct evh_ctx *ctx, rd_kafka_conf_t *conf, const char *name,
	       const char *value)
{
	char why[WHY_MAX];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) ==
	    RD_KAFKA_CONF_OK)
		return 0;
	ctx->log(ctx, EVH_ERROR, "rdkafka.%s: %s", name, why);
	return -EINVAL;
}

int
properties_put_int(struct evh_ctx *ctx, rd_kafka_conf_t *conf, const char *name,
		   int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return properties_put(ctx, conf, name, text);
}

int
properties_put_list(struct evh_ctx *ctx, rd_kafka_conf_t *conf,
		    const struct property *list)
{
	int rc = 0;

	for (; list->name != NULL; list++) {
		if (properties_put(ctx, conf, list->name, list->value) < 0)
			rc = -EINVAL;
	}
	return rc;
}

int
properties_put_map(struct evh_ctx *ctx, rd_kafka_conf_t *conf,
		   const struct property_rule *rules)
{
	const char *name, *value;
	int rc = 0;

	for (unsigned i = 0;
	     (value = ctx->opt_at(ctx, "rdkafka", i, &name)) != NULL; i++) {
		const char *why = properties_refusal(rules, name, value);

		/* Without the value, which may be a secret. */
		if (why != NULL) {
			ctx->log(ctx, EVH_ERROR, "rdkafka.%s: %s", name, why);
			rc = -EINVAL;
		} else if (properties_put(ctx, conf, name, value) < 0) {
			rc = -EINVAL;
		}
	}
	return rc;
}
