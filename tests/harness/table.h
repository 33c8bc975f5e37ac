/*
 * table.h - what a test asks of the world's database.
 */
#ifndef EVH_TEST_TABLE_H
#define EVH_TEST_TABLE_H

#include "world.h"

/* The first column of the first row, malloced; "" when there is none.  Fails
 * the test when the statement fails. */
char *table_ask(const struct world *w, const char *sql);
long table_count(const struct world *w, const char *sql);
void table_do(const struct world *w, const char *sql);
/* Waits until table_count() gives n. */
void table_await(const struct world *w, const char *sql, long n,
		 int timeout_ms);

/* Nobody writes into the table of events until it is released. */
struct table_lock;
struct table_lock *table_lock(const struct world *w);
void table_release(struct table_lock *lock);

#endif
