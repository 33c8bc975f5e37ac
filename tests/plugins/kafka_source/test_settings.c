/*
 * test_settings.c - which properties of librdkafka are refused, and what is
 * set when nobody says anything.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "settings.h"
#include "value.h"

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
		{ "log.queue", "true", true },
		{ "plugin.library.paths", "x.so", true },
		{ "ssl.engine.location", "x.so", true },
		{ "sasl.password", "hunter2", true },
		{ "ssl.key.password", "hunter2", true },
		{ "ssl.keystore.password", "hunter2", true },
		{ "sasl.oauthbearer.client.secret", "hunter2", true },
		{ "ssl.key.pem", "hunter2", true },
		{ "enable.ssl.certificate.verification", "false", true },
		{ "enable.ssl.certificate.verification", "1", false },
		{ "ssl.endpoint.identification.algorithm", "none", true },
		{ "debug", "all", true },
		{ "debug", "broker, Security", true },
		{ "debug", "broker,+conf", true },
		{ "debug", "cgrp,fetch", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char name[128], says[160];
		const struct fake_option options[] = {
			{ "brokers", "a:1" },
			{ "topic", "events" },
			{ name, cases[i].value },
			{ NULL, NULL },
		};
		struct settings settings;
		struct fake_host host;
		int r;

		(void)snprintf(name, sizeof(name), "rdkafka.%s", cases[i].name);
		(void)snprintf(says, sizeof(says), "%s: ", name);
		fake_host_init(&host, options);
		host.is_quiet = true;
		r = settings_read(&settings, &host.ctx);
		if ((r == -EINVAL) != cases[i].refused)
			fail_msg("%s = %s: %d %s", name, cases[i].value, r,
				 host.errors);
		if (cases[i].refused && strstr(host.errors, says) == NULL)
			fail_msg("%s says only: %s", name, host.errors);
		/* Ours, and not librdkafka's. */
		assert_null(strstr(host.errors, "property"));
		assert_null(strstr(host.errors, "hunter2"));
		fake_host_fini(&host);
	}
}

static void
times_and_sizes_out_of_range_are_found_by_the_table(void **state)
{
	static const struct {
		const char *option, *value;
		int r;
	} cases[] = {
		{ "revoke_timeout", "0", 0 },
		{ "revoke_timeout", "1m", 0 },
		{ "revoke_timeout", "61s", -EINVAL },
		{ "max_message", "0", -EINVAL },
		{ "max_message", "1", 0 },
		{ "max_message", "1G", 0 },
		{ "max_message", "1025M", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct evh_option *row = settings_options;
		int64_t number;
		char *why = NULL;

		while (strcmp(row->name, cases[i].option) != 0)
			row++;
		if (value_check(row, cases[i].value, &number, &why) !=
		    cases[i].r)
			fail_msg("%s = %s", cases[i].option, cases[i].value);
		free(why);
	}
}

static void
all_mistakes_are_named_at_once(void **state)
{
	const struct fake_option options[] = {
		{ "brokers", "a:1" },
		{ "topic", "a b" },
		{ "rdkafka.sasl.password", "hunter2" },
		{ "rdkafka.no.such.thing", "1" },
		{ "rdkafka.session.timeout.ms", "soon" },
		{ NULL, NULL },
	};
	struct settings settings;
	struct fake_host host;

	(void)state;
	fake_host_init(&host, options);
	host.is_quiet = true;
	assert_int_equal(settings_read(&settings, &host.ctx), -EINVAL);
	assert_non_null(strstr(host.errors, "topic \"a b\""));
	assert_non_null(strstr(host.errors, "rdkafka.sasl.password: "));
	assert_non_null(strstr(host.errors, "rdkafka.no.such.thing: "));
	assert_non_null(strstr(host.errors, "rdkafka.session.timeout.ms: "));
	fake_host_fini(&host);
}

static rd_kafka_conf_t *
conf_of(struct fake_host *host, const struct fake_option *options)
{
	struct settings settings;
	rd_kafka_conf_t *conf;

	fake_host_init(host, options);
	host->is_quiet = true;
	assert_int_equal(settings_read(&settings, &host->ctx), 0);
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
		{ "sasl_password", "hunter2" },
		{ NULL, NULL },
	};
	struct fake_host host;
	rd_kafka_conf_t *conf = conf_of(&host, options);

	(void)state;
	assert_non_null(conf);
	assert_property(conf, "queued.min.messages", "7");
	assert_property(conf, "sasl.password", "hunter2");
	assert_property(conf, "group.instance.id", "one");
	rd_kafka_conf_destroy(conf);
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
		assert_int_equal(settings_read(&settings, &host.ctx),
				 cases[i].r);
		fake_host_fini(&host);
	}
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
			times_and_sizes_out_of_range_are_found_by_the_table),
		cmocka_unit_test(all_mistakes_are_named_at_once),
		cmocka_unit_test(a_topic_that_is_no_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
