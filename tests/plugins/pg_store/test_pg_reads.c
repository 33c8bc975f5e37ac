/* Questions about rows, and what is answered when there is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "awkward.h"
#include "bench.h"
#include "deadline.h"
#include "query.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DB	 "reads"
#define ROWS_MAX 64

extern const struct evh_plugin evh_plugin;

static struct pg_server server;

/* One question's answer, as the asker keeps it. */
struct heard {
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	unsigned n_calls;
	int rc;
	size_t n;
	int64_t total;
	struct evh_row rows[ROWS_MAX];
	char *data[ROWS_MAX];
	char name[ROWS_MAX][64], error[ROWS_MAX][64], topic[ROWS_MAX][64];
};

static void
heard_init(struct heard *heard)
{
	pthread_condattr_t attr;

	memset(heard, 0, sizeof(*heard));
	pthread_mutex_init(&heard->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&heard->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void
heard_fini(struct heard *heard)
{
	size_t i;

	for (i = 0; i < ROWS_MAX; i++)
		free(heard->data[i]);
	pthread_cond_destroy(&heard->changed);
	pthread_mutex_destroy(&heard->lock);
}

static void
row_keep(struct heard *heard, size_t i, const struct evh_row *row)
{
	heard->rows[i] = *row;
	heard->data[i] = malloc(row->data.len + 1);
	assert_non_null(heard->data[i]);
	memcpy(heard->data[i], row->data.data, row->data.len);
	heard->data[i][row->data.len] = '\0';
	snprintf(heard->name[i], sizeof(heard->name[i]), "%s", row->name);
	snprintf(heard->error[i], sizeof(heard->error[i]), "%s",
		 row->error ? row->error : "-");
	snprintf(heard->topic[i], sizeof(heard->topic[i]), "%s",
		 row->topic ? row->topic : "-");
}

static void
hear(void *arg, int rc, const struct evh_row *rows, size_t n, int64_t total)
{
	struct heard *heard = arg;
	size_t i;

	pthread_mutex_lock(&heard->lock);
	heard->n_calls++;
	heard->rc = rc;
	heard->n = n;
	heard->total = total;
	for (i = 0; i < n && i < ROWS_MAX; i++)
		row_keep(heard, i, &rows[i]);
	pthread_cond_broadcast(&heard->changed);
	pthread_mutex_unlock(&heard->lock);
}

static void
heard_wait(struct heard *heard)
{
	struct timespec until = deadline_timespec(deadline_in(FAKE_WAIT_MS));
	int rc = 0;

	pthread_mutex_lock(&heard->lock);
	while (!heard->n_calls && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&heard->changed, &heard->lock,
					    &until);
	pthread_mutex_unlock(&heard->lock);
	assert_int_equal(heard->n_calls, 1);
}

static void
get(struct bench *bench, unsigned number, struct heard *heard)
{
	struct fake_event event;

	fake_event_init(&event, number, EVH_PENDING, 0, "");
	heard_init(heard);
	assert_int_equal(
		bench->store->get(bench->store->self, event.ev.id, hear, heard),
		0);
	heard_wait(heard);
	fake_event_fini(&event);
}

static void
find(struct bench *bench, const struct evh_query *q, struct heard *heard)
{
	heard_init(heard);
	assert_int_equal(bench->store->find(bench->store->self, q, hear, heard),
			 0);
	heard_wait(heard);
}

static int
group_setup(void **state)
{
	(void)state;
	pg_server_start(&server);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	pg_server_stop(&server);
	return 0;
}

static int
setup_with(void **state, const char *name, const char *value)
{
	static struct bench bench;

	pg_server_database(&server, DB, 0);
	bench_create(&bench, &server, DB, name, value, NULL);
	bench_start(&bench);
	*state = &bench;
	return 0;
}

static int
setup(void **state)
{
	return setup_with(state, NULL, NULL);
}

static int
setup_impatient(void **state)
{
	return setup_with(state, "read_timeout", "500");
}

static int
setup_narrow(void **state)
{
	return setup_with(state, "read_size", "1048576");
}

static int
teardown(void **state)
{
	bench_stop(*state);
	bench_destroy(*state);
	return 0;
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
	get(*state, 7, &heard);
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
	get(*state, 7, &heard);
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

	get(*state, 12345, &heard);
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
		get(*state, i, &heard);
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
	get(*state, 1, &heard);
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

			find(*state, &q, &heard);
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
	find(*state, &q, &heard);
	assert_int_equal(heard.n, 5);
	assert_int_equal(heard.rows[0].id[3], 29);
	assert_int_equal(heard.total, -1); /* nobody asked */
	heard_fini(&heard);

	q.offset = 100;
	q.want_total = 1;
	find(*state, &q, &heard);
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
	find(*state, &q, &heard);
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

static void
a_total_stays_at_a_hundred_thousand(void **state)
{
	struct evh_query q = { .limit = 1, .want_total = 1 };
	struct heard heard;

	many_write();
	find(*state, &q, &heard);
	assert_int_equal(heard.total, 100000);
	heard_fini(&heard);

	q.status = EVH_FAILED;
	find(*state, &q, &heard);
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
		-EINVAL);
	assert_int_equal(heard.n_calls, 0);
	heard_fini(&heard);
}

static void
an_answer_beyond_its_bound_is_none(void **state)
{
	static char data[400000];
	struct evh_query q = { .limit = 10 };
	struct fake_event events[4];
	struct heard heard;
	unsigned i;

	memset(data, ' ', sizeof(data));
	memcpy(data + sizeof(data) - 3, "{}", 3);
	for (i = 0; i < 4; i++)
		fake_event_init(&events[i], i, EVH_PENDING, 0, data);
	bench_write(*state, events, 4);
	find(*state, &q, &heard);
	assert_int_equal(heard.rc, -EMSGSIZE);
	assert_int_equal(heard.n, 0);
	heard_fini(&heard);

	q.limit = 2; /* and the next question finds a connection again */
	find(*state, &q, &heard);
	assert_int_equal(heard.rc, 0);
	assert_int_equal(heard.n, 2);
	heard_fini(&heard);
	for (i = 0; i < 4; i++)
		fake_event_fini(&events[i]);
}

/* ---- No answer -------------------------------------------------------------
 */

static void
a_server_that_is_away_is_told_at_once_and_then_found_again(void **state)
{
	struct bench *bench = *state;
	struct heard heard;
	int64_t deadline;
	unsigned char id[16] = { 0 };
	int rc;

	get(bench, 1, &heard);
	heard_fini(&heard);
	pg_server_command(&server, "stop-postgres");
	get(bench, 1, &heard);
	assert_int_equal(heard.rc, -EAGAIN);
	heard_fini(&heard);

	heard_init(&heard);
	rc = bench->store->get(bench->store->self, id, hear, &heard);
	if (rc == 0)
		heard_wait(&heard);
	assert_int_equal(rc ? rc : heard.rc, -EAGAIN);
	heard_fini(&heard);

	pg_server_command(&server, "start-postgres");
	deadline = deadline_in(10000);
	do {
		heard_init(&heard);
		rc = bench->store->get(bench->store->self, id, hear, &heard);
		if (rc == 0)
			heard_wait(&heard);
		rc = rc ? rc : heard.rc;
		heard_fini(&heard);
		assert_false(deadline_over(deadline));
	} while (rc < 0);
}

static void
a_connection_that_was_closed_meanwhile_is_not_an_outage(void **state)
{
	struct bench *bench = *state;
	struct heard heard;
	unsigned i;

	for (i = 0; i < 4; i++) { /* both readers connect */
		get(bench, 1, &heard);
		heard_fini(&heard);
	}
	pg_server_sql(&server, "evh",
		      "SELECT pg_terminate_backend(pid, 5000) FROM"
		      " pg_stat_activity WHERE datname = '" DB "'");
	for (i = 0; i < 4; i++) {
		get(bench, 1, &heard);
		assert_int_equal(heard.rc, 0);
		heard_fini(&heard);
	}
}

static void
a_frozen_server_is_told_in_time_to_each_who_asked(void **state)
{
	enum { N = 40 };
	static struct heard heard[N];
	struct bench *bench = *state;
	unsigned char id[16] = { 0 };
	int64_t start;
	unsigned i;

	get(bench, 1, &heard[0]);
	heard_fini(&heard[0]);
	pg_server_command(&server, "freeze-postgres");
	pg_server_command(&server, "thaw-postgres");
	pg_server_sql(&server, "evh", "SELECT 1");
	pg_server_command(&server, "freeze-postgres");
	start = deadline_now();
	for (i = 0; i < N; i++) {
		heard_init(&heard[i]);
		assert_int_equal(bench->store->get(bench->store->self, id, hear,
						   &heard[i]),
				 0);
	}
	for (i = 0; i < N; i++) {
		heard_wait(&heard[i]);
		assert_int_equal(heard[i].rc, -ETIMEDOUT);
	}
	assert_in_range((deadline_now() - start) / NS_PER_MS, 450, 2000);
	pg_server_command(&server, "thaw-postgres");
	for (i = 0; i < N; i++)
		heard_fini(&heard[i]);
}

/* One question runs into the server's limit; the others do not notice. */
static void
a_slow_question_shuts_out_nobody(void **state)
{
	struct bench *bench = *state;
	struct evh_query q = { .limit = 1, .name = "slow" };
	struct pg_conn *lock;
	struct heard heard;

	get(bench, 1, &heard);
	heard_fini(&heard);
	lock = pg_server_hold(&server, DB,
			      "BEGIN; LOCK TABLE events IN"
			      " ACCESS EXCLUSIVE MODE");
	find(bench, &q, &heard);
	assert_int_equal(heard.rc, -ETIMEDOUT);
	heard_fini(&heard);
	pg_server_release(lock);
	get(bench, 1, &heard);
	assert_int_equal(heard.rc, 0);
	heard_fini(&heard);
}

static void
a_full_queue_takes_no_question(void **state)
{
	enum { N = 20 };
	static struct heard heard[N];
	unsigned char id[16] = { 0 };
	struct bench bench;
	unsigned i, taken = 0;
	int rc;

	(void)state;
	bench_create(&bench, &server, DB, "read_queue", "10",
		     "read_connections", "1", NULL);
	bench_start(&bench);
	pg_server_command(&server, "freeze-postgres");
	for (i = 0; i < N; i++) {
		heard_init(&heard[i]);
		rc = bench.store->get(bench.store->self, id, hear, &heard[i]);
		assert_true(rc == 0 || rc == -EAGAIN);
		taken += rc == 0;
		assert_int_equal(taken, taken > i ? i + 1 : taken);
	}
	assert_in_range(taken, 10, 11);
	/* Stopping answers each that was taken, once. */
	bench_stop(&bench);
	pg_server_command(&server, "thaw-postgres");
	for (i = 0; i < N; i++) {
		assert_int_equal(heard[i].n_calls, i < taken);
		if (i < taken)
			assert_int_equal(heard[i].rc, -ESHUTDOWN);
		heard_fini(&heard[i]);
	}
	bench_destroy(&bench);
}

static void
reads_go_on_while_a_write_waits(void **state)
{
	struct bench *bench = *state;
	struct fake_event event;
	struct pg_conn *lock;
	struct heard heard;

	lock = pg_server_hold(&server, DB,
			      "BEGIN; LOCK TABLE events IN SHARE MODE");
	fake_event_init(&event, 1, EVH_PENDING, 0, "{}");
	assert_int_equal(bench_submit(bench, &event, 1), 1);
	get(bench, 2, &heard);
	assert_int_equal(heard.rc, 0);
	assert_int_equal(event.n_done, 0);
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, 1));
	assert_int_equal(event.result, EVH_OK);
	heard_fini(&heard);
	fake_event_fini(&event);
}

int
main(void)
{
#define WITH(setup, name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST(name)	  WITH(setup, name)
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
		TEST(a_total_stays_at_a_hundred_thousand),
		TEST(a_status_that_is_none_is_refused),
		WITH(setup_narrow, an_answer_beyond_its_bound_is_none),
		TEST(a_server_that_is_away_is_told_at_once_and_then_found_again),
		TEST(a_connection_that_was_closed_meanwhile_is_not_an_outage),
		WITH(setup_impatient,
		     a_frozen_server_is_told_in_time_to_each_who_asked),
		WITH(setup_impatient, a_slow_question_shuts_out_nobody),
		TEST(a_full_queue_takes_no_question),
		TEST(reads_go_on_while_a_write_waits),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
