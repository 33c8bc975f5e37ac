#include "ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#define BAD "{\"broken\":"

struct fake_event ways_events[5 * WAYS_BATCH];

static const char *database; /* of ways_setup() */

/* An upsert is both an INSERT and an UPDATE to triggers. */
static const char words_sql[] =
	"CREATE TABLE ways (number serial, word text);"
	"CREATE FUNCTION way() RETURNS trigger LANGUAGE plpgsql AS"
	" $$ DECLARE word text := split_part(current_query(), ' ', 1);"
	" BEGIN IF TG_OP = 'INSERT' OR word = 'UPDATE' THEN"
	" INSERT INTO ways (word) VALUES (word); END IF; RETURN NULL;"
	" END $$;"
	"CREATE TRIGGER way AFTER INSERT OR UPDATE ON events"
	" FOR EACH STATEMENT EXECUTE FUNCTION way();";

/* Sequences know no ROLLBACK. */
static const char copies_sql[] =
	"CREATE SEQUENCE copies;"
	"CREATE FUNCTION count_copies() RETURNS trigger LANGUAGE plpgsql AS"
	" $$ BEGIN IF current_query() LIKE 'COPY%' THEN"
	" PERFORM nextval('copies'); END IF; RETURN NULL; END $$;"
	"CREATE TRIGGER count_copies BEFORE INSERT ON events"
	" FOR EACH STATEMENT EXECUTE FUNCTION count_copies();";

const char *
ways_sql(const char *text)
{
	return pg_server_sql(&server, database, "%s", text);
}

int
ways_setup(void **state, const char *db)
{
	database = db;
	group_bench_setup(state, db, NULL, NULL);
	ways_sql(words_sql);
	ways_sql(copies_sql);
	return 0;
}

const char *
ways(void)
{
	return ways_sql(
		"WITH gone AS (DELETE FROM ways RETURNING *)"
		" SELECT coalesce(string_agg(word, ' ' ORDER BY number), '')"
		" FROM gone");
}

const char *
ways_copies(void)
{
	return ways_sql("SELECT CASE WHEN is_called THEN last_value ELSE 0 END"
			" FROM copies");
}

void
ways_events_make(unsigned first, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		fake_event_init(&ways_events[i], first + i, EVH_PROCESSED, 1,
				"{}");
}

void
ways_event_spoil(unsigned i, enum evh_status status)
{
	ways_events[i].ev.status = status;
	fake_event_set_data(&ways_events[i], BAD, strlen(BAD));
}

void
ways_events_expect(unsigned n, bool (*is_bad)(unsigned), unsigned first_turn)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		struct fake_event *event = &ways_events[i];
		bool bad = is_bad && is_bad(i);

		assert_int_equal(event->result, bad ? EVH_FAIL : EVH_OK);
		assert_int_equal(event->turn, first_turn + i);
		if (bad) {
			assert_string_equal(event->code, "22P02");
			assert_string_equal(event->error,
					    "data is no JSON to PostgreSQL");
		}
		fake_event_fini(event);
	}
}

void
ways_good_write(struct bench *bench, unsigned first, unsigned n,
		enum evh_status status)
{
	unsigned i;

	ways_events_make(first, n);
	for (i = 0; i < n; i++)
		ways_events[i].ev.status = status;
	bench_write(bench, ways_events, n);
	ways_events_expect(n, NULL, bench->n_submitted - n);
}

void
ways_new_write(struct bench *bench, unsigned first, unsigned n)
{
	ways_good_write(bench, first, n, EVH_PROCESSED);
}

void
ways_batch_write(struct bench *bench, unsigned n, bool (*is_bad)(unsigned))
{
	unsigned i;

	ways_events_make(0, n);
	for (i = 0; i < n; i++)
		if (is_bad && is_bad(i))
			ways_event_spoil(i, EVH_PROCESSED);
	bench_write(bench, ways_events, n);
	ways_events_expect(n, is_bad, bench->n_submitted - n);
}

int64_t
ways_bisections(struct bench *bench)
{
	return fake_ctx_metric(&bench->fake, "store_bisections", "");
}

/* Who bears the name of the database, since roles are the whole server's: what
 * a program has left of its own is in no other's way. */
void
ways_plain_user(const char *how)
{
	pg_server_sql(&server, database, "DROP ROLE IF EXISTS %s", database);
	pg_server_sql(&server, database,
		      "CREATE ROLE %s LOGIN PASSWORD 'plain';"
		      "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA"
		      " public TO %s; GRANT USAGE ON ALL SEQUENCES IN SCHEMA"
		      " public TO %s;",
		      database, database, database);
	ways_sql(how);
}

int64_t
ways_plain_write(unsigned n, bool (*is_bad)(unsigned))
{
	struct bench bench;
	int64_t n_bisections;

	bench_create(&bench, &server, database, "user", database, "password",
		     "plain", NULL);
	bench_start(&bench);
	ways_batch_write(&bench, n, is_bad);
	n_bisections = ways_bisections(&bench);
	bench_stop(&bench);
	bench_destroy(&bench);
	pg_server_sql(&server, database, "DROP OWNED BY %s; DROP ROLE %s;",
		      database, database);
	return n_bisections;
}
