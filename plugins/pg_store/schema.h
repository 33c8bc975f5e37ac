/*
 * schema.h - which revision of the tables is there, and whether we can use it.
 *
 * evh_migrations has one row for each migration that was applied.  A schema
 * older than this plugin needs is waited for; a newer one is used, so that
 * replicas can be replaced one by one.
 */
#ifndef PG_STORE_SCHEMA_H
#define PG_STORE_SCHEMA_H

#include "connection.h"

/* The revision whose columns the statements of this plugin name. */
#define SCHEMA_REVISION 1

/* The newest applied revision, 0 when there is none; or -errno as
 * connection_run() gives it. */
int schema_revision(struct connection *connection, int64_t deadline,
		    struct failure *ret_failure);

/* What to say, and to type, when `revision` is older than we need. */
void schema_explain(int revision, char *ret, size_t size);

#endif
