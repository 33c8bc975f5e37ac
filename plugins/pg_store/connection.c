#include "connection.h"

#include "deadline.h"
#include "resolve.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Waits for `events` of the socket.  0, or what ended the wait. */
static int
socket_wait(const struct connection *connection, short events, int64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = PQsocket(connection->pg), .events = events },
		{ .fd = connection->cancel_fd, .events = POLLIN },
	};

	for (;;) {
		int n = poll(fds, 2, deadline_left_ms(deadline));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n > 0)
			return fds[1].revents ? -ECANCELED : 0;
	}
}

static void
wait_explain(struct failure *failure, int rc, const char *what)
{
	if (rc == -ETIMEDOUT)
		failure_set(failure, "PostgreSQL did not %s in time", what);
	else if (rc == -ECANCELED)
		failure_set(failure, "stopped before PostgreSQL could %s",
			    what);
	else
		failure_set(failure, "cannot wait for PostgreSQL: %s",
			    strerror(-rc));
}

static int
host_explain(const struct settings *settings, int rc, const char *host,
	     const char *why, struct failure *failure)
{
	char text[sizeof(failure->text)];

	if (rc == -EHOSTUNREACH) {
		settings_explain_host(settings, host, why, text, sizeof(text));
		failure_set(failure, "%s", text);
	} else if (rc == -ETIMEDOUT) {
		failure_set(failure, "host \"%s\" was not looked up in time",
			    host);
	} else {
		failure_set(failure, "host \"%s\" cannot be looked up: %s",
			    host, strerror(-rc));
	}
	return rc;
}

/* Starts to connect to the addresses that were found. */
static PGconn *
connect_start(const struct settings *settings, const struct resolved *resolved,
	      bool writable)
{
	const char *keywords[SETTINGS_CONNINFO + 4];
	const char *values[SETTINGS_CONNINFO + 4];
	size_t n = settings->n_conninfo;

	memcpy(keywords, settings->keywords, n * sizeof(*keywords));
	memcpy(values, settings->values, n * sizeof(*values));
	keywords[n] = "host"; /* the last one counts */
	values[n++] = resolved->hosts;
	keywords[n] = "hostaddr";
	values[n++] = resolved->addresses;
	keywords[n] = "target_session_attrs";
	values[n++] = writable ? "read-write" : "any";
	keywords[n] = NULL;
	values[n] = NULL;
	return PQconnectStartParams(keywords, values, 0);
}

static int
connect_finish(struct connection *connection, int64_t deadline,
	       struct failure *ret_failure)
{
	/* As libpq's manual has it: wait for writable first. */
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	int rc;

	while (status != PGRES_POLLING_OK) {
		if (status == PGRES_POLLING_FAILED ||
		    PQstatus(connection->pg) == CONNECTION_BAD) {
			failure_set(ret_failure, "%s",
				    PQerrorMessage(connection->pg));
			return -ECONNREFUSED;
		}
		rc = socket_wait(connection,
				 status == PGRES_POLLING_READING ? POLLIN
								 : POLLOUT,
				 deadline);
		if (rc < 0) {
			wait_explain(ret_failure, rc, "take the connection");
			return rc;
		}
		status = PQconnectPoll(connection->pg);
	}
	return 0;
}

static void
notice_ignore(void *arg, const PGresult *result)
{
	/* libpq's own one prints to standard error, which is the log. */
	(void)arg;
	(void)result;
}

int
connection_open(struct connection *connection, const struct settings *settings,
		bool writable, int64_t deadline, struct failure *ret_failure)
{
	struct resolved resolved;
	const char *why = "";
	char host[256] = "";
	int rc;

	rc = resolve(settings->host, deadline, connection->cancel_fd, &resolved,
		     &why, host, sizeof(host));
	if (rc < 0)
		return host_explain(settings, rc, host, why, ret_failure);

	connection->pg = connect_start(settings, &resolved, writable);
	if (!connection->pg) {
		failure_set(ret_failure, "out of memory for a connection");
		return -ENOMEM;
	}

	rc = connect_finish(connection, deadline, ret_failure);
	if (rc < 0) {
		connection_close(connection);
		return rc;
	}

	PQsetNoticeReceiver(connection->pg, notice_ignore, NULL);
	/* DETAIL and CONTEXT quote rows, and libpq adds up what it has heard: a
	 * connection that is lost behind an error would say both. */
	PQsetErrorVerbosity(connection->pg, PQERRORS_TERSE);
	if (PQsetnonblocking(connection->pg, 1)) {
		failure_set(ret_failure, "%s", PQerrorMessage(connection->pg));
		connection_close(connection);
		return -ECONNREFUSED;
	}
	return 0;
}

void
connection_close(struct connection *connection)
{
	PQfinish(connection->pg);
	connection->pg = NULL;
}

static int
lost(struct connection *connection, struct failure *ret_failure)
{
	failure_set(ret_failure, "connection to PostgreSQL lost: %s",
		    PQerrorMessage(connection->pg));
	return -ECONNRESET;
}

/* Until all was sent; the server may want to be read meanwhile. */
static int
flush_wait(struct connection *connection, int64_t deadline,
	   struct failure *ret_failure)
{
	int rc;

	while ((rc = PQflush(connection->pg)) == 1) {
		rc = socket_wait(connection, POLLIN | POLLOUT, deadline);
		if (rc < 0) {
			wait_explain(ret_failure, rc, "take a statement");
			return rc;
		}
		if (!PQconsumeInput(connection->pg))
			return lost(connection, ret_failure);
	}
	return rc < 0 ? lost(connection, ret_failure) : 0;
}

/* The next result, or NULL in *ret behind the last. */
static int
result_wait(struct connection *connection, int64_t deadline, PGresult **ret,
	    struct failure *ret_failure)
{
	int rc;

	while (PQisBusy(connection->pg)) {
		rc = socket_wait(connection, POLLIN, deadline);
		if (rc < 0) {
			wait_explain(ret_failure, rc, "answer");
			return rc;
		}
		if (!PQconsumeInput(connection->pg))
			return lost(connection, ret_failure);
	}
	*ret = PQgetResult(connection->pg);
	return 0;
}

/* 0, or what a result that is none says. */
static int
result_check(struct connection *connection, const PGresult *result,
	     struct failure *ret_failure)
{
	const char *sqlstate, *position;

	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_EMPTY_QUERY:
		return 0;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		/* It would wait for bytes that nobody has. */
		failure_set(ret_failure, "COPY from or to the client has no "
					 "place here");
		return -ECONNRESET;
	case PGRES_BAD_RESPONSE:
	case PGRES_NONFATAL_ERROR:
	case PGRES_FATAL_ERROR:
	case PGRES_PIPELINE_SYNC:
	case PGRES_PIPELINE_ABORTED:
		break;
	}

	sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (!sqlstate)
		return lost(connection, ret_failure);

	failure_set_sqlstate(
		ret_failure, sqlstate,
		PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	if (position)
		ret_failure->position = (int)strtol(position, NULL, 10);
	return -EREMOTEIO;
}

/* All results of what was sent; keeps the last, tells the first error. */
static int
results_wait(struct connection *connection, int64_t deadline,
	     PGresult **ret_result, struct failure *ret_failure)
{
	struct failure later;
	PGresult *last = NULL, *result;
	int rc, error = 0;

	for (;;) {
		rc = result_wait(connection, deadline, &result, ret_failure);
		if (rc < 0 || !result)
			break;
		rc = result_check(connection, result,
				  error ? &later : ret_failure);
		PQclear(last);
		last = result;
		if (rc == -ECONNRESET)
			break;
		if (rc < 0 && !error)
			error = rc;
	}

	if (rc == 0 && !error && ret_result)
		*ret_result = last;
	else
		PQclear(last);
	return rc < 0 ? rc : error;
}

/* sent: what PQsend...() returned. */
static int
exchange(struct connection *connection, int sent, int64_t deadline,
	 PGresult **ret_result, struct failure *ret_failure)
{
	int rc;

	if (!sent)
		return lost(connection, ret_failure);

	rc = flush_wait(connection, deadline, ret_failure);
	if (rc < 0)
		return rc;
	return results_wait(connection, deadline, ret_result, ret_failure);
}

int
connection_run(struct connection *connection, const char *sql, int64_t deadline,
	       PGresult **ret_result, struct failure *ret_failure)
{
	return exchange(connection, PQsendQuery(connection->pg, sql), deadline,
			ret_result, ret_failure);
}

int
connection_prepare(struct connection *connection, const char *name,
		   const char *sql, const struct params *params,
		   int64_t deadline, struct failure *ret_failure)
{
	int sent = PQsendPrepare(connection->pg, name, sql, params->n,
				 params->types);

	return exchange(connection, sent, deadline, NULL, ret_failure);
}

static int
prepared_send(struct connection *connection, const char *name,
	      const struct params *params)
{
	return PQsendQueryPrepared(connection->pg, name, params->n,
				   params->values, params->lengths,
				   params->formats, 1);
}

int
connection_execute(struct connection *connection, const char *name,
		   const struct params *params, int64_t deadline,
		   PGresult **ret_result, struct failure *ret_failure)
{
	return exchange(connection, prepared_send(connection, name, params),
			deadline, ret_result, ret_failure);
}

/* Until the server waits for the bytes; 0, or as connection_run(). */
static int
copy_open(struct connection *connection, const char *sql, int64_t deadline,
	  struct failure *ret_failure)
{
	struct failure later;
	PGresult *result;
	int rc, end;

	if (!PQsendQuery(connection->pg, sql))
		return lost(connection, ret_failure);
	rc = flush_wait(connection, deadline, ret_failure);
	if (rc < 0)
		return rc;
	rc = result_wait(connection, deadline, &result, ret_failure);
	if (rc < 0)
		return rc;
	if (PQresultStatus(result) == PGRES_COPY_IN) {
		PQclear(result);
		return 0;
	}

	rc = result_check(connection, result, ret_failure);
	PQclear(result);
	if (rc == 0) {
		failure_set(ret_failure, "PostgreSQL takes no COPY for one");
		return -ECONNRESET;
	}
	/* Behind a refusal stands only the end. */
	end = rc == -EREMOTEIO
		      ? results_wait(connection, deadline, NULL, &later)
		      : 0;
	if (end < 0)
		*ret_failure = later;
	return end < 0 ? end : rc;
}

/* A server that has refused a row reads on, and says so at the end. */
static int
copy_send(struct connection *connection, connection_next *next, void *arg,
	  int64_t deadline, struct failure *ret_failure)
{
	const char *bytes;
	size_t len;
	int rc, end;

	while ((end = next(arg, &bytes, &len)) == 0 && len) {
		assert(len <= INT_MAX);
		/* 0 would be: no memory for it. */
		if (PQputCopyData(connection->pg, bytes, (int)len) != 1)
			return lost(connection, ret_failure);
		rc = flush_wait(connection, deadline, ret_failure);
		if (rc < 0)
			return rc;
	}
	if (PQputCopyEnd(connection->pg, end < 0 ? strerror(-end) : NULL) != 1)
		return lost(connection, ret_failure);
	return flush_wait(connection, deadline, ret_failure);
}

int
connection_copy(struct connection *connection, const char *sql,
		connection_next *next, void *arg, int64_t deadline,
		struct failure *ret_failure)
{
	int rc = copy_open(connection, sql, deadline, ret_failure);

	if (rc < 0)
		return rc;
	rc = copy_send(connection, next, arg, deadline, ret_failure);
	if (rc < 0)
		return rc;
	return results_wait(connection, deadline, NULL, ret_failure);
}

int
connection_stream(struct connection *connection, const char *name,
		  const struct params *params, int64_t deadline,
		  connection_take *take, void *arg, struct failure *ret_failure)
{
	PGresult *result;
	int rc, error = 0;

	if (!prepared_send(connection, name, params) ||
	    !PQsetSingleRowMode(connection->pg))
		return lost(connection, ret_failure);

	rc = flush_wait(connection, deadline, ret_failure);
	if (rc < 0)
		return rc;

	for (;;) {
		rc = result_wait(connection, deadline, &result, ret_failure);
		if (rc < 0 || !result)
			return rc < 0 ? rc : error;
		if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
			rc = take(arg, result);
			if (rc < 0)
				return rc;
			continue;
		}
		rc = result_check(connection, result, ret_failure);
		PQclear(result);
		if (rc == -ECONNRESET)
			return rc;
		if (rc < 0)
			error = rc;
	}
}

int
connection_look(struct connection *connection, struct failure *ret_failure)
{
	if (!PQconsumeInput(connection->pg) ||
	    PQstatus(connection->pg) == CONNECTION_BAD)
		return lost(connection, ret_failure);
	return 0;
}

int
connection_fd(const struct connection *connection)
{
	return connection->pg ? PQsocket(connection->pg) : -1;
}
