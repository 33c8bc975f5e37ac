#include "migration_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The number of the lock: "evhmigra" as a bigint. */
#define LOCK_KEY "7311154523372384865"

int
migration_log_lock(struct connection *connection, int64_t deadline,
		   struct failure *ret_failure)
{
	/* Of the session: it ends with the connection, however that ends. */
	return connection_run(connection,
			      "SELECT pg_advisory_lock(" LOCK_KEY ")", deadline,
			      NULL, ret_failure);
}

int
migration_log_create(struct connection *connection, int64_t deadline,
		     struct failure *ret_failure)
{
	return connection_run(connection,
			      "CREATE TABLE IF NOT EXISTS evh_migrations ("
			      " revision integer PRIMARY KEY,"
			      " name text NOT NULL,"
			      " checksum text NOT NULL,"
			      " applied_at timestamptz NOT NULL DEFAULT now())",
			      deadline, NULL, ret_failure);
}

static void
applied_from(const PGresult *result, int row, struct migration_applied *ret)
{
	ret->revision = (int)strtol(PQgetvalue(result, row, 0), NULL, 10);
	snprintf(ret->name, sizeof(ret->name), "%s",
		 PQgetvalue(result, row, 1));
	snprintf(ret->checksum, sizeof(ret->checksum), "%s",
		 PQgetvalue(result, row, 2));
	snprintf(ret->applied_at, sizeof(ret->applied_at), "%s",
		 PQgetvalue(result, row, 3));
}

static int
list_read(struct migration_log *log, struct connection *connection,
	  int64_t deadline, struct failure *ret_failure)
{
	PGresult *result;
	int rc, i, n;

	rc = connection_run(connection,
			    "SELECT revision, name, checksum,"
			    " to_char(applied_at AT TIME ZONE 'UTC',"
			    " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
			    " FROM evh_migrations ORDER BY revision",
			    deadline, &result, ret_failure);
	if (rc < 0)
		return rc;

	n = PQntuples(result);
	log->list = calloc((size_t)n + 1, sizeof(*log->list));
	if (!log->list) {
		PQclear(result);
		failure_set(ret_failure, "out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < n; i++)
		applied_from(result, i, &log->list[i]);
	log->n = n;
	PQclear(result);
	return 0;
}

int
migration_log_read(struct migration_log *log, struct connection *connection,
		   int64_t deadline, struct failure *ret_failure)
{
	PGresult *result;
	bool is_there;
	int rc;

	*log = (struct migration_log){ 0 };
	rc = connection_run(connection,
			    "SELECT to_regclass('evh_migrations') IS NOT NULL",
			    deadline, &result, ret_failure);
	if (rc < 0)
		return rc;

	is_there = *PQgetvalue(result, 0, 0) == 't';
	PQclear(result);
	return is_there ? list_read(log, connection, deadline, ret_failure) : 0;
}

void
migration_log_fini(struct migration_log *log)
{
	free(log->list);
	*log = (struct migration_log){ 0 };
}

int
migration_log_add(struct connection *connection, const struct migration *m,
		  int64_t deadline, struct failure *ret_failure)
{
	char sql[400];

	/* The name has only letters, digits and underscores in it. */
	snprintf(sql, sizeof(sql),
		 "INSERT INTO evh_migrations (revision, name, checksum)"
		 " VALUES (%d, '%s', '%s')",
		 m->revision, m->name, m->checksum);
	return connection_run(connection, sql, deadline, NULL, ret_failure);
}

int
migration_log_remove(struct connection *connection, int revision,
		     int64_t deadline, struct failure *ret_failure)
{
	char sql[100];

	snprintf(sql, sizeof(sql),
		 "DELETE FROM evh_migrations WHERE revision = %d", revision);
	return connection_run(connection, sql, deadline, NULL, ret_failure);
}
