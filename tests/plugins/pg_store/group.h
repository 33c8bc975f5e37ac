/*
 * group.h - what a program's tests on a real PostgreSQL share: the server, a
 * database for each test, and the instance in front of it.
 */
#ifndef PG_STORE_GROUP_H
#define PG_STORE_GROUP_H

#include "bench.h"

#define GROUP_EVENTS 2000

extern struct pg_server server;
extern struct fake_event
	group_events[GROUP_EVENTS]; /* of group_events_setup() */

/* cmocka's, for all tests of the program together. */
int group_setup(void **state);
int group_teardown(void **state);

/* Makes the database anew, and starts an instance with one option; name may be
 * NULL.  *state is its bench. */
int group_bench_setup(void **state, const char *db, const char *name,
		      const char *value);
int group_bench_teardown(void **state);

/* Makes the database anew and the events, 0 to 1999; *state is a bench for
 * bench_create(), or group_bench_open(). */
int group_events_setup(void **state, const char *db);
int group_events_teardown(void **state);
void group_bench_open(struct bench *bench, const char *db, const char *name,
		      const char *value);

#endif
