#include "pg_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

static const char *
env(const char *name)
{
	const char *value = getenv(name);

	if (!value) {
		fprintf(stderr, "%s is not set: run by ctest\n", name);
		exit(1);
	}
	return value;
}

static void
line_read(const char *dir, const char *file, char *ret, size_t size)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	if (!f || !fgets(ret, (int)size, f)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
}

/* What pg_server_command() has made of it. */
static bool is_frozen, is_stopped;

void
pg_server_command(const struct pg_server *server, const char *command)
{
	char line[1200];

	snprintf(line, sizeof(line), "'%s/scripts/servers' --dir '%s' %s",
		 env("EVH_SOURCE_DIR"), server->dir, command);
	if (system(line)) {
		fprintf(stderr, "failed: %s\n", line);
		exit(1);
	}
	is_frozen = !strcmp(command, "freeze-postgres");
	is_stopped = !strcmp(command, "stop-postgres");
}

void
pg_server_mend(const struct pg_server *server)
{
	if (is_frozen)
		pg_server_command(server, "thaw-postgres");
	if (is_stopped)
		pg_server_command(server, "start-postgres");
}

void
pg_server_start(struct pg_server *server)
{
	char share[600], port[600];

	/* One for each build, which are tested independently of each other;
	 * where scripts/stop finds it. */
	snprintf(server->dir, sizeof(server->dir),
		 "%s/.run/test/servers-pg_store-%s", env("EVH_SOURCE_DIR"),
		 basename(env("EVH_BUILD_DIR")));
	/* The last program's port may be somebody else's by now. */
	pg_server_command(server, "stop-postgres");
	snprintf(port, sizeof(port), "%s/postgres-port", server->dir);
	unlink(port);
	pg_server_command(server, "start-postgres");
	line_read(server->dir, "postgres-port", server->port,
		  sizeof(server->port));
	line_read(server->dir, "postgres-password", server->password,
		  sizeof(server->password));
	snprintf(share, sizeof(share), "%s/share", env("EVH_BUILD_DIR"));
	setenv("EVH_SHARE_DIR", share, 1);
}

static PGconn *
connect_to(const struct pg_server *server, const char *db)
{
	const char *keywords[] = { "host",     "port",	 "user",
				   "password", "dbname", NULL };
	const char *values[] = { "127.0.0.1",	   server->port, "evh",
				 server->password, db,		 NULL };
	PGconn *conn = PQconnectdbParams(keywords, values, 0);

	if (PQstatus(conn) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(conn));
	return conn;
}

static void
notice_ignore(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

/* The last connection that pg_server_sql() made is kept: a test asks the same
 * database hundreds of times. */
static struct {
	PGconn *conn;
	char port[8], db[64];
} kept;

static PGconn *
connect_kept(const struct pg_server *server, const char *db)
{
	PGresult *result;

	if (kept.conn && !strcmp(kept.db, db) &&
	    !strcmp(kept.port, server->port)) {
		result = PQexec(kept.conn, "RESET ALL");
		PQclear(result);
		if (PQstatus(kept.conn) == CONNECTION_OK)
			return kept.conn;
	}
	PQfinish(kept.conn);
	kept.conn = NULL;
	kept.conn = connect_to(server, db);
	PQsetNoticeProcessor(kept.conn, notice_ignore, NULL);
	snprintf(kept.port, sizeof(kept.port), "%s", server->port);
	snprintf(kept.db, sizeof(kept.db), "%s", db);
	return kept.conn;
}

const char *
pg_server_sql(const struct pg_server *server, const char *db, const char *fmt,
	      ...)
{
	static char values[2][16384];
	static unsigned turn;
	char sql[8192], *value = values[turn++ % 2];
	PGconn *conn = connect_kept(server, db);
	PGresult *result;
	va_list args;

	va_start(args, fmt);
	vsnprintf(sql, sizeof(sql), fmt, args);
	va_end(args);
	result = PQexec(conn, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
	    PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	snprintf(value, sizeof(values[0]), "%s",
		 PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	return value;
}

void
pg_server_database(const struct pg_server *server, const char *db, int empty)
{
	char path[600], *sql;
	PGconn *conn;
	size_t n;
	FILE *f;

	pg_server_sql(server, "evh", "DROP DATABASE IF EXISTS %s WITH (FORCE)",
		      db);
	pg_server_sql(server, "evh", "CREATE DATABASE %s", db);
	if (empty)
		return;

	snprintf(path, sizeof(path), "%s/migrations/0001_events.up.sql",
		 env("EVH_SOURCE_DIR"));
	f = fopen(path, "r");
	sql = calloc(1, 65536);
	assert_non_null(f);
	assert_non_null(sql);
	n = fread(sql, 1, 65000, f);
	assert_true(n > 0);
	fclose(f);
	conn = connect_to(server, db);
	PQclear(PQexec(conn, sql));
	PQclear(PQexec(conn, "CREATE TABLE evh_migrations ("
			     "revision integer PRIMARY KEY, name text,"
			     " checksum text, applied_at timestamptz);"
			     "INSERT INTO evh_migrations VALUES (1)"));
	assert_string_equal(PQerrorMessage(conn), "");
	PQfinish(conn);
	free(sql);
}

struct pg_conn *
pg_server_hold(const struct pg_server *server, const char *db, const char *sql)
{
	PGconn *conn = connect_to(server, db);
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
	    PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
	return (struct pg_conn *)conn;
}

void
pg_server_release(struct pg_conn *conn)
{
	PQfinish((PGconn *)conn);
}

void
pg_server_stop(struct pg_server *server)
{
	PQfinish(kept.conn);
	kept.conn = NULL;
	pg_server_command(server, "stop-postgres");
}
