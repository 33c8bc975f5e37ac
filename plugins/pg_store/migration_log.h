/*
 * migration_log.h - the table evh_migrations: what was applied, and when.
 */
#ifndef PG_STORE_MIGRATION_LOG_H
#define PG_STORE_MIGRATION_LOG_H

#include "connection.h"
#include "migration_files.h"

struct migration_applied {
	int revision;
	char name[MIGRATION_NAME];
	char checksum[MIGRATION_CHECKSUM];
	char applied_at[40]; /* RFC 3339, UTC */
};

struct migration_log {
	struct migration_applied *list; /* ascending */
	int n;
};

/* Functions return 0, or -errno as connection_run() gives it. */

/* One at a time in this database: waits for another one to end. */
int migration_log_lock(struct connection *connection, int64_t deadline,
		       struct failure *ret_failure);
/* Makes the table when it is not there. */
int migration_log_create(struct connection *connection, int64_t deadline,
			 struct failure *ret_failure);
/* No table is an empty log.  migration_log_fini() frees it. */
int migration_log_read(struct migration_log *log, struct connection *connection,
		       int64_t deadline, struct failure *ret_failure);
void migration_log_fini(struct migration_log *log);

int migration_log_add(struct connection *connection, const struct migration *m,
		      int64_t deadline, struct failure *ret_failure);
int migration_log_remove(struct connection *connection, int revision,
			 int64_t deadline, struct failure *ret_failure);

#endif
