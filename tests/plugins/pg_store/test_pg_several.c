/* Several writers of one instance, on a real server: each keeps its lanes'
 * order, and together they are ready or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "deadline.h"
#include "group.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define DB	"writers"
#define WRITERS 2

static int
setup(void **state)
{
	group_events_setup(state, DB);
	bench_create(*state, &server, DB, "writers", "2", NULL);
	bench_start(*state);
	return 0;
}

/* Event i comes from partition i % n. */
static void
spread(unsigned n_events, int32_t n)
{
	unsigned i;

	for (i = 0; i < n_events; i++) {
		group_events[i].ev.topic = "events";
		group_events[i].ev.partition = (int32_t)i % n;
	}
}

static struct pg_conn *
row_lock(unsigned i)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "BEGIN; INSERT INTO events (id, name, data, status,"
		 " created_at) VALUES ('%08x-0000-7000-8000-000000000000',"
		 " 'x', '{}', 'pending', now())",
		 i);
	return pg_server_hold(&server, DB, sql);
}

static const char *
sql(const char *text)
{
	return pg_server_sql(&server, "evh", "%s", text);
}

static void
await_sql(const char *text, const char *value)
{
	int64_t deadline = deadline_in(FAKE_WAIT_MS);

	/* pg_stat_activity is the only thing that tells. */
	while (strcmp(sql(text), value))
		assert_false(deadline_over(deadline));
}

#define WAITING                                                                \
	"SELECT count(*) FROM pg_stat_activity WHERE datname = '" DB "'"       \
	" AND wait_event_type = 'Lock'"

static unsigned
log_count(struct bench *bench, const char *part)
{
	struct fake_ctx *fake = &bench->fake;
	const char *at;
	unsigned n = 0;

	pthread_mutex_lock(&fake->lock);
	for (at = fake->log; (at = strstr(at, part)); at += strlen(part))
		n++;
	pthread_mutex_unlock(&fake->lock);
	return n;
}

/* Until each writer has noticed that the server is away: who has not yet takes
 * an event, and gives it back then. */
static void
await_noticed(struct bench *bench, struct fake_event *events)
{
	unsigned i;

	for (i = 0; i < WRITERS; i++)
		if (bench_submit(bench, &events[i], 1) != -EAGAIN)
			assert_true(fake_ctx_wait_done(&bench->fake,
						       bench->n_submitted));
}

/* So many in all, of whichever writers. */
static void
await_reconnects(struct bench *bench, int64_t n)
{
	int64_t deadline = deadline_in(FAKE_WAIT_MS);

	/* A metric wakes nobody up. */
	while (fake_ctx_metric(&bench->fake, "store_reconnects", "") < n) {
		assert_false(deadline_over(deadline));
		(void)poll(NULL, 0, 10);
	}
}

/* ---- Order --------------------------------------------------------------- */

/* Both write, and each lane is one writer's. */
static void
each_lane_is_answered_in_its_order(void **state)
{
	unsigned i;

	pg_server_sql(&server, DB,
		      "ALTER TABLE events"
		      " ADD COLUMN backend int DEFAULT pg_backend_pid()");
	spread(GROUP_EVENTS, 6);
	bench_write(*state, group_events, GROUP_EVENTS);
	for (i = 6; i < GROUP_EVENTS; i++) {
		assert_int_equal(group_events[i].result, EVH_OK);
		assert_true(group_events[i - 6].turn < group_events[i].turn);
	}
	assert_string_equal(
		pg_server_sql(&server, DB,
			      "SELECT concat_ws(' ', count(*), count(DISTINCT"
			      " (kafka_partition, backend)),"
			      " count(DISTINCT backend)) FROM events"),
		"2000 6 2");
}

static void
who_waits_for_a_lock_holds_up_its_own_lanes_only(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock = row_lock(0);

	spread(4, 2);
	assert_int_equal(bench_submit(bench, group_events, 4), 4);
	assert_true(fake_ctx_wait_done(&bench->fake, 2));
	await_sql(WAITING, "1");
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, 4));
	assert_true(group_events[3].turn < group_events[0].turn);
	assert_true(group_events[0].turn < group_events[2].turn);
}

/* ---- Ready --------------------------------------------------------------- */

static void
an_outage_of_all_is_one_outage(void **state)
{
	struct bench *bench = *state;

	pg_server_command(&server, "stop-postgres");
	spread(2 * WRITERS, WRITERS);
	await_noticed(bench, group_events + WRITERS);
	assert_true(fake_ctx_wait_why(&bench->fake, ""));
	pg_server_command(&server, "start-postgres");
	await_reconnects(bench, WRITERS);
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, WRITERS);
	assert_int_equal(log_count(bench, "PostgreSQL is there after"), 1);
	assert_int_equal(fake_ctx_metric(&bench->fake, "store_reconnects", ""),
			 WRITERS);
}

/* An instance of a user who may have so many connections. */
static void
scarce_open(struct bench *bench, const char *limit)
{
	pg_server_sql(&server, "evh", "DROP ROLE IF EXISTS scarce");
	pg_server_sql(&server, "evh",
		      "CREATE ROLE scarce LOGIN PASSWORD 'scarce'"
		      " CONNECTION LIMIT %s",
		      limit);
	pg_server_sql(&server, DB,
		      "GRANT ALL ON ALL TABLES IN SCHEMA public TO scarce");
	bench_create(bench, &server, DB, "user", "scarce", "password", "scarce",
		     "writers", "2", NULL);
}

static void
scarce_close(struct bench *bench)
{
	bench_stop(bench);
	bench_destroy(bench);
	pg_server_sql(&server, DB, "DROP OWNED BY scarce");
	sql("DROP ROLE scarce");
}

/* Who of the two has a connection has all that it needs, and is not enough. */
static void
it_is_not_ready_before_each_has_its_connection(void **state)
{
	struct bench bench;
	int k;

	(void)state;
	scarce_open(&bench, "2");
	bench_start(&bench);
	sql("ALTER ROLE scarce CONNECTION LIMIT 1");
	sql("SELECT pg_terminate_backend(min(pid)) FROM pg_stat_activity"
	    " WHERE usename = 'scarce'");
	assert_true(fake_ctx_wait_why(&bench.fake, "too many connections"));
	spread(WRITERS, WRITERS);
	k = bench_submit(&bench, group_events, WRITERS);
	assert_true(k == 1 || k == -EAGAIN);

	sql("ALTER ROLE scarce CONNECTION LIMIT 2");
	assert_true(fake_ctx_wait_ready(&bench.fake));
	bench_write(&bench, group_events + bench.n_submitted,
		    WRITERS - bench.n_submitted);
	scarce_close(&bench);
}

#define SCARCE "SELECT count(*) FROM pg_stat_activity WHERE usename = 'scarce'"

/* Two instances that each hold what the other one lacks would do so for ever.
 */
static void
a_connection_that_helps_nobody_is_given_back(void **state)
{
	struct bench bench;

	(void)state;
	scarce_open(&bench, "1");
	assert_int_equal(evh_plugin.start(bench.self), 0);
	assert_true(fake_ctx_wait_why(&bench.fake, "too many connections"));
	await_sql(SCARCE, "1");
	await_sql(SCARCE, "0");
	sql("ALTER ROLE scarce CONNECTION LIMIT 2");
	assert_true(fake_ctx_wait_ready(&bench.fake));
	scarce_close(&bench);
}

/* ---- Giving back --------------------------------------------------------- */

static void
a_flush_has_all_of_them_give_back_what_they_wait_for(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *locks[WRITERS] = { row_lock(0), row_lock(1) };
	unsigned i;

	spread(10, WRITERS);
	assert_int_equal(bench_submit(bench, group_events, 10), 10);
	await_sql(WAITING, "2");
	evh_plugin.flush(bench->self, 50);
	/* Nothing is owed: what came later would be for another reason. */
	for (i = 0; i < 10; i++) {
		assert_int_equal(group_events[i].result, EVH_RETRY);
		assert_int_equal(group_events[i].n_done, 1);
	}
	for (i = 0; i < WRITERS; i++)
		pg_server_release(locks[i]);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_events_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_lane_is_answered_in_its_order),
		TEST(who_waits_for_a_lock_holds_up_its_own_lanes_only),
		TEST(an_outage_of_all_is_one_outage),
		TEST(it_is_not_ready_before_each_has_its_connection),
		TEST(a_connection_that_helps_nobody_is_given_back),
		TEST(a_flush_has_all_of_them_give_back_what_they_wait_for),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
