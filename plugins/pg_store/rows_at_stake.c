#include "rows_at_stake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* All tables of the schema but our own log, and whether they have a row:
 * query_to_xml() is PostgreSQL's way to run a query made of a name. */
static const char tables_query[] =
	"SELECT quote_ident(c.relname) FROM pg_class c"
	" WHERE c.relkind IN ('r', 'p')"
	" AND c.relnamespace = current_schema()::regnamespace"
	" AND c.relname <> 'evh_migrations'"
	" AND query_to_xml(format('SELECT 1 FROM %s LIMIT 1',"
	" c.oid::regclass), false, true, '')::text <> ''";

static const char deleted_query[] =
	"SELECT coalesce(sum(n_tup_del), 0) > 0 FROM pg_stat_xact_user_tables"
	" WHERE relname <> 'evh_migrations'";

int
rows_at_stake_note(struct rows_at_stake *stake, struct connection *connection,
		   int64_t deadline, struct failure *ret_failure)
{
	return connection_run(connection, tables_query, deadline,
			      &stake->tables, ret_failure);
}

static bool
is_listed(const PGresult *tables, const char *name)
{
	int i;

	for (i = 0; i < PQntuples(tables); i++)
		if (!strcmp(PQgetvalue(tables, i, 0), name))
			return true;
	return false;
}

static int
refuse(struct failure *ret_failure, const char *what)
{
	failure_set(ret_failure,
		    "it would drop %s; it was not undone: with --yes it is",
		    what);
	return -EREMOTEIO;
}

int
rows_at_stake_check(const struct rows_at_stake *stake,
		    struct connection *connection, int64_t deadline,
		    struct failure *ret_failure)
{
	PGresult *result;
	bool deleted;
	char what[200];
	int rc, i;

	rc = connection_run(connection, tables_query, deadline, &result,
			    ret_failure);
	if (rc < 0)
		return rc;

	for (i = 0; i < PQntuples(stake->tables) && rc == 0; i++) {
		const char *name = PQgetvalue(stake->tables, i, 0);

		if (is_listed(result, name))
			continue;
		snprintf(what, sizeof(what), "the rows of table %s", name);
		rc = refuse(ret_failure, what);
	}
	PQclear(result);
	if (rc < 0)
		return rc;

	rc = connection_run(connection, deleted_query, deadline, &result,
			    ret_failure);
	if (rc < 0)
		return rc;
	deleted = *PQgetvalue(result, 0, 0) == 't';
	PQclear(result);
	return deleted ? refuse(ret_failure, "rows") : 0;
}

void
rows_at_stake_fini(struct rows_at_stake *stake)
{
	PQclear(stake->tables);
	stake->tables = NULL;
}
