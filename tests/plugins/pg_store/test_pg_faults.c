/* What becomes of events when the server is not what it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "deadline.h"
#include "group.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DB "faults"

static int
setup(void **state)
{
	return group_events_setup(state, DB);
}

static const char *
count(void)
{
	return pg_server_sql(&server, DB, "SELECT count(*) FROM events");
}

static void
all_have(unsigned n, enum evh_result result)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (group_events[i].result != result ||
		    group_events[i].n_done != 1)
			fail_msg("event %u: result %d, answered %u times", i,
				 group_events[i].result,
				 group_events[i].n_done);
		group_events[i].n_done = 0;
	}
}

/* The pid of the instance's writing connection, frozen or not. */
static void
writer_signal(const struct bench *bench, int sig)
{
	assert_int_equal(kill(bench_writer_pid(bench), sig), 0);
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
	int64_t deadline = deadline_in(60000);

	/* pg_stat_activity is the only thing that tells: it is asked again
	 * until it does. */
	while (strcmp(pg_server_sql(&server, "evh",
				    "SELECT count(*) FROM pg_stat_activity"
				    " WHERE datname = '" DB "'"
				    " AND wait_event_type = 'Lock'"),
		      "1"))
		assert_false(deadline_over(deadline));
}

/* Until the statement that waits for a lock is not the one that does so now:
 * the server has cancelled that. */
static void
wait_for_next_try(void)
{
	static const char begun[] = "SELECT min(query_start) FROM"
				    " pg_stat_activity WHERE datname = '" DB
				    "' AND wait_event_type = 'Lock'";
	int64_t deadline = deadline_in(60000);
	char first[64];
	const char *now;

	snprintf(first, sizeof(first), "%s",
		 pg_server_sql(&server, "evh", "%s", begun));
	do {
		assert_false(deadline_over(deadline));
		now = pg_server_sql(&server, "evh", "%s", begun);
	} while (now[0] == '\0' || strcmp(now, first) == 0);
}

/* ---- Away ------------------------------------------------------------------
 */

static void
a_server_that_stops_and_starts_is_noticed_both_times(void **state)
{
	struct bench *bench = *state;

	group_bench_open(bench, DB, NULL, NULL);
	bench_write(bench, group_events, 500);
	all_have(500, EVH_OK);

	pg_server_command(&server, "stop-postgres");
	assert_true(fake_ctx_wait_why(&bench->fake, ""));
	assert_int_equal(bench_submit(bench, group_events, 10), -EAGAIN);

	pg_server_command(&server, "start-postgres");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	assert_true(fake_ctx_logged(&bench->fake, "PostgreSQL is there after"));
	bench_write(bench, group_events, 1000);
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
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
}

static void
a_killed_backend_gives_its_events_back_and_they_are_written_once(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	group_bench_open(bench, DB, NULL, NULL);
	bench_write(bench, group_events + 1999, 1);
	lock = row_lock();
	assert_int_equal(bench_submit(bench, group_events, 1000), 1000);
	wait_for_lock_waiter();
	/* More comes while it waits: these go back as well. */
	assert_int_equal(bench_submit(bench, group_events + 1000, 500), 500);
	writer_signal(bench, SIGTERM);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(1500, EVH_RETRY);

	pg_server_release(lock);
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, 1500);
	all_have(1500, EVH_OK);
	assert_string_equal(count(), "1501");
}

static void
a_backend_killed_by_a_crash_is_survived(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	group_bench_open(bench, DB, NULL, NULL);
	bench_write(bench, group_events + 1999, 1);
	lock = row_lock();
	assert_int_equal(bench_submit(bench, group_events, 50), 50);
	wait_for_lock_waiter();
	/* All of the cluster's processes go down, and it recovers. */
	writer_signal(bench, SIGKILL);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(50, EVH_RETRY);
	pg_server_release(lock);
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, 50);
	all_have(50, EVH_OK);
	assert_string_equal(count(), "51");
}

/* ---- Frozen ----------------------------------------------------------------
 */

static void
a_frozen_backend_is_answered_retry_in_time(void **state)
{
	struct bench *bench = *state;
	int64_t start;
	int pid;

	group_bench_open(bench, DB, "write_timeout", "6000");
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
	pid = bench_writer_pid(bench);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	start = clock_ns();
	assert_int_equal(bench_submit(bench, group_events, 500), 500);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	assert_in_range((clock_ns() - start) / NS_PER_MS, 5950, 29000);
	all_have(500, EVH_RETRY);

	/* Another backend takes over while that one is still frozen. */
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, 500);
	all_have(500, EVH_OK);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_string_equal(count(), "500");
}

static void
a_frozen_server_is_not_ready_until_it_thaws(void **state)
{
	struct bench *bench = *state;

	bench_create(bench, &server, DB, "write_timeout", "6000",
		     "connect_timeout", "1000", NULL);
	bench_start(bench);
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
	pg_server_command(&server, "freeze-postgres");
	assert_int_equal(bench_submit(bench, group_events, 10), 10);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(10, EVH_RETRY);
	assert_true(fake_ctx_wait_why(&bench->fake,
				      "did not take the connection in time"));
	pg_server_command(&server, "thaw-postgres");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
}

static void
flush_gives_back_what_takes_too_long(void **state)
{
	struct bench *bench = *state;
	int64_t start;
	int pid;

	group_bench_open(bench, DB, NULL, NULL);
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
	pid = bench_writer_pid(bench);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(bench_submit(bench, group_events, 500), 500);
	start = clock_ns();
	evh_plugin.flush(bench->self, 300);
	assert_in_range((clock_ns() - start) / NS_PER_MS, 290, 20000);
	all_have(500, EVH_RETRY); /* nothing is owed */

	/* Events may still arrive, and find a new connection. */
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, 500);
	all_have(500, EVH_OK);
}

static void
flush_waits_for_what_is_quick(void **state)
{
	struct bench *bench = *state;

	group_bench_open(bench, DB, NULL, NULL);
	assert_int_equal(bench_submit(bench, group_events, 2000), 2000);
	evh_plugin.flush(bench->self, 20000);
	all_have(2000, EVH_OK);
}

static void
stop_does_not_wait_for_a_frozen_server(void **state)
{
	struct bench *bench = *state;
	int64_t start;

	group_bench_open(bench, DB, NULL, NULL);
	pg_server_command(&server, "freeze-postgres");
	start = clock_ns();
	bench_stop(bench);
	assert_in_range((clock_ns() - start) / NS_PER_MS, 0, 20000);
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

	/* lock_timeout is less than a third of it. */
	group_bench_open(bench, DB, "write_timeout", "18000");
	lock = row_lock();
	assert_int_equal(bench_submit(bench, group_events, 50), 50);
	wait_for_lock_waiter();
	wait_for_next_try();
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(50, EVH_OK);
}

static void
a_lock_that_is_held_for_ever_is_answered_retry(void **state)
{
	struct bench *bench = *state;
	struct pg_conn *lock;

	group_bench_open(bench, DB, "write_timeout", "1000");
	lock = row_lock();
	assert_int_equal(bench_submit(bench, group_events, 100), 100);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(100, EVH_RETRY);
	pg_server_release(lock);
}

/*
 * Half of write_timeout may be spent in the queue.  Here it is over before the
 * lock is given back, however fast the machine is; a slow one has the other
 * half for ten rows, and for those that have come just before.
 */
static void
late_check(struct bench *bench, const char *topic, unsigned n_late)
{
	const char *write_timeout = "18000";
	struct pg_conn *lock;
	int64_t half;
	unsigned i;

	bench_create(bench, &server, DB, "write_timeout", write_timeout,
		     "batch_rows", "10", NULL);
	bench_start(bench);
	for (i = 0; i < 40; i++)
		group_events[i].ev.topic = topic;
	lock = row_lock();
	assert_int_equal(bench_submit(bench, group_events, 30), 30);
	half = deadline_in(strtol(write_timeout, NULL, 10) / 2);
	wait_for_lock_waiter();
	while (!deadline_over(half))
		(void)poll(NULL, 0, deadline_left_ms(half));
	/* Comes when the others are late already, so it is not. */
	assert_int_equal(bench_submit(bench, group_events + 30, 10), 10);
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	for (i = 0; i < 40; i++)
		assert_int_equal(group_events[i].result,
				 i < 10 || i >= 10 + n_late ? EVH_OK
							    : EVH_RETRY);
	assert_true(bench->fake.is_ready);
	assert_int_equal(fake_ctx_metric(&bench->fake, "store_reconnects", ""),
			 0);
	bench_write(bench, group_events + 40, 10);
	assert_int_equal(group_events[40].result, EVH_OK);
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
	assert_int_equal(bench_submit(bench, group_events, 10), 10);
	wait_for_lock_waiter();
	assert_int_equal(bench_submit(bench, group_events + 10, 200), 100);
	assert_int_equal(bench_submit(bench, group_events + 110, 1), 0);
	pg_server_release(lock);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(110, EVH_OK);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_events_teardown)
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
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
