#include "fake_host.h"
#include "outage.h"
#include "settings.h"
#include "value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *name, *value;
	const char *says; /* part of the refusal; NULL: it is taken */
};

static const struct row rows[] = {
	{ "rdkafka.acks", "1", "all in-sync replicas" },
	{ "rdkafka.acks", "0", "all in-sync replicas" },
	{ "rdkafka.acks", "all", NULL },
	{ "rdkafka.acks", "-1", NULL },
	{ "rdkafka.request.required.acks", "1", "all in-sync replicas" },
	{ "rdkafka.enable.idempotence", "false", "leave it at true" },
	{ "rdkafka.enable.idempotence", "true", NULL },
	{ "rdkafka.enable.gapless.guarantee", "false", "leave it at true" },
	{ "rdkafka.delivery.report.only.error", "true", "delivery reports" },
	{ "rdkafka.queuing.strategy", "lifo", "order" },
	{ "rdkafka.partitioner", "random", "share a partition" },
	{ "rdkafka.partitioner", "murmur2", NULL },
	{ "rdkafka.transactional.id", "x", "no transactions" },
	{ "rdkafka.message.timeout.ms", "1", "message_timeout" },
	{ "rdkafka.delivery.timeout.ms", "1", "message_timeout" },
	{ "rdkafka.queue.buffering.max.messages", "1", "queue_messages" },
	{ "rdkafka.queue.buffering.max.kbytes", "1", "queue_size" },
	{ "rdkafka.bootstrap.servers", "a:1", "brokers" },
	{ "rdkafka.metadata.broker.list", "a:1", "brokers" },
	{ "rdkafka.log.queue", "false", "leave it at true" },
	{ "rdkafka.plugin.library.paths", "x.so", "no code" },
	{ "rdkafka.sasl.password", "hunter2", "sasl_password_file" },
	{ "rdkafka.ssl.key.password", "hunter2", "ssl_key_password" },
	{ "rdkafka.ssl.keystore.password", "hunter2", "ssl_keystore" },
	{ "rdkafka.sasl.oauthbearer.client.secret", "hunter2", "oauth" },
	{ "rdkafka.ssl.key.pem", "hunter2", "ssl.key.location" },
	{ "rdkafka.enable.ssl.certificate.verification", "false", "checked" },
	{ "rdkafka.ssl.endpoint.identification.algorithm", "none", "checked" },
	{ "rdkafka.debug", "broker,security", "secrets" },
	{ "rdkafka.debug", "ALL", "secrets" },
	{ "rdkafka.debug", "broker, conf", "secrets" },
	{ "rdkafka.debug", "broker,+security", "secrets" },
	{ "rdkafka.debug", "\tall", "secrets" },
	{ "rdkafka.debug", "broker,msg", NULL },
	{ "rdkafka.ssl.engine.location", "x.so", "no code" },
	/* librdkafka takes a topic's properties with this prefix too. */
	{ "rdkafka.topic.partitioner", "random", "share a partition" },
	{ "rdkafka.topic.partitioner", "murmur2", NULL },
	{ "rdkafka.topic.message.timeout.ms", "1", "message_timeout" },
	{ "rdkafka.topic.delivery.timeout.ms", "1", "message_timeout" },
	{ "rdkafka.topic.acks", "1", "all in-sync replicas" },
	{ "rdkafka.topic.acks", "all", NULL },
	{ "rdkafka.topic.request.required.acks", "1", "all in-sync replicas" },
	{ "rdkafka.topic.queuing.strategy", "lifo", "order" },
	{ "rdkafka.topic.metadata.refresh.interval.ms", "5000", NULL },
	{ "rdkafka.linger.ms", "5", NULL },
	{ "rdkafka.linger.ms", "soon", "linger.ms" },
	{ "rdkafka.compression.type", "lz4", NULL },
	{ "rdkafka.lingr.ms", "5", "lingr.ms" },
};

static void
each_setting_is_taken_or_refused_with_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct settings s;
		struct fake_host h;
		int rc;

		fake_host_init(&h, settings_options);
		fake_host_set(&h, rows[i].name, rows[i].value);
		rc = settings_read(&h.ctx, &s);
		if ((rc == 0) != (rows[i].says == NULL))
			fail_msg("%s = %s: %d %s", rows[i].name, rows[i].value,
				 rc, h.log);
		if (rows[i].says != NULL && !fake_logged(&h, rows[i].says))
			fail_msg("%s = %s says only: %s", rows[i].name,
				 rows[i].value, h.log);
		if (fake_logged(&h, "hunter2"))
			fail_msg("%s: the secret is in the log", rows[i].name);
		fake_host_fini(&h);
	}
}

static void
times_and_sizes_out_of_range_are_found_by_the_table(void **state)
{
	static const struct {
		const char *option, *value;
		int rc;
	} cases[] = {
		{ "message_timeout", "499ms", -22 },
		{ "message_timeout", "500ms", 0 },
		{ "message_timeout", "15m", 0 },
		{ "message_timeout", "901s", -22 },
		{ "queue_size", "1023", -22 },
		{ "queue_size", "1K", 0 },
		{ "queue_size", "2047G", 0 },
		{ "queue_size", "2048G", -22 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct evh_option *row = settings_options;
		int64_t number;
		char *why = NULL;

		while (strcmp(row->name, cases[i].option) != 0)
			row++;
		if (value_check(row, cases[i].value, &number, &why) !=
		    cases[i].rc)
			fail_msg("%s = %s", cases[i].option, cases[i].value);
		free(why);
	}
}

static void
all_mistakes_are_named_at_once(void **state)
{
	struct settings s;
	struct fake_host h;

	(void)state;
	fake_host_init(&h, settings_options);
	fake_host_set(&h, "rdkafka.acks", "1");
	fake_host_set(&h, "rdkafka.enable.idempotence", "no");
	fake_host_set(&h, "rdkafka.lingr.ms", "5");
	fake_host_set(&h, "rdkafka.linger.ms", "soon");
	assert_int_equal(-22, settings_read(&h.ctx, &s));
	assert_true(fake_logged(&h, "rdkafka.acks"));
	assert_true(fake_logged(&h, "rdkafka.enable.idempotence"));
	assert_true(fake_logged(&h, "rdkafka.lingr.ms"));
	assert_true(fake_logged(&h, "rdkafka.linger.ms"));
	fake_host_fini(&h);
}

static void
has(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[128] = "";
	size_t size = sizeof(text);

	assert_int_equal(RD_KAFKA_CONF_OK,
			 rd_kafka_conf_get(conf, name, text, &size));
	if (strcmp(text, value) != 0)
		fail_msg("%s is %s, not %s", name, text, value);
}

static void
options_become_librdkafkas_properties(void **state)
{
	struct batching b = { .max_bytes = 5000, .alone = true };
	rd_kafka_conf_t *conf;
	struct settings s;
	struct fake_host h;

	(void)state;
	fake_host_init(&h, settings_options);
	fake_host_set(&h, "queue_size", "64M");
	fake_host_set(&h, "message_timeout", "3s");
	fake_host_set(&h, "sasl_password", "hunter2");
	fake_host_set(&h, "rdkafka.linger.ms", "7");
	assert_int_equal(0, settings_read(&h.ctx, &s));
	assert_int_equal(-1, s.replication);
	assert_int_equal(6, s.partitions);
	assert_true(s.create);
	assert_false(s.hurries); /* an operator's linger is kept to */
	assert_int_equal(0, settings_conf(&h.ctx, &s, &b, &conf));
	has(conf, "bootstrap.servers", "127.0.0.1:1");
	has(conf, "queue.buffering.max.kbytes", "65536");
	has(conf, "queue.buffering.max.messages", "100000");
	has(conf, "enable.idempotence", "true");
	has(conf, "enable.gapless.guarantee", "true");
	has(conf, "sasl.password", "hunter2");
	has(conf, "linger.ms", "7");
	has(conf, "batch.size", "5000");
	has(conf, "batch.num.messages", "1");
	has(conf, "client.id", "evhd/kafka");
	/* Ours is 3 s; librdkafka's is only the net below it. */
	has(conf, "message.timeout.ms", "8000");
	rd_kafka_conf_destroy(conf);
	fake_host_fini(&h);
}

static void
a_name_that_does_not_resolve_is_told_the_port_outside(void **state)
{
	const char *brokers = "kafka:9092";
	char why[OUTAGE_TEXT];

	(void)state;
	outage_text(brokers, 9095, RD_KAFKA_RESP_ERR__RESOLVE,
		    "Failed to resolve", why, sizeof(why));
	assert_non_null(strstr(why, "kafka:9092"));
	assert_non_null(strstr(why, "Failed to resolve"));
	assert_non_null(strstr(why, "does not resolve"));
	assert_non_null(strstr(why, "localhost:9095"));
	assert_non_null(strstr(why, "EVENT_HANDLER_SERVICE_KAFKA_OUT_PORT"));
	outage_text(brokers, 0, RD_KAFKA_RESP_ERR__RESOLVE, "Failed to resolve",
		    why, sizeof(why));
	assert_null(strstr(why, "localhost"));
	outage_text(brokers, 9095, RD_KAFKA_RESP_ERR__TRANSPORT, "refused", why,
		    sizeof(why));
	assert_null(strstr(why, "localhost"));
	assert_non_null(strstr(why, "refused"));
	outage_text(brokers, 9095, RD_KAFKA_RESP_ERR_NO_ERROR, "", why,
		    sizeof(why));
	assert_non_null(strstr(why, "no answer yet"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_setting_is_taken_or_refused_with_a_sentence),
		cmocka_unit_test(
			times_and_sizes_out_of_range_are_found_by_the_table),
		cmocka_unit_test(all_mistakes_are_named_at_once),
		cmocka_unit_test(options_become_librdkafkas_properties),
		cmocka_unit_test(
			a_name_that_does_not_resolve_is_told_the_port_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
