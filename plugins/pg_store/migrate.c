#include "migrate.h"

#include "deadline.h"
#include "rows_at_stake.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int64_t
step_deadline(const struct migrate *migrate)
{
	return deadline_in(migrate->settings->migrate_timeout_ms);
}

/* The exit code for what the server, or its absence, said. */
static int
fail(struct migrate *migrate, int rc, const char *doing,
     const struct failure *failure)
{
	snprintf(migrate->why, sizeof(migrate->why), "%s: %s%s%s%s", doing,
		 failure->text, *failure->sqlstate ? " (" : "",
		 failure->sqlstate, *failure->sqlstate ? ")" : "");
	return rc == -EREMOTEIO ? EX_DATAERR : EX_UNAVAILABLE;
}

int
migrate_folder(struct migrate *migrate, char *ret, size_t size)
{
	const char *share = getenv("EVH_SHARE_DIR");

	if (migrate->settings->migrations) {
		snprintf(ret, size, "%s", migrate->settings->migrations);
		return 0;
	}
	if (share && *share) {
		snprintf(ret, size, "%s/migrations", share);
		return 0;
	}
	snprintf(migrate->why, sizeof(migrate->why),
		 "no folder of migrations: set the store's option "
		 "`migrations`, or EVH_SHARE_DIR");
	return EX_CONFIG;
}

/* What was applied must be what is in the files. */
static int
log_check(struct migrate *migrate)
{
	int i;

	for (i = 0; i < migrate->log.n; i++) {
		const struct migration_applied *a = &migrate->log.list[i];
		const struct migration *m;

		if (a->revision != i + 1) {
			snprintf(migrate->why, sizeof(migrate->why),
				 "evh_migrations has %04d but not %04d: it was "
				 "changed by hand; nothing was done",
				 a->revision, i + 1);
			return EX_DATAERR;
		}
		if (a->revision > migrate->files.n)
			break; /* of a newer evhd */
		m = &migrate->files.list[i];
		if (strcmp(m->checksum, a->checksum)) {
			snprintf(migrate->why, sizeof(migrate->why),
				 "%04d_%s.up.sql is not what was applied on "
				 "%s: put it back and write a new migration; "
				 "nothing was done",
				 m->revision, m->name, a->applied_at);
			return EX_DATAERR;
		}
	}
	return 0;
}

/* A table of that name before the first migration is somebody else's. */
static int
stranger_check(struct migrate *migrate)
{
	struct failure failure;
	PGresult *result;
	bool is_there;
	int rc;

	if (migrate->log.n)
		return 0;

	rc = connection_run(&migrate->connection,
			    "SELECT to_regclass('events') IS NOT NULL",
			    step_deadline(migrate), &result, &failure);
	if (rc < 0)
		return fail(migrate, rc, "look for a table events", &failure);

	is_there = *PQgetvalue(result, 0, 0) == 't';
	PQclear(result);
	if (!is_there)
		return 0;

	snprintf(migrate->why, sizeof(migrate->why),
		 "the database has a table `events` that evh did not make: "
		 "give evh a database or a schema of its own; nothing was "
		 "done");
	return EX_DATAERR;
}

static int
server_open(struct migrate *migrate)
{
	const struct settings *settings = migrate->settings;
	struct session_facts facts;
	struct failure failure;
	int rc;

	rc = session_open(&migrate->connection, settings, SESSION_MIGRATE,
			  settings->migrate_timeout_ms,
			  deadline_in(settings->connect_timeout_ms), &facts,
			  &failure);
	if (rc < 0) {
		snprintf(migrate->why, sizeof(migrate->why), "%s",
			 failure.text);
		return EX_UNAVAILABLE;
	}
	if (facts.version < 140000) {
		snprintf(migrate->why, sizeof(migrate->why),
			 "PostgreSQL 14 or newer is needed, this is %d",
			 facts.version / 10000);
		return EX_DATAERR;
	}
	return 0;
}

static int
log_open(struct migrate *migrate, bool to_change)
{
	int64_t deadline = step_deadline(migrate);
	struct failure failure;
	int rc = 0;

	if (to_change)
		rc = migration_log_lock(&migrate->connection, deadline,
					&failure);
	if (rc == 0)
		rc = migration_log_read(&migrate->log, &migrate->connection,
					deadline, &failure);
	if (rc < 0)
		return fail(migrate, rc, "read evh_migrations", &failure);
	return 0;
}

int
migrate_open(struct migrate *migrate, const struct settings *settings,
	     int cancel_fd, bool to_change)
{
	struct failure failure;
	char folder[512];
	int rc;

	*migrate = (struct migrate){
		.settings = settings,
		.connection = { .cancel_fd = cancel_fd },
		.say = migrate->say,
		.say_arg = migrate->say_arg,
	};
	rc = migrate_folder(migrate, folder, sizeof(folder));
	if (rc)
		return rc;
	if (migration_files_read(&migrate->files, folder, migrate->why,
				 sizeof(migrate->why)) < 0)
		return EX_DATAERR;

	rc = server_open(migrate);
	if (rc)
		return rc;
	rc = log_open(migrate, to_change);
	if (rc || !to_change)
		return rc;
	rc = log_check(migrate);
	if (rc)
		return rc;
	rc = stranger_check(migrate);
	if (rc)
		return rc;

	rc = migration_log_create(&migrate->connection, step_deadline(migrate),
				  &failure);
	return rc < 0 ? fail(migrate, rc, "make evh_migrations", &failure) : 0;
}

void
migrate_close(struct migrate *migrate)
{
	connection_close(&migrate->connection);
	migration_log_fini(&migrate->log);
	migration_files_fini(&migrate->files);
}

int
migrate_current(const struct migrate *migrate)
{
	return migrate->log.n;
}

static void
say(const struct migrate *migrate, const char *done, int revision,
    const char *name)
{
	char line[200];

	snprintf(line, sizeof(line), "%s %04d (%s)", done, revision, name);
	if (migrate->say)
		migrate->say(migrate->say_arg, line);
}

/* What is being done, for the sentence that says how it failed: a file, and
 * where in it as soon as the server has said that. */
struct doing {
	char text[120];
};

static void
doing_set(struct doing *doing, const struct migration *m, const char *way)
{
	snprintf(doing->text, sizeof(doing->text), "%04d_%s.%s.sql",
		 m->revision, m->name, way);
}

/* position: as PostgreSQL counts, characters from 1. */
static void
doing_place(struct doing *doing, const char *sql, int position)
{
	size_t len = strlen(doing->text);
	int line = 1, column = 1;

	for (; *sql && position > 1; sql++) {
		bool ends_character = ((unsigned char)sql[1] & 0xc0) != 0x80;

		position -= ends_character;
		column += ends_character;
		if (*sql == '\n') {
			line++;
			column = 1;
		}
	}
	snprintf(doing->text + len, sizeof(doing->text) - len, ":%d:%d", line,
		 column);
}

/* The file's SQL, which must leave the transaction as it found it. */
static int
sql_run(struct migrate *migrate, const char *sql, struct doing *doing,
	int64_t deadline, struct failure *failure)
{
	int rc = connection_run(&migrate->connection, sql, deadline, NULL,
				failure);

	if (rc < 0 && failure->position > 0)
		doing_place(doing, sql, failure->position);
	if (rc < 0)
		return rc;
	if (PQtransactionStatus(migrate->connection.pg) == PQTRANS_INTRANS)
		return 0;

	failure_set(failure, "its SQL ends the transaction that it runs in");
	return -EREMOTEIO;
}

/* Ends a step's transaction.  rc: how it went so far. */
static int
step_end(struct migrate *migrate, int rc, const struct doing *doing,
	 int64_t deadline, struct failure *failure)
{
	struct failure ignored;

	if (rc == 0)
		rc = connection_run(&migrate->connection, "COMMIT", deadline,
				    NULL, failure);
	if (rc == 0)
		return 0;

	/* What the server cannot hear any more, it rolls back by itself. */
	if (rc == -EREMOTEIO)
		connection_run(&migrate->connection, "ROLLBACK", deadline, NULL,
			       &ignored);
	return fail(migrate, rc, doing->text, failure);
}

/* What `revision` has written and nobody has filled in would count as applied,
 * for good. */
static int
statement_check(struct migrate *migrate, const struct migration *m,
		const char *sql, const char *way)
{
	if (migration_has_statement(sql))
		return 0;
	snprintf(migrate->why, sizeof(migrate->why),
		 "%04d_%s.%s.sql has no statement in it: fill it in (SELECT 1; "
		 "if there is nothing to do); nothing was done",
		 m->revision, m->name, way);
	return EX_DATAERR;
}

static int
step_up(struct migrate *migrate, const struct migration *m)
{
	int64_t deadline = step_deadline(migrate);
	struct connection *connection = &migrate->connection;
	struct failure failure;
	struct doing doing = { "" };
	int rc;

	doing_set(&doing, m, "up");
	rc = connection_run(connection, "BEGIN", deadline, NULL, &failure);
	if (rc == 0)
		rc = sql_run(migrate, m->up, &doing, deadline, &failure);
	if (rc == 0)
		rc = migration_log_add(connection, m, deadline, &failure);
	rc = step_end(migrate, rc, &doing, deadline, &failure);
	if (rc == 0)
		say(migrate, "upgraded to", m->revision, m->name);
	return rc;
}

int
migrate_upgrade(struct migrate *migrate, int target)
{
	int current = migrate_current(migrate), rc;

	if (target == MIGRATE_HEAD)
		target =
			migrate->files.n > current ? migrate->files.n : current;
	if (target > migrate->files.n && target > current) {
		snprintf(migrate->why, sizeof(migrate->why),
			 "there is no migration %04d: the newest is %04d",
			 target, migrate->files.n);
		return EX_DATAERR;
	}
	if (target < current) {
		snprintf(migrate->why, sizeof(migrate->why),
			 "the database is at %04d, newer than %04d: "
			 "`downgrade` goes back",
			 current, target);
		return EX_DATAERR;
	}
	for (int i = current; i < target; i++) {
		const struct migration *m = &migrate->files.list[i];

		rc = statement_check(migrate, m, m->up, "up");
		if (rc)
			return rc;
	}
	for (; current < target; current++) {
		rc = step_up(migrate, &migrate->files.list[current]);
		if (rc)
			return rc;
	}
	return 0;
}

static int
step_down(struct migrate *migrate, const struct migration *m, bool yes)
{
	int64_t deadline = step_deadline(migrate);
	struct connection *connection = &migrate->connection;
	struct rows_at_stake stake = { 0 };
	struct failure failure;
	struct doing doing = { "" };
	int rc;

	doing_set(&doing, m, "down");
	rc = connection_run(connection, "BEGIN", deadline, NULL, &failure);
	if (rc == 0 && !yes)
		rc = rows_at_stake_note(&stake, connection, deadline, &failure);
	if (rc == 0)
		rc = sql_run(migrate, m->down, &doing, deadline, &failure);
	if (rc == 0 && !yes)
		rc = rows_at_stake_check(&stake, connection, deadline,
					 &failure);
	if (rc == 0)
		rc = migration_log_remove(connection, m->revision, deadline,
					  &failure);
	rc = step_end(migrate, rc, &doing, deadline, &failure);
	rows_at_stake_fini(&stake);
	if (rc == 0)
		say(migrate, "undid", m->revision, m->name);
	return rc;
}

int
migrate_downgrade(struct migrate *migrate, int target, bool yes)
{
	int current = migrate_current(migrate), rc;

	if (target < 0 || target > current) {
		snprintf(migrate->why, sizeof(migrate->why),
			 "the database is at %04d: there is no such way down",
			 current);
		return EX_DATAERR;
	}
	if (current > migrate->files.n && target < current) {
		snprintf(migrate->why, sizeof(migrate->why),
			 "the database is at %04d and this evhd knows "
			 "migrations up to %04d only",
			 current, migrate->files.n);
		return EX_DATAERR;
	}
	for (int i = current; i > target; i--) {
		const struct migration *m = &migrate->files.list[i - 1];

		rc = statement_check(migrate, m, m->down, "down");
		if (rc)
			return rc;
	}
	for (; current > target; current--) {
		rc = step_down(migrate, &migrate->files.list[current - 1], yes);
		if (rc)
			return rc;
	}
	return 0;
}
