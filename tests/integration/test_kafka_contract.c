/*
 * What evhd writes to Kafka: value, key, headers, timestamp and the topic
 * itself, each row of the service's table.
 */
#include "api.h"
#include "crew.h"
#include "shape.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARTITIONS 6
#define TEXT_MAX   2048
#define WAIT_MS	   60000

struct message {
	int partition; /* -1: none */
	char *value, *key, *headers;
	size_t len;
	int64_t time_ms;
};

static void
message_fini(struct message *m)
{
	free(m->value);
	free(m->key);
	free(m->headers);
	*m = (struct message){ .partition = -1 };
}

/* The newest message of a partition, whichever, that has this id, and of two
 * such the one that has this header (NULL: any). */
static struct message
message_find(struct crew *crew, const char *id, const char *with)
{
	char header[64];

	snprintf(header, sizeof(header), "evh-id=%s\n", id);
	for (int i = 0; i < PARTITIONS; i++) {
		struct message m = { .partition = i };

		m.value = topic_last(&crew->w, i, &m.len, &m.key, &m.headers,
				     &m.time_ms);
		if (m.value && strstr(m.headers, header) &&
		    (!with || strstr(m.headers, with)))
			return m;
		message_fini(&m);
	}
	fail_msg("no partition's newest message has the id %s", id);
	return (struct message){ .partition = -1 };
}

/* A member of a flat answer, copied. */
static void
member_copy(const char *body, const char *name, char ret[64])
{
	char before[64];
	const char *at;

	snprintf(before, sizeof(before), "\"%s\":\"", name);
	at = strstr(body, before);
	assert_non_null(at);
	at += strlen(before);
	snprintf(ret, 64, "%.*s", (int)strcspn(at, "\""), at);
}

static void
a_message_has_the_event_its_headers_and_its_time(void **state)
{
	static const char data[] =
		"{ \"b\":1.0,\t\"a\" : [1e2,123456789012345678901234567890],"
		"\"s\":\"\\u00e9\\/\xC3\xA9\\u0000\",\"\":{} }";
	struct crew *crew = *state;
	char body[TEXT_MAX], expected[TEXT_MAX], id[64], created[64];
	struct http_answer a;
	struct message m;

	crew_ready(crew, "api", "api.conf", NULL);
	assert_int_equal(topic_partitions(&crew->w), PARTITIONS);
	snprintf(body, sizeof(body),
		 " {\"extra\":1,\"data\" : %s ,\"name\":\"user.\\u0063\xC3\xA9"
		 "\\\"\"}\n",
		 data);
	a = api_post(crew->api_port, body);
	assert_int_equal(a.status, 201);
	member_copy(a.body, "id", id);
	member_copy(a.body, "created_at", created);
	m = message_find(crew, id, NULL);

	snprintf(expected, sizeof(expected),
		 "{\"id\":\"%s\",\"name\":\"user.c\xC3\xA9\\\"\",\"data\":%s,"
		 "\"created_at\":\"%s\"}",
		 id, data, created);
	assert_string_equal(m.value, expected);
	assert_int_equal(m.len, strlen(expected));
	snprintf(expected, sizeof(expected),
		 "evh-id=%s\ncontent-type=application/json\n", id);
	assert_string_equal(m.headers, expected);
	assert_string_equal(m.key, "");
	assert_int_equal(m.time_ms, shape_time_ms(created));
	message_fini(&m);
	http_answer_fini(&a);
	crew_end(crew);
}

/* Posts, and looks at the key; partition -1: any. */
static void
key_check(struct crew *crew, const char *name, const char *data,
	  const char *key, int partition)
{
	char id[API_ID_MAX];
	struct message m;

	crew_post(crew, name, data, id);
	m = message_find(crew, id, NULL);
	assert_string_equal(m.key, strcmp(key, "id") == 0 ? id : key);
	if (partition >= 0)
		assert_int_equal(m.partition, partition);
	message_fini(&m);
}

/* An API whose http_ingest has this option. */
static struct daemon *
api_with_key(struct crew *crew, const char *daemon, const char *key)
{
	char option[128];
	const char *const changes[] = { "store = \"events\"\n}", option, NULL };

	snprintf(option, sizeof(option),
		 "store = \"events\"\n\tkey = \"%s\"\n}", key);
	return crew_ready(crew, daemon, "api.conf", changes);
}

static void
a_key_is_what_the_option_says(void **state)
{
	struct crew *crew = *state;
	struct daemon *d;

	d = api_with_key(crew, "none", "none");
	key_check(crew, "foobar", "{\"id\":1}", "", -1);
	assert_int_equal(daemon_stop(d, CREW_STOP_MS), 0);

	d = api_with_key(crew, "id", "id");
	key_check(crew, "foobar", "{\"id\":1}", "id", -1);
	assert_int_equal(daemon_stop(d, CREW_STOP_MS), 0);

	/* Partitions are those that Java's client takes: murmur2 as its own
	 * tests give it, modulo six. */
	d = api_with_key(crew, "name", "name");
	key_check(crew, "foobar", "{}", "foobar", 0);
	key_check(crew, "a-little-bit-long-string", "{}",
		  "a-little-bit-long-string", 2);
	key_check(crew, "abc", "{}", "abc", 3);
	assert_int_equal(daemon_stop(d, CREW_STOP_MS), 0);

	d = api_with_key(crew, "pointer", "/user/id");
	key_check(crew, "n", "{\"user\":{\"id\":123}}", "123", -1);
	key_check(crew, "n", "{\"user\":{\"id\":\"a\\u0062c\"}}", "abc", 3);
	key_check(crew, "n", "{\"user\":{}}", "", -1);
	crew_end(crew);
}

static int
partitions_in_use(struct crew *crew)
{
	int n = 0;

	for (int i = 0; i < PARTITIONS; i++) {
		size_t len;
		char *value = topic_last(&crew->w, i, &len, NULL, NULL, NULL);

		n += value != NULL;
		free(value);
	}
	return n;
}

/* Those of the same few milliseconds share a partition, for one request. */
static void
events_without_a_key_are_spread(void **state)
{
	struct crew *crew = *state;
	char id[API_ID_MAX];
	int n = 0;

	crew_ready(crew, "api", "api.conf", NULL);
	for (int round = 0; round < 100 && n < 3; round++) {
		for (int i = 0; i < 30; i++)
			crew_post(crew, "n", "{}", id);
		n = partitions_in_use(crew);
	}
	assert_true(n >= 3);
	crew_end(crew);
}

static void
a_retry_is_the_same_message_with_its_attempts(void **state)
{
	static const char *const failing[] = {
		CREW_HANDLER("plugin = \"fail\""), NULL
	};
	struct crew *crew = *state;
	char expected[TEXT_MAX], id[API_ID_MAX];
	struct message first, second;
	struct daemon *api;

	api = crew_ready(crew, "api", "api.conf", NULL);
	crew_await_metric(api, "evh_instance_ready{instance=\"events\"}", 1,
			  WAIT_MS);
	crew_ready(crew, "consumer", "consumer.conf", failing);
	crew_post(crew, "user.created", "{\"n\": 1.0 }", id);
	crew_await_row(crew, id, "failed");
	first = message_find(crew, id, NULL);
	api_expect_shape(api_retry(crew->api_port, id), 202,
			 "{\"id\":\"<id>\",\"status\":\"pending\","
			 "\"attempts\":1}");
	second = message_find(crew, id, "evh-attempts=");

	assert_int_equal(topic_count(&crew->w), 2);
	assert_string_equal(second.value, first.value);
	/* Not that of the event: retention goes by it. */
	assert_true(second.time_ms > first.time_ms);
	snprintf(expected, sizeof(expected),
		 "evh-id=%s\ncontent-type=application/json\nevh-attempts=1\n",
		 id);
	assert_string_equal(second.headers, expected);
	message_fini(&first);
	message_fini(&second);
	crew_end(crew);
}

static void
a_topic_is_made_as_the_options_say(void **state)
{
	static const char *const three[] = {
		"plugin = \"kafka_sink\"",
		"plugin = \"kafka_sink\"\n\tpartitions = 3", NULL
	};
	struct crew *crew = *state;

	assert_int_equal(topic_partitions(&crew->w), 0);
	crew_ready(crew, "api", "api.conf", three);
	assert_int_equal(topic_partitions(&crew->w), 3);
	crew_end(crew);
}

static void
a_topic_that_may_not_be_made_is_waited_for(void **state)
{
	static const char *const no_create[] = {
		"plugin = \"kafka_sink\"",
		"plugin = \"kafka_sink\"\n\tcreate = no", NULL
	};
	struct crew *crew = *state;
	struct daemon *api = crew_start(crew, "api", "api.conf", no_create);
	struct http_answer a;
	char id[API_ID_MAX];

	crew_await_reason(api, "does not exist");
	a = api_post(crew->api_port, "{\"name\":\"n\",\"data\":{}}");
	assert_int_equal(a.status, 503);
	http_answer_fini(&a);
	assert_int_equal(topic_partitions(&crew->w), 0);

	topic_create(&crew->w, 2);
	daemon_await_ready(api, CREW_READY_MS);
	crew_post(crew, "n", "{}", id);
	assert_int_equal(topic_count(&crew->w), 1);
	crew_end(crew);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_message_has_the_event_its_headers_and_its_time,
			crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(a_key_is_what_the_option_says,
						crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(events_without_a_key_are_spread,
						crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			a_retry_is_the_same_message_with_its_attempts,
			crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			a_topic_is_made_as_the_options_say, crew_setup,
			crew_teardown),
		cmocka_unit_test_setup_teardown(
			a_topic_that_may_not_be_made_is_waited_for, crew_setup,
			crew_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
