/*
 * Which batches go into a real table by UPDATE, and that their rows are those
 * of the upsert.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "deadline.h"
#include "ways.h"

#include <stdbool.h>
#include <stdio.h>

#define DB "ways_update"

static int
setup(void **state)
{
	return ways_setup(state, DB);
}

static void
rows_that_wait_are_written_by_update_until_ids_are_new(void **state)
{
	ways_good_write(*state, 0, 4 * WAYS_BATCH, EVH_PENDING);
	assert_string_equal(ways(), "COPY");
	ways_new_write(*state, 0, WAYS_BATCH);
	assert_string_equal(ways(), "UPDATE");
	ways_new_write(*state, WAYS_BATCH, WAYS_BATCH);
	assert_string_equal(ways(), "UPDATE");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"
				     " WHERE status = 'processed'"),
			    "400");

	ways_new_write(*state, 5 * WAYS_BATCH, WAYS_BATCH);
	assert_string_equal(ways(), "UPDATE INSERT");
	ways_new_write(*state, 6 * WAYS_BATCH, WAYS_BATCH);
	assert_string_equal(ways(), "COPY");
	ways_new_write(*state, 2 * WAYS_BATCH, WAYS_BATCH);
	assert_string_equal(ways(), "UPDATE");
}

/* One that the table does not have, between those that it has. */
static void
what_an_update_does_not_find_is_inserted(void **state)
{
	ways_good_write(*state, 0, WAYS_BATCH, EVH_PENDING);
	ways_sql("DELETE FROM events"
		 " WHERE id = '00000007-0000-7000-8000-000000000000'");
	ways();
	ways_new_write(*state, 0, WAYS_BATCH);
	assert_string_equal(ways(), "UPDATE INSERT");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"
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

	ways_good_write(bench, 0, 2 * WAYS_BATCH, EVH_PENDING);
	ways_new_write(bench, WAYS_BATCH, WAYS_BATCH);
	ways_sql("DELETE FROM events"
		 " WHERE id = '00000007-0000-7000-8000-000000000000'");
	ways();
	ways_events_make(0, WAYS_BATCH);
	ways_event_spoil(9, EVH_PROCESSED);
	bench_write(bench, ways_events, WAYS_BATCH);
	ways_events_expect(WAYS_BATCH, NULL, 3 * WAYS_BATCH);
	assert_string_equal(ways(), "UPDATE INSERT");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"
				     " WHERE status = 'processed'"),
			    "400");
}

/* The same, and the server goes between the two statements: a row that was
 * there is not processed before one that was not, and stands before it. */
static void
rows_that_are_there_are_not_written_before_those_that_are_not(void **state)
{
	struct bench *bench = *state;
	unsigned i;

	ways_good_write(bench, 0, 2 * WAYS_BATCH, EVH_PENDING);
	ways_new_write(bench, WAYS_BATCH, WAYS_BATCH);
	ways_sql("DELETE FROM events"
		 " WHERE id = '00000007-0000-7000-8000-000000000000'");
	ways_sql("CREATE FUNCTION go() RETURNS trigger LANGUAGE plpgsql AS"
		 " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid());"
		 " RETURN NEW; END $$;"
		 "CREATE TRIGGER go BEFORE INSERT ON events"
		 " FOR EACH ROW EXECUTE FUNCTION go();");
	ways_events_make(0, WAYS_BATCH);
	bench_write(bench, ways_events, WAYS_BATCH);
	for (i = 0; i < WAYS_BATCH; i++) {
		assert_int_equal(ways_events[i].result, EVH_RETRY);
		fake_event_fini(&ways_events[i]);
	}
	assert_string_equal(ways_sql("SELECT count(*) FROM events"
				     " WHERE status = 'processed'"),
			    "200");
}

/* What a row gets of an UPDATE, and what it keeps. */
#define LIFE                                                                   \
	"SELECT md5(string_agg(ROW(name, data, raw, status, error, attempts,"  \
	" created_at, processed_at IS NULL, kafka_topic, kafka_partition,"     \
	" kafka_offset)::text, ',' ORDER BY id)) FROM events"

/* How much of what it had: attempts, places; and how many places are new. */
#define KEPT                                                                   \
	"SELECT concat_ws(' ', count(*) FILTER (WHERE attempts = 9),"          \
	" count(*) FILTER (WHERE kafka_topic = 'before'"                       \
	" AND kafka_partition >= 1000 AND kafka_offset < 1000),"               \
	" count(*) FILTER (WHERE kafka_topic = 'events'"                       \
	" AND kafka_partition < 1000 AND kafka_offset > 1000)) FROM events"

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

/* What a life of the same kind finds: some rows have failed already, at a later
 * attempt than the life's own, which then does not fail; some have a place,
 * which is another one, or which the life does not know. */
static void
before_make(struct fake_event *event, unsigned number, unsigned kind)
{
	bool has_failed = kind % 2 && kind % 3 != 1;

	fake_event_init(event, number, has_failed ? EVH_FAILED : EVH_PENDING,
			has_failed ? 9 : 1, "{}");
	event->ev.error = "{\"type\":\"Before\"}";
	if (kind % 4 > 1)
		return;
	event->ev.topic = "before";
	event->ev.partition = 1000 + (int32_t)kind;
	event->ev.offset = kind;
}

/* Of each id one, in batches of n. */
static void
lives_write(struct bench *bench,
	    void (*make)(struct fake_event *, unsigned, unsigned), unsigned n)
{
	unsigned i;

	for (i = 0; i < WAYS_BATCH; i++)
		make(&ways_events[i], i, i);
	for (i = 0; i < WAYS_BATCH; i += n)
		bench_write(bench, ways_events + i, n);
	ways_events_expect(WAYS_BATCH, NULL, bench->n_submitted - WAYS_BATCH);
}

static void
rows_of_an_update_are_those_of_the_upsert(void **state)
{
	struct bench *bench = *state;
	char updated[64];

	lives_write(bench, before_make, WAYS_BATCH);
	ways();
	lives_write(bench, life_make, WAYS_BATCH);
	assert_string_equal(ways(), "UPDATE");
	snprintf(updated, sizeof(updated), "%s", ways_sql(LIFE));

	ways_sql("DELETE FROM events");
	lives_write(bench, before_make, 50);
	ways();
	lives_write(bench, life_make, 50);
	assert_string_equal(ways(), "INSERT INSERT INSERT INSERT");
	assert_string_equal(ways_sql(LIFE), updated);
	/* And it is not that both keep nothing. */
	assert_string_equal(ways_sql(KEPT), "66 80 40");
}

/* A plan that is made for a table of few rows, and kept, must not read all of
 * it when it has grown. */
static void
an_update_goes_by_the_index_whatever_the_table_had(void **state)
{
	static const char read[] = "SELECT seq_tup_read FROM"
				   " pg_stat_user_tables WHERE"
				   " relname = 'events' AND n_tup_upd > 0";
	int64_t deadline = deadline_in(FAKE_WAIT_MS);
	struct bench bench;

	(void)state;
	bench_create(&bench, &server, DB, NULL);
	bench_start(&bench);
	ways_good_write(&bench, 0, 60, EVH_PENDING);
	ways_good_write(&bench, 60, 60, EVH_PENDING);
	ways_new_write(&bench, 0, WAYS_BATCH);
	/* The first tries the statement, with no rows. */
	assert_string_equal(ways(), "INSERT INSERT INSERT UPDATE INSERT");
	bench_stop(&bench); /* the session tells of itself at its end */
	bench_destroy(&bench);
	while (ways_sql(read)[0] == '\0')
		assert_false(deadline_over(deadline));
	assert_string_equal(ways_sql(read), "0");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(rows_that_wait_are_written_by_update_until_ids_are_new),
		TEST(what_an_update_does_not_find_is_inserted),
		TEST(what_an_update_has_written_is_not_refused_behind_it),
		TEST(rows_that_are_there_are_not_written_before_those_that_are_not),
		TEST(rows_of_an_update_are_those_of_the_upsert),
		TEST(an_update_goes_by_the_index_whatever_the_table_had),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
