/*
 * Bad rows among good ones in a real table: the sieve finds them, or halving,
 * and all others are written.
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
#include <string.h>

#include <libpq-fe.h>

#define DB "ways_sieve"

static int
setup(void **state)
{
	return ways_setup(state, DB);
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

static bool
is_in_hundred(unsigned i)
{
	return i % 100 == 42 || i == 43;
}

static void
bad_rows_of_a_thousand_are_the_only_ones_that_fail(void **state)
{
	ways_batch_write(*state, 5 * WAYS_BATCH, is_in_hundred);
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "989");
	assert_string_equal(ways_sql("SELECT string_agg(DISTINCT word, ' ')"
				     " FROM ways"),
			    "SELECT");
	assert_int_equal(ways_bisections(*state), 1);
}

/* Whoever may make no function: one way remains. */
static void
without_a_function_a_bad_row_is_found_by_halving(void **state)
{
	int64_t n_halved;

	(void)state;
	ways_plain_user("REVOKE TEMPORARY ON DATABASE " DB " FROM PUBLIC");
	n_halved = ways_plain_write(5 * WAYS_BATCH, is_617);
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "999");
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
	ways_batch_write(*state, WAYS_BATCH, is_17);
	ways_sql("DO $$ DECLARE f text; BEGIN FOR f IN SELECT oid::regprocedure"
		 " FROM pg_proc WHERE proname = 'evh_upsert_sieve' LOOP"
		 " EXECUTE 'DROP FUNCTION ' || f; END LOOP; END $$");
	ways_sql("DELETE FROM events");
	ways_batch_write(*state, WAYS_BATCH, is_17);
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "199");
	assert_in_range(ways_bisections(*state), 3, 16);
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

	ways_sql(LATE_TRIGGER);
	ways_events_make(0, WAYS_BATCH);
	fake_event_set_data(&ways_events[17], "{\"late\":1}", 10);
	bench_write(*state, ways_events, WAYS_BATCH);
	for (i = 0; i < WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result,
				 i == 17 ? EVH_FAIL : EVH_OK);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "199");
}

/* Of those that are told apart, one has failed already: its bytes are kept, and
 * what came for its neighbours is none of its business. */
static void
a_failed_event_beside_a_bad_one_is_kept_as_bytes(void **state)
{
	unsigned i;

	ways_sql("ALTER TABLE events ADD CONSTRAINT no_b CHECK"
		 " (data::text NOT LIKE '%b%')");
	ways_events_make(0, WAYS_BATCH);
	fake_event_set_data(&ways_events[16], "{\"b\":1}", 7);
	fake_event_set_data(&ways_events[17], "{\"b\":2}", 7);
	ways_events[17].ev.status = EVH_FAILED;
	bench_write(*state, ways_events, WAYS_BATCH);
	for (i = 0; i < WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result,
				 i == 16 ? EVH_FAIL : EVH_OK);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(
		ways_sql("SELECT convert_from(raw, 'UTF8') FROM events"
			 " WHERE status = 'failed'"),
		"{\"b\":2}");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "199");
}

/* An id twice, of which the first is bad: the second one is no redelivery of
 * something that was written. */
static void
what_follows_a_bad_one_of_its_id_is_written(void **state)
{
	unsigned i;

	ways_events_make(0, WAYS_BATCH);
	ways_event_spoil(6, EVH_PROCESSED);
	memcpy(ways_events[7].ev.id, ways_events[6].ev.id,
	       sizeof(ways_events[7].ev.id));
	bench_write(*state, ways_events, WAYS_BATCH);
	for (i = 0; i < WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result,
				 i == 6 ? EVH_FAIL : EVH_OK);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "199");
}

/* Two parts, of which the second is refused only at its commit: the first one
 * stays as it is. */
static void
what_a_part_has_settled_stays_when_the_next_cannot_tell(void **state)
{
	unsigned i;

	ways_sql(LATE_TRIGGER);
	ways_events_make(0, 5 * WAYS_BATCH);
	ways_event_spoil(3, EVH_PROCESSED);
	fake_event_set_data(&ways_events[900], "{\"late\":1}", 10);
	bench_write(*state, ways_events, 5 * WAYS_BATCH);
	for (i = 0; i < 5 * WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result,
				 i == 3 || i == 900 ? EVH_FAIL : EVH_OK);
		assert_int_equal(ways_events[i].turn, i);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "998");
	assert_int_equal(fake_ctx_metric(&((struct bench *)*state)->fake,
					 "store_rows", "status=processed"),
			 998);
}

/* The server goes when one that has failed is tried alone, behind the sieve:
 * what came after it is written, and is to be tried again all the same. */
static void
nothing_overtakes_what_is_to_be_tried_again(void **state)
{
	unsigned i;

	ways_sql("ALTER TABLE events ADD CONSTRAINT no_b CHECK"
		 " (data::text NOT LIKE '%b%')");
	ways_sql("CREATE FUNCTION go() RETURNS trigger LANGUAGE plpgsql AS"
		 " $$ BEGIN IF current_query() LIKE 'INSERT%' THEN"
		 " PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
		 " RETURN NEW; END $$;"
		 "CREATE TRIGGER go BEFORE INSERT ON events FOR EACH ROW"
		 " WHEN (NEW.status = 'failed') EXECUTE FUNCTION go();");
	ways_events_make(0, WAYS_BATCH);
	ways_event_spoil(16, EVH_PROCESSED);
	fake_event_set_data(&ways_events[17], "{\"b\":2}", 7);
	ways_events[17].ev.status = EVH_FAILED;
	bench_write(*state, ways_events, WAYS_BATCH);
	for (i = 0; i < WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result, i < 16	  ? EVH_OK
							: i == 16 ? EVH_FAIL
								  : EVH_RETRY);
		assert_int_equal(ways_events[i].turn, i);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "198");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(bad_rows_of_a_thousand_are_the_only_ones_that_fail),
		TEST(without_a_function_a_bad_row_is_found_by_halving),
		TEST(a_function_that_is_gone_is_done_without),
		TEST(what_libpq_remembers_of_an_error_quotes_no_row),
		TEST(a_row_that_is_refused_at_the_commit_is_found_by_halving),
		TEST(a_failed_event_beside_a_bad_one_is_kept_as_bytes),
		TEST(what_follows_a_bad_one_of_its_id_is_written),
		TEST(what_a_part_has_settled_stays_when_the_next_cannot_tell),
		TEST(nothing_overtakes_what_is_to_be_tried_again),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
