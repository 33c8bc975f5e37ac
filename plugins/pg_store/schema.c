#include "schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int
schema_revision(struct connection *connection, int64_t deadline,
		struct failure *ret_failure)
{
	PGresult *result;
	int rc, revision;

	rc = connection_run(connection,
			    "SELECT to_regclass('evh_migrations') IS NULL",
			    deadline, &result, ret_failure);
	if (rc < 0)
		return rc;

	revision = *PQgetvalue(result, 0, 0) == 't';
	PQclear(result);
	if (revision)
		return 0; /* there is no such table */

	rc = connection_run(connection,
			    "SELECT coalesce(max(revision), 0)"
			    " FROM evh_migrations",
			    deadline, &result, ret_failure);
	if (rc < 0)
		return rc;

	revision = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return revision;
}

void
schema_explain(int revision, char *ret, size_t size)
{
	if (revision == 0)
		snprintf(ret, size,
			 "the database has no tables of evh yet: type "
			 "`evhd migrate -c <your config> upgrade head`");
	else
		snprintf(ret, size,
			 "the database is at revision %04d, %04d is needed: "
			 "type `evhd migrate -c <your config> upgrade head`",
			 revision, SCHEMA_REVISION);
}
