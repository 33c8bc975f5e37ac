/*
 * Dead letters that are as large as a broker takes them, or larger: none of
 * them stops its partition.
 */
#include "api.h"
#include "crew.h"
#include "dead.h"
#include "dead_topic.h"
#include "table.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#define WAIT_MS 60000

/* Changes that fail what is called bad, and keep it in a topic of its own. */
#define TO_TOPIC(more)                                                         \
	DEAD_TOPIC_SINK(DEAD_TOPIC_BROKERS, more), DEAD_TOPIC_FAILS,           \
		"on_fail = { \"events\" }", "on_fail = { \"dlq\" }"

static const char *const to_topic[] = { TO_TOPIC(""), NULL };
static const char *const to_narrow[] = {
	TO_TOPIC("rdkafka.message.max.bytes = 2000\n"), NULL
};

static const char *const with_sink[] = {
	DEAD_TOPIC_SINK(DEAD_TOPIC_BROKERS, ""), NULL
};

/* With a topic that takes more than a consumer does. */
static int
large_setup(void **state)
{
	const struct crew *crew;
	int rc = crew_setup(state);

	if (rc == 0) {
		crew = *state;
		topic_create(&crew->w, 6);
	}
	return rc;
}

/* Puts so many bytes that are no event, and behind them one that is, which has
 * to get through. */
static void
poison_pass(struct crew *crew, size_t size)
{
	static const char good[] =
		"{\"id\":\"0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4e\","
		"\"name\":\"user.created\",\"data\":{}}";
	char *poison = malloc(size);

	assert_non_null(poison);
	memset(poison, 'x', size);
	topic_put(&crew->w, 0, "k", poison, size, NULL);
	topic_put(&crew->w, 0, "k", good, strlen(good), NULL);
	free(poison);
	crew_await_row(crew, "0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4e",
		       "processed");
	dead_topic_await(crew, 1);
}

/* The id of the one that there is. */
static void
letter_id(const char *config, char ret[40])
{
	char *out = dead_ask(EX_OK, config, "list", "--from", "dlq", "--json",
			     NULL);
	const char *at = strstr(out, "{\"id\":\"");

	assert_non_null(at);
	snprintf(ret, 40, "%.36s", at + 7);
	free(out);
}

/* A letter of which the bytes are lost: what is said of it. */
static void
check_lost(const char *config, const char *id, size_t size, const char *sha256)
{
	char text[160];

	snprintf(text, sizeof(text), "lost bytes: %zu, SHA-256 %s", size,
		 sha256);
	dead_run(EX_OK, text, config, "show", id, "--from", "dlq", NULL);
	snprintf(text, sizeof(text),
		 "\"data\":null,\"lost\":{\"bytes\":%zu,\"sha256\":\"%s\"}}",
		 size, sha256);
	dead_run(EX_OK, text, config, "show", id, "--from", "dlq", "--json",
		 NULL);
	dead_run(EX_DATAERR, "its bytes are lost", config, "show", id,
		 "--bytes", "--from", "dlq", NULL);
	dead_run(EX_DATAERR,
		 "its bytes were too many to be kept: there is nothing to send",
		 config, "retry", id, "--from", "dlq", NULL);
}

/* How many bytes the one dead letter has, and that they are what came. */
static size_t
dead_len(const struct crew *crew)
{
	struct world dead = dead_topic(crew);
	size_t len = 0;

	for (int p = 0; p < topic_partitions(&dead); p++) {
		char *key = NULL,
		     *value = topic_last(&dead, p, &len, &key, NULL, NULL);

		if (!value)
			continue;
		for (size_t i = 0; i < len; i++)
			assert_int_equal(value[i], 'x');
		free(value);
		free(key);
		return len;
	}
	return 0;
}

static void
poison_beyond_a_mebibyte_is_kept_whole_in_a_topic_made_for_it(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	crew_ready(crew, "consumer", "consumer.conf", to_topic);
	service_config(&crew->w, "api.conf", "dlq.conf", with_sink, config);
	poison_pass(crew, 1200000);
	dead_run(EX_OK, "is larger than 1048576", config, "list", "--from",
		 "dlq", "--json", NULL);
	assert_int_equal(dead_len(crew), 1200000);
	crew_end(crew);
}

static void
an_event_as_large_as_may_be_is_kept_whole(void **state)
{
	static const char head[] =
		"{\"id\":\"0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4f\","
		"\"name\":\"bad.thing\",\"data\":{\"s\":\"";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	const size_t size = 1048576;
	char *value = malloc(size);

	/* Its own size is the limit; what is said of it comes on top. */
	assert_non_null(value);
	memset(value, 'x', size);
	memcpy(value, head, strlen(head));
	memcpy(value + size - 3, "\"}}", 3);
	crew_ready(crew, "consumer", "consumer.conf", to_topic);
	service_config(&crew->w, "api.conf", "dlq.conf", with_sink, config);
	topic_put(&crew->w, 0, "k", value, size, NULL);
	free(value);
	dead_topic_await(crew, 1);
	dead_run(EX_OK, "\"retryable\":true", config, "list", "--from", "dlq",
		 "--json", NULL);
	crew_end(crew);
}

static void
poison_beyond_all_limits_leaves_a_letter_without_its_bytes(void **state)
{
	/* head -c 3000000 /dev/zero | tr '\0' x | sha256sum */
	static const char sha256[] = "e55b8bdf621ddaa8f462c74745db9680d3bb7536a"
				     "9cf854f8d6668b34a287890";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], id[40];

	crew_ready(crew, "consumer", "consumer.conf", to_topic);
	service_config(&crew->w, "api.conf", "dlq.conf", with_sink, config);
	poison_pass(crew, 3000000);
	letter_id(config, id);
	check_lost(config, id, 3000000, sha256);
	crew_end(crew);
}

static void
a_topic_that_takes_less_gets_the_letter_without_its_bytes(void **state)
{
	/* head -c 300000 /dev/zero | tr '\0' x | sha256sum */
	static const char sha256[] = "29927e273accc68286005017f7fa6e4f27bddb4db"
				     "3083ff8b8d4c3667905b7fa";
	struct crew *crew = *state;
	struct world dead = dead_topic(crew);
	char config[WORLD_PATH_MAX], id[40];

	/* Only the broker knows that. */
	topic_create_with(&dead, 1, "max.message.bytes", "100000");
	crew_ready(crew, "consumer", "consumer.conf", to_topic);
	service_config(&crew->w, "api.conf", "dlq.conf", with_sink, config);
	poison_pass(crew, 300000);
	letter_id(config, id);
	check_lost(config, id, 300000, sha256);
	crew_end(crew);
}

static void
a_letter_without_its_bytes_still_has_name_place_and_error(void **state)
{
	static const char value[] =
		"{\"id\":\"0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4f\",\"name\":"
		"\"bad.thing\",\"data\":{\"s\":\"%04000d\"},"
		"\"created_at\":\"2020-02-29T23:59:59.123456Z\"}";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], text[5000];

	snprintf(text, sizeof(text), value, 0);
	crew_ready(crew, "consumer", "consumer.conf", to_narrow);
	service_config(&crew->w, "api.conf", "dlq.conf", with_sink, config);
	topic_put(&crew->w, 2, "key 7", text, strlen(text), NULL);
	dead_topic_await(crew, 1);
	dead_run(EX_OK,
		 "{\"id\":\"0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4f\",\"name\":"
		 "\"bad.thing\",\"created_at\":\"2020-02-29T23:59:59.123456Z\","
		 "\"failed_at\":\"2",
		 config, "list", "--from", "dlq", "--json", NULL);
	dead_run(EX_OK, "\"message\":\"no such user\"}", config, "list",
		 "--from", "dlq", "--json", NULL);
	dead_run(EX_OK, ",\"partition\":2,\"offset\":0,\"retryable\":false",
		 config, "list", "--from", "dlq", "--json", NULL);
	dead_run(EX_OK, "0192aad2", config, "list", "--from", "dlq", "--where",
		 "name=bad.*", NULL);
	crew_end(crew);
}

#define large_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, large_setup, dead_topic_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		large_test(
			poison_beyond_a_mebibyte_is_kept_whole_in_a_topic_made_for_it),
		large_test(an_event_as_large_as_may_be_is_kept_whole),
		large_test(
			poison_beyond_all_limits_leaves_a_letter_without_its_bytes),
		large_test(
			a_topic_that_takes_less_gets_the_letter_without_its_bytes),
		large_test(
			a_letter_without_its_bytes_still_has_name_place_and_error),
	};

	return cmocka_run_group_tests_name("dlq_large", tests, NULL, NULL);
}
