#include "table.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PGresult *
ask(const struct world *w, const char *sql, char *ret_error, size_t size)
{
	PGconn *conn = PQconnectdb(w->conninfo);
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);

	ret_error[0] = '\0';
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		strncat(ret_error, PQerrorMessage(conn), size - 1);
		PQclear(result);
		result = NULL;
	}
	PQfinish(conn);
	return result;
}

char *
table_ask(const struct world *w, const char *sql)
{
	char error[512];
	PGresult *result = ask(w, sql, error, sizeof(error));
	char *value;

	if (!result)
		fail_msg("%s: %s", sql, error);
	value = strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	assert_non_null(value);
	PQclear(result);
	return value;
}

long
table_count(const struct world *w, const char *sql)
{
	char *value = table_ask(w, sql);
	long n = strtol(value, NULL, 10);

	free(value);
	return n;
}

void
table_do(const struct world *w, const char *sql)
{
	free(table_ask(w, sql));
}

struct awaited {
	const struct world *w;
	const char *sql;
	long n;
};

/* The server may be away just now: then the count is not there yet. */
static bool
has_come(void *arg)
{
	struct awaited *a = arg;
	char error[512];
	PGresult *result = ask(a->w, a->sql, error, sizeof(error));

	long got = -1;

	if (result && PQntuples(result) > 0)
		got = strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return got == a->n;
}

void
table_await(const struct world *w, const char *sql, long n, int timeout_ms)
{
	struct awaited a = { .w = w, .sql = sql, .n = n };
	char what[512];

	snprintf(what, sizeof(what), "%.400s gives %ld", sql, n);
	world_await(has_come, &a, timeout_ms, what);
}

/* One connection, cast: the lock is its open transaction. */
struct table_lock *
table_lock(const struct world *w)
{
	PGconn *conn = PQconnectdb(w->conninfo);
	PGresult *result =
		PQexec(conn, "BEGIN; LOCK TABLE events IN EXCLUSIVE MODE");

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("lock: %s", PQerrorMessage(conn));
	PQclear(result);
	return (struct table_lock *)conn;
}

void
table_release(struct table_lock *lock)
{
	PQfinish((PGconn *)lock);
}
