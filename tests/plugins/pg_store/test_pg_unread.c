/* Questions that get no answer, or none in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "deadline.h"
#include "group.h"
#include "heard.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define DB "unread"

static int
setup(void **state)
{
	return group_bench_setup(state, DB, NULL, NULL);
}

static int
setup_impatient(void **state)
{
	return group_bench_setup(state, DB, "read_timeout", "500");
}

static int
setup_patient(void **state)
{
	return group_bench_setup(state, DB, "read_timeout", "20000");
}

/* Time enough for a quick question on a busy machine. */
static int
setup_short(void **state)
{
	return group_bench_setup(state, DB, "read_timeout", "3000");
}

static int
setup_narrow(void **state)
{
	return group_bench_setup(state, DB, "read_size", "1048576");
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
	heard_find(*state, &q, &heard);
	assert_int_equal(heard.rc, -EMSGSIZE);
	assert_int_equal(heard.n, 0);
	heard_fini(&heard);

	q.limit = 2; /* and the next question finds a connection again */
	heard_find(*state, &q, &heard);
	assert_int_equal(heard.rc, 0);
	assert_int_equal(heard.n, 2);
	heard_fini(&heard);
	for (i = 0; i < 4; i++)
		fake_event_fini(&events[i]);
}

static void
a_server_that_is_away_is_told_at_once_and_then_found_again(void **state)
{
	struct bench *bench = *state;
	struct heard heard;
	int64_t deadline;
	unsigned char id[16] = { 0 };
	int rc;

	heard_get(bench, 1, &heard);
	heard_fini(&heard);
	pg_server_command(&server, "stop-postgres");
	heard_get(bench, 1, &heard);
	assert_int_equal(heard.rc, -EAGAIN);
	heard_fini(&heard);

	heard_init(&heard);
	rc = bench->store->get(bench->store->self, id, hear, &heard);
	if (rc == 0)
		heard_wait(&heard);
	assert_int_equal(rc ? rc : heard.rc, -EAGAIN);
	heard_fini(&heard);

	pg_server_command(&server, "start-postgres");
	deadline = deadline_in(60000);
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

/* Asks until so many questions were taken and failed. */
static void
fail_to_read(struct bench *bench, unsigned n)
{
	int64_t deadline = deadline_in(60000);
	unsigned char id[16] = { 0 };
	struct heard heard;

	while (n > 0) {
		assert_false(deadline_over(deadline));
		heard_init(&heard);
		if (bench->store->get(bench->store->self, id, hear, &heard) ==
		    0) {
			heard_wait(&heard);
			assert_int_equal(heard.rc, -EAGAIN);
			n--;
		}
		heard_fini(&heard);
	}
}

/* One reader is connected and waits; the other cannot connect, time and
 * again; then the first has its answer. */
static void
whoever_has_an_answer_ends_the_wait_of_all(void **state)
{
	struct bench *bench = *state;
	struct evh_query q = { .limit = 1 };
	struct heard slow, next;
	unsigned char id[16] = { 0 };
	int64_t deadline = deadline_in(60000);
	struct pg_conn *lock;
	int rc;

	lock = pg_server_hold(&server, DB,
			      "BEGIN; LOCK TABLE events IN"
			      " ACCESS EXCLUSIVE MODE");
	heard_init(&slow);
	rc = bench->store->find(bench->store->self, &q, hear, &slow);
	assert_int_equal(rc, 0);
	while (strcmp(pg_server_sql(&server, "evh",
				    "SELECT count(*) FROM pg_stat_activity"
				    " WHERE datname = '" DB "'"
				    " AND wait_event_type = 'Lock'"),
		      "1") != 0)
		assert_false(deadline_over(deadline));
	pg_server_sql(&server, "evh",
		      "ALTER DATABASE " DB " ALLOW_CONNECTIONS false");
	pg_server_sql(&server, "evh",
		      "SELECT pg_terminate_backend(pid, 5000) FROM"
		      " pg_stat_activity WHERE datname = '" DB "'"
		      " AND state = 'idle'");
	fail_to_read(bench, 4);
	pg_server_release(lock);
	heard_wait(&slow);
	assert_int_equal(slow.rc, 0);
	heard_init(&next);
	rc = bench->store->get(bench->store->self, id, hear, &next);
	assert_int_equal(rc, 0);
	heard_wait(&next);
	heard_fini(&next);
	heard_fini(&slow);
	pg_server_sql(&server, "evh",
		      "ALTER DATABASE " DB " ALLOW_CONNECTIONS true");
}

static void
a_connection_that_was_closed_meanwhile_is_not_an_outage(void **state)
{
	struct bench *bench = *state;
	struct heard heard;
	unsigned i;

	for (i = 0; i < 4; i++) { /* both readers connect */
		heard_get(bench, 1, &heard);
		heard_fini(&heard);
	}
	pg_server_sql(&server, "evh",
		      "SELECT pg_terminate_backend(pid, 5000) FROM"
		      " pg_stat_activity WHERE datname = '" DB "'");
	for (i = 0; i < 4; i++) {
		heard_get(bench, 1, &heard);
		assert_int_equal(heard.rc, 0);
		heard_fini(&heard);
	}
}

static void
a_frozen_server_is_told_in_time_to_each_who_asked(void **state)
{
	enum { N = 200 };
	static struct heard heard[N];
	struct bench *bench = *state;
	unsigned char id[16] = { 0 };
	int64_t start;
	unsigned i;

	heard_get(bench, 1, &heard[0]);
	heard_fini(&heard[0]);
	pg_server_command(&server, "freeze-postgres");
	pg_server_command(&server, "thaw-postgres");
	pg_server_sql(&server, "evh", "SELECT 1");
	pg_server_command(&server, "freeze-postgres");
	for (i = 0; i < N; i++)
		heard_init(&heard[i]);
	/* All of them ask before the first can be told. */
	start = clock_ns();
	for (i = 0; i < N; i++)
		assert_int_equal(bench->store->get(bench->store->self, id, hear,
						   &heard[i]),
				 0);
	for (i = 0; i < N; i++) {
		heard_wait(&heard[i]);
		assert_int_equal(heard[i].rc, -ETIMEDOUT);
	}
	/* By turns, two at a time, they would take 50 s. */
	assert_in_range((clock_ns() - start) / NS_PER_MS, 450, 49000);
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

	heard_get(bench, 1, &heard);
	heard_fini(&heard);
	lock = pg_server_hold(&server, DB,
			      "BEGIN; LOCK TABLE events IN"
			      " ACCESS EXCLUSIVE MODE");
	heard_find(bench, &q, &heard);
	assert_int_equal(heard.rc, -ETIMEDOUT);
	heard_fini(&heard);
	pg_server_release(lock);
	heard_get(bench, 1, &heard);
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
	bool is_taken[N];
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
		is_taken[i] = rc == 0;
		taken += is_taken[i];
	}
	/* Stopping answers each that was taken, once. */
	bench_stop(&bench);
	pg_server_command(&server, "thaw-postgres");
	/* And one that the reader has in hand, whenever it took that. */
	assert_in_range(taken, 10, 11);
	for (i = 0; i < N; i++) {
		assert_int_equal(heard[i].n_calls, is_taken[i]);
		if (is_taken[i])
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
	heard_get(bench, 2, &heard);
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
#define WITH(setup, name)                                                      \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
#define TEST(name) WITH(setup, name)
	const struct CMUnitTest tests[] = {
		WITH(setup_narrow, an_answer_beyond_its_bound_is_none),
		TEST(a_server_that_is_away_is_told_at_once_and_then_found_again),
		WITH(setup_patient, whoever_has_an_answer_ends_the_wait_of_all),
		TEST(a_connection_that_was_closed_meanwhile_is_not_an_outage),
		WITH(setup_impatient,
		     a_frozen_server_is_told_in_time_to_each_who_asked),
		WITH(setup_short, a_slow_question_shuts_out_nobody),
		TEST(a_full_queue_takes_no_question),
		TEST(reads_go_on_while_a_write_waits),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
