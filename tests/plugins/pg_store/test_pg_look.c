/*
 * What becomes of a batch of which a real table has a part already: a topic
 * that is read again, or rows that wait among those that are new.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ways.h"

#include <stdio.h>

#define DB "ways_look"

/* As pg_store's copy.c has it: so many looks may find nothing. */
#define LOOKS 16

#define PROCESSED "SELECT count(*) FROM events WHERE status = 'processed'"

static int
setup(void **state)
{
	return ways_setup(state, DB);
}

/* Ids 0 to 199 of events that have run; the next batch that has some of them is
 * refused by COPY, and from then on it is looked first. */
static void
some_are_there(struct bench *bench)
{
	ways_new_write(bench, 0, WAYS_BATCH);
	assert_string_equal(ways(), "COPY");
	assert_string_equal(ways_copies(), "1");
}

static void
what_is_there_is_left_out_of_the_copy(void **state)
{
	some_are_there(*state);
	ways_new_write(*state, WAYS_BATCH / 2, WAYS_BATCH);
	assert_string_equal(ways(), "COPY");
	assert_string_equal(ways_sql(PROCESSED), "300");
	assert_string_equal(ways_copies(), "3");
}

static void
behind_a_refusal_no_copy_is_tried_in_vain(void **state)
{
	unsigned i;

	some_are_there(*state);
	for (i = 1; i <= 3; i++)
		ways_new_write(*state, i * WAYS_BATCH / 2, WAYS_BATCH);
	assert_string_equal(ways(), "COPY COPY COPY");
	assert_string_equal(ways_sql(PROCESSED), "500");
	/* The first one, one refused, and one a batch. */
	assert_string_equal(ways_copies(), "5");
}

/* But one of them, which changes nothing, so that there is a COMMIT behind what
 * was seen (look.h). */
static void
what_ran_before_is_not_written_again(void **state)
{
	struct bench *bench = *state;

	some_are_there(bench);
	ways_sql("UPDATE events SET kafka_topic = 'as it was'");
	ways();
	ways_new_write(bench, 0, WAYS_BATCH);
	assert_string_equal(ways(), "INSERT");
	assert_string_equal(ways_copies(), "2");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"
				     " WHERE kafka_topic = 'as it was'"),
			    "200");
	assert_int_equal(
		fake_ctx_metric(&bench->fake, "store_rows", "status=processed"),
		2 * WAYS_BATCH);
}

/* A transaction that writes nothing waits for no standby.  What is locked last
 * in it has the number of its transaction, which only one that writes has. */
static void
what_ran_before_is_answered_behind_a_commit(void **state)
{
	char before[32];

	some_are_there(*state);
	ways_new_write(*state, 0, WAYS_BATCH);
	snprintf(before, sizeof(before), "%s",
		 ways_sql("SELECT max(xmax::text::bigint) FROM events"));
	ways_new_write(*state, 0, WAYS_BATCH);
	assert_string_not_equal(ways_sql("SELECT max(xmax::text::bigint)"
					 " FROM events"),
				before);
}

/* Fewer than are worth a COPY. */
static void
a_few_new_ones_among_what_ran_go_by_the_upsert(void **state)
{
	some_are_there(*state);
	ways_new_write(*state, 50, WAYS_BATCH);
	assert_string_equal(ways(), "INSERT");
	assert_string_equal(ways_sql(PROCESSED), "250");
	assert_string_equal(ways_copies(), "2");
}

/* A quarter waits, and is written behind the others, together with them. */
static void
rows_that_wait_among_new_ones_are_written_too(void **state)
{
	ways_good_write(*state, 0, WAYS_BATCH, EVH_PENDING);
	ways();
	ways_new_write(*state, WAYS_BATCH * 3 / 4, WAYS_BATCH);
	assert_string_equal(ways(), "COPY INSERT");
	assert_string_equal(ways_sql(PROCESSED), "200");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"
				     " WHERE status = 'pending'"),
			    "150");
}

/* New ones, one that ran before, one that waits, and of each of these one that
 * has failed now: what ran stays as it is. */
static void
each_event_has_its_effect_whatever_the_table_has(void **state)
{
	struct bench *bench = *state;

	ways_new_write(bench, 0, WAYS_BATCH / 2);
	ways_good_write(bench, WAYS_BATCH / 2, 2, EVH_PENDING);
	ways();
	ways_events_make(WAYS_BATCH / 2 - 2, WAYS_BATCH);
	ways_event_spoil(1, EVH_FAILED);
	ways_event_spoil(3, EVH_FAILED);
	ways_event_spoil(5, EVH_FAILED);
	ways_events[3].ev.attempts = 2; /* of the row that waits: 1 */
	bench_write(bench, ways_events, WAYS_BATCH);
	ways_events_expect(WAYS_BATCH, NULL, WAYS_BATCH / 2 + 2);
	assert_string_equal(ways(), "COPY INSERT");
	assert_string_equal(
		ways_sql("SELECT string_agg(status, ' ' ORDER BY id)"
			 " FROM (SELECT * FROM events ORDER BY id"
			 " OFFSET 98 LIMIT 7) AS e"),
		"processed processed processed failed processed failed"
		" processed");
	assert_string_equal(ways_sql("SELECT count(*) FROM events"), "298");
}

/* Somebody puts an id into the table when it was looked for and not found. */
static void
who_comes_between_look_and_copy_sends_the_batch_to_the_upsert(void **state)
{
	some_are_there(*state);
	ways_new_write(*state, WAYS_BATCH / 2, WAYS_BATCH);
	ways_sql("CREATE FUNCTION come() RETURNS trigger LANGUAGE plpgsql AS"
		 " $$ BEGIN IF current_query() LIKE 'COPY%' THEN"
		 " INSERT INTO events (id, name, data, status, created_at)"
		 " VALUES ('0000012c-0000-7000-8000-000000000000', 'n', '{}',"
		 " 'pending', now()); END IF; RETURN NULL; END $$;"
		 "CREATE TRIGGER come BEFORE INSERT ON events"
		 " FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)"
		 " EXECUTE FUNCTION come();");
	ways();
	ways_new_write(*state, WAYS_BATCH, WAYS_BATCH);
	assert_string_equal(ways(), "INSERT");
	assert_string_equal(ways_sql(PROCESSED), "400");
}

/* Each look costs, and a topic is not read again for ever. */
static void
looks_that_find_nothing_end(void **state)
{
	unsigned i;

	some_are_there(*state);
	ways_new_write(*state, WAYS_BATCH / 2, WAYS_BATCH);
	assert_string_equal(ways_copies(), "3");
	for (i = 0; i < LOOKS; i++)
		ways_new_write(*state, (i + 2) * WAYS_BATCH, WAYS_BATCH);
	assert_string_equal(ways_copies(), "19");
	/* It is not looked any more: refused, and then as before. */
	ways_new_write(*state, (LOOKS + 1) * WAYS_BATCH + WAYS_BATCH / 2,
		       WAYS_BATCH);
	assert_string_equal(ways_copies(), "21");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, group_bench_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_is_left_out_of_the_copy),
		TEST(behind_a_refusal_no_copy_is_tried_in_vain),
		TEST(what_ran_before_is_not_written_again),
		TEST(what_ran_before_is_answered_behind_a_commit),
		TEST(a_few_new_ones_among_what_ran_go_by_the_upsert),
		TEST(rows_that_wait_among_new_ones_are_written_too),
		TEST(each_event_has_its_effect_whatever_the_table_has),
		TEST(who_comes_between_look_and_copy_sends_the_batch_to_the_upsert),
		TEST(looks_that_find_nothing_end),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
