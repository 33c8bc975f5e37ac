/*
 * `evhd dlq` on the table: what handlers have failed is listed, shown, counted,
 * retried through the broker, and forgotten.
 */
#include "api.h"
#include "crew.h"
#include "dead.h"
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

#define WAIT_MS	   60000
#define STORE_UP   "evh_instance_ready{instance=\"events\"}"
#define KAFKA_HOST "EVENT_HANDLER_SERVICE_KAFKA_HOST"

static const char *const fails[] = {
	CREW_HANDLER("\tplugin = \"fail\"\n\tmatch = \"bad.*\"\n"
		     "\tmessage = \"no such user\""),
	NULL
};

/* An API whose store is up, and a consumer with this handler in front; the
 * file that the words are given is the API's, and waits for the rows. */
static struct daemon *
both_start(struct crew *crew, service_changes changes,
	   char config[WORLD_PATH_MAX])
{
	struct daemon *api = crew_ready(crew, "api", "api.conf", NULL);

	crew_await_metric(api, STORE_UP, 1, WAIT_MS);
	service_config(&crew->w, "api.conf", "dlq.conf", service_patient,
		       config);
	return crew_ready(crew, "consumer", "consumer.conf", changes);
}

static void
what_failed_is_listed_shown_and_counted(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], bad[API_ID_MAX], good[API_ID_MAX];

	both_start(crew, fails, config);
	crew_post(crew, "bad.thing", "{\"n\": 1.0 }", bad);
	crew_post(crew, "user.created", "{}", good);
	crew_await_row(crew, bad, "failed");
	crew_await_row(crew, good, "processed");

	dead_run(EX_OK, bad, config, "list", NULL);
	dead_run_without(EX_OK, good, config, "list", NULL);
	/* A list has no payload. */
	dead_run_without(EX_OK, "\"n\"", config, "list", "--json", NULL);
	dead_run(EX_OK, "\"error\":{\"stage\":\"mine\",\"type\":\"handler\"",
		 config, "list", "--json", NULL);
	dead_run(EX_OK, "{\"n\": 1.0 }", config, "show", bad, NULL);
	dead_run(EX_OK, "\"data\":{\"n\": 1.0 }", config, "show", bad, "--json",
		 NULL);
	dead_run(EX_OK, "no such user", config, "show", bad, NULL);
	dead_run(EX_DATAERR, "there is no such dead letter", config, "show",
		 good, NULL);
	dead_run(EX_OK, "{\"stage\":\"mine\",\"type\":\"handler\",\"count\":1,",
		 config, "stats", "--json", NULL);
	dead_run(EX_OK, "mine/handler", config, "stats", NULL);
	crew_end(crew);
}

static void
where_says_which(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], one[API_ID_MAX], two[API_ID_MAX];

	both_start(crew, fails, config);
	/* They may lie in two partitions, where either could be first. */
	crew_post(crew, "bad.one", "{}", one);
	crew_await_row(crew, one, "failed");
	crew_post(crew, "bad.two", "{}", two);
	crew_await_row(crew, two, "failed");

	dead_run(EX_OK, one, config, "list", "--where", "name=*.one", NULL);
	dead_run_without(EX_OK, two, config, "list", "--where", "name=*.one",
			 NULL);
	dead_run(EX_OK, two, config, "list", "--where",
		 "stage=mine,type=handler", "since=1h", NULL);
	dead_run_without(EX_OK, two, config, "list", "--where", "before=1h",
			 NULL);
	dead_run_without(EX_OK, two, config, "list", "--where", "stage=other",
			 NULL);
	dead_run(EX_OK, one, config, "list", "--where", "text=such user", NULL);
	dead_run_without(EX_OK, one, config, "list", "--limit", "1", NULL);
	dead_run(EX_OK, two, config, "list", "--limit", "1", NULL);
	crew_end(crew);
}

static void
a_retry_processes_what_failed_once_the_handler_is_mended(void **state)
{
	static const char data[] = "{ \"n\":1.0,\t\"big\":"
				   "123456789012345678901234567890,"
				   "\"s\":\"\\u0000\\ud83d\\ude00\",\"n2\":"
				   "0.10 }";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], id[API_ID_MAX];
	struct daemon *consumer = both_start(crew, fails, config);

	crew_post(crew, "bad.thing", data, id);
	crew_await_row(crew, id, "failed");
	crew_check_row(crew, id, "attempts", "1");
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);

	dead_run(EX_OK, "retried 1", config, "retry", "--all", NULL);
	/* Through the broker, and the row knows it. */
	assert_int_equal(topic_count(&crew->w), 2);
	crew_check_row(crew, id, "status", "pending");
	crew_check_row(crew, id, "error IS NULL", "t");
	dead_run(EX_OK, "retried 0", config, "retry", "--all", NULL);
	assert_int_equal(topic_count(&crew->w), 2);

	crew_ready(crew, "mended", "consumer.conf", NULL);
	crew_await_row(crew, id, "processed");
	crew_check_row(crew, id, "attempts", "2");
	crew_check_row(crew, id, "data", data);
	dead_run_without(EX_OK, id, config, "list", NULL);
	crew_end(crew);
}

static void
a_sources_pipeline_processes_a_retry_within_the_command(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], mended[WORLD_PATH_MAX], id[API_ID_MAX];
	struct daemon *consumer = both_start(crew, fails, config);
	char line[API_ID_MAX + 32];

	service_config(&crew->w, "consumer.conf", "mended.conf", NULL, mended);
	service_config(&crew->w, "consumer.conf", "fails.conf", fails, config);
	crew_post(crew, "bad.thing", "{\"n\": 1.0 }", id);
	crew_await_row(crew, id, "failed");
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);

	/* The handler that is there fails it again. */
	snprintf(line, sizeof(line), "%s: failed again\n", id);
	dead_run(EX_DATAERR, line, config, "retry", id, "--pipeline", "process",
		 NULL);
	crew_check_row(crew, id, "attempts", "2");
	crew_check_row(crew, id, "error->>'replays'", "1");
	dead_run(EX_OK, "retried 1", mended, "retry", id, "--pipeline",
		 "process", NULL);
	crew_check_row(crew, id, "status", "processed");
	crew_check_row(crew, id, "attempts", "3");
	crew_check_row(crew, id, "data", "{\"n\": 1.0 }");
	assert_int_equal(topic_count(&crew->w), 1);
	crew_end(crew);
}

static void
a_dry_run_changes_nothing(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], id[API_ID_MAX];

	both_start(crew, fails, config);
	crew_post(crew, "bad.thing", "{}", id);
	crew_await_row(crew, id, "failed");
	dead_run(EX_OK, "would retry 1", config, "retry", "--all", "--dry-run",
		 NULL);
	dead_run(EX_OK, "would discard 1", config, "discard", id, "--dry-run",
		 NULL);
	assert_int_equal(topic_count(&crew->w), 1);
	crew_check_row(crew, id, "status", "failed");
	crew_check_row(crew, id, "attempts", "1");
	crew_end(crew);
}

/* Waits until the row has failed with so many attempts. */
static void
failed_await(struct crew *crew, int attempts)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM events WHERE status = 'failed' AND "
		 "attempts = %d",
		 attempts);
	table_await(&crew->w, sql, 1, WAIT_MS);
}

/* What was created first has failed last: a list tells of that. */
static void
a_list_leads_with_what_failed_last(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], one[API_ID_MAX], two[API_ID_MAX];
	char *out;

	both_start(crew, fails, config);
	crew_post(crew, "bad.one", "{}", one);
	crew_await_row(crew, one, "failed");
	crew_post(crew, "bad.two", "{}", two);
	crew_await_row(crew, two, "failed");
	dead_run(EX_OK, "retried 1", config, "retry", one, NULL);
	failed_await(crew, 2);

	out = dead_ask(EX_OK, config, "list", NULL);
	assert_non_null(strstr(out, one));
	assert_non_null(strstr(out, two));
	assert_true(strstr(out, one) < strstr(out, two));
	assert_null(strstr(out, "failed last"));
	free(out);
	out = dead_ask(EX_OK, config, "list", "--limit", "1", NULL);
	assert_non_null(strstr(out, one));
	assert_null(strstr(out, two));
	assert_non_null(strstr(out, "the 1 that failed last, of 2"));
	free(out);
	crew_end(crew);
}

static void
what_fails_again_and_again_is_retried_so_often_and_no_more(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], id[API_ID_MAX];

	both_start(crew, fails, config);
	crew_post(crew, "bad.thing", "{}", id);
	failed_await(crew, 1);
	dead_run(EX_OK, "retried 1", config, "retry", id, NULL);
	failed_await(crew, 2);
	crew_check_row(crew, id, "error->>'replays'", "1");
	dead_run(EX_OK, "retried 1", config, "retry", "--all",
		 "--max-replays=2", NULL);
	failed_await(crew, 3);
	dead_run(EX_DATAERR, "it was retried 2 times already", config, "retry",
		 "--all", "--max-replays=2", NULL);
	assert_int_equal(topic_count(&crew->w), 3);
	/* Who knows better may. */
	dead_run(EX_OK, "retried 1", config, "retry", "--all", NULL);
	failed_await(crew, 4);
	dead_run(EX_DATAERR, "it was retried 3 times already", config, "retry",
		 "--all", NULL);
	crew_end(crew);
}

static void
discard_forgets_one_or_what_failed_before(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], one[API_ID_MAX], two[API_ID_MAX];
	char good[API_ID_MAX];

	both_start(crew, fails, config);
	crew_post(crew, "bad.one", "{}", one);
	crew_post(crew, "bad.two", "{}", two);
	crew_post(crew, "user.created", "{}", good);
	crew_await_row(crew, one, "failed");
	crew_await_row(crew, two, "failed");
	crew_await_row(crew, good, "processed");

	dead_run(EX_DATAERR, "there is no such dead letter", config, "discard",
		 good, NULL);
	dead_run(EX_OK, "discarded 0", config, "discard", "--before", "1h",
		 NULL);
	dead_run(EX_OK, "discarded 1 dead letter", config, "discard", one,
		 NULL);
	table_await(&crew->w, "SELECT count(*) FROM events", 2, WAIT_MS);
	dead_run(EX_OK, "discarded 1 dead letter", config, "discard",
		 "--before", "2261-01-01T00:00:00Z", NULL);
	table_await(&crew->w, "SELECT count(*) FROM events", 1, WAIT_MS);
	crew_check_row(crew, good, "status", "processed");
	crew_end(crew);
}

static void
poison_is_shown_byte_for_byte_and_refused_for_retry(void **state)
{
	static const char poison[] = "\x00\xff not \x1b[31mJSON {";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];
	char *id, *out;

	both_start(crew, fails, config);
	topic_put(&crew->w, 0, "k", poison, sizeof(poison) - 1, NULL);
	table_await(&crew->w,
		    "SELECT count(*) FROM events WHERE status = 'failed'", 1,
		    WAIT_MS);
	id = table_ask(&crew->w, "SELECT id FROM events");
	dead_run(EX_OK, "|.. not .[31mJSON|", config, "show", id, NULL);
	dead_run(EX_OK, "\"data\":null,\"raw\":\"AP8gbm90IBtbMzFtSlNPTiB7\"",
		 config, "show", id, "--json", NULL);
	dead_run(EX_OK, "\"retryable\":false", config, "list", "--json", NULL);
	/* No escape of it reaches a terminal. */
	dead_run_without(EX_OK, "\x1b", config, "show", id, NULL);
	dead_run(EX_DATAERR, "what came is no event", config, "retry", id,
		 NULL);
	out = dead_ask(EX_DATAERR, config, "retry", "--all", NULL);
	assert_non_null(strstr(out, id));
	free(out);
	assert_int_equal(topic_count(&crew->w), 1);
	free(id);
	crew_end(crew);
}

static void
what_makes_no_sense_is_64_and_a_server_away_is_69(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], consumer[WORLD_PATH_MAX];
	char *host = strdup(world_env(KAFKA_HOST));

	service_config(&crew->w, "api.conf", "dlq.conf", NULL, config);
	service_config(&crew->w, "consumer.conf", "c.conf", NULL, consumer);
	dead_run(EX_USAGE, "dlq what", config, NULL);
	dead_run(EX_USAGE, "did you mean --limit?", config, "list", "--limi",
		 "3", NULL);
	dead_run(EX_USAGE, "did you mean \"stage\"", config, "list", "--where",
		 "stag=x", NULL);
	dead_run(EX_USAGE, "retry what", config, "retry", NULL);
	dead_run(EX_USAGE, "no instance \"nobody\"", config, "list", "--from",
		 "nobody", NULL);
	dead_run(EX_USAGE, "no ingest heads a pipeline", consumer, "retry",
		 "--all", NULL);
	/* The file need not be complete: only what is asked is looked at. */
	assert_non_null(host);
	unsetenv(KAFKA_HOST);
	dead_run(EX_OK, "FAILED", consumer, "list", NULL);
	setenv(KAFKA_HOST, host, 1);
	free(host);

	world_servers("stop-kafka");
	dead_run(EX_UNAVAILABLE, "evhd dlq: kafka: ", config, "retry", "--all",
		 NULL);
	world_servers("start-kafka");
	world_servers("stop-postgres");
	dead_run(EX_UNAVAILABLE, "evhd dlq: events: ", config, "list", NULL);
	dead_run(EX_UNAVAILABLE, "evhd dlq: events: ", config, "stats", NULL);
	world_servers("start-postgres");
	crew->has_ended = true;
}

#define crew_test(f)                                                           \
	cmocka_unit_test_setup_teardown(f, crew_setup, crew_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		crew_test(what_failed_is_listed_shown_and_counted),
		crew_test(where_says_which),
		crew_test(
			a_retry_processes_what_failed_once_the_handler_is_mended),
		crew_test(
			a_sources_pipeline_processes_a_retry_within_the_command),
		crew_test(a_dry_run_changes_nothing),
		crew_test(a_list_leads_with_what_failed_last),
		crew_test(
			what_fails_again_and_again_is_retried_so_often_and_no_more),
		crew_test(discard_forgets_one_or_what_failed_before),
		crew_test(poison_is_shown_byte_for_byte_and_refused_for_retry),
		crew_test(what_makes_no_sense_is_64_and_a_server_away_is_69),
	};

	return cmocka_run_group_tests_name("dlq", tests, NULL, NULL);
}
