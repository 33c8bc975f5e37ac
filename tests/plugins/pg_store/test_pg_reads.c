/* Questions about rows, and their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "awkward.h"
#include "group.h"
#include "heard.h"
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DB "reads"

static int
setup(void **state)
{
	return group_bench_setup(state, DB, NULL, NULL);
}

/* ---- Rows ------------------------------------------------------------------
 */

static void
a_row_comes_back_as_it_was_written(void **state)
{
	struct fake_event event;
	struct heard heard;

	fake_event_init(&event, 7, EVH_FAILED, 3, "{\"a\" : 1.0}");
	event.ev.error = "{\"stage\":\"x\"}";
	event.ev.topic = "events";
	event.ev.partition = 4;
	event.ev.offset = INT64_C(99999999999);
	bench_write(*state, &event, 1);
	heard_get(*state, 7, &heard);
	assert_int_equal(heard.rc, 0);
	assert_int_equal(heard.n, 1);
	assert_memory_equal(heard.rows[0].id, event.ev.id, 16);
	assert_string_equal(heard.name[0], "user.created");
	assert_string_equal(heard.data[0], "{\"a\" : 1.0}");
	assert_false(heard.rows[0].raw);
	assert_int_equal(heard.rows[0].status, EVH_FAILED);
	assert_int_equal(heard.rows[0].attempts, 3);
	assert_string_equal(heard.error[0], "{\"stage\":\"x\"}");
	assert_int_equal(heard.rows[0].created_ns, event.ev.created_ns);
	assert_true(heard.rows[0].processed_ns > INT64_C(1500000000) << 30);
	assert_string_equal(heard.topic[0], "events");
	assert_int_equal(heard.rows[0].partition, 4);
	assert_int_equal(heard.rows[0].offset, INT64_C(99999999999));
	fake_event_fini(&event);
	heard_fini(&heard);
}

static void
what_is_not_known_is_null_or_zero(void **state)
{
	struct fake_event event;
	struct heard heard;

	fake_event_init(&event, 7, EVH_PENDING, 0, "{}");
	bench_write(*state, &event, 1);
	heard_get(*state, 7, &heard);
	assert_int_equal(heard.rows[0].status, EVH_PENDING);
	assert_int_equal(heard.rows[0].processed_ns, 0);
	assert_string_equal(heard.error[0], "-");
	assert_string_equal(heard.topic[0], "-");
	fake_event_fini(&event);
	heard_fini(&heard);
}

static void
an_unknown_id_is_no_row_and_no_error(void **state)
{
	struct heard heard;

	heard_get(*state, 12345, &heard);
	assert_int_equal(heard.rc, 0);
	assert_int_equal(heard.n, 0);
	heard_fini(&heard);
}

static void
awkward_data_comes_back_byte_for_byte(void **state)
{
	enum { N = sizeof(awkward) / sizeof(awkward[0]) };
	static struct fake_event events[N];
	unsigned i;

	for (i = 0; i < N; i++) {
		fake_event_init(&events[i], i, EVH_PROCESSED, 1, "");
		fake_event_set_data(&events[i], awkward[i].bytes,
				    awkward[i].len);
	}
	bench_write(*state, events, N);
	for (i = 0; i < N; i++) {
		struct heard heard;

		if (events[i].result != EVH_OK)
			fail_msg("%s: %s", awkward[i].name, events[i].error);
		heard_get(*state, i, &heard);
		assert_int_equal(heard.rows[0].data.len, awkward[i].len);
		if (memcmp(heard.data[0], awkward[i].bytes, awkward[i].len))
			fail_msg("%s was changed", awkward[i].name);
		heard_fini(&heard);
		fake_event_fini(&events[i]);
	}
}

static void
raw_bytes_come_back_as_bytes(void **state)
{
	static const char bytes[] = "\x00\x01\xff{\"a\":\\";
	struct fake_event event;
	struct heard heard;

	fake_event_init(&event, 1, EVH_FAILED, 0, "");
	fake_event_set_data(&event, bytes, sizeof(bytes));
	bench_write(*state, &event, 1);
	heard_get(*state, 1, &heard);
	assert_true(heard.rows[0].raw);
	assert_int_equal(heard.rows[0].data.len, sizeof(bytes));
	assert_memory_equal(heard.data[0], bytes, sizeof(bytes));
	fake_event_fini(&event);
	heard_fini(&heard);
}

/* ---- Lists -----------------------------------------------------------------
 */

/* 40 events, newest last; names and statuses in turn. */
static void
forty_write(struct bench *bench)
{
	static struct fake_event events[40];
	unsigned i;

	for (i = 0; i < 40; i++) {
		fake_event_init(&events[i], i, 1 + i % 4, 1, "{}");
		snprintf(events[i].name, sizeof(events[i].name), "name.%u",
			 i % 3);
	}
	bench_write(bench, events, 40);
	for (i = 0; i < 40; i++)
		fake_event_fini(&events[i]);
}

static void
a_list_has_what_was_asked_for_newest_first(void **state)
{
	static const char *const names[] = { NULL, "name.0", "name.1", "name.2",
					     "nobody" };
	unsigned status, name, i, expected;

	forty_write(*state);
	for (status = 0; status <= EVH_DROPPED; status++) {
		for (name = 0; name < 5; name++) {
			struct evh_query q = { .status = status,
					       .name = names[name],
					       .limit = 50,
					       .want_total = 1 };
			struct heard heard;

			heard_find(*state, &q, &heard);
			expected = 0;
			for (i = 40; i-- > 0;) {
				if ((status && 1 + i % 4 != status) ||
				    (name && i % 3 != name - 1))
					continue;
				assert_true(expected < heard.n);
				assert_int_equal(heard.rows[expected++].id[3],
						 i);
			}
			assert_int_equal(heard.n, expected);
			assert_int_equal(heard.total, expected);
			heard_fini(&heard);
		}
	}
}

static void
a_page_begins_where_it_is_told(void **state)
{
	struct evh_query q = { .limit = 5, .offset = 10 };
	struct heard heard;

	forty_write(*state);
	heard_find(*state, &q, &heard);
	assert_int_equal(heard.n, 5);
	assert_int_equal(heard.rows[0].id[3], 29);
	assert_int_equal(heard.total, -1); /* nobody asked */
	heard_fini(&heard);

	q.offset = 100;
	q.want_total = 1;
	heard_find(*state, &q, &heard);
	assert_int_equal(heard.n, 0);
	assert_int_equal(heard.total, 40);
	heard_fini(&heard);
}

static void
a_cursor_goes_on_behind_its_row(void **state)
{
	unsigned char id[16] = { 0, 0, 0, 20, 0, 0, 0x70, 0, 0x80 };
	struct evh_query q = {
		.limit = 3, .before_id = id, .name = "name.1", .want_total = 1
	};
	struct heard heard;

	forty_write(*state);
	heard_find(*state, &q, &heard);
	assert_int_equal(heard.n, 3);
	assert_int_equal(heard.rows[0].id[3], 19);
	assert_int_equal(heard.rows[1].id[3], 16);
	assert_int_equal(heard.total, 13); /* of all that match */
	heard_fini(&heard);
}

/* 150,000 rows, so that a plan that reads them all can be told from one that
 * does not, and a total has something to stay at. */
static void
many_write(void)
{
	pg_server_sql(&server, DB,
		      "INSERT INTO events (id, name, data, status, created_at)"
		      " SELECT gen_random_uuid(), 'name.' || i %% 1000,"
		      " '{\"some\":\"data\"}', CASE i %% 1000"
		      " WHEN 1 THEN 'pending' WHEN 2 THEN 'failed'"
		      " WHEN 3 THEN 'dropped' ELSE 'processed' END,"
		      " timestamptz '2026-01-01' + i * interval '1 s'"
		      " FROM generate_series(1, 150000) AS i");
	pg_server_sql(&server, DB, "VACUUM ANALYZE events");
}

/* The plan of a question's statement reads an index, and not the table. */
static void
plan_check(const struct evh_query *q, bool total, const char *id)
{
	struct query query;
	char text[600];
	const char *plan;

	assert_int_equal(query_init_find(&query, q), 0);
	query_sql(query_statement(&query, total), text, sizeof(text));
	query_fini(&query);
	plan = pg_server_sql(&server, DB,
			     "DEALLOCATE ALL;"
			     "SET plan_cache_mode = force_custom_plan;"
			     "PREPARE q (text, bigint, bigint, uuid) AS %s;"
			     "EXPLAIN (FORMAT json) EXECUTE q"
			     " ('name.7', %d, 0, nullif('%s', '')::uuid)",
			     text, total ? QUERY_TOTAL_MAX : 100, id);
	if (strstr(plan, "\"Seq Scan\"") || !strstr(plan, "Index"))
		fail_msg("%s\n%s", text, plan);
}

static void
no_list_reads_the_whole_table(void **state)
{
	static const unsigned char before[16] = { 0 };
	char id[64];
	unsigned status, i;

	(void)state;
	many_write();
	snprintf(id, sizeof(id), "%s",
		 pg_server_sql(&server, DB,
			       "SELECT id FROM events OFFSET 70000 LIMIT 1"));
	for (status = 0; status <= EVH_DROPPED; status++) {
		for (i = 0; i < 4; i++) {
			struct evh_query q = {
				.status = status,
				.name = i & 1 ? "name.1" : NULL,
				.before_id = i & 2 ? before : NULL,
			};

			plan_check(&q, false, id);
		}
	}
}

static void
no_total_reads_the_table_where_an_index_has_it(void **state)
{
	unsigned status, name;

	(void)state;
	many_write();
	for (status = 0; status <= EVH_DROPPED; status++) {
		for (name = 0; name < 2; name++) {
			struct evh_query q = { .status = status,
					       .name = name ? "name.1" : NULL };

			/* Of all, and of all that is processed, the first
			 * hundred thousand of the table are as good. */
			if (name || (status && status != EVH_PROCESSED))
				plan_check(&q, true, "");
		}
	}
}

/* As when consumers have been away: hardly anything is processed.  What is has
 * no index of its own, and is looked for among the newest. */
static void
a_backlog_hides_no_status_from_its_index(void **state)
{
	unsigned status, total;

	(void)state;
	pg_server_sql(&server, DB,
		      "INSERT INTO events (id, name, data, status, created_at)"
		      " SELECT gen_random_uuid(), 'name.' || i %% 1000,"
		      " '{\"some\":\"data\"}', CASE i WHEN 1 THEN 'failed'"
		      " WHEN 2 THEN 'dropped' WHEN 3 THEN 'processed'"
		      " ELSE 'pending' END,"
		      " timestamptz '2026-01-01' + i * interval '1 s'"
		      " FROM generate_series(1, 150000) AS i");
	pg_server_sql(&server, DB, "VACUUM ANALYZE events");
	for (status = EVH_FAILED; status <= EVH_DROPPED; status++) {
		for (total = 0; total < 2; total++) {
			struct evh_query q = { .status = status };

			plan_check(&q, total, "");
		}
	}
}

static void
a_total_stays_at_a_hundred_thousand(void **state)
{
	struct evh_query q = { .limit = 1, .want_total = 1 };
	struct heard heard;

	many_write();
	heard_find(*state, &q, &heard);
	assert_int_equal(heard.total, 100000);
	heard_fini(&heard);

	q.status = EVH_FAILED;
	heard_find(*state, &q, &heard);
	assert_int_equal(heard.total, 150);
	heard_fini(&heard);
}

static void
a_status_that_is_none_is_refused(void **state)
{
	struct evh_query q = { .status = 9, .limit = 1 };
	struct bench *bench = *state;
	struct heard heard;

	heard_init(&heard);
	assert_int_equal(
		bench->store->find(bench->store->self, &q, hear, &heard),
		-EAGAIN);
	assert_int_equal(heard.n_calls, 0);
	heard_fini(&heard);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_row_comes_back_as_it_was_written),
		TEST(what_is_not_known_is_null_or_zero),
		TEST(an_unknown_id_is_no_row_and_no_error),
		TEST(awkward_data_comes_back_byte_for_byte),
		TEST(raw_bytes_come_back_as_bytes),
		TEST(a_list_has_what_was_asked_for_newest_first),
		TEST(a_page_begins_where_it_is_told),
		TEST(a_cursor_goes_on_behind_its_row),
		TEST(no_list_reads_the_whole_table),
		TEST(no_total_reads_the_table_where_an_index_has_it),
		TEST(a_backlog_hides_no_status_from_its_index),
		TEST(a_total_stays_at_a_hundred_thousand),
		TEST(a_status_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
