/*
 * connection.h - one connection to PostgreSQL whose every wait ends.
 *
 * Only libpq's asynchronous half is used, with poll(2) and a deadline of our
 * own: a server process that is stopped but whose kernel still answers makes
 * no timeout of libpq or of the server fire.  Each wait also watches a file
 * descriptor by which another thread can end it.  When a call was cut short
 * (-ETIMEDOUT, -ECANCELED, -ECONNRESET) the outcome of its statement is
 * unknown and the connection is good only for connection_close().
 *
 * One thread uses a connection at a time.
 */
#ifndef PG_STORE_CONNECTION_H
#define PG_STORE_CONNECTION_H

#include "failure.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

struct connection {
	PGconn *pg;    /* NULL: closed */
	int cancel_fd; /* borrowed; readable: give up waiting; -1: nobody */
};

/* Parameters in binary format. */
struct params {
	int n;
	const Oid *types;
	const char *const *values;
	const int *lengths;
	const int *formats;
};

/*
 * Looks the host up and connects.  writable: only to a server that takes
 * writes.  0; or -ETIMEDOUT, -ECANCELED, -ECONNREFUSED (and every other way
 * of not getting a connection) and *ret_failure.
 */
int connection_open(struct connection *connection,
		    const struct settings *settings, bool writable,
		    int64_t deadline, struct failure *ret_failure);
void connection_close(struct connection *connection); /* closed is fine */

/*
 * Runs SQL of one statement or more, without parameters, and gives the last
 * one's result (PQclear it; ret_result may be NULL).  -EREMOTEIO: the server
 * refused, the connection lives on.
 */
int connection_run(struct connection *connection, const char *sql,
		   int64_t deadline, PGresult **ret_result,
		   struct failure *ret_failure);

int connection_prepare(struct connection *connection, const char *name,
		       const char *sql, const struct params *params,
		       int64_t deadline, struct failure *ret_failure);

/* Runs what was prepared; rows come in binary format.  As above. */
int connection_execute(struct connection *connection, const char *name,
		       const struct params *params, int64_t deadline,
		       PGresult **ret_result, struct failure *ret_failure);

/*
 * Runs a COPY ... FROM STDIN; as connection_run().  Its bytes come from next,
 * piece by piece, each borrowed until the next call; an empty one is the end,
 * and a negative value (-errno) has the server refuse all of it.
 */
typedef int connection_next(void *arg, const char **ret, size_t *ret_len);
int connection_copy(struct connection *connection, const char *sql,
		    connection_next *next, void *arg, int64_t deadline,
		    struct failure *ret_failure);

/*
 * Row by row: as connection_execute(), but calls take for each result that
 * holds one (the callee takes the PGresult); a negative value of take ends it,
 * is returned, and the connection is to be closed.
 */
typedef int connection_take(void *arg, PGresult *row);
int connection_stream(struct connection *connection, const char *name,
		      const struct params *params, int64_t deadline,
		      connection_take *take, void *arg,
		      struct failure *ret_failure);

/*
 * Of an idle connection whose socket became readable: 0, or -ECONNRESET and
 * *ret_failure when the server has gone.
 */
int connection_look(struct connection *connection, struct failure *ret_failure);

/* For poll(2); -1 when closed. */
int connection_fd(const struct connection *connection);

#endif
