/*
 * ledger_table.h - a ledger as temporary tables of a PostgreSQL session, so
 * that what it says can be compared with what the database has.
 *
 *	l_sent (k, n, kind)	l_taken (k, n, id)	l_unknown (k, n)
 *	l_put (part, pos, kind)	l_dead (id, part, pos)
 *
 * l_dead is for whoever reads a topic of dead letters.
 */
#ifndef FAULTS_LEDGER_TABLE_H
#define FAULTS_LEDGER_TABLE_H

#include <libpq-fe.h>

/* Makes the tables.  -EIO, said on stderr. */
int ledger_table_make(PGconn *pg);
/* Adds what this file says.  -errno of the file, -EBADMSG when a whole line
 * of it is none of a ledger's, -EIO of the database; said on stderr. */
int ledger_table_fill(PGconn *pg, const char *path);
/* One statement; its result is yours, NULL when it failed, said on stderr. */
PGresult *ledger_table_ask(PGconn *pg, const char *sql);

#endif
