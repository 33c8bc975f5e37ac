/*
 * Idempotency-Key on real servers: a repeat has the first answer's id and no
 * effect of its own, whichever API takes it, whenever it comes, and whatever
 * has become of the event in the meantime.
 *
 * The topic has one partition, so that events are done in the order in which
 * they were posted, and the newest message is that of the newest event.
 */
#include "api.h"
#include "service.h"
#include "table.h"
#include "topic.h"
#include "wire.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIRST	  "{\"name\":\"first\",\"data\":{\"n\": 1}}"
#define SECOND	  "{\"name\":\"second\",\"data\":{\"n\": 2}}"
#define BAD	  "{\"name\":\"bad\",\"data\":{\"n\": 1}}"
#define ANSWER_MS 45000
#define ROW_MS	  60000

/* What follows from them is written down in http_ingest's own test, too. */
#define A_ID   "800e308b-e7e5-5eb4-9552-2cb301a11393" /* of the key a */
#define BIG_ID "90baba5b-7646-514f-acfc-a34d2f349fdf" /* of the key A */

static struct http_answer
post(int port, const char *key, const char *body)
{
	char header[512];

	snprintf(header, sizeof(header), "Idempotency-Key: %.255s", key);
	return http_call(port, "POST", API_EVENTS, body, strlen(body), header);
}

/* The answer must be a 201, with the same id in it and in Location. */
static void
expect_created(struct http_answer a, char ret_id[API_ID_MAX])
{
	char location[API_PATH_MAX], expected[API_PATH_MAX];

	if (a.status != 201)
		fail_msg("%ld: %s", a.status, a.body);
	assert_int_equal(sscanf(a.body, "{\"id\":\"%36[0-9a-f-]\"", ret_id), 1);
	snprintf(expected, sizeof(expected), API_EVENTS "/%.36s", ret_id);
	assert_string_equal(
		http_answer_header(&a, "Location", location, sizeof(location)),
		expected);
	http_answer_fini(&a);
}

static void
expect_id(struct http_answer a, const char *id)
{
	char is[API_ID_MAX];

	expect_created(a, is);
	assert_string_equal(is, id);
}

/* The whole row, and the transaction that wrote it: malloced. */
static char *
row(struct service *s, const char *id)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT (e.xmin, e.*)::text FROM events e WHERE id = '%s'",
		 id);
	return table_ask(&s->w, sql);
}

static void
expect_rows(struct service *s, const char *where, long n)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM events WHERE %s",
		 where);
	assert_int_equal(table_count(&s->w, sql), n);
}

/* When an event that is posted now has been processed, everything before it in
 * the partition is done. */
static void
await_all(struct service *s)
{
	char id[API_ID_MAX];

	api_make(s->api.api_port, "last", "{}", id);
	api_await(s->api.api_port, id, "processed", ROW_MS);
}

/* A repeat when the event has its outcome: the row is not even written. */
static void
repeat_leaves_the_row(struct service *s, const char *key, const char *body,
		      const char *again, const char *outcome)
{
	int port = s->api.api_port;
	int64_t n = topic_count(&s->w);
	char id[API_ID_MAX], *before, *after;

	expect_created(post(port, key, body), id);
	api_await(port, id, outcome, ROW_MS);
	before = row(s, id);
	expect_id(post(port, key, again), id);
	after = row(s, id);
	assert_string_equal(after, before);
	free(after);
	await_all(s);
	assert_int_equal(topic_count(&s->w), n + 3);
	after = row(s, id);
	assert_string_equal(after, before);
	free(after);
	free(before);
}

static void
a_repeat_after_it_was_processed_changes_nothing(void **state)
{
	repeat_leaves_the_row(*state, "after-processed", FIRST, SECOND,
			      "processed");
}

/* The row of a failed event is one that others may write over; its repeat fails
 * again, and that is no news. */
static void
a_repeat_after_it_failed_does_not_make_it_pending(void **state)
{
	repeat_leaves_the_row(*state, "after-failed", BAD, BAD, "failed");
}

/* It goes through the handlers once more; what it is stays what was first
 * stored, whatever the repeat has brought. */
static void
a_repeat_that_fares_better_than_the_first_keeps_its_bytes(void **state)
{
	struct service *s = *state;
	int port = s->api.api_port;
	char id[API_ID_MAX], where[512];

	expect_created(post(port, "fares-better", BAD), id);
	api_await(port, id, "failed", ROW_MS);
	expect_id(post(port, "fares-better", SECOND), id);
	api_await(port, id, "processed", ROW_MS);
	snprintf(where, sizeof(where),
		 "id = '%s' AND name = 'bad' AND data::text = '{\"n\": 1}' AND "
		 "error IS NULL",
		 id);
	expect_rows(s, where, 1);
}

static void
a_repeat_after_it_was_dropped_changes_nothing(void **state)
{
	repeat_leaves_the_row(*state, "after-dropped",
			      "{\"name\":\"unwanted\",\"data\":{}}", SECOND,
			      "dropped");
}

/* Both messages are in the topic before anybody reads them: they may come in
 * one batch. */
static void
of_two_that_wait_the_first_is_kept(void **state)
{
	struct service *s = *state;
	int port = s->api.api_port;
	struct http_answer a;
	char id[API_ID_MAX], created[64], where[512];

	assert_int_equal(kill(s->consumer.pid, SIGSTOP), 0);
	a = post(port, "waits", FIRST);
	assert_non_null(strstr(a.body, "\"created_at\":\""));
	assert_int_equal(sscanf(strstr(a.body, "\"created_at\":\""),
				"\"created_at\":\"%40[^\"]", created),
			 1);
	expect_created(a, id);
	api_await(port, id, "pending", ROW_MS);
	expect_id(post(port, "waits", SECOND), id);
	assert_int_equal(kill(s->consumer.pid, SIGCONT), 0);
	await_all(s);
	snprintf(where, sizeof(where),
		 "id = '%s' AND status = 'processed' AND name = 'first' AND "
		 "data::text = '{\"n\": 1}' AND created_at = '%s' AND "
		 "attempts = 1 AND processed_at IS NOT NULL",
		 id, created);
	expect_rows(s, where, 1);
}

static void
two_apis_that_get_it_at_once_give_the_same_id(void **state)
{
	static const char request[] = "POST " API_EVENTS " HTTP/1.1\r\n"
				      "Host: x\r\nIdempotency-Key: a\r\n"
				      "Content-Length: 32\r\n\r\n" FIRST;
	struct service *s = *state;
	struct daemon other;
	struct wire wires[2];

	_Static_assert(sizeof(FIRST) - 1 == 32, "the Content-Length");
	service_api(s, &other, "other", NULL);
	wire_open(&wires[0], s->api.api_port);
	wire_open(&wires[1], other.api_port);
	for (int i = 0; i < 2; i++)
		assert_true(wire_say(&wires[i], request));
	for (int i = 0; i < 2; i++) {
		expect_id(wire_answer(&wires[i], ANSWER_MS), A_ID);
		wire_close(&wires[i]);
	}
	await_all(s);
	expect_rows(s, "id = '" A_ID "' AND status = 'processed'", 1);
	assert_int_equal(daemon_stop(&other, SERVICE_STOP_MS), 0);
}

static void
an_api_that_was_killed_and_started_again_gives_the_same_id(void **state)
{
	struct service *s = *state;
	struct daemon killed, again;
	char id[API_ID_MAX];

	service_api(s, &killed, "killed", NULL);
	expect_created(post(killed.api_port, "killed", FIRST), id);
	daemon_kill(&killed);
	service_api(s, &again, "again", NULL);
	expect_id(post(again.api_port, "killed", FIRST), id);
	assert_int_equal(daemon_stop(&again, SERVICE_STOP_MS), 0);
	await_all(s);
	expect_rows(s, "name = 'first' AND status <> 'processed'", 0);
}

static bool
is_taken(void *arg)
{
	struct http_answer a = post(*(int *)arg, "A", SECOND);
	bool taken = a.status == 201;

	if (taken)
		assert_non_null(strstr(a.body, BIG_ID));
	http_answer_fini(&a);
	return taken;
}

static bool
is_refused(void *arg)
{
	struct http_answer a = post(*(int *)arg, "A", SECOND);
	bool refused = a.status == 503 &&
		       strcmp(a.body, "{\"detail\":\"Events cannot be taken at "
				      "the moment\",\"outcome\":"
				      "\"refused\"}") == 0;

	http_answer_fini(&a);
	return refused;
}

static void
what_the_broker_did_not_confirm_is_repeated_until_it_does(void **state)
{
	struct service *s = *state;
	int port = s->api.api_port;

	expect_rows(s, "id = '" BIG_ID "'", 0);
	world_servers("freeze-kafka");
	api_expect_shape(post(port, "A", SECOND), 503,
			 "{\"detail\":\"<text>\",\"outcome\":\"unknown\"}");
	world_await(is_refused, &port, ROW_MS, "the broker's absence is known");
	world_servers("thaw-kafka");
	world_await(is_taken, &port, ROW_MS, "the repeat is taken");
	await_all(s);
	expect_rows(s, "id = '" BIG_ID "' AND status = 'processed'", 1);
	expect_rows(s, "name = 'second' AND id <> '" BIG_ID "'", 0);
}

/* The newest message has this id as key, in its header and in its value. */
static void
expect_message(struct service *s, const char *id)
{
	char begin[64], header[64], *key, *headers;
	size_t len;
	char *value = topic_last(&s->w, 0, &len, &key, &headers, NULL);

	assert_non_null(value);
	snprintf(begin, sizeof(begin), "{\"id\":\"%s\",", id);
	assert_memory_equal(value, begin, strlen(begin));
	snprintf(header, sizeof(header), "evh-id=%s\n", id);
	assert_non_null(strstr(headers, header));
	assert_string_equal(key, id);
	free(value);
	free(key);
	free(headers);
}

static void
both_messages_have_the_id_and_the_key_that_follows_from_it(void **state)
{
	struct service *s = *state;
	struct daemon keyed;
	int64_t n;
	char id[API_ID_MAX];

	service_api(s, &keyed, "keyed",
		    (const char *const[]){ "plugin = \"http_ingest\"\n",
					   "plugin = \"http_ingest\"\n"
					   "\tkey = \"id\"\n",
					   NULL });
	n = topic_count(&s->w);
	expect_created(post(keyed.api_port, "messages", FIRST), id);
	expect_message(s, id);
	expect_id(post(keyed.api_port, "messages", SECOND), id);
	expect_message(s, id);
	assert_int_equal(topic_count(&s->w), n + 2);
	assert_int_equal(daemon_stop(&keyed, SERVICE_STOP_MS), 0);
}

static int
set_up(void **state)
{
	static struct service s;

	s = (struct service){ 0 };
	world_init(&s.w, "idempotency");
	world_migrate(&s.w);
	topic_create(&s.w, 1);
	service_api(&s, &s.api, "api", service_patient);
	service_consumer(
		&s, (const char *const[]){
			    "store \"events\" {",
			    "handler \"failing\" {\n\tplugin = \"fail\"\n"
			    "\tmatch = \"bad\"\n}\n"
			    "handler \"dropping\" {\n\tplugin = \"fail\"\n"
			    "\tverdict = \"drop\"\n\tmatch = \"unwanted\"\n}\n"
			    "store \"events\" {",
			    "{ \"topic\", ",
			    "{ \"topic\", \"failing\", \"dropping\", ", NULL });
	*state = &s;
	return 0;
}

/* Whatever a test has left undone. */
static int
mend(void **state)
{
	const struct service *s = *state;

	world_servers("thaw-kafka");
	kill(s->consumer.pid, SIGCONT);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_repeat_after_it_was_processed_changes_nothing),
		cmocka_unit_test(
			a_repeat_after_it_failed_does_not_make_it_pending),
		cmocka_unit_test(
			a_repeat_that_fares_better_than_the_first_keeps_its_bytes),
		cmocka_unit_test(a_repeat_after_it_was_dropped_changes_nothing),
		cmocka_unit_test_teardown(of_two_that_wait_the_first_is_kept,
					  mend),
		cmocka_unit_test(two_apis_that_get_it_at_once_give_the_same_id),
		cmocka_unit_test(
			an_api_that_was_killed_and_started_again_gives_the_same_id),
		cmocka_unit_test_teardown(
			what_the_broker_did_not_confirm_is_repeated_until_it_does,
			mend),
		cmocka_unit_test(
			both_messages_have_the_id_and_the_key_that_follows_from_it),
	};

	return cmocka_run_group_tests_name("idempotency", tests, set_up,
					   service_teardown);
}
