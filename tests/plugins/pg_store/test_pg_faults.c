/* What becomes of events when the server is not what it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench.h"
#include "deadline.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct evh_plugin evh_plugin;

#define DB "faults"

static struct pg_server server;
static struct fake_event events[2000];

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
setup(void **state)
{
	static struct bench bench;
	unsigned i;

	(void)state;
	pg_server_database(&server, DB, 0);
	for (i = 0; i < 2000; i++)
		fake_event_init(&events[i], i, EVH_PROCESSED, 1, "{}");
	memset(&bench, 0, sizeof(bench));
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	unsigned i;

	bench_stop(bench);
	bench_destroy(bench);
	for (i = 0; i < 2000; i++)
		fake_event_fini(&events[i]);
	return 0;
}

static const char *
count(void)
{
	return pg_server_sql(&server, DB, "SELECT count(*) FROM events");
}

static void
open_with(struct bench *bench, const char *name, const char *value)
{
	bench_create(bench, &server, DB, name, value, NULL);
	bench_start(bench);
}

static void
all_have(unsigned n, enum evh_result result)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (events[i].result != result || events[i].n_done != 1)
			fail_msg("event %u: result %d, answered %u times", i,
				 events[i].result, events[i].n_done);
		events[i].n_done = 0;
	}
}

/* The pid of the instance's writing connection, frozen or not. */
static void
writer_signal(const struct bench *bench, int sig)
{
	int pid = bench_writer_pid(bench);

	assert_true(pid > 1);
	assert_int_equal(kill(pid, sig), 0);
}

/* A client that has row 0 locked, so that a write of it waits. */
static struct pg_conn *
row_lock(void)
{
	return pg_server_hold(&server, DB,
			      "BEGIN; INSERT INTO events (id, name, data,"
			      " status, created_at) VALUES"
			      " ('00000000-0000-7000-8000-000000000000', 'x',"
			      " '{}', 'pending', now())");
}

static void
wait_for_lock_waiter(void)
{
	int64_t deadline = deadline_in(10000);

	/* pg_stat_activity is the only thing that tells: it is asked again
	 * until it does. */
	while (strcmp(pg_server_sql(&server, "evh",
				    "SELECT count(*) FROM pg_stat_activity"
				    " WHERE datname = '" DB "'"
				    " AND wait_event_type = 'Lock'"),
		      "1"))
		assert_false(deadline_over(deadline));
}

/* ---- Away ------------------------------------------------------------------
 */

static void
a_server_that_stops_and_starts_is_noticed_both_times(void **state)
{
	struct bench *bench = *state;

	open_with(bench, NULL, NULL);
	bench_write(bench, events, 500);
	all_have(500, EVH_OK);

	pg_server_command(&server, "stop-postgres");
	assert_true(fake_ctx_wait_why(&bench->fake, ""));
	assert_int_equal(bench_submit(bench, events, 10), -EAGAIN);

	pg_server_command(&server, "start-postgres");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	assert_true(fake_ctx_logged(&bench->fake, "PostgreSQL is there after"));
	bench_write(bench, events, 1000);
	all_have(1000, EVH_OK);
	assert_string_equal(count(), "1000");
	assert_int_equal(fake_ctx_metric(&bench->fake, "store_reconnects", ""),
			 1);
}

static void
a_server_that_is_away_at_first_is_waited_for(void **state)
{
	struct bench *bench = *state;

	pg_server_command(&server, "stop-postgres");
	bench_create(bench, &server, DB, NULL);
	assert_int_equal(evh_plugin.start(bench->self), 0);
	assert_true(fake_ctx_wait_why(&bench->fake, "refused"));
	pg_server_command(&server, "start-postgres");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
}

static void
a_killed_backend_gives_its_events_back_and_they_are_written_once(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	open_with(bench, NULL, NULL);
	bench_write(bench, events + 1999, 1);
	lock = row_lock();
	assert_int_equal(bench_submit(bench, events, 1000), 1000);
	wait_for_lock_waiter();
	/* More comes while it waits: these go back as well. */
	assert_int_equal(bench_submit(bench, events + 1000, 500), 500);
	writer_signal(bench, SIGTERM);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(1500, EVH_RETRY);

	pg_server_release(lock);
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 1500);
	all_have(1500, EVH_OK);
	assert_string_equal(count(), "1501");
}

static void
a_backend_killed_by_a_crash_is_survived(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	open_with(bench, NULL, NULL);
	bench_write(bench, events + 1999, 1);
	lock = row_lock();
	assert_int_equal(bench_submit(bench, events, 100), 100);
	wait_for_lock_waiter();
	/* All of the cluster's processes go down, and it recovers. */
	writer_signal(bench, SIGKILL);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(100, EVH_RETRY);
	pg_server_release(lock);
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 100);
	all_have(100, EVH_OK);
	assert_string_equal(count(), "101");
}

/* ---- Frozen ----------------------------------------------------------------
 */

static void
a_frozen_backend_is_answered_retry_in_time(void **state)
{
	struct bench *bench = *state;
	int64_t start;
	int pid;

	open_with(bench, "write_timeout", "1000");
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
	pid = bench_writer_pid(bench);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	start = deadline_now();
	assert_int_equal(bench_submit(bench, events, 500), 500);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	assert_in_range((deadline_now() - start) / NS_PER_MS, 950, 2500);
	all_have(500, EVH_RETRY);

	/* Another backend takes over while that one is still frozen. */
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 500);
	all_have(500, EVH_OK);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_string_equal(count(), "500");
}

static void
a_frozen_server_is_not_ready_until_it_thaws(void **state)
{
	struct bench *bench = *state;

	bench_create(bench, &server, DB, "write_timeout", "500",
		     "connect_timeout", "500", NULL);
	bench_start(bench);
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
	pg_server_command(&server, "freeze-postgres");
	assert_int_equal(bench_submit(bench, events, 10), 10);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(10, EVH_RETRY);
	assert_true(fake_ctx_wait_why(&bench->fake,
				      "did not take the connection in time"));
	pg_server_command(&server, "thaw-postgres");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
}

static void
flush_gives_back_what_takes_too_long(void **state)
{
	struct bench *bench = *state;
	int64_t start;
	int pid;

	open_with(bench, NULL, NULL);
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
	pid = bench_writer_pid(bench);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(bench_submit(bench, events, 500), 500);
	start = deadline_now();
	evh_plugin.flush(bench->self, 300);
	assert_in_range((deadline_now() - start) / NS_PER_MS, 290, 1500);
	all_have(500, EVH_RETRY); /* nothing is owed */

	/* Events may still arrive, and find a new connection. */
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 500);
	all_have(500, EVH_OK);
}

static void
flush_waits_for_what_is_quick(void **state)
{
	struct bench *bench = *state;

	open_with(bench, NULL, NULL);
	assert_int_equal(bench_submit(bench, events, 2000), 2000);
	evh_plugin.flush(bench->self, 20000);
	all_have(2000, EVH_OK);
}

static void
stop_does_not_wait_for_a_frozen_server(void **state)
{
	struct bench *bench = *state;
	int64_t start;

	open_with(bench, NULL, NULL);
	pg_server_command(&server, "freeze-postgres");
	start = deadline_now();
	bench_stop(bench);
	assert_in_range((deadline_now() - start) / NS_PER_MS, 0, 1500);
	pg_server_command(&server, "thaw-postgres");
	bench_start(bench); /* for the teardown */
}

/* ---- In each other's way ---------------------------------------------------
 */

static void
a_lock_that_is_held_longer_than_lock_timeout_is_waited_for(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	/* lock_timeout is half of it. */
	open_with(bench, "write_timeout", "4000");
	lock = row_lock();
	assert_int_equal(bench_submit(bench, events, 100), 100);
	wait_for_lock_waiter();
	/* The server has cancelled the statement when it logs so; here, when
	 * the waiter is gone for a moment. */
	pg_server_sql(&server, "evh", "SELECT pg_sleep(2.3)");
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(100, EVH_OK);
}

static void
a_lock_that_is_held_for_ever_is_answered_retry(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	open_with(bench, "write_timeout", "1000");
	lock = row_lock();
	assert_int_equal(bench_submit(bench, events, 100), 100);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(100, EVH_RETRY);
	pg_server_release(lock);
}

/* Half of the four seconds may be spent in the queue. */
static void
late_check(struct bench *bench, const char *topic, unsigned n_late)
{
	struct pg_conn *lock;
	unsigned i;

	bench_create(bench, &server, DB, "write_timeout", "4000", "batch_rows",
		     "10", NULL);
	bench_start(bench);
	for (i = 0; i < 40; i++)
		events[i].ev.topic = topic;
	lock = row_lock();
	assert_int_equal(bench_submit(bench, events, 30), 30);
	wait_for_lock_waiter();
	pg_server_sql(&server, "evh", "SELECT pg_sleep(1.95)");
	/* Comes late itself, so it is not late. */
	assert_int_equal(bench_submit(bench, events + 30, 10), 10);
	pg_server_sql(&server, "evh", "SELECT pg_sleep(0.3)");
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	for (i = 0; i < 40; i++)
		assert_int_equal(events[i].result, i < 10 || i >= 10 + n_late
							   ? EVH_OK
							   : EVH_RETRY);
	assert_true(bench->fake.is_ready);
	assert_int_equal(fake_ctx_metric(&bench->fake, "store_reconnects", ""),
			 0);
	bench_write(bench, events + 40, 10);
	assert_int_equal(events[40].result, EVH_OK);
}

static void
what_is_late_when_its_turn_comes_is_answered_retry(void **state)
{
	late_check(*state, NULL, 20);
}

static void
what_shares_an_order_with_the_late_goes_back_with_it(void **state)
{
	late_check(*state, "events", 30);
}

static void
a_full_queue_takes_no_more(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	bench_create(bench, &server, DB, "queue", "100", "batch_rows", "10",
		     NULL);
	bench_start(bench);
	lock = row_lock();
	assert_int_equal(bench_submit(bench, events, 10), 10);
	wait_for_lock_waiter();
	assert_int_equal(bench_submit(bench, events + 10, 200), 100);
	assert_int_equal(bench_submit(bench, events + 110, 1), 0);
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(110, EVH_OK);
}

/* ---- Schema and rights -----------------------------------------------------
 */

static void
a_missing_schema_is_waited_for_and_says_what_to_type(void **state)
{
	struct bench *bench = *state;

	pg_server_sql(&server, DB,
		      "DROP TABLE evh_migrations;"
		      "ALTER TABLE events RENAME TO later");
	bench_create(bench, &server, DB, NULL);
	assert_int_equal(evh_plugin.start(bench->self), 0);
	assert_true(fake_ctx_wait_why(
		&bench->fake,
		"type `evhd migrate -c <your config> upgrade head`"));
	assert_int_equal(bench_submit(bench, events, 1), -EAGAIN);
	pg_server_sql(&server, DB,
		      "ALTER TABLE later RENAME TO events;"
		      "CREATE TABLE evh_migrations AS"
		      " SELECT 1 AS revision");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
}

static void
a_newer_schema_is_a_warning(void **state)
{
	struct bench *bench = *state;

	pg_server_sql(&server, DB,
		      "INSERT INTO evh_migrations VALUES (2), (3);"
		      "ALTER TABLE events ADD COLUMN more text");
	open_with(bench, NULL, NULL);
	assert_true(fake_ctx_logged(&bench->fake,
				    "at revision 0003, newer than the 0001"));
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
}

static void
auto_migrate_makes_the_tables(void **state)
{
	struct bench *bench = *state;

	pg_server_database(&server, DB, 1);
	open_with(bench, "auto_migrate", "yes");
	assert_true(fake_ctx_logged(&bench->fake, "upgraded to 0001 (events)"));
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
}

static void
a_table_that_vanishes_is_no_fault_of_the_events(void **state)
{
	struct bench *bench = *state;

	open_with(bench, NULL, NULL);
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
	pg_server_sql(&server, DB, "ALTER TABLE events RENAME TO gone");
	assert_int_equal(bench_submit(bench, events, 10), 10);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(10, EVH_RETRY);
	assert_true(fake_ctx_wait_why(&bench->fake, "events"));
	pg_server_sql(&server, DB, "ALTER TABLE gone RENAME TO events");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
}

static void
a_missing_permission_is_found_before_an_event_is(void **state)
{
	struct bench *bench = *state;

	pg_server_sql(&server, DB,
		      "DROP ROLE IF EXISTS reader;"
		      "CREATE ROLE reader LOGIN PASSWORD 'x';"
		      "GRANT SELECT ON events, evh_migrations TO reader");
	bench_create(bench, &server, DB, "user", "reader", "password", "x",
		     NULL);
	assert_int_equal(evh_plugin.start(bench->self), 0);
	assert_true(fake_ctx_wait_why(&bench->fake, "permission denied"));
	pg_server_sql(&server, DB, "GRANT INSERT, UPDATE ON events TO reader");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, events, 10);
	all_have(10, EVH_OK);
	pg_server_sql(&server, DB, "DROP OWNED BY reader");
}

static void
a_wrong_password_is_told_and_not_shown(void **state)
{
	struct bench *bench = *state;

	bench_create(bench, &server, DB, "password", "s3cret", NULL);
	assert_int_equal(evh_plugin.start(bench->self), 0);
	assert_true(fake_ctx_wait_why(&bench->fake,
				      "password authentication failed"));
	assert_null(strstr(bench->fake.log, "s3cret"));
	assert_null(strstr(bench->fake.why, "s3cret"));
}

static void
a_server_that_takes_no_writes_is_not_ready(void **state)
{
	struct bench *bench = *state;

	pg_server_sql(&server, DB,
		      "ALTER DATABASE " DB
		      " SET default_transaction_read_only = on");
	bench_create(bench, &server, DB, NULL);
	assert_int_equal(evh_plugin.start(bench->self), 0);
	assert_true(fake_ctx_wait_why(&bench->fake, "read-only"));
	pg_server_sql(&server, DB,
		      "SET transaction_read_only = off;"
		      "ALTER DATABASE " DB
		      " RESET default_transaction_read_only");
	assert_true(fake_ctx_wait_ready(&bench->fake));
}

static void
a_server_that_loses_writes_is_warned_of(void **state)
{
	struct bench *bench = *state;

	pg_server_sql(&server, "evh",
		      "ALTER SYSTEM SET full_page_writes = off");
	pg_server_sql(&server, "evh", "SELECT pg_reload_conf()");
	open_with(bench, NULL, NULL);
	pg_server_sql(&server, "evh", "ALTER SYSTEM RESET full_page_writes");
	pg_server_sql(&server, "evh", "SELECT pg_reload_conf()");
	assert_true(fake_ctx_logged(&bench->fake, "full_page_writes off"));
}

static void
the_session_is_set_as_promised(void **state)
{
	struct bench *bench = *state;

	pg_server_sql(&server, DB,
		      "ALTER DATABASE " DB " SET synchronous_commit = off");
	/* A trigger sees the settings of the session that writes. */
	pg_server_sql(&server, DB,
		      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql"
		      " AS $$ BEGIN NEW.name ="
		      " current_setting('statement_timeout') || ' ' ||"
		      " current_setting('lock_timeout') || ' ' ||"
		      " current_setting('synchronous_commit') || ' ' ||"
		      " current_setting('application_name') || ' ' ||"
		      " current_setting('client_encoding');"
		      " RETURN NEW; END $$;"
		      "CREATE TRIGGER note BEFORE INSERT ON events"
		      " FOR EACH ROW EXECUTE FUNCTION note()");
	open_with(bench, "write_timeout", "8000");
	bench_write(bench, events, 1);
	assert_string_equal(
		pg_server_sql(&server, DB, "SELECT name FROM events"),
		"6s 4s on evhd/events UTF8");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_server_that_stops_and_starts_is_noticed_both_times),
		TEST(a_server_that_is_away_at_first_is_waited_for),
		TEST(a_killed_backend_gives_its_events_back_and_they_are_written_once),
		TEST(a_backend_killed_by_a_crash_is_survived),
		TEST(a_frozen_backend_is_answered_retry_in_time),
		TEST(a_frozen_server_is_not_ready_until_it_thaws),
		TEST(flush_gives_back_what_takes_too_long),
		TEST(flush_waits_for_what_is_quick),
		TEST(stop_does_not_wait_for_a_frozen_server),
		TEST(a_lock_that_is_held_longer_than_lock_timeout_is_waited_for),
		TEST(a_lock_that_is_held_for_ever_is_answered_retry),
		TEST(what_is_late_when_its_turn_comes_is_answered_retry),
		TEST(what_shares_an_order_with_the_late_goes_back_with_it),
		TEST(a_full_queue_takes_no_more),
		TEST(a_missing_schema_is_waited_for_and_says_what_to_type),
		TEST(a_newer_schema_is_a_warning),
		TEST(auto_migrate_makes_the_tables),
		TEST(a_table_that_vanishes_is_no_fault_of_the_events),
		TEST(a_missing_permission_is_found_before_an_event_is),
		TEST(a_wrong_password_is_told_and_not_shown),
		TEST(a_server_that_takes_no_writes_is_not_ready),
		TEST(a_server_that_loses_writes_is_warned_of),
		TEST(the_session_is_set_as_promised),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
