/*
 * By which of its ways a batch goes into a real table (write_batch.h), and that
 * all of them leave the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "connection.h"
#include "deadline.h"
#include "group.h"
#include "settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#define DB    "ways"
#define BATCH 200
#define BAD   "{\"broken\":"

static struct fake_event events[5 * BATCH];

static const char *
sql(const char *text)
{
	return pg_server_sql(&server, DB, "%s", text);
}

/* Each statement that writes leaves its first word.  An upsert is both an
 * INSERT and an UPDATE to triggers. */
static int
setup(void **state)
{
	group_bench_setup(state, DB, NULL, NULL);
	sql("CREATE TABLE ways (number serial, word text);"
	    "CREATE FUNCTION way() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$ DECLARE word text := split_part(current_query(), ' ', 1);"
	    " BEGIN IF TG_OP = 'INSERT' OR word = 'UPDATE' THEN"
	    " INSERT INTO ways (word) VALUES (word); END IF; RETURN NULL;"
	    " END $$;"
	    "CREATE TRIGGER way AFTER INSERT OR UPDATE ON events"
	    " FOR EACH STATEMENT EXECUTE FUNCTION way();");
	return 0;
}

/* The words since the last call. */
static const char *
ways(void)
{
	return sql("WITH gone AS (DELETE FROM ways RETURNING *)"
		   " SELECT coalesce(string_agg(word, ' ' ORDER BY number), '')"
		   " FROM gone");
}

static void
events_make(unsigned first, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		fake_event_init(&events[i], first + i, EVH_PROCESSED, 1, "{}");
}

static void
event_spoil(unsigned i, enum evh_status status)
{
	events[i].ev.status = status;
	fake_event_set_data(&events[i], BAD, strlen(BAD));
}

/* In the order in which they came, as is_bad says, and nothing is leaked. */
static void
events_expect(unsigned n, bool (*is_bad)(unsigned), unsigned first_turn)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		bool bad = is_bad && is_bad(i);

		assert_int_equal(events[i].result, bad ? EVH_FAIL : EVH_OK);
		assert_int_equal(events[i].turn, first_turn + i);
		if (bad) {
			assert_string_equal(events[i].code, "22P02");
			assert_string_equal(events[i].error,
					    "data is no JSON to PostgreSQL");
		}
		fake_event_fini(&events[i]);
	}
}

static void
good_write(struct bench *bench, unsigned first, unsigned n,
	   enum evh_status status)
{
	unsigned i;

	events_make(first, n);
	for (i = 0; i < n; i++)
		events[i].ev.status = status;
	bench_write(bench, events, n);
	events_expect(n, NULL, bench->n_submitted - n);
}

static void
new_write(struct bench *bench, unsigned first, unsigned n)
{
	good_write(bench, first, n, EVH_PROCESSED);
}

static bool
is_17(unsigned i)
{
	return i == 17;
}

static bool
is_617(unsigned i)
{
	return i == 617;
}

/* New ids from 0 on, and those that is_bad names are bad. */
static void
batch_write(struct bench *bench, unsigned n, bool (*is_bad)(unsigned))
{
	unsigned i;

	events_make(0, n);
	for (i = 0; i < n; i++)
		if (is_bad && is_bad(i))
			event_spoil(i, EVH_PROCESSED);
	bench_write(bench, events, n);
	events_expect(n, is_bad, bench->n_submitted - n);
}

static int64_t
bisections(struct bench *bench)
{
	return fake_ctx_metric(&bench->fake, "store_bisections", "");
}

/* One who owns nothing, and how the table and the database are for him. */
static void
plain_user(const char *how)
{
	sql("DROP ROLE IF EXISTS plain");
	sql("CREATE ROLE plain LOGIN PASSWORD 'plain';"
	    "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public"
	    " TO plain; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public"
	    " TO plain;");
	sql(how);
}

/* By an instance of his; how often it took a batch apart. */
static int64_t
plain_write(unsigned n, bool (*is_bad)(unsigned))
{
	struct bench bench;
	int64_t n_bisections;

	bench_create(&bench, &server, DB, "user", "plain", "password", "plain",
		     NULL);
	bench_start(&bench);
	batch_write(&bench, n, is_bad);
	n_bisections = bisections(&bench);
	bench_stop(&bench);
	bench_destroy(&bench);
	sql("DROP OWNED BY plain; DROP ROLE plain;");
	return n_bisections;
}

/* ---- COPY ---------------------------------------------------------------- */

static void
many_new_ids_go_by_copy_and_few_by_the_upsert(void **state)
{
	new_write(*state, 0, BATCH);
	assert_string_equal(ways(), "COPY");
	new_write(*state, 1000, 10);
	assert_string_equal(ways(), "INSERT");
	assert_string_equal(sql("SELECT count(*) FROM events"), "210");
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

	for (i = 0; i < BATCH; i++)
		each_kind_make(&events[i], i, i);
	bench_write(bench, events, BATCH);
	events_expect(BATCH, NULL, 0);
	assert_string_equal(ways(), "COPY");

	for (i = 0; i < BATCH; i++)
		each_kind_make(&events[i], 0x1000 + i, i);
	for (i = 0; i < BATCH; i += 50)
		bench_write(bench, events + i, 50);
	events_expect(BATCH, NULL, BATCH);
	assert_string_equal(ways(), "INSERT INSERT INSERT INSERT");

	snprintf(copied, sizeof(copied), "%s",
		 pg_server_sql(&server, DB, ROWS_BUT_IDS, "<"));
	assert_string_equal(pg_server_sql(&server, DB, ROWS_BUT_IDS, ">"),
			    copied);
}

/* A topic that is read again is not tried by COPY each time. */
static void
an_id_that_is_there_sends_batches_to_the_upsert_for_a_while(void **state)
{
	new_write(*state, 100, BATCH);
	assert_string_equal(ways(), "COPY");
	new_write(*state, 0, BATCH);
	assert_string_equal(ways(), "UPDATE INSERT");
	new_write(*state, 1000, BATCH);
	assert_string_equal(ways(), "INSERT");
	new_write(*state, 2000, BATCH);
	assert_string_equal(ways(), "COPY");
	assert_string_equal(sql("SELECT count(*) FROM events"), "700");
}

static void
an_id_twice_is_for_the_upsert(void **state)
{
	events_make(0, BATCH);
	memcpy(events[7].ev.id, events[6].ev.id, sizeof(events[7].ev.id));
	bench_write(*state, events, BATCH);
	events_expect(BATCH, NULL, 0);
	assert_string_equal(ways(), "INSERT");
}

static void
failed_events_are_for_the_upsert_and_the_others_go_by_copy(void **state)
{
	struct bench *bench = *state;

	events_make(0, BATCH);
	event_spoil(7, EVH_FAILED);
	event_spoil(BATCH - 1, EVH_FAILED);
	bench_write(bench, events, BATCH);
	events_expect(BATCH, NULL, 0);
	assert_string_equal(ways(), "COPY INSERT");
	assert_string_equal(sql("SELECT count(*) FROM events WHERE"
				" raw IS NOT NULL AND status = 'failed'"),
			    "2");
	assert_string_equal(sql("SELECT count(*) FROM events"), "200");
	assert_int_equal(
		fake_ctx_metric(&bench->fake, "store_rows", "status=processed"),
		BATCH - 2);
	assert_int_equal(
		fake_ctx_metric(&bench->fake, "store_rows", "status=failed"),
		2);
}

/* The server takes the COPY, and goes before it has the failed event: that is
 * to be tried again, and what came behind it does not overtake it. */
static void
nothing_overtakes_a_failed_event_that_is_to_be_tried_again(void **state)
{
	struct bench *bench = *state;
	unsigned i;

	sql("CREATE FUNCTION go() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid());"
	    " RETURN NEW; END $$;"
	    "CREATE TRIGGER go BEFORE INSERT ON events FOR EACH ROW"
	    " WHEN (NEW.status = 'failed') EXECUTE FUNCTION go();");
	events_make(0, BATCH);
	event_spoil(7, EVH_FAILED);
	bench_write(bench, events, BATCH);
	for (i = 0; i < BATCH; i++) {
		assert_int_equal(events[i].result, i < 7 ? EVH_OK : EVH_RETRY);
		assert_int_equal(events[i].turn, i);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql("SELECT count(*) FROM events"), "199");
}

/* ---- UPDATE -------------------------------------------------------------- */

static void
rows_that_wait_are_written_by_update_until_ids_are_new(void **state)
{
	good_write(*state, 0, 4 * BATCH, EVH_PENDING);
	assert_string_equal(ways(), "COPY");
	new_write(*state, 0, BATCH);
	assert_string_equal(ways(), "UPDATE");
	new_write(*state, BATCH, BATCH);
	assert_string_equal(ways(), "UPDATE");
	assert_string_equal(sql("SELECT count(*) FROM events"
				" WHERE status = 'processed'"),
			    "400");

	new_write(*state, 5 * BATCH, BATCH);
	assert_string_equal(ways(), "UPDATE INSERT");
	new_write(*state, 6 * BATCH, BATCH);
	assert_string_equal(ways(), "COPY");
	new_write(*state, 2 * BATCH, BATCH);
	assert_string_equal(ways(), "UPDATE");
}

/* One that the table does not have, between those that it has. */
static void
what_an_update_does_not_find_is_inserted(void **state)
{
	good_write(*state, 0, BATCH, EVH_PENDING);
	sql("DELETE FROM events"
	    " WHERE id = '00000007-0000-7000-8000-000000000000'");
	ways();
	new_write(*state, 0, BATCH);
	assert_string_equal(ways(), "UPDATE INSERT");
	assert_string_equal(sql("SELECT count(*) FROM events"
				" WHERE status = 'processed'"),
			    "200");
}

/* Pending rows, of which one is missing and another one's event has data that
 * the upsert would refuse.  What the UPDATE has written is not failed behind
 * it: that failure nobody would keep, since the row is processed. */
static void
what_an_update_has_written_is_not_refused_behind_it(void **state)
{
	struct bench *bench = *state;

	good_write(bench, 0, 2 * BATCH, EVH_PENDING);
	new_write(bench, BATCH, BATCH);
	sql("DELETE FROM events"
	    " WHERE id = '00000007-0000-7000-8000-000000000000'");
	ways();
	events_make(0, BATCH);
	event_spoil(9, EVH_PROCESSED);
	bench_write(bench, events, BATCH);
	events_expect(BATCH, NULL, 3 * BATCH);
	assert_string_equal(ways(), "UPDATE INSERT");
	assert_string_equal(sql("SELECT count(*) FROM events"
				" WHERE status = 'processed'"),
			    "400");
}

/* What a row gets of an UPDATE, and what it keeps. */
#define LIFE                                                                   \
	"SELECT md5(string_agg(ROW(name, data, raw, status, error, attempts,"  \
	" created_at, processed_at IS NULL, kafka_topic, kafka_partition,"     \
	" kafka_offset)::text, ',' ORDER BY id)) FROM events"

static void
life_make(struct fake_event *event, unsigned number, unsigned kind)
{
	static const enum evh_status statuses[] = { EVH_PROCESSED, EVH_FAILED,
						    EVH_DROPPED };

	fake_event_init(event, number, statuses[kind % 3], 2 + kind % 4,
			"{\"other\":true}");
	event->ev.created_ns = INT64_C(1795000000123456999);
	event->ev.error = kind % 2 ? "{\"type\":\"Timeout\"}" : "no JSON";
	if (kind % 5)
		return;
	event->ev.topic = "events";
	event->ev.partition = (int32_t)kind;
	event->ev.offset = INT64_C(12345678901) + kind;
}

static void
rows_of_an_update_are_those_of_the_upsert(void **state)
{
	struct bench *bench = *state;
	char updated[64];
	unsigned i;

	good_write(bench, 0, BATCH, EVH_PENDING);
	for (i = 0; i < BATCH; i++)
		life_make(&events[i], i, i);
	ways();
	bench_write(bench, events, BATCH);
	events_expect(BATCH, NULL, BATCH);
	assert_string_equal(ways(), "UPDATE");
	snprintf(updated, sizeof(updated), "%s", sql(LIFE));

	sql("DELETE FROM events");
	for (i = 0; i < BATCH; i += 50)
		good_write(bench, i, 50, EVH_PENDING);
	ways();
	for (i = 0; i < BATCH; i++)
		life_make(&events[i], i, i);
	for (i = 0; i < BATCH; i += 50)
		bench_write(bench, events + i, 50);
	events_expect(BATCH, NULL, 3 * BATCH);
	assert_string_equal(ways(), "INSERT INSERT INSERT INSERT");
	assert_string_equal(sql(LIFE), updated);
}

/* A plan that is made for a table of one row, and kept, must not read all of it
 * when it has grown. */
static void
an_update_goes_by_the_index_from_the_first_row_on(void **state)
{
	static const char read[] = "SELECT seq_tup_read FROM"
				   " pg_stat_user_tables WHERE"
				   " relname = 'events' AND n_tup_upd > 0";
	int64_t deadline = deadline_in(FAKE_WAIT_MS);
	struct bench bench;

	(void)state;
	bench_create(&bench, &server, DB, NULL);
	bench_start(&bench);
	good_write(&bench, 0, 1, EVH_PENDING);
	new_write(&bench, 0, BATCH);
	/* The first tries the statement, with no rows. */
	assert_string_equal(ways(), "INSERT INSERT UPDATE INSERT");
	bench_stop(&bench); /* the session tells of itself at its end */
	bench_destroy(&bench);
	while (sql(read)[0] == '\0')
		assert_false(deadline_over(deadline));
	assert_string_equal(sql(read), "0");
}

/* PostgreSQL copies into no view, and not past row-level security (0A000),
 * which is nothing that a person would have to mend: the upsert may go. */
static void
a_table_that_takes_no_copy_is_written_by_the_upsert(void **state)
{
	(void)state;
	plain_user("ALTER TABLE events ENABLE ROW LEVEL SECURITY;"
		   "CREATE POLICY all_rows ON events USING (true);");
	plain_write(BATCH, NULL);
	/* The first tries the statement, with no rows. */
	assert_string_equal(ways(), "INSERT INSERT");
	assert_string_equal(sql("SELECT count(*) FROM events"), "200");
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
	while (strcmp(sql("SELECT count(*) FROM pg_stat_activity WHERE"
			  " datname = '" DB "' AND wait_event = 'ClientRead'"
			  " AND state = 'active'"),
		      "1"))
		assert_false(deadline_over(deadline));
	return conn;
}

static void
a_copy_that_is_frozen_holds_others_up_for_its_own_time_only(void **state)
{
	PGconn *conn = frozen_copy(7000);

	batch_write(*state, 10, NULL);
	assert_string_equal(sql("SELECT count(*) FROM events"
				" WHERE status = 'processed'"),
			    "10");
	assert_string_equal(sql("SELECT count(*) FROM events"), "10");
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

/* ---- The sieve ----------------------------------------------------------- */

static bool
is_in_hundred(unsigned i)
{
	return i % 100 == 42 || i == 43;
}

static void
bad_rows_of_a_thousand_are_the_only_ones_that_fail(void **state)
{
	batch_write(*state, 5 * BATCH, is_in_hundred);
	assert_string_equal(sql("SELECT count(*) FROM events"), "989");
	assert_string_equal(sql("SELECT string_agg(DISTINCT word, ' ')"
				" FROM ways"),
			    "SELECT");
	assert_int_equal(bisections(*state), 1);
}

/* Whoever may make no function: one way remains. */
static void
without_a_function_a_bad_row_is_found_by_halving(void **state)
{
	int64_t n_halved;

	(void)state;
	plain_user("REVOKE TEMPORARY ON DATABASE " DB " FROM PUBLIC");
	n_halved = plain_write(5 * BATCH, is_617);
	assert_string_equal(sql("SELECT count(*) FROM events"), "999");
	assert_in_range(n_halved, 9, 10);
}

#define LATE_TRIGGER                                                           \
	"CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS"           \
	" $$ BEGIN IF NEW.data::text = '{\"late\":1}' THEN"                    \
	" RAISE check_violation; END IF; RETURN NULL; END $$;"                 \
	"CREATE CONSTRAINT TRIGGER late AFTER INSERT ON events"                \
	" DEFERRABLE INITIALLY DEFERRED"                                       \
	" FOR EACH ROW EXECUTE FUNCTION late();"

/* As behind a pooler, where a statement may meet another session: what is the
 * sieve's own trouble is none of the events'. */
static void
a_function_that_is_gone_is_done_without(void **state)
{
	batch_write(*state, BATCH, is_17);
	sql("DO $$ DECLARE f text; BEGIN FOR f IN SELECT oid::regprocedure"
	    " FROM pg_proc WHERE proname = 'evh_upsert_sieve' LOOP"
	    " EXECUTE 'DROP FUNCTION ' || f; END LOOP; END $$");
	sql("DELETE FROM events");
	batch_write(*state, BATCH, is_17);
	assert_string_equal(sql("SELECT count(*) FROM events"), "199");
	assert_in_range(bisections(*state), 3, 16);
}

/* What libpq has heard of an error is part of what it says of a connection that
 * is lost behind it. */
static void
what_libpq_remembers_of_an_error_quotes_no_row(void **state)
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
	assert_int_equal(
		connection_run(&connection,
			       "INSERT INTO events (id, name, status,"
			       " created_at) VALUES (gen_random_uuid(),"
			       " 's3cret', 'none', now())",
			       deadline, NULL, &failure),
		-EREMOTEIO);
	assert_string_equal(failure.sqlstate, "23514");
	assert_null(strstr(PQerrorMessage(connection.pg), "s3cret"));
	connection_close(&connection);
}

/* What is looked at only at the commit, no subtransaction hears of. */
static void
a_row_that_is_refused_at_the_commit_is_found_by_halving(void **state)
{
	unsigned i;

	sql(LATE_TRIGGER);
	events_make(0, BATCH);
	fake_event_set_data(&events[17], "{\"late\":1}", 10);
	bench_write(*state, events, BATCH);
	for (i = 0; i < BATCH; i++) {
		assert_int_equal(events[i].result, i == 17 ? EVH_FAIL : EVH_OK);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql("SELECT count(*) FROM events"), "199");
}

/* Of those that are told apart, one has failed already: its bytes are kept, and
 * what came for its neighbours is none of its business. */
static void
a_failed_event_beside_a_bad_one_is_kept_as_bytes(void **state)
{
	unsigned i;

	sql("ALTER TABLE events ADD CONSTRAINT no_b CHECK"
	    " (data::text NOT LIKE '%b%')");
	events_make(0, BATCH);
	fake_event_set_data(&events[16], "{\"b\":1}", 7);
	fake_event_set_data(&events[17], "{\"b\":2}", 7);
	events[17].ev.status = EVH_FAILED;
	bench_write(*state, events, BATCH);
	for (i = 0; i < BATCH; i++) {
		assert_int_equal(events[i].result, i == 16 ? EVH_FAIL : EVH_OK);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql("SELECT convert_from(raw, 'UTF8') FROM events"
				" WHERE status = 'failed'"),
			    "{\"b\":2}");
	assert_string_equal(sql("SELECT count(*) FROM events"), "199");
}

/* An id twice, of which the first is bad: the second one is no redelivery of
 * something that was written. */
static void
what_follows_a_bad_one_of_its_id_is_written(void **state)
{
	unsigned i;

	events_make(0, BATCH);
	event_spoil(6, EVH_PROCESSED);
	memcpy(events[7].ev.id, events[6].ev.id, sizeof(events[7].ev.id));
	bench_write(*state, events, BATCH);
	for (i = 0; i < BATCH; i++) {
		assert_int_equal(events[i].result, i == 6 ? EVH_FAIL : EVH_OK);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql("SELECT count(*) FROM events"), "199");
}

/* Two parts, of which the second is refused only at its commit: the first one
 * stays as it is. */
static void
what_a_part_has_settled_stays_when_the_next_cannot_tell(void **state)
{
	unsigned i;

	sql(LATE_TRIGGER);
	events_make(0, 5 * BATCH);
	event_spoil(3, EVH_PROCESSED);
	fake_event_set_data(&events[900], "{\"late\":1}", 10);
	bench_write(*state, events, 5 * BATCH);
	for (i = 0; i < 5 * BATCH; i++) {
		assert_int_equal(events[i].result,
				 i == 3 || i == 900 ? EVH_FAIL : EVH_OK);
		assert_int_equal(events[i].turn, i);
		fake_event_fini(&events[i]);
	}
	assert_string_equal(sql("SELECT count(*) FROM events"), "998");
	assert_int_equal(fake_ctx_metric(&((struct bench *)*state)->fake,
					 "store_rows", "status=processed"),
			 998);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(many_new_ids_go_by_copy_and_few_by_the_upsert),
		TEST(rows_of_a_copy_are_those_of_the_upsert),
		TEST(an_id_that_is_there_sends_batches_to_the_upsert_for_a_while),
		TEST(an_id_twice_is_for_the_upsert),
		TEST(failed_events_are_for_the_upsert_and_the_others_go_by_copy),
		TEST(nothing_overtakes_a_failed_event_that_is_to_be_tried_again),
		TEST(rows_that_wait_are_written_by_update_until_ids_are_new),
		TEST(what_an_update_does_not_find_is_inserted),
		TEST(what_an_update_has_written_is_not_refused_behind_it),
		TEST(rows_of_an_update_are_those_of_the_upsert),
		TEST(an_update_goes_by_the_index_from_the_first_row_on),
		TEST(a_table_that_takes_no_copy_is_written_by_the_upsert),
		TEST(a_copy_that_is_frozen_holds_others_up_for_its_own_time_only),
		TEST(a_copy_that_cannot_go_on_is_taken_back),
		TEST(bad_rows_of_a_thousand_are_the_only_ones_that_fail),
		TEST(without_a_function_a_bad_row_is_found_by_halving),
		TEST(a_function_that_is_gone_is_done_without),
		TEST(what_libpq_remembers_of_an_error_quotes_no_row),
		TEST(a_row_that_is_refused_at_the_commit_is_found_by_halving),
		TEST(a_failed_event_beside_a_bad_one_is_kept_as_bytes),
		TEST(what_follows_a_bad_one_of_its_id_is_written),
		TEST(what_a_part_has_settled_stays_when_the_next_cannot_tell),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
