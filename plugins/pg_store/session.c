#include "session.h"

#include <stdio.h>
#include <stdlib.h>

#define LOCK_TIMEOUT_MS 5000 /* at most */

/* A list of names is planned for its values each time: a plan for any limit
 * and any name would read the whole table. */
static const char read_settings[] = "SET plan_cache_mode = force_custom_plan;"
				    "SET default_transaction_read_only = on;";

/* `local` and `off` acknowledge what a crash can take; what is stronger than
 * `on` is the server's owner's choice, and stays. */
static const char write_settings[] =
	/* As settings.c has it of our side: a machine that is gone holds its
	 * half of a COPY for half a minute. */
	"SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
	"SET tcp_keepalives_count = 3;"
	"SELECT set_config('synchronous_commit', 'on', false)"
	" WHERE current_setting('synchronous_commit') IN ('off', 'local');";

/* Planned once for arrays of any length, and, since a plan is kept that is made
 * while the table is empty, so that each row is found by the index, in the
 * order of the ids. */
static const char writer_settings[] =
	"SET plan_cache_mode = force_generic_plan;"
	"SET enable_seqscan = off; SET enable_hashjoin = off;"
	"SET enable_mergejoin = off;";

static const char facts_query[] =
	"SELECT current_setting('fsync') = 'off'"
	" OR current_setting('full_page_writes') = 'off'";

static void
settings_write(enum session_use use, int64_t timeout_ms, char *ret, size_t size)
{
	int64_t statement_ms = timeout_ms * 3 / 4;
	int64_t lock_ms = timeout_ms / 2;

	if (lock_ms > LOCK_TIMEOUT_MS)
		lock_ms = LOCK_TIMEOUT_MS;
	if (use == SESSION_MIGRATE) {
		/* Waiting for another one's migration is no fault. */
		statement_ms = 0;
		lock_ms = 0;
	}
	snprintf(ret, size,
		 "SET statement_timeout = %lld; SET lock_timeout = %lld;"
		 "SET idle_in_transaction_session_timeout = %lld;%s%s%s",
		 (long long)statement_ms, (long long)lock_ms,
		 /* A writer that is frozen between two statements holds rows
		  * that others wait for. */
		 (long long)(use == SESSION_WRITE ? lock_ms : timeout_ms),
		 use == SESSION_READ ? read_settings : write_settings,
		 use == SESSION_WRITE ? writer_settings : "", facts_query);
}

int
session_open(struct connection *connection, const struct settings *settings,
	     enum session_use use, int64_t timeout_ms, int64_t deadline,
	     struct session_facts *ret_facts, struct failure *ret_failure)
{
	struct session_facts facts;
	PGresult *result;
	char sql[1000];
	int rc;

	rc = connection_open(connection, settings, use != SESSION_READ,
			     deadline, ret_failure);
	if (rc < 0)
		return rc;

	settings_write(use, timeout_ms, sql, sizeof(sql));
	rc = connection_run(connection, sql, deadline, &result, ret_failure);
	if (rc < 0) {
		connection_close(connection);
		return rc;
	}

	facts.loses_writes = *PQgetvalue(result, 0, 0) == 't';
	facts.version = PQserverVersion(connection->pg);
	PQclear(result);
	*ret_facts = facts;
	return 0;
}
