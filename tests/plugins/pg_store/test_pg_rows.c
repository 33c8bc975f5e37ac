/* What becomes of events in a real table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
setup(void **state)
{
	return group_bench_setup(state, "rows", NULL, NULL);
}

static const char *
sql(const char *text)
{
	return pg_server_sql(&server, "rows", "%s", text);
}

/* status, attempts, has processed_at, error of one row. */
static const char *
row_of(unsigned number)
{
	return pg_server_sql(
		&server, "rows",
		"SELECT status || ' ' || attempts || ' ' ||"
		" CASE WHEN processed_at IS NULL THEN 'open' ELSE 'closed' END"
		" || ' ' || coalesce(error::text, '-')"
		" FROM events WHERE id = '%08x-0000-7000-8000-000000000000'",
		number);
}

static void
row_insert(unsigned number, const char *status, int attempts)
{
	pg_server_sql(&server, "rows",
		      "INSERT INTO events (id, name, data, status, attempts,"
		      " created_at, processed_at, error)"
		      " VALUES ('%08x-0000-7000-8000-000000000000', 'old',"
		      " '{\"old\":1}', '%s', %d, '2020-01-01',"
		      " CASE WHEN '%s' <> 'pending' THEN now() END,"
		      " CASE WHEN '%s' = 'failed' THEN"
		      " '{\"old\":true}'::json END)",
		      number, status, attempts, status, status);
}

static const char *const names[] = { "none", "pending", "processed", "failed",
				     "dropped" };

/* ---- The rule --------------------------------------------------------------
 */

/* old is 0 when there is no row; the three say whether a write with fewer, as
 * many, or more attempts than the row has is applied. */
static const struct {
	unsigned old;
	enum evh_status new;
	int fewer, same, more;
} rule[] = {
	{ 0, EVH_PENDING, 1, 1, 1 },
	{ 0, EVH_PROCESSED, 1, 1, 1 },
	{ 0, EVH_FAILED, 1, 1, 1 },
	{ 0, EVH_DROPPED, 1, 1, 1 },
	{ EVH_PENDING, EVH_PENDING, 0, 0, 0 },
	{ EVH_PENDING, EVH_PROCESSED, 1, 1, 1 },
	{ EVH_PENDING, EVH_FAILED, 0, 0, 1 },
	{ EVH_PENDING, EVH_DROPPED, 1, 1, 1 },
	{ EVH_PROCESSED, EVH_PENDING, 0, 0, 0 },
	{ EVH_PROCESSED, EVH_PROCESSED, 0, 0, 0 },
	{ EVH_PROCESSED, EVH_FAILED, 0, 0, 0 },
	{ EVH_PROCESSED, EVH_DROPPED, 0, 0, 0 },
	{ EVH_FAILED, EVH_PENDING, 0, 1, 0 },
	{ EVH_FAILED, EVH_PROCESSED, 1, 1, 1 },
	{ EVH_FAILED, EVH_FAILED, 0, 0, 1 },
	{ EVH_FAILED, EVH_DROPPED, 1, 1, 1 },
	{ EVH_DROPPED, EVH_PENDING, 0, 0, 0 },
	{ EVH_DROPPED, EVH_PROCESSED, 0, 0, 0 },
	{ EVH_DROPPED, EVH_FAILED, 0, 0, 0 },
	{ EVH_DROPPED, EVH_DROPPED, 0, 0, 0 },
};
#define N_RULE (sizeof(rule) / sizeof(rule[0]))

static void
rule_expect(unsigned number, unsigned r, int applied, int attempts)
{
	const char *status =
		names[applied ? (unsigned)rule[r].new : rule[r].old];
	int row_attempts = rule[r].old && attempts < 5 ? 5 : attempts;
	char expected[200];

	if (!applied)
		row_attempts = 5;
	snprintf(expected, sizeof(expected), "%s %d %s %s", status,
		 row_attempts, strcmp(status, "pending") ? "closed" : "open",
		 strcmp(status, "failed") ? "-"
		 : applied		  ? "{\"new\":true}"
					  : "{\"old\":true}");
	if (strcmp(row_of(number), expected))
		fail_msg("%s over %s with %d over 5: %s, not %s",
			 names[rule[r].new], names[rule[r].old], attempts,
			 row_of(number), expected);
}

static void
each_status_over_each_with_fewer_as_many_and_more_attempts(void **state)
{
	static struct fake_event events[N_RULE * 3];
	unsigned r, a;

	for (r = 0; r < N_RULE; r++) {
		for (a = 0; a < 3; a++) {
			struct fake_event *event = &events[r * 3 + a];

			if (rule[r].old)
				row_insert(r * 3 + a, names[rule[r].old], 5);
			fake_event_init(event, r * 3 + a, rule[r].new, 4 + a,
					"{\"new\":1}");
			event->ev.error = rule[r].new == EVH_FAILED
						  ? "{\"new\":true}"
						  : NULL;
		}
	}
	bench_write(*state, events, N_RULE * 3);
	for (r = 0; r < N_RULE * 3; r++) {
		assert_int_equal(events[r].result, EVH_OK);
		fake_event_fini(&events[r]);
	}
	for (r = 0; r < N_RULE; r++) {
		rule_expect(r * 3, r, rule[r].fewer, 4);
		rule_expect(r * 3 + 1, r, rule[r].same, 5);
		rule_expect(r * 3 + 2, r, rule[r].more, 6);
	}
}

static void
name_data_and_created_at_stay_those_first_written(void **state)
{
	struct fake_event event;

	row_insert(1, "pending", 0);
	fake_event_init(&event, 1, EVH_PROCESSED, 1, "{\"new\":1}");
	bench_write(*state, &event, 1);
	fake_event_fini(&event);
	assert_string_equal(sql("SELECT name || data || created_at::date ||"
				" status FROM events"),
			    "old{\"old\":1}2020-01-01processed");
}

static void
the_place_is_added_and_then_stays(void **state)
{
	struct fake_event event;

	fake_event_init(&event, 1, EVH_PENDING, 0, "{}");
	bench_write(*state, &event, 1);
	assert_string_equal(sql("SELECT coalesce(kafka_topic, '-') ||"
				" coalesce(kafka_offset, -1) FROM events"),
			    "--1");

	event.n_done = 0;
	event.ev.status = EVH_FAILED;
	event.ev.attempts = 1;
	event.ev.topic = "events";
	event.ev.partition = 3;
	event.ev.offset = INT64_C(12345678901);
	bench_write(*state, &event, 1);

	event.n_done = 0;
	event.ev.status = EVH_PENDING;
	event.ev.topic = NULL;
	bench_write(*state, &event, 1);
	fake_event_fini(&event);
	assert_string_equal(sql("SELECT status || kafka_topic ||"
				" kafka_partition || kafka_offset FROM events"),
			    "pendingevents312345678901");
}

static void
created_at_keeps_its_microseconds(void **state)
{
	struct fake_event events[3];
	unsigned i;

	for (i = 0; i < 3; i++)
		fake_event_init(&events[i], i, EVH_PENDING, 0, "{}");
	events[0].ev.created_ns = INT64_C(1795000000123456999);
	events[1].ev.created_ns = -1;
	events[2].ev.created_ns = 0;
	bench_write(*state, events, 3);
	for (i = 0; i < 3; i++)
		fake_event_fini(&events[i]);
	assert_string_equal(
		sql("SELECT string_agg(extract(epoch FROM created_at)::text,"
		    " ' ' ORDER BY id) FROM events"),
		"1795000000.123456 -0.000001 0.000000");
}

/* ---- One batch -------------------------------------------------------------
 */

/* All that a row can be before, and each two writes of it: in one batch they
 * leave what they leave one after the other. */
static void
an_id_twice_in_a_batch_is_as_one_after_the_other(void **state)
{
	enum { ROWS = 9 * 64 }; /* befores, and pairs of 8 writes */
	static struct fake_event first[ROWS], second[ROWS], both[2 * ROWS];
	unsigned i, number;
	const char *apart;
	char together[64];

	for (i = 0; i < 9; i++)
		for (number = i * 64; number < (i + 1) * 64; number++)
			if (i) {
				row_insert(number, names[(i + 1) / 2],
					   1 + (int)(i + 1) % 2);
				row_insert(number + 10000, names[(i + 1) / 2],
					   1 + (int)(i + 1) % 2);
			}
	for (i = 0; i < ROWS; i++) {
		unsigned a = i % 8, b = i / 8 % 8;

		fake_event_init(&first[i], i, 1 + a / 2, 1 + a % 2, "{}");
		fake_event_init(&second[i], i, 1 + b / 2, 1 + b % 2, "{}");
		fake_event_init(&both[2 * i], i + 10000, 1 + a / 2, 1 + a % 2,
				"{}");
		fake_event_init(&both[2 * i + 1], i + 10000, 1 + b / 2,
				1 + b % 2, "{}");
	}
	bench_write(*state, first, ROWS);
	bench_write(*state, second, ROWS);
	bench_write(*state, both, 2 * ROWS);
	for (i = 0; i < ROWS; i++) {
		assert_int_equal(both[2 * i].result, EVH_OK);
		assert_int_equal(both[2 * i + 1].result, EVH_OK);
		fake_event_fini(&first[i]);
		fake_event_fini(&second[i]);
		fake_event_fini(&both[2 * i]);
		fake_event_fini(&both[2 * i + 1]);
	}
#define DIGEST                                                                 \
	"SELECT md5(string_agg(status || attempts || (processed_at IS NULL),"  \
	" ',' ORDER BY id)) || count(*) FROM events WHERE id %s"               \
	" '00002000-0000-0000-0000-000000000000'"
	snprintf(together, sizeof(together), "%s",
		 pg_server_sql(&server, "rows", DIGEST, ">"));
	apart = pg_server_sql(&server, "rows", DIGEST, "<");
	assert_string_equal(together, apart);
}

/* The sentence of an error is ours: PostgreSQL's would quote the row. */
static void
an_error_never_quotes_the_row(void **state)
{
	struct fake_event event;

	sql("ALTER TABLE events ADD CONSTRAINT no_s3cret CHECK"
	    " (data::text NOT LIKE '%s3cret%')");
	fake_event_init(&event, 1, EVH_PROCESSED, 1, "{\"a\":\"s3cret\"}");
	bench_write(*state, &event, 1);
	assert_int_equal(event.result, EVH_FAIL);
	assert_string_equal(event.code, "23514");
	assert_null(strstr(event.error, "s3cret"));
	fake_event_fini(&event);
}

static void
bad_rows_among_duplicates_fail_and_the_rest_is_kept(void **state)
{
	static struct fake_event events[300];
	unsigned i, id;

	for (i = 0; i < 300; i++) {
		id = i % 100; /* each id three times: pending, bad, processed */
		fake_event_init(&events[i], id,
				i < 100 ? EVH_PENDING : EVH_PROCESSED, i / 100,
				i >= 100 && i < 200 && id % 7 == 0 ? "x"
								   : "{}");
	}
	bench_write(*state, events, 300);
	for (i = 0; i < 300; i++) {
		assert_int_equal(events[i].result,
				 events[i].data[0] == 'x' ? EVH_FAIL : EVH_OK);
		assert_int_equal(events[i].turn, i);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql("SELECT count(*) FROM events"
				" WHERE status = 'processed'"),
			    "100");
}

static void
redelivery_changes_nothing(void **state)
{
	static struct fake_event events[500];
	char before[64];
	unsigned i;
#define ALL "SELECT md5(string_agg(e::text, ',' ORDER BY id)) FROM events e"

	for (i = 0; i < 500; i++)
		fake_event_init(&events[i], i, 1 + i % 4, 1, "{}");
	bench_write(*state, events, 500);
	snprintf(before, sizeof(before), "%s", sql(ALL));
	for (i = 0; i < 500; i++)
		events[i].n_done = 0;
	bench_write(*state, events, 500);
	for (i = 0; i < 500; i++) {
		assert_int_equal(events[i].result, EVH_OK);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql(ALL), before);
	assert_string_equal(sql("SELECT count(*) FROM events"), "500");
}

static void
a_batch_larger_than_its_bounds_is_written_in_parts(void **state)
{
	static struct fake_event events[500];
	struct bench bench;
	char data[2000];
	unsigned i;

	(void)state;
	memset(data, ' ', sizeof(data));
	memcpy(data + sizeof(data) - 3, "{}", 3);
	bench_create(&bench, &server, "rows", "batch_rows", "100", "batch_size",
		     "65536", NULL);
	bench_start(&bench);
	for (i = 0; i < 500; i++)
		fake_event_init(&events[i], i, EVH_PENDING, 0,
				i < 250 ? "{}" : data);
	bench_write(&bench, events, 500);
	for (i = 0; i < 500; i++) {
		assert_int_equal(events[i].result, EVH_OK);
		assert_int_equal(events[i].turn, i);
		fake_event_fini(&events[i]);
	}
	assert_int_equal(fake_ctx_metric(&bench.fake, "store_batch_rows", ""),
			 500);
	assert_int_equal(
		fake_ctx_metric(&bench.fake, "store_rows", "status=pending"),
		500);
	bench_stop(&bench);
	bench_destroy(&bench);
}

/* ---- What failed -----------------------------------------------------------
 */

static void
failed_bytes_that_are_no_json_are_kept_as_bytes(void **state)
{
	struct fake_event events[3];
	unsigned i;

	for (i = 0; i < 3; i++) {
		fake_event_init(&events[i], i, EVH_FAILED, 1, "");
		events[i].ev.error = "{\"stage\":\"topic\",\"type\":"
				     "\"invalid\",\"message\":\"no JSON\"}";
	}
	fake_event_set_data(&events[0], "\x00\xff\xfe{", 4);
	fake_event_set_data(&events[1], "", 0);
	fake_event_set_data(&events[2], "{\"a\":1}", 7);
	events[0].name[0] = '\0'; /* poison has none */
	bench_write(*state, events, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(events[i].result, EVH_OK);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(
		sql("SELECT string_agg(coalesce(raw::text, '-') || '/' ||"
		    " coalesce(data::text, '-') || '/' || name, ' '"
		    " ORDER BY id) FROM events"),
		"\\x00fffe7b/-/ \\x/-/user.created -/{\"a\":1}/user.created");
	assert_string_equal(sql("SELECT error->>'message' FROM events LIMIT 1"),
			    "no JSON");
}

static void
a_failed_event_is_kept_whatever_its_name_and_error_are(void **state)
{
	struct fake_event events[3];
	unsigned i;

	for (i = 0; i < 3; i++)
		fake_event_init(&events[i], i, EVH_FAILED, 1, "{}");
	memset(events[0].name, 'n', 299);
	events[0].name[299] = '\0';
	snprintf(events[1].name, sizeof(events[1].name), "a\xc3");
	events[2].ev.error = "no \"JSON\" \xff";
	bench_write(*state, events, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(events[i].result, EVH_OK);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql("SELECT string_agg(length(name)::text, ' '"
				" ORDER BY id) FROM events"),
			    "255 1 12");
	assert_string_equal(sql("SELECT error #>> '{}' FROM events"
				" WHERE error IS NOT NULL"),
			    "no \"JSON\" \xef\xbf\xbd");
}

/* A table with a rule of its own about JSON still keeps what failed. */
static void
a_failed_event_that_is_refused_is_kept_as_bytes(void **state)
{
	struct fake_event event;

	sql("ALTER TABLE events ADD CONSTRAINT no_b CHECK"
	    " (data::text NOT LIKE '%b%')");
	fake_event_init(&event, 1, EVH_FAILED, 1, "{\"b\":1}");
	bench_write(*state, &event, 1);
	assert_int_equal(event.result, EVH_OK);
	fake_event_fini(&event);
	assert_string_equal(sql("SELECT convert_from(raw, 'UTF8')"
				" FROM events"),
			    "{\"b\":1}");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_status_over_each_with_fewer_as_many_and_more_attempts),
		TEST(name_data_and_created_at_stay_those_first_written),
		TEST(the_place_is_added_and_then_stays),
		TEST(created_at_keeps_its_microseconds),
		TEST(an_id_twice_in_a_batch_is_as_one_after_the_other),
		TEST(an_error_never_quotes_the_row),
		TEST(bad_rows_among_duplicates_fail_and_the_rest_is_kept),
		TEST(redelivery_changes_nothing),
		TEST(a_batch_larger_than_its_bounds_is_written_in_parts),
		TEST(failed_bytes_that_are_no_json_are_kept_as_bytes),
		TEST(a_failed_event_is_kept_whatever_its_name_and_error_are),
		TEST(a_failed_event_that_is_refused_is_kept_as_bytes),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
