/*
 * What evhd reads from Kafka: messages that others wrote, poison of every
 * kind, a topic that is missing, and when offsets are committed.
 */
#include "crew.h"
#include "table.h"
#include "topic.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include <cmocka.h>

#define SQL_MAX	  1024
#define WAIT_MS	  60000
#define TOO_LARGE (1024 * 1024 + 1)
#define GIVEN_ID  "0192AAD2-6C1E-4B3A-9D5E-0F4C1B2A3D4E"
#define LOWER_ID  "0192aad2-6c1e-4b3a-9d5e-0f4c1b2a3d4e"

/* The id of a message that brings none: UUIDv5 of its place and time, by
 * another library than evhd's. */
static void
derived_id(struct crew *crew, int64_t offset, int64_t time_ms, char ret[37])
{
	char place[256];
	uuid_t id;

	snprintf(place, sizeof(place), "kafka:%s/0/%" PRId64 "/%" PRId64,
		 crew->w.name, offset, time_ms);
	uuid_generate_sha1(id, *uuid_get_template("url"), place, strlen(place));
	uuid_unparse_lower(id, ret);
}

/* Puts into partition 0; gives the offset, and the broker's time. */
static int64_t
put(struct crew *crew, const void *value, size_t len, int64_t *ret_time_ms)
{
	int64_t offset = topic_put(&crew->w, 0, NULL, value, len, NULL);
	size_t got;

	free(topic_last(&crew->w, 0, &got, NULL, NULL, ret_time_ms));
	return offset;
}

/* The one column of the row that came from this offset. */
static char *
row_at(struct crew *crew, int64_t offset, const char *column)
{
	char sql[SQL_MAX];

	snprintf(sql, sizeof(sql),
		 "SELECT %s FROM events WHERE kafka_topic = '%s' AND "
		 "kafka_partition = 0 AND kafka_offset = %" PRId64,
		 column, crew->w.name, offset);
	return table_ask(&crew->w, sql);
}

static void
row_check(struct crew *crew, const char *what, int64_t offset,
	  const char *column, const char *expected)
{
	char *value = row_at(crew, offset, column);

	if (strcmp(value, expected) != 0)
		fail_msg("%s: %s is \"%s\", not \"%s\"", what, column, value,
			 expected);
	free(value);
}

static void
rows_await(struct crew *crew, long n)
{
	table_await(&crew->w, "SELECT count(*) FROM events", n, WAIT_MS);
}

static const struct {
	const char *value, *name, *data;
} tolerated[] = {
	{ "{\"name\":\"a\",\"data\":{\"x\": 1.0}}", "a", "{\"x\": 1.0}" },
	{ "{\"name\":\"no data\"}", "no data", "{}" },
	{ "{\"name\":\"null\",\"data\":null}", "null", "null" },
	{ "{\"name\":\"array\",\"data\":[1, {}]}", "array", "[1, {}]" },
	{ "{\"name\":\"number\",\"data\":-0.0}", "number", "-0.0" },
	{ "{\"name\":\"string\",\"data\":\"\\u0000\"}", "string",
	  "\"\\u0000\"" },
	{ "{\"z\":[1,{\"y\":2}],\"name\":\"unknown\",\"data\":{},\"\":null}",
	  "unknown", "{}" },
	{ "{\"data\":{\"name\":\"inner\"},\"name\":\"order\"}", "order",
	  "{\"name\":\"inner\"}" },
	{ " \n{ \"name\" : \"space\" , \"data\" : { } }\t", "space", "{ }" },
};

#define N_TOLERATED (sizeof(tolerated) / sizeof(tolerated[0]))

static void
what_others_write_is_read_tolerantly(void **state)
{
	struct crew *crew = *state;
	int64_t offset[N_TOLERATED], time_ms[N_TOLERATED];

	topic_create(&crew->w, 1);
	for (size_t i = 0; i < N_TOLERATED; i++)
		offset[i] = put(crew, tolerated[i].value,
				strlen(tolerated[i].value), &time_ms[i]);
	crew_ready(crew, "consumer", "consumer.conf", NULL);
	rows_await(crew, N_TOLERATED);
	for (size_t i = 0; i < N_TOLERATED; i++) {
		const char *what = tolerated[i].name;
		char text[64];

		row_check(crew, what, offset[i], "name", what);
		row_check(crew, what, offset[i], "data", tolerated[i].data);
		row_check(crew, what, offset[i], "status", "processed");
		snprintf(text, sizeof(text), "%" PRId64, time_ms[i]);
		row_check(crew, what, offset[i],
			  "(extract(epoch FROM created_at) * 1000)::bigint",
			  text);
		derived_id(crew, offset[i], time_ms[i], text);
		row_check(crew, what, offset[i], "id", text);
	}
	crew_end(crew);
}

static void
id_and_time_of_a_message_are_kept_and_unknown_headers_ignored(void **state)
{
	static const char value[] =
		"{\"id\":\"" GIVEN_ID "\",\"name\":\"n\",\"data\":{},"
		"\"created_at\":\"2020-02-29T23:59:59.123456Z\"}";
	static const char *const headers[] = { "x-unknown", "1", "evh-attempts",
					       "no number", NULL };
	struct crew *crew = *state;

	topic_create(&crew->w, 1);
	topic_put(&crew->w, 0, "key", value, sizeof(value) - 1, headers);
	crew_ready(crew, "consumer", "consumer.conf", NULL);
	rows_await(crew, 1);
	crew_check_row(crew, LOWER_ID, "status", "processed");
	crew_check_row(crew, LOWER_ID, "attempts", "1");
	crew_check_row(crew, LOWER_ID,
		       "to_char(created_at AT TIME ZONE 'UTC', "
		       "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
		       "2020-02-29T23:59:59.123456Z");
	crew_end(crew);
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define A16 "[[[[[[[[[[[[[[[["
#define Z16 "]]]]]]]]]]]]]]]]"
#define POISON(what, text, is_json)                                            \
	{                                                                      \
		what, text, sizeof(text) - 1, is_json                          \
	}

static const struct poison {
	const char *what, *bytes;
	size_t len;
	bool is_json; /* kept as JSON then, else as raw bytes */
} poison[] = {
	POISON("no JSON", "hello", false),
	POISON("cut off", "{\"name\":\"n\",\"data\":{", false),
	POISON("something behind", "{\"name\":\"n\"}{}", false),
	POISON("an array", "[{\"name\":\"n\"}]", true),
	POISON("a string", "\"n\"", true),
	POISON("null", "null", true),
	POISON("no name", "{\"data\":{\"name\":\"n\"}}", true),
	POISON("name null", "{\"name\":null}", true),
	POISON("name a number", "{\"name\":7}", true),
	POISON("name empty", "{\"name\":\"\"}", true),
	POISON("name too long", "{\"name\":\"" X64 X64 X64 X64 "\"}", true),
	POISON("name with a control character", "{\"name\":\"a\\u0000b\"}",
	       true),
	POISON("name with delete", "{\"name\":\"a\x7F\"}", true),
	POISON("id no UUID", "{\"id\":\"7\",\"name\":\"n\"}", true),
	POISON("id a number", "{\"id\":7,\"name\":\"n\"}", true),
	POISON("a member twice", "{\"name\":\"n\",\"data\":{\"a\":1,\"a\":2}}",
	       false),
	POISON("lone surrogate", "{\"name\":\"n\",\"data\":\"\\ud800\"}",
	       false),
	POISON("beyond a double", "{\"name\":\"n\",\"data\":1e400}", false),
	POISON("too deep",
	       "{\"name\":\"n\",\"data\":" A16 A16 A16 A16 Z16 Z16 Z16 Z16 "}",
	       false),
	POISON("no UTF-8", "{\"name\":\"n\",\"data\":\"\xFF\xFE\"}", false),
	POISON("byte order mark", "\xEF\xBB\xBF{\"name\":\"n\"}", false),
	POISON("a NUL byte", "\0{\"name\":\"n\"}", false),
	POISON("empty", "", false),
};

#define N_POISON (sizeof(poison) / sizeof(poison[0]))

static void
hex_write(const char *bytes, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++)
		snprintf(ret + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
	ret[2 * len] = '\0';
}

static void
poison_check(struct crew *crew, const struct poison *p, int64_t offset,
	     int64_t time_ms)
{
	char hex[1024];
	char id[37];
	char *reason;

	row_check(crew, p->what, offset, "status", "failed");
	hex_write(p->bytes, p->len, hex);
	row_check(crew, p->what, offset,
		  "encode(coalesce(raw, convert_to(data::text, 'UTF8')), "
		  "'hex')",
		  hex);
	row_check(crew, p->what, offset, "raw IS NULL", p->is_json ? "t" : "f");
	row_check(crew, p->what, offset, "processed_at IS NOT NULL", "t");
	row_check(crew, p->what, offset, "error->>'stage'", "topic");
	row_check(crew, p->what, offset, "error->>'type'", "invalid");
	reason = row_at(crew, offset, "error->>'message'");
	if (strlen(reason) < 5)
		fail_msg("%s: no reason", p->what);
	free(reason);
	derived_id(crew, offset, time_ms, id);
	row_check(crew, p->what, offset, "id", id);
}

static void
poison_of_every_kind_is_kept_and_its_partition_goes_on(void **state)
{
	static const char good[] = "{\"name\":\"good\",\"data\":{}}";
	struct crew *crew = *state;
	int64_t offset[N_POISON], time_ms[N_POISON], good_ms;

	topic_create(&crew->w, 1);
	crew_ready(crew, "consumer", "consumer.conf", NULL);
	for (size_t i = 0; i < N_POISON; i++)
		offset[i] =
			put(crew, poison[i].bytes, poison[i].len, &time_ms[i]);
	put(crew, good, sizeof(good) - 1, &good_ms);
	rows_await(crew, N_POISON + 1);
	for (size_t i = 0; i < N_POISON; i++)
		poison_check(crew, &poison[i], offset[i], time_ms[i]);
	assert_int_equal(table_count(&crew->w,
				     "SELECT count(*) FROM events WHERE "
				     "status = 'processed' AND "
				     "name = 'good'"),
			 1);
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), N_POISON + 1);
}

/* No value at all, and one beyond a mebibyte: what no text of C can be. */
static void
a_tombstone_and_a_giant_are_kept_and_their_partition_goes_on(void **state)
{
	struct crew *crew = *state;
	char *giant = malloc(TOO_LARGE);
	int64_t nothing, large, time_ms;
	char sql[SQL_MAX];

	assert_non_null(giant);
	memset(giant, 'x', TOO_LARGE);
	topic_create(&crew->w, 1);
	nothing = put(crew, NULL, 0, &time_ms);
	large = put(crew, giant, TOO_LARGE, &time_ms);
	put(crew, "{\"name\":\"good\"}", 15, &time_ms);
	free(giant);
	crew_ready(crew, "consumer", "consumer.conf", NULL);
	rows_await(crew, 3);
	row_check(crew, "no value", nothing, "status", "failed");
	row_check(crew, "no value", nothing, "octet_length(raw)", "0");
	row_check(crew, "giant", large, "status", "failed");
	snprintf(sql, sizeof(sql), "raw = decode(repeat('78', %d), 'hex')",
		 TOO_LARGE);
	row_check(crew, "giant", large, sql, "t");
	assert_int_equal(table_count(&crew->w,
				     "SELECT count(*) FROM events WHERE "
				     "status = 'processed'"),
			 1);
	crew_end(crew);
}

static void
a_missing_topic_is_waited_for_and_then_read_from_its_start(void **state)
{
	struct crew *crew = *state;
	struct daemon *consumer =
		crew_start(crew, "consumer", "consumer.conf", NULL);
	char why[256];

	snprintf(why, sizeof(why), "topic %s does not exist", crew->w.name);
	crew_await_reason(consumer, why);
	topic_create(&crew->w, 2);
	topic_fill(&crew->w, "early", 50);
	daemon_await_ready(consumer, CREW_READY_MS);
	rows_await(crew, 50);
	crew_end(crew);
}

/* Nothing is committed in Kafka that is not committed in PostgreSQL: while
 * somebody holds the table, offsets stand. */
static void
offsets_are_committed_after_the_rows(void **state)
{
	struct crew *crew = *state;
	PGconn *conn = PQconnectdb(crew->w.conninfo);
	struct daemon *consumer;

	topic_create(&crew->w, 2);
	consumer = crew_ready(crew, "consumer", "consumer.conf", NULL);
	PQclear(PQexec(conn, "BEGIN"));
	PQclear(PQexec(conn, "LOCK TABLE events IN EXCLUSIVE MODE"));
	assert_int_equal(PQtransactionStatus(conn), PQTRANS_INTRANS);
	topic_fill(&crew->w, "n", 100);
	crew_await_metric(consumer, "evh_in_flight{pipeline=\"process\"}", 100,
			  WAIT_MS);
	/* Longer than the second that lies between two commits of offsets. */
	for (long due_ms = world_now_ms() + 2500; world_now_ms() < due_ms;)
		assert_int_equal(topic_committed(&crew->w), 0);
	PQclear(PQexec(conn, "COMMIT"));
	PQfinish(conn);
	rows_await(crew, 100);
	crew_end(crew);
	assert_int_equal(topic_committed(&crew->w), 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_others_write_is_read_tolerantly, crew_setup,
			crew_teardown),
		cmocka_unit_test_setup_teardown(
			id_and_time_of_a_message_are_kept_and_unknown_headers_ignored,
			crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			poison_of_every_kind_is_kept_and_its_partition_goes_on,
			crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			a_tombstone_and_a_giant_are_kept_and_their_partition_goes_on,
			crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			a_missing_topic_is_waited_for_and_then_read_from_its_start,
			crew_setup, crew_teardown),
		cmocka_unit_test_setup_teardown(
			offsets_are_committed_after_the_rows, crew_setup,
			crew_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
