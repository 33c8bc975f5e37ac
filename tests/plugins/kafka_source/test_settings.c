/*
 * test_settings.c - which properties of librdkafka are refused, and what is
 * set when nobody says anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "settings.h"

static void
properties_that_break_a_promise_are_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *name, *value;
		bool refused;
	} cases[] = {
		{ "enable.auto.offset.store", "true", true },
		{ "enable.auto.offset.store", "1", true },
		{ "ENABLE.AUTO.OFFSET.STORE", "True", true },
		{ "enable.auto.offset.store", "false", false },
		{ "enable.auto.commit", "false", true },
		{ "enable.auto.commit", "true", false },
		{ "auto.commit.enable", "false", true },
		{ "topic.auto.commit.enable", "false", true },
		{ "auto.offset.reset", "latest", true },
		{ "auto.offset.reset", "largest", true },
		{ "auto.offset.reset", "end", true },
		{ "auto.offset.reset", "earliest", false },
		{ "auto.offset.reset", "error", false },
		{ "topic.auto.offset.reset", "latest", true },
		{ "partition.assignment.strategy", "cooperative-sticky", true },
		{ "partition.assignment.strategy", "range", false },
		{ "isolation.level", "read_uncommitted", true },
		{ "isolation.level", "read_committed", false },
		{ "enable.partition.eof", "true", true },
		{ "allow.auto.create.topics", "true", true },
		{ "bootstrap.servers", "x", true },
		{ "metadata.broker.list", "x", true },
		{ "group.id", "x", true },
		{ "group.instance.id", "x", true },
		{ "offset.store.method", "file", true },
		{ "queued.min.messages", "10", false },
		{ "topic.metadata.refresh.interval.ms", "500", false },
		{ "sasl.password", "x", false },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why = settings_refuse(cases[i].name, cases[i].value);
		if ((why != NULL) != cases[i].refused)
			fail_msg("%s = %s: %s", cases[i].name, cases[i].value,
				 why != NULL ? why : "allowed");
		if (why != NULL)
			assert_in_range(strlen(why), 20, 200);
	}
}

static rd_kafka_conf_t *
conf_of(struct fake_host *host, const struct fake_option *options)
{
	struct settings settings;
	rd_kafka_conf_t *conf;

	fake_host_init(host, options);
	host->is_quiet = true;
	assert_int_equal(settings_init(&settings, &host->ctx), 0);
	conf = settings_conf(&settings, &host->ctx);
	fake_host_fini(host);
	return conf;
}

static void
assert_property(const rd_kafka_conf_t *conf, const char *name,
		const char *expect)
{
	char value[256];
	size_t size = sizeof(value);

	assert_int_equal(rd_kafka_conf_get(conf, name, value, &size),
			 RD_KAFKA_CONF_OK);
	assert_string_equal(value, expect);
}

static void
what_nobody_says_is_what_the_promises_need(void **state)
{
	const struct fake_option options[] = {
		{ "brokers", "a:1,b:2" },
		{ "topic", "events" },
		{ NULL, NULL },
	};
	struct fake_host host;
	rd_kafka_conf_t *conf = conf_of(&host, options);

	(void)state;
	assert_non_null(conf);
	assert_property(conf, "bootstrap.servers", "a:1,b:2");
	assert_property(conf, "group.id", "event_handler_group");
	assert_property(conf, "client.id", "evhd/topic");
	assert_property(conf, "enable.auto.offset.store", "false");
	assert_property(conf, "enable.auto.commit", "true");
	assert_property(conf, "auto.commit.interval.ms", "1000");
	assert_property(conf, "auto.offset.reset", "smallest");
	assert_property(conf, "partition.assignment.strategy",
			"range,roundrobin");
	assert_property(conf, "session.timeout.ms", "15000");
	assert_property(conf, "queued.min.messages", "250000");
	assert_property(conf, "isolation.level", "read_committed");
	rd_kafka_conf_destroy(conf);
}

static void
a_users_property_replaces_the_default(void **state)
{
	const struct fake_option options[] = {
		{ "brokers", "a:1" },
		{ "topic", "events" },
		{ "group_instance_id", "one" },
		{ "rdkafka.queued.min.messages", "7" },
		{ NULL, NULL },
	};
	struct fake_host host;
	rd_kafka_conf_t *conf = conf_of(&host, options);

	(void)state;
	assert_non_null(conf);
	assert_property(conf, "queued.min.messages", "7");
	assert_property(conf, "group.instance.id", "one");
	rd_kafka_conf_destroy(conf);
}

static void
a_property_that_is_refused_or_unknown_makes_no_configuration(void **state)
{
	static const char *const names[] = { "rdkafka.enable.auto.commit",
					     "rdkafka.no.such.thing",
					     "rdkafka.session.timeout.ms" };
	struct fake_host host;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct fake_option options[] = {
			{ "brokers", "a:1" },
			{ "topic", "events" },
			{ names[i], "no" },
			{ NULL, NULL },
		};

		assert_null(conf_of(&host, options));
	}
}

static void
a_topic_that_is_no_name_is_refused(void **state)
{
	static const struct {
		const char *topic;
		int r;
	} cases[] = {
		{ "events", 0 },    { "A.b_c-9", 0 },	 { "", -22 },
		{ "^events", -22 }, { "a b", -22 },	 { ".", -22 },
		{ "..", -22 },	    { "\xc3\xa4", -22 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_option options[] = {
			{ "brokers", "a:1" },
			{ "topic", cases[i].topic },
			{ NULL, NULL },
		};
		struct fake_host host;
		struct settings settings;

		fake_host_init(&host, options);
		host.is_quiet = true;
		assert_int_equal(settings_init(&settings, &host.ctx),
				 cases[i].r);
		fake_host_fini(&host);
	}
}

static void
a_host_that_does_not_resolve_is_explained_outside_of_docker(void **state)
{
	struct settings settings = { .brokers = "kafka:9092",
				     .out_port = 9094 };
	char why[256];

	(void)state;
	settings_explain_brokers(&settings, RD_KAFKA_RESP_ERR__RESOLVE, "no",
				 why, sizeof(why));
	assert_non_null(strstr(why, "localhost:9094"));
	assert_non_null(strstr(why, "EVENT_HANDLER_SERVICE_KAFKA_OUT_PORT"));
	settings.is_docker = true;
	settings_explain_brokers(&settings, RD_KAFKA_RESP_ERR__RESOLVE, "no",
				 why, sizeof(why));
	assert_null(strstr(why, "localhost"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			properties_that_break_a_promise_are_refused_with_a_sentence),
		cmocka_unit_test(what_nobody_says_is_what_the_promises_need),
		cmocka_unit_test(a_users_property_replaces_the_default),
		cmocka_unit_test(
			a_property_that_is_refused_or_unknown_makes_no_configuration),
		cmocka_unit_test(a_topic_that_is_no_name_is_refused),
		cmocka_unit_test(
			a_host_that_does_not_resolve_is_explained_outside_of_docker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
