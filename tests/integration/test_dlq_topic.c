/*
 * `evhd dlq` on a dead letter topic, alone and beside the table; and what
 * happens when dead letters cannot be kept.
 */
#include "api.h"
#include "crew.h"
#include "dead.h"
#include "dead_topic.h"
#include "table.h"
#include "topic.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS	      60000
#define STORE_UP      "evh_instance_ready{instance=\"events\"}"
#define N_LETTERS     5
#define ON_FAIL(list) "on_fail = { \"events\" }", "on_fail = { " list " }"

static const char *const to_topic[] = { DEAD_TOPIC_SINK(DEAD_TOPIC_BROKERS, ""),
					DEAD_TOPIC_FAILS, ON_FAIL("\"dlq\""),
					NULL };
static const char *const to_both[] = { DEAD_TOPIC_SINK(DEAD_TOPIC_BROKERS, ""),
				       DEAD_TOPIC_FAILS,
				       ON_FAIL("\"events\", \"dlq\""), NULL };
static const char *const with_sink[] = {
	DEAD_TOPIC_SINK(DEAD_TOPIC_BROKERS, ""), SERVICE_PATIENT, NULL
};

/* An API whose store is up, and a consumer with these changes; the file is the
 * API's with the sink of the dead letter topic beside. */
static struct daemon *
both_start(struct crew *crew, service_changes changes,
	   char config[WORLD_PATH_MAX])
{
	struct daemon *api =
		crew_ready(crew, "api", "api.conf", service_patient);

	crew_await_metric(api, STORE_UP, 1, WAIT_MS);
	service_config(&crew->w, "api.conf", "dlq.conf", with_sink, config);
	return crew_ready(crew, "consumer", "consumer.conf", changes);
}

static void
a_dead_letter_of_a_topic_has_all_there_is_to_know(void **state)
{
	static const char *const headers[] = { "x-request-id", "r 1", NULL };
	static const char value[] =
		"{\"id\":\"0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4e\",\"name\":"
		"\"bad.thing\",\"data\":{\"n\": 1.0 },\"created_at\":"
		"\"2020-02-29T23:59:59.123456Z\"}";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX];

	both_start(crew, to_topic, config);
	topic_put(&crew->w, 2, "key 7", value, strlen(value), headers);
	dead_topic_await(crew, 1);

	dead_run(EX_OK,
		 "{\"id\":\"0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4e\",\"name\":"
		 "\"bad.thing\",\"created_at\":\"2020-02-29T23:59:59.123456Z\","
		 "\"failed_at\":\"2",
		 config, "list", "--from", "dlq", "--json", NULL);
	dead_run(EX_OK,
		 "\"attempts\":1,\"error\":{\"stage\":\"mine\",\"type\":"
		 "\"handler\",\"message\":\"no such user\"},\"topic\":",
		 config, "list", "--from", "dlq", "--json", NULL);
	dead_run(EX_OK, ",\"partition\":2,\"offset\":0,\"retryable\":true",
		 config, "list", "--from", "dlq", "--json", NULL);
	dead_run(EX_OK,
		 ",\"key\":\"key 7\",\"headers\":[[\"x-request-id\",\"r 1\"]],"
		 "\"data\":{\"n\": 1.0 }}",
		 config, "show", "0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4e",
		 "--from", "dlq", "--json", NULL);
	dead_run(EX_OK, "{\"stage\":\"mine\",\"type\":\"handler\",\"count\":1,",
		 config, "stats", "--from", "dlq", "--json", NULL);
	/* By when it failed, not by when it was created. */
	dead_run(EX_OK, "0192aad2", config, "list", "--from", "dlq", "--where",
		 "since=1h", NULL);
	dead_run_without(EX_OK, "0192aad2", config, "list", "--from", "dlq",
			 "--where", "before=1h", NULL);
	crew_end(crew);
}

static void
message_free(char *value, char *key, char *headers)
{
	if (!value)
		return; /* then there is none of the others */
	free(value);
	free(key);
	free(headers);
}

static void
a_retry_from_a_topic_keeps_bytes_key_headers_and_is_processed(void **state)
{
	static const char *const headers[] = { "x-request-id", "r 1", NULL };
	static const char data[] = "{ \"n\":1.0,\t\"big\":"
				   "123456789012345678901234567890,"
				   "\"s\":\"\\u0000\\ud83d\\ude00\" }";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], value[512], id[API_ID_MAX], *key, *got;
	char *got_headers, *message;
	struct daemon *consumer = both_start(crew, to_topic, config);
	size_t len;

	snprintf(id, sizeof(id), "0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4e");
	snprintf(value, sizeof(value),
		 "{\"id\":\"%s\",\"name\":\"bad.thing\",\"data\":%s,"
		 "\"created_at\":\"2020-02-29T23:59:59.123456Z\"}",
		 id, data);
	topic_put(&crew->w, 2, "key 7", value, strlen(value), headers);
	dead_topic_await(crew, 1);
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);
	dead_run(EX_OK, "retried 1", config, "retry", "--all", "--from", "dlq",
		 NULL);

	/* Where its key sends it. */
	assert_int_equal(topic_count(&crew->w), 2);
	got = NULL;
	for (int p = 0; p < 6 && !got; p++) {
		message =
			topic_last(&crew->w, p, &len, &key, &got_headers, NULL);
		if (message && strstr(got_headers, "evh-replays=1"))
			got = message;
		else
			message_free(message, key, got_headers);
	}
	assert_non_null(got);
	assert_int_equal(len, strlen(value));
	assert_memory_equal(got, value, len);
	assert_string_equal(key, "key 7");
	assert_non_null(strstr(got_headers, "x-request-id=r 1\n"));
	assert_non_null(strstr(got_headers, "evh-attempts=1\n"));
	assert_null(strstr(got_headers, "evh-status"));
	assert_null(strstr(got_headers, "evh-error"));

	crew_ready(crew, "mended", "consumer.conf", NULL);
	crew_await_row(crew, id, "processed");
	crew_check_row(crew, id, "data", data);
	crew_check_row(crew, id, "attempts", "2");
	crew_check_row(crew, id, "created_at = '2020-02-29T23:59:59.123456Z'",
		       "t");
	/* The topic has it still, but it has come through. */
	dead_run(EX_OK, "it has been processed since", config, "retry", "--all",
		 "--from", "dlq", NULL);
	assert_int_equal(topic_count(&crew->w), 2);
	message_free(got, key, got_headers);
	crew_end(crew);
}

static void
an_event_stands_in_a_list_once_however_often_it_has_failed(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], id[API_ID_MAX], other[API_ID_MAX];
	char *out, *first;

	both_start(crew, to_topic, config);
	crew_post(crew, "bad.thing", "{}", id);
	dead_topic_await(crew, 1);
	dead_run(EX_OK, "retried 1", config, "retry", id, "--from", "dlq",
		 NULL);
	dead_topic_await(crew, 2);
	crew_post(crew, "bad.other", "{}", other);
	dead_topic_await(crew, 3);

	out = dead_ask(EX_OK, config, "list", "--from", "dlq", "--json", NULL);
	first = strstr(out, id);
	assert_non_null(first);
	assert_null(strstr(first + 1, id));
	/* The newest first, and of each the newest. */
	assert_true(strstr(out, other) < first);
	assert_non_null(strstr(out, "\"replays\":1"));
	free(out);
	out = dead_ask(EX_OK, config, "list", "--from", "dlq", "--limit", "1",
		       NULL);
	assert_non_null(strstr(out, other));
	assert_null(strstr(out, id));
	free(out);
	/* By when it failed, not by when it was created. */
	dead_run(EX_OK, "retried 1", config, "retry", id, "--from", "dlq",
		 NULL);
	dead_topic_await(crew, 4);
	out = dead_ask(EX_OK, config, "list", "--from", "dlq", NULL);
	assert_non_null(strstr(out, id));
	assert_true(strstr(out, id) < strstr(out, other));
	free(out);
	/* One message of each, not one for each failure. */
	dead_run(EX_OK, "retried 2", config, "retry", "--all", "--from", "dlq",
		 NULL);
	assert_int_equal(topic_count(&crew->w), 6);
	dead_topic_await(crew, 6);
	/* The loop has an end there, too. */
	dead_run(EX_DATAERR, "it was retried 3 times already", config, "retry",
		 id, "--from", "dlq", NULL);
	crew_end(crew);
}

/* `evhd dlq -c config retry --all ...` in the background: so slowly that all
 * that is done meanwhile is over long before the last is sent. */
static pid_t
retry_begin(const char *config, const char *state, const char *log)
{
	char evhd[WORLD_PATH_MAX];
	pid_t pid;

	snprintf(evhd, sizeof(evhd), "%s/evhd", world_build_dir());
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(126);
		execl(evhd, evhd, "dlq", "-c", config, "retry", "--all",
		      "--from", "dlq", "--rate", "5/m", "--state", state,
		      (char *)NULL);
		_exit(127);
	}
	return pid;
}

static char *
file_text(const char *path)
{
	static char text[8192];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	return text;
}

static bool
has_line(void *arg)
{
	return strchr(file_text(arg), '\n') != NULL;
}

static void
a_retry_that_was_ended_goes_on_and_sends_nothing_twice(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], done[WORLD_PATH_MAX], log[WORLD_PATH_MAX];
	char id[API_ID_MAX];
	struct daemon *consumer = both_start(crew, to_topic, config);
	int64_t begun;
	int status;
	pid_t pid;
	FILE *f;

	for (int i = 0; i < N_LETTERS; i++)
		crew_post(crew, "bad.thing", "{}", id);
	dead_topic_await(crew, N_LETTERS);
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);

	snprintf(done, sizeof(done), "%.200s/done", crew->w.dir);
	snprintf(log, sizeof(log), "%.200s/retry.log", crew->w.dir);
	pid = retry_begin(config, done, log);
	world_await(has_line, done, WAIT_MS, "the first that is done");
	/* Another one may not have the file meanwhile. */
	dead_run(EX_OSERR, "another one has it", config, "retry", "--all",
		 "--from", "dlq", "--state", done, NULL);
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != EX_DATAERR ||
	    !strstr(file_text(log), "the same command goes on"))
		fail_msg("exit code %d:\n%s", WEXITSTATUS(status),
			 file_text(log));
	begun = topic_count(&crew->w) - N_LETTERS;
	assert_in_range(begun, 1, N_LETTERS - 1);

	/* Its last line was torn. */
	f = fopen(done, "a");
	assert_non_null(f);
	fputs("0192aad2-6c1e", f);
	fclose(f);
	dead_run(EX_OK, "the state file has it as done", config, "retry",
		 "--all", "--from", "dlq", "--state", done, NULL);
	assert_int_equal(topic_count(&crew->w), 2 * N_LETTERS);
	dead_run(EX_OK, "retried 0, passed over 5", config, "retry", "--all",
		 "--from", "dlq", "--state", done, NULL);
	assert_int_equal(topic_count(&crew->w), 2 * N_LETTERS);
	crew_end(crew);
}

static void
a_topic_forgets_what_is_older_and_nothing_but_dead_letters(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], id[API_ID_MAX];

	both_start(crew, to_topic, config);
	crew_post(crew, "bad.thing", "{}", id);
	crew_post(crew, "bad.thing", "{}", id);
	dead_topic_await(crew, 2);
	/* Each has failed twice, which are so many messages. */
	dead_run(EX_OK, "retried 2", config, "retry", "--all", "--from", "dlq",
		 NULL);
	dead_topic_await(crew, 4);
	dead_run(EX_USAGE, "a topic cannot forget a single dead letter", config,
		 "discard", id, "--from", "dlq", NULL);
	dead_run(EX_OK, "discarded 0 dead letters", config, "discard",
		 "--before", "1h", "--from", "dlq", NULL);
	dead_run(EX_OK, "would discard 4", config, "discard", "--before",
		 "2200-01-01T00:00:00Z", "--dry-run", "--from", "dlq", NULL);
	dead_run(EX_OK, id, config, "list", "--from", "dlq", NULL);
	dead_run(EX_OK, "discarded 4 dead letters", config, "discard",
		 "--before", "2200-01-01T00:00:00Z", "--from", "dlq", NULL);
	dead_run_without(EX_OK, id, config, "list", "--from", "dlq", NULL);
	/* The events themselves are none. */
	dead_run_without(EX_OK, id, config, "list", "--from", "kafka", NULL);
	dead_run(EX_USAGE, "holds messages that are no dead letters", config,
		 "discard", "--before", "2200-01-01T00:00:00Z", "--from",
		 "kafka", NULL);
	assert_int_equal(topic_count(&crew->w), 4);
	crew_end(crew);
}

static void
kept_in_both_either_can_be_asked_and_retried(void **state)
{
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], consumer_conf[WORLD_PATH_MAX];
	char id[API_ID_MAX], other[API_ID_MAX];
	struct daemon *consumer = both_start(crew, to_both, config);

	service_config(&crew->w, "consumer.conf", "both.conf", to_both,
		       consumer_conf);
	crew_post(crew, "bad.thing", "{\"n\": 1.0 }", id);
	crew_post(crew, "bad.other", "{}", other);
	crew_await_row(crew, id, "failed");
	crew_await_row(crew, other, "failed");
	dead_topic_await(crew, 2);
	dead_run(EX_USAGE,
		 "\"dlq\" and \"events\" keep dead letters; say "
		 "whose with --from INSTANCE",
		 consumer_conf, "list", NULL);
	dead_run(EX_OK, id, consumer_conf, "list", "--from", "dlq", NULL);
	dead_run(EX_OK, id, consumer_conf, "list", "--from", "events", NULL);
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);

	dead_run(EX_OK, "retried 1", config, "retry", id, "--from", "dlq",
		 NULL);
	crew_check_row(crew, id, "status", "pending");
	/* The topic has both still, and the table knows better of one. */
	dead_run(EX_OK, "it is on its way already", config, "retry", id,
		 "--from", "dlq", NULL);
	dead_run(EX_OK, "retried 1", config, "retry", "--all", "--from",
		 "events", NULL);
	assert_int_equal(topic_count(&crew->w), 4);
	crew_ready(crew, "mended", "consumer.conf", NULL);
	crew_await_row(crew, id, "processed");
	crew_await_row(crew, other, "processed");
	crew_check_row(crew, id, "data", "{\"n\": 1.0 }");
	crew_end(crew);
}

static void
poison_in_a_topic_is_shown_and_refused_for_retry(void **state)
{
	static const char poison[] = "\x00\xff not JSON {";
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], file[WORLD_PATH_MAX * 2];
	char command[WORLD_PATH_MAX * 6], id[40], bytes[64];
	const char *at;
	char *out;
	FILE *f;

	both_start(crew, to_topic, config);
	topic_put(&crew->w, 0, "k", poison, sizeof(poison) - 1, NULL);
	dead_topic_await(crew, 1);
	out = dead_ask(EX_OK, config, "list", "--from", "dlq", "--json", NULL);
	at = strstr(out, "{\"id\":\"");
	assert_non_null(at);
	snprintf(id, sizeof(id), "%.36s", at + 7);
	assert_non_null(strstr(out, "\"type\":\"invalid\""));
	free(out);
	dead_run(EX_DATAERR, "what came is no event", config, "retry", "--all",
		 "--from", "dlq", NULL);
	snprintf(file, sizeof(file), "%s/bytes", crew->w.dir);
	snprintf(command, sizeof(command),
		 "%s/evhd dlq -c %s show %s --bytes --from dlq >%s",
		 world_build_dir(), config, id, file);
	assert_int_equal(system(command), 0); /* NOLINT: paths of our own */
	f = fopen(file, "r");
	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), f), sizeof(poison) - 1);
	assert_memory_equal(bytes, poison, sizeof(poison) - 1);
	fclose(f);
	crew_end(crew);
}

static void
while_dead_letters_cannot_be_kept_nothing_is_committed(void **state)
{
	static const char *const away[] = {
		DEAD_TOPIC_SINK("brokers = \"127.0.0.1:9\"\n", ""),
		DEAD_TOPIC_FAILS, ON_FAIL("\"dlq\""), NULL
	};
	struct crew *crew = *state;
	char config[WORLD_PATH_MAX], id[API_ID_MAX], good[API_ID_MAX];
	struct daemon *consumer = both_start(crew, away, config);

	crew_post(crew, "bad.thing", "{}", id);
	daemon_await_logged(consumer, "failed: no such user", WAIT_MS);
	/* Its neighbours go on meanwhile. */
	crew_post(crew, "user.created", "{}", good);
	crew_await_row(crew, good, "processed");
	/* Ends in time, and hands it back. */
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);
	assert_true(topic_committed(&crew->w) < topic_count(&crew->w));
	crew_check_row(crew, id, "status", "pending");

	crew_ready(crew, "again", "consumer.conf", to_topic);
	dead_topic_await(crew, 1);
	dead_run(EX_OK, id, config, "list", "--from", "dlq", NULL);
	crew_end(crew);
}

static void
what_nobody_can_keep_stops_its_partition(void **state)
{
	struct crew *crew = *state;
	struct world dead = dead_topic(crew);
	char config[WORLD_PATH_MAX], id[API_ID_MAX];
	struct daemon *consumer;

	/* It refuses a message without a key, as this one is. */
	topic_create_with(&dead, 1, "cleanup.policy", "compact");
	consumer = both_start(crew, to_topic, config);
	crew_post(crew, "bad.thing", "{}", id);
	crew_await_reason(consumer, "nobody keeps a failed event");
	assert_int_equal(topic_committed(&crew->w), 0);
	assert_int_equal(daemon_stop(consumer, CREW_STOP_MS), 0);
	assert_int_equal(topic_committed(&crew->w), 0);

	/* Nothing of it is lost: it is read again. */
	crew_ready(crew, "again", "consumer.conf", NULL);
	crew_await_row(crew, id, "processed");
	crew_end(crew);
}

#define crew_test(f)                                                           \
	cmocka_unit_test_setup_teardown(f, crew_setup, dead_topic_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		crew_test(a_dead_letter_of_a_topic_has_all_there_is_to_know),
		crew_test(
			a_retry_from_a_topic_keeps_bytes_key_headers_and_is_processed),
		crew_test(
			an_event_stands_in_a_list_once_however_often_it_has_failed),
		crew_test(
			a_retry_that_was_ended_goes_on_and_sends_nothing_twice),
		crew_test(
			a_topic_forgets_what_is_older_and_nothing_but_dead_letters),
		crew_test(kept_in_both_either_can_be_asked_and_retried),
		crew_test(poison_in_a_topic_is_shown_and_refused_for_retry),
		crew_test(
			while_dead_letters_cannot_be_kept_nothing_is_committed),
		crew_test(what_nobody_can_keep_stops_its_partition),
	};

	return cmocka_run_group_tests_name("dlq_topic", tests, NULL, NULL);
}
