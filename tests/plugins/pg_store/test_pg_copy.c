/*
 * Which batches go into a real table by COPY, that their rows are those of the
 * upsert, and what becomes of one that does not come to its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "connection.h"
#include "deadline.h"
#include "settings.h"
#include "ways.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#define DB "ways_copy"

static int
setup(void **state)
{
	return ways_setup(state, DB);
}

static void
many_new_ids_go_by_copy_and_few_by_the_upsert(void **state)
{
	ways_new_write(*state, 0, WAYS_BATCH);
	assert_string_equal(ways(), "COPY");
	ways_new_write(*state, 1000, 10);
	assert_string_equal(ways(), "INSERT");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "210");
}

/* All statuses that COPY takes, with a place and without one. */
static void
each_kind_make(struct fake_event *event, unsigned number, unsigned kind)
{
	static const enum evh_status statuses[] = { EVH_PENDING, EVH_PROCESSED,
						    EVH_DROPPED };

	fake_event_init(event, number, statuses[kind % 3], kind % 4,
			"{\"a\": \"\\u0000\"}");
	event->ev.created_ns = INT64_C(1795000000123456999) - kind;
	if (kind % 2)
		return;
	event->ev.topic = "events";
	event->ev.partition = (int32_t)kind;
	event->ev.offset = INT64_C(12345678901) + kind;
}

static void
rows_of_a_copy_are_those_of_the_upsert(void **state)
{
	struct bench *bench = *state;
	char copied[64];
	unsigned i;
#define ROWS_BUT_IDS                                                           \
	"SELECT md5(string_agg(ROW(name, data, raw, status, error, attempts,"  \
	" created_at, abs(extract(epoch FROM now() - processed_at)) < 600,"    \
	" kafka_topic, kafka_partition, kafka_offset)::text, ',' ORDER BY id)" \
	") FROM events WHERE id %s '00001000-0000-0000-0000-000000000000'"

	for (i = 0; i < WAYS_BATCH; i++)
		each_kind_make(&ways_events[i], i, i);
	bench_write(bench, ways_events, WAYS_BATCH);
	ways_events_expect(WAYS_BATCH, NULL, 0);
	assert_string_equal(ways(), "COPY");

	for (i = 0; i < WAYS_BATCH; i++)
		each_kind_make(&ways_events[i], 0x1000 + i, i);
	for (i = 0; i < WAYS_BATCH; i += 50)
		bench_write(bench, ways_events + i, 50);
	ways_events_expect(WAYS_BATCH, NULL, WAYS_BATCH);
	assert_string_equal(ways(), "INSERT INSERT INSERT INSERT");

	snprintf(copied, sizeof(copied), "%s",
		 pg_server_sql(&server, DB, ROWS_BUT_IDS, "<"));
	assert_string_equal(pg_server_sql(&server, DB, ROWS_BUT_IDS, ">"),
			    copied);
}

static bool
is_seventh(unsigned i)
{
	return i == 7;
}

/* New ids, and one of them is refused. */
static void
refused_write(struct bench *bench, unsigned first)
{
	ways_events_make(first, WAYS_BATCH);
	ways_event_spoil(7, EVH_PROCESSED);
	bench_write(bench, ways_events, WAYS_BATCH);
	ways_events_expect(WAYS_BATCH, is_seventh,
			   bench->n_submitted - WAYS_BATCH);
}

static void
a_copy_that_was_refused_is_tried_again_later_and_later(void **state)
{
	static const char *const copies[] = {
		"1", "1", "2", "2", "2", "2", "3"
	};

	for (unsigned i = 0; i < 7; i++) {
		refused_write(*state, 1000 * i);
		assert_string_equal(ways_copies(), copies[i]);
	}
}

static void
a_copy_that_is_taken_ends_the_pause(void **state)
{
	refused_write(*state, 0);
	ways();
	ways_new_write(*state, 1000, WAYS_BATCH);
	assert_string_equal(ways(), "INSERT");
	ways_new_write(*state, 2000, WAYS_BATCH);
	ways_new_write(*state, 3000, WAYS_BATCH);
	assert_string_equal(ways(), "COPY COPY");
	refused_write(*state, 4000);
	ways_new_write(*state, 5000, WAYS_BATCH);
	ways_new_write(*state, 6000, WAYS_BATCH);
	assert_string_equal(ways_copies(), "5");
}

static void
an_id_twice_is_for_the_upsert(void **state)
{
	ways_events_make(0, WAYS_BATCH);
	memcpy(ways_events[7].ev.id, ways_events[6].ev.id,
	       sizeof(ways_events[7].ev.id));
	bench_write(*state, ways_events, WAYS_BATCH);
	ways_events_expect(WAYS_BATCH, NULL, 0);
	assert_string_equal(ways(), "INSERT");
}

static void
failed_events_are_for_the_upsert_and_the_others_go_by_copy(void **state)
{
	struct bench *bench = *state;

	ways_events_make(0, WAYS_BATCH);
	ways_event_spoil(7, EVH_FAILED);
	ways_event_spoil(WAYS_BATCH - 1, EVH_FAILED);
	bench_write(bench, ways_events, WAYS_BATCH);
	ways_events_expect(WAYS_BATCH, NULL, 0);
	assert_string_equal(ways(), "COPY INSERT");
	assert_string_equal(ways_sql("SELECT count(*) FROM events WHERE"
				     " raw IS NOT NULL AND status = 'failed'"),
			    "2");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "200");
	assert_int_equal(
		fake_ctx_metric(&bench->fake, "store_rows", "status=processed"),
		WAYS_BATCH - 2);
	assert_int_equal(
		fake_ctx_metric(&bench->fake, "store_rows", "status=failed"),
		2);
}

/* The server takes the COPY, and goes before it has the failed event: what came
 * behind that one is not there before it. */
static void
nothing_is_written_without_its_failed_events(void **state)
{
	struct bench *bench = *state;
	unsigned i;

	ways_sql("CREATE FUNCTION go() RETURNS trigger LANGUAGE plpgsql AS"
		 " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid());"
		 " RETURN NEW; END $$;"
		 "CREATE TRIGGER go BEFORE INSERT ON events FOR EACH ROW"
		 " WHEN (NEW.status = 'failed') EXECUTE FUNCTION go();");
	ways_events_make(0, WAYS_BATCH);
	ways_event_spoil(7, EVH_FAILED);
	bench_write(bench, ways_events, WAYS_BATCH);
	for (i = 0; i < WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result, EVH_RETRY);
		assert_int_equal(ways_events[i].turn, i);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "0");
}

/* A failed event that is refused makes the upsert find out which it was. */
static void
a_failed_event_that_is_refused_takes_the_copy_back(void **state)
{
	unsigned i;

	ways_sql("ALTER TABLE events ADD CONSTRAINT no_b CHECK"
		 " (data::text NOT LIKE '%b%')");
	ways_events_make(0, WAYS_BATCH);
	fake_event_set_data(&ways_events[17], "{\"b\":2}", 7);
	ways_events[17].ev.status = EVH_FAILED;
	bench_write(*state, ways_events, WAYS_BATCH);
	for (i = 0; i < WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result, EVH_OK);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(ways_sql("SELECT convert_from(raw, 'UTF8') FROM"
				     " events WHERE status = 'failed'"),
			    "{\"b\":2}");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "200");
	assert_string_equal(ways_sql("SELECT bool_or(word = 'COPY') FROM ways"),
			    "f");
}

/* PostgreSQL copies into no view, and not past row-level security (0A000),
 * which is nothing that a person would have to mend: the upsert may go. */
static void
a_table_that_takes_no_copy_is_written_by_the_upsert(void **state)
{
	(void)state;
	ways_plain_user("ALTER TABLE events ENABLE ROW LEVEL SECURITY;"
			"CREATE POLICY all_rows ON events USING (true);");
	ways_plain_write(WAYS_BATCH, NULL);
	/* The first tries the statement, with no rows. */
	assert_string_equal(ways(), "INSERT INSERT");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "200");
}

/* By this whoever stands before a frozen one knows whether it is over. */
static void
a_copy_says_how_long_it_may_take(void **state)
{
	ways_sql("CREATE TABLE said (text text);"
		 "CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS"
		 " $$ BEGIN INSERT INTO said VALUES (current_query());"
		 " RETURN NULL; END $$;"
		 "CREATE TRIGGER say AFTER INSERT ON events"
		 " FOR EACH STATEMENT EXECUTE FUNCTION say();");
	ways_new_write(*state, 0, WAYS_BATCH);
	assert_string_equal(ways_sql("SELECT count(*) FROM said WHERE text ~"
				     " '^COPY events \\(.* -- [0-9]+ ms$'"),
			    "1");
}

/* Another evhd's COPY of ids from 0 on that stands still in its midst: the
 * server has some of its rows, and waits for more. */
static PGconn *
frozen_copy(int may_take_ms)
{
	int64_t deadline = deadline_in(FAKE_WAIT_MS);
	char text[256];
	PGconn *conn;
	int i, len;

	snprintf(text, sizeof(text),
		 "host=127.0.0.1 port=%s user=evh password=%s dbname=" DB,
		 server.port, server.password);
	conn = PQconnectdb(text);
	snprintf(text, sizeof(text),
		 "COPY events (id, name, data, status, created_at) FROM STDIN"
		 " -- %d ms",
		 may_take_ms);
	PQclear(PQexec(conn, text));
	/* Beyond a thousand rows they are put into the table, and its index. */
	for (i = 0; i < 3000; i++) {
		len = snprintf(text, sizeof(text),
			       "%08x-0000-7000-8000-000000000000\tn\t{}\t"
			       "pending\t2020-01-01\n",
			       (unsigned)i);
		assert_int_equal(PQputCopyData(conn, text, len), 1);
	}
	assert_int_equal(PQflush(conn), 0);
	while (strcmp(ways_sql("SELECT count(*) FROM pg_stat_activity WHERE"
			       " datname = '" DB
			       "' AND wait_event = 'ClientRead'"
			       " AND state = 'active'"),
		      "1"))
		assert_false(deadline_over(deadline));
	return conn;
}

static void
a_copy_that_is_frozen_holds_others_up_for_its_own_time_only(void **state)
{
	PGconn *conn = frozen_copy(7000);

	ways_batch_write(*state, 10, NULL);
	assert_string_equal(ways_sql("SELECT count(*) FROM events"
				     " WHERE status = 'processed'"),
			    "10");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "10");
	PQfinish(conn);
}

static int
next_fails(void *arg, const char **ret, size_t *ret_len)
{
	(void)arg;
	*ret = NULL;
	*ret_len = 0;
	return -ENOMEM;
}

/* Memory that runs out in the midst of it: nothing is written, and the
 * connection is as good as before. */
static void
a_copy_that_cannot_go_on_is_taken_back(void **state)
{
	struct bench *bench = *state;
	struct connection connection = { .cancel_fd = -1 };
	int64_t deadline = deadline_in(FAKE_WAIT_MS);
	struct settings settings;
	struct failure failure;

	assert_int_equal(settings_init(&settings, &bench->fake.ctx), 0);
	assert_int_equal(connection_open(&connection, &settings, true, deadline,
					 &failure),
			 0);
	assert_int_equal(connection_copy(&connection,
					 "COPY ways (word) FROM STDIN",
					 next_fails, NULL, deadline, &failure),
			 -EREMOTEIO);
	assert_int_equal(connection_run(&connection, "SELECT 1", deadline, NULL,
					&failure),
			 0);
	connection_close(&connection);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(many_new_ids_go_by_copy_and_few_by_the_upsert),
		TEST(rows_of_a_copy_are_those_of_the_upsert),
		TEST(a_copy_that_was_refused_is_tried_again_later_and_later),
		TEST(a_copy_that_is_taken_ends_the_pause),
		TEST(an_id_twice_is_for_the_upsert),
		TEST(failed_events_are_for_the_upsert_and_the_others_go_by_copy),
		TEST(nothing_is_written_without_its_failed_events),
		TEST(a_failed_event_that_is_refused_takes_the_copy_back),
		TEST(a_table_that_takes_no_copy_is_written_by_the_upsert),
		TEST(a_copy_says_how_long_it_may_take),
		TEST(a_copy_that_is_frozen_holds_others_up_for_its_own_time_only),
		TEST(a_copy_that_cannot_go_on_is_taken_back),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
