/*
 * pg_server.h - a real PostgreSQL for these tests: a private cluster, started
 * by scripts/servers as `make run` does, and databases in it.  The programs
 * take turns with it.
 */
#ifndef PG_SERVER_H
#define PG_SERVER_H

#include <stddef.h>

struct pg_server {
	char dir[512]; /* of scripts/servers */
	char port[8], password[64];
};

/* Ends the program when it fails. */
void pg_server_start(struct pg_server *server);
void pg_server_stop(struct pg_server *server);
/* "stop-postgres", "start-postgres", ... */
void pg_server_command(const struct pg_server *server, const char *command);
/* Thaws or starts it, when the last command was to freeze or to stop it. */
void pg_server_mend(const struct pg_server *server);

/* A new database; with tables unless `empty`. */
void pg_server_database(const struct pg_server *server, const char *db,
			int empty);

/*
 * Runs SQL and gives the last statement's first value ("" when there is
 * none), valid until the next call but one.  Fails the test when SQL fails.
 */
const char *pg_server_sql(const struct pg_server *server, const char *db,
			  const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Another client, for locks: opened with a statement that it stays in. */
struct pg_conn;
struct pg_conn *pg_server_hold(const struct pg_server *server, const char *db,
			       const char *sql);
void pg_server_release(struct pg_conn *conn);

#endif
