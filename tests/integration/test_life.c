/*
 * An event's life by its rules, end to end: failed, retried, dropped; what a
 * redelivery may not change; order by key.
 */
#include "api.h"
#include "crew.h"
#include "shape.h"
#include "table.h"
#include "topic.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WAIT_MS	   60000
#define N_KEYS	   4
#define N_PER_KEY  30
#define STORE_UP   "evh_instance_ready{instance=\"events\"}"
#define UNKNOWN_ID "0192aad2-6c1e-7b3a-9d5e-0f4c1b2a3d4e"

/* An API whose store is up, and a consumer with this handler in front. */
static void
both_start(struct crew *crew, service_changes changes)
{
	struct daemon *api = crew_ready(crew, "api", "api.conf", NULL);

	crew_await_metric(api, STORE_UP, 1, WAIT_MS);
	crew_ready(crew, "consumer", "consumer.conf", changes);
}

static void
retry_expect(struct crew *crew, const char *id, long status)
{
	struct http_answer a = api_retry(crew->api_port, id);

	assert_int_equal(a.status, status);
	http_answer_fini(&a);
}

static void
a_failed_event_is_retried_and_processed_with_its_attempts(void **state)
{
	static const char *const fails_twice[] = {
		CREW_HANDLER("\tplugin = \"fail\"\n\tuntil = 2\n"
			     "\tmessage = \"no such user\""),
		NULL
	};
	struct crew *crew = *state;
	char id[API_ID_MAX];

	both_start(crew, fails_twice);
	crew_post(crew, "user.created", "{\"n\": 1.0 }", id);
	crew_await_row(crew, id, "failed");
	api_expect_shape(api_event(crew->api_port, id), 200,
			 "{\"id\":\"<id>\",\"name\":\"user.created\","
			 "\"data\":{\"n\": 1.0 },\"status\":\"failed\","
			 "\"created_at\":\"<time>\",\"processed_at\":"
			 "\"<time>\",\"attempts\":1,\"error\":{\"stage\":"
			 "\"mine\",\"type\":\"handler\",\"message\":"
			 "\"no such user\"}}");
	api_expect_shape(api_retry(crew->api_port, id), 202,
			 "{\"id\":\"<id>\",\"status\":\"pending\","
			 "\"attempts\":1}");
	/* The second try fails as well. */
	table_await(&crew->w,
		    "SELECT attempts FROM events WHERE status = 'failed'", 2,
		    WAIT_MS);
	api_expect_shape(api_retry(crew->api_port, id), 202,
			 "{\"id\":\"<id>\",\"status\":\"pending\","
			 "\"attempts\":2}");
	crew_await_row(crew, id, "processed");
	api_expect_shape(api_event(crew->api_port, id), 200,
			 "{\"id\":\"<id>\",\"name\":\"user.created\","
			 "\"data\":{\"n\": 1.0 },\"status\":\"processed\","
			 "\"created_at\":\"<time>\",\"processed_at\":"
			 "\"<time>\",\"attempts\":3,\"error\":null}");
	assert_int_equal(topic_count(&crew->w), 3);
	crew_end(crew);
}

static void
tries_within_the_process_count_as_attempts(void **state)
{
	static const char *const tries[] = {
		CREW_HANDLER("\tplugin = \"fail\"\n\tverdict = \"retry\"\n"
			     "\tuntil = 2\n\tattempts = 3\n"
			     "\tbackoff = \"10ms\""),
		NULL
	};
	struct crew *crew = *state;
	char id[API_ID_MAX];

	both_start(crew, tries);
	crew_post(crew, "user.created", "{}", id);
	crew_await_row(crew, id, "processed");
	crew_check_row(crew, id, "attempts", "3");
	crew_check_row(crew, id, "error IS NULL", "t");
	crew_end(crew);
}

static void
an_event_whose_tries_are_used_up_has_failed(void **state)
{
	static const char *const always[] = {
		CREW_HANDLER("\tplugin = \"fail\"\n\tverdict = \"retry\"\n"
			     "\tattempts = 2\n\tbackoff = \"10ms\""),
		NULL
	};
	struct crew *crew = *state;
	char id[API_ID_MAX];

	both_start(crew, always);
	crew_post(crew, "user.created", "{}", id);
	crew_await_row(crew, id, "failed");
	crew_check_row(crew, id, "attempts", "2");
	crew_check_row(crew, id, "error->>'stage'", "mine");
	/* Another two. */
	retry_expect(crew, id, 202);
	table_await(&crew->w,
		    "SELECT attempts FROM events WHERE status = 'failed'", 4,
		    WAIT_MS);
	crew_end(crew);
}

static void
a_dropped_event_is_kept_as_dropped_and_that_is_its_last_word(void **state)
{
	static const char *const drops[] = {
		CREW_HANDLER("\tplugin = \"filter\"\n\tdrop = \"spam.*\""), NULL
	};
	struct crew *crew = *state;
	char spam[API_ID_MAX], other[API_ID_MAX];

	both_start(crew, drops);
	crew_post(crew, "spam.mail", "{\"a\":1}", spam);
	crew_post(crew, "user.created", "{}", other);
	crew_await_row(crew, spam, "dropped");
	crew_await_row(crew, other, "processed");
	crew_check_row(crew, spam, "processed_at >= created_at", "t");
	crew_check_row(crew, spam, "attempts", "1");
	crew_check_row(crew, spam, "error IS NULL", "t");
	crew_check_row(crew, spam, "data", "{\"a\":1}");
	retry_expect(crew, spam, 409);
	retry_expect(crew, other, 409);
	retry_expect(crew, UNKNOWN_ID, 404);
	assert_int_equal(topic_count(&crew->w), 2);
	crew_end(crew);
}

static void
match_lets_other_events_pass_by(void **state)
{
	static const char *const matches[] = {
		CREW_HANDLER("\tplugin = \"fail\"\n\tmatch = \"bad.*\""), NULL
	};
	struct crew *crew = *state;
	char bad[API_ID_MAX], good[API_ID_MAX];

	both_start(crew, matches);
	crew_post(crew, "bad.luck", "{}", bad);
	crew_post(crew, "badly", "{}", good);
	crew_await_row(crew, bad, "failed");
	crew_await_row(crew, good, "processed");
	crew_end(crew);
}

static void
poison_is_shown_and_never_retried(void **state)
{
	struct crew *crew = *state;
	char *id;

	both_start(crew, NULL);
	topic_put(&crew->w, 0, NULL, "hello\n", 6, NULL);
	table_await(&crew->w, "SELECT count(*) FROM events", 1, WAIT_MS);
	id = table_ask(&crew->w, "SELECT id FROM events");
	api_expect_shape(api_event(crew->api_port, id), 200,
			 "{\"id\":\"<uuid>\",\"name\":\"\",\"data\":null,"
			 "\"raw\":\"aGVsbG8K\",\"status\":\"failed\","
			 "\"created_at\":\"<time>\",\"processed_at\":"
			 "\"<time>\",\"attempts\":0,\"error\":{\"stage\":"
			 "\"topic\",\"type\":\"invalid\",\"message\":"
			 "\"<text>\"}}");
	retry_expect(crew, id, 409);
	free(id);
	assert_int_equal(topic_count(&crew->w), 1);
	crew_end(crew);
}

/* A message by hand, as a redelivery or another writer brings it. */
static void
bring(struct crew *crew, const char *id, const char *name, const char *attempts)
{
	const char *const headers[] = { "evh-attempts", attempts, NULL };
	char value[256];
	int len = snprintf(value, sizeof(value),
			   "{\"id\":\"%s\",\"name\":\"%s\",\"data\":{},"
			   "\"created_at\":\"2026-01-01T00:00:00.000000Z\"}",
			   id, name);

	topic_put(&crew->w, 0, NULL, value, (size_t)len,
		  attempts ? headers : NULL);
}

/* Until all that was brought is committed. */
static bool
is_all_done(void *arg)
{
	struct crew *crew = arg;

	return topic_committed(&crew->w) == topic_count(&crew->w);
}

static void
done_await(struct crew *crew)
{
	world_await(is_all_done, crew, WAIT_MS, "all messages are done");
}

static void
a_redelivery_changes_nothing(void **state)
{
	static const char *const fails[] = {
		CREW_HANDLER("\tplugin = \"fail\"\n\tmatch = \"bad\""), NULL
	};
	static const char good[] = "00000000-0000-4000-8000-000000000001";
	static const char bad[] = "00000000-0000-4000-8000-000000000002";
	struct crew *crew = *state;
	char *before, *after;

	topic_create(&crew->w, 1);
	crew_ready(crew, "consumer", "consumer.conf", fails);
	bring(crew, good, "good", NULL);
	bring(crew, bad, "bad", NULL);
	done_await(crew);
	before = table_ask(&crew->w,
			   "SELECT string_agg(events::text, '|' ORDER BY id) "
			   "FROM events");
	for (int i = 0; i < 3; i++) {
		bring(crew, good, "good", NULL);
		bring(crew, bad, "bad", NULL);
	}
	/* The last word stands, whatever comes under its id. */
	bring(crew, good, "bad", NULL);
	bring(crew, good, "bad", "7");
	done_await(crew);
	after = table_ask(&crew->w,
			  "SELECT string_agg(events::text, '|' ORDER BY id) "
			  "FROM events");
	assert_string_equal(after, before);
	free(before);
	free(after);
	crew_end(crew);
}

static void
a_row_goes_on_only_by_the_rules(void **state)
{
	static const char *const fails[] = {
		CREW_HANDLER("\tplugin = \"fail\"\n\tmatch = \"bad\""), NULL
	};
	static const char id[] = "00000000-0000-4000-8000-000000000003";
	struct crew *crew = *state;

	topic_create(&crew->w, 1);
	crew_ready(crew, "consumer", "consumer.conf", fails);
	bring(crew, id, "bad", "4");
	done_await(crew);
	crew_check_row(crew, id, "status", "failed");
	crew_check_row(crew, id, "attempts", "5");
	/* Fewer attempts than it has: an old one that comes late. */
	bring(crew, id, "bad", "2");
	done_await(crew);
	crew_check_row(crew, id, "attempts", "5");
	bring(crew, id, "bad", "5");
	done_await(crew);
	crew_check_row(crew, id, "attempts", "6");
	/* Processed goes over failed; name, data and time are the first's,
	 * and attempts never fall. */
	bring(crew, id, "good", NULL);
	done_await(crew);
	crew_check_row(crew, id, "status", "processed");
	crew_check_row(crew, id, "name", "bad");
	crew_check_row(crew, id, "attempts", "6");
	crew_check_row(crew, id, "error IS NULL", "t");
	assert_int_equal(table_count(&crew->w, "SELECT count(*) FROM events"),
			 1);
	crew_end(crew);
}

/* Another group reads the whole topic again, into the same table. */
static void
reading_all_again_changes_nothing(void **state)
{
	struct crew *crew = *state;
	char *before, *after;

	topic_create(&crew->w, 3);
	topic_fill(&crew->w, "n", 500);
	crew_ready(crew, "first", "consumer.conf", NULL);
	table_await(&crew->w, "SELECT count(*) FROM events", 500, WAIT_MS);
	crew_end(crew);
	crew->has_ended = false;
	before = table_ask(&crew->w,
			   "SELECT md5(string_agg(events::text, '|' ORDER BY "
			   "id)) FROM events");
	snprintf(crew->w.group, sizeof(crew->w.group), "again_%.40s",
		 crew->w.name);
	crew_ready(crew, "again", "consumer.conf", NULL);
	done_await(crew);
	after = table_ask(&crew->w,
			  "SELECT md5(string_agg(events::text, '|' ORDER BY "
			  "id)) FROM events");
	assert_string_equal(after, before);
	free(before);
	free(after);
	crew_end(crew);
}

/* The n-th event of the log handler's lines, in the order of the log. */
static const char *
next_logged(const char *at, char ret_id[37])
{
	at = strstr(at, " passes");
	if (!at)
		return NULL;
	at = strstr(at, " event=");
	if (!at)
		return NULL;
	snprintf(ret_id, 37, "%.36s", at + 7);
	return at;
}

static char *
log_text(const struct daemon *d)
{
	FILE *f = fopen(d->log, "r");
	char *text = calloc(1, 1 << 20);
	size_t n;

	assert_non_null(f);
	assert_non_null(text);
	n = fread(text, 1, (1 << 20) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* While some are tried again and again, those behind them wait; what comes
 * out has each key's order. */
static void
events_of_a_key_pass_in_the_order_of_their_posts(void **state)
{
	static const char *const by_key[] = {
		"store = \"events\"\n}",
		"store = \"events\"\n\tkey = \"/k\"\n}", NULL
	};
	static const char *const shaky[] = {
		CREW_HANDLER("\tplugin = \"fail\"\n\tverdict = \"retry\"\n"
			     "\tevery = 3\n\tuntil = 2\n"
			     "\tbackoff = \"5ms\""),
		"level = \"debug\"", "level = \"info\"", NULL
	};
	static char ids[N_KEYS][N_PER_KEY][37];
	struct crew *crew = *state;
	struct daemon *consumer;
	int seen[N_KEYS] = { 0 };
	char *log;
	char id[37], data[64];

	crew_ready(crew, "api", "api.conf", by_key);
	consumer = crew_ready(crew, "consumer", "consumer.conf", shaky);
	for (int i = 0; i < N_PER_KEY; i++)
		for (int k = 0; k < N_KEYS; k++) {
			snprintf(data, sizeof(data), "{\"k\":\"key %d\"}", k);
			crew_post(crew, "ordered", data, ids[k][i]);
		}
	table_await(&crew->w,
		    "SELECT count(*) FROM events WHERE status = 'processed'",
		    N_KEYS * N_PER_KEY, WAIT_MS);
	crew_end(crew);
	/* Some were tried again, or this says nothing. */
	assert_true(table_count(&crew->w, "SELECT count(*) FROM events "
					  "WHERE attempts > 1") >= N_KEYS);
	log = log_text(consumer);
	for (const char *at = log; (at = next_logged(at, id));)
		for (int k = 0; k < N_KEYS; k++)
			for (int i = 0; i < N_PER_KEY; i++)
				if (strcmp(ids[k][i], id) == 0)
					assert_int_equal(i, seen[k]++);
	for (int k = 0; k < N_KEYS; k++)
		assert_int_equal(seen[k], N_PER_KEY);
	free(log);
}

#define LIVES(test)                                                            \
	cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LIVES(a_failed_event_is_retried_and_processed_with_its_attempts),
		LIVES(tries_within_the_process_count_as_attempts),
		LIVES(an_event_whose_tries_are_used_up_has_failed),
		LIVES(a_dropped_event_is_kept_as_dropped_and_that_is_its_last_word),
		LIVES(match_lets_other_events_pass_by),
		LIVES(poison_is_shown_and_never_retried),
		LIVES(a_redelivery_changes_nothing),
		LIVES(a_row_goes_on_only_by_the_rules),
		LIVES(reading_all_again_changes_nothing),
		LIVES(events_of_a_key_pass_in_the_order_of_their_posts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
