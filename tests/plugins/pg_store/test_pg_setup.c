/* A server that is there, and not as pg_store needs it: schema, rights,
 * settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "group.h"

#include <errno.h>
#include <string.h>

#define DB "setup"

static int
setup(void **state)
{
	return group_events_setup(state, DB);
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
	assert_int_equal(bench_submit(bench, group_events, 1), -EAGAIN);
	pg_server_sql(&server, DB,
		      "ALTER TABLE later RENAME TO events;"
		      "CREATE TABLE evh_migrations AS"
		      " SELECT 1 AS revision");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
}

static void
a_newer_schema_is_a_warning(void **state)
{
	struct bench *bench = *state;

	pg_server_sql(&server, DB,
		      "INSERT INTO evh_migrations VALUES (2), (3);"
		      "ALTER TABLE events ADD COLUMN more text");
	group_bench_open(bench, DB, NULL, NULL);
	assert_true(fake_ctx_logged(&bench->fake,
				    "at revision 0003, newer than the 0001"));
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
}

static void
auto_migrate_makes_the_tables(void **state)
{
	struct bench *bench = *state;

	pg_server_database(&server, DB, 1);
	group_bench_open(bench, DB, "auto_migrate", "yes");
	assert_true(fake_ctx_logged(&bench->fake, "upgraded to 0001 (events)"));
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
}

static void
a_table_that_vanishes_is_no_fault_of_the_events(void **state)
{
	struct bench *bench = *state;

	group_bench_open(bench, DB, NULL, NULL);
	bench_write(bench, group_events, 10);
	all_have(10, EVH_OK);
	pg_server_sql(&server, DB, "ALTER TABLE events RENAME TO gone");
	assert_int_equal(bench_submit(bench, group_events, 10), 10);
	assert_true(fake_ctx_wait_done(&bench->fake, bench->n_submitted));
	all_have(10, EVH_RETRY);
	assert_true(fake_ctx_wait_why(&bench->fake, "events"));
	pg_server_sql(&server, DB, "ALTER TABLE gone RENAME TO events");
	assert_true(fake_ctx_wait_ready(&bench->fake));
	bench_write(bench, group_events, 10);
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
	bench_write(bench, group_events, 10);
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
	group_bench_open(bench, DB, NULL, NULL);
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
	group_bench_open(bench, DB, "write_timeout", "8000");
	bench_write(bench, group_events, 1);
	assert_string_equal(
		pg_server_sql(&server, DB, "SELECT name FROM events"),
		"6s 4s on evhd/events UTF8");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_events_teardown)
	const struct CMUnitTest tests[] = {
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
