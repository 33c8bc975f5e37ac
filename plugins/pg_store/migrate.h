/*
 * migrate.h - the database brought to another revision, one step at a time.
 *
 * Opened, it holds a lock of the database, so that of several that start at
 * once one works and the others wait and then find nothing to do.  Each step
 * is one transaction that holds the file's SQL and its line in the log.
 * Before the first step everything is checked, and what is not as it was left
 * (an applied file that has changed, a table `events` of somebody else's)
 * stops it with a sentence and nothing done.
 *
 * Results are exit codes of sysexits.h: 0, EX_DATAERR (65: refused or failed),
 * EX_UNAVAILABLE (69: no server), EX_CONFIG (78: no folder); why has the
 * sentence.
 */
#ifndef PG_STORE_MIGRATE_H
#define PG_STORE_MIGRATE_H

#include "connection.h"
#include "migration_files.h"
#include "migration_log.h"

#define MIGRATE_HEAD (-1)

struct migrate {
	const struct settings *settings;
	struct connection connection;
	struct migration_files files;
	struct migration_log log;
	/* Told of each step done: "upgraded to 0002 (add_column)". */
	void (*say)(void *arg, const char *line);
	void *say_arg;
	char why[700];
};

/* The folder of the migrations: the option's, else EVH_SHARE_DIR's.  0, or
 * EX_CONFIG when there is neither. */
int migrate_folder(struct migrate *migrate, char *ret, size_t size);

/*
 * Reads the files, connects, and reads what was applied; with `to_change`,
 * takes the lock and makes sure that the log's table is there and that
 * nothing is amiss.  settings are borrowed; cancel_fd: readable when waiting
 * shall end, or -1.  Whatever it returns, migrate_close() follows.
 */
int migrate_open(struct migrate *migrate, const struct settings *settings,
		 int cancel_fd, bool to_change);
void migrate_close(struct migrate *migrate);

int migrate_current(const struct migrate *migrate); /* 0: nothing applied */

/* Up to this revision or MIGRATE_HEAD; nothing to do is fine. */
int migrate_upgrade(struct migrate *migrate, int target);
/* Down to this revision, 0 is before the first.  What would drop rows wants
 * `yes`. */
int migrate_downgrade(struct migrate *migrate, int target, bool yes);

#endif
