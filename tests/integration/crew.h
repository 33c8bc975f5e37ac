/*
 * crew.h - a test's own world and the evhd processes in it.
 *
 * Each test gets a crew of its own by crew_setup() and ends it by crew_end(),
 * which sees to it that every process drains and exits with 0.  The teardown
 * cleans up whatever a failed test has left: processes, load, servers that
 * were stopped, the world.
 */
#ifndef EVH_TEST_CREW_H
#define EVH_TEST_CREW_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon.h"
#include "load.h"
#include "service.h"
#include "world.h"

#define CREW_MAX      8
#define CREW_READY_MS 60000
#define CREW_STOP_MS  40000

/* Changes that put a handler "mine", with this body, in front of a shipped
 * consumer's others. */
#define CREW_HANDLER(body)                                                     \
	"\nstore \"events\" {",                                                \
		"\nhandler \"mine\" {\n" body "\n}\n\nstore \"events\" {",     \
		"chain = { \"topic\",", "chain = { \"topic\", \"mine\","

struct crew {
	struct world w;
	struct daemon list[CREW_MAX];
	unsigned n;
	int api_port;	   /* of every process with an API; one at a time */
	struct load *load; /* ended and freed by the teardown */
	bool has_ended;
};

/* Sets up and tears down one test; bare: the database is not migrated. */
int crew_setup(void **state);
int crew_setup_bare(void **state);
int crew_teardown(void **state);

/* Starts evhd by a shipped configuration with changes (NULL: none).  The name,
 * of config and log, is one that the crew has not had yet. */
struct daemon *crew_start(struct crew *crew, const char *name,
			  const char *shipped, service_changes changes);
/* The same, and waits until it is ready. */
struct daemon *crew_ready(struct crew *crew, const char *name,
			  const char *shipped, service_changes changes);
/* All that run drain and exit with 0. */
void crew_end(struct crew *crew);

/* Runs evhd to its end with these arguments, NULL-ended: this must be its exit
 * code, and what it says have this in it (NULL: whatever). */
void crew_run(int exit_code, const char *says, const char *const *args);

/* Of /metrics: a whole series with its labels; -1 when it is not there. */
double crew_metric(struct daemon *d, const char *series);
/* Waits until it is at least this; gives what it is. */
double crew_await_metric(struct daemon *d, const char *series, double least,
			 int timeout_ms);
/* Waits until the admin page says 503 and this sentence, or a part of it. */
void crew_await_reason(struct daemon *d, const char *reason);

/*
 * A fault under load: load begins and has had some answers; the fault strikes
 * while so many events are in flight; and when all is well again, the load
 * has answers again, and ends.  Prints the figures, and fails the test unless
 * something was in flight and every event that got its 201 is processed.
 */
void crew_load_begin(struct crew *crew);
/* Requests in flight, at least one, of now; answers now are those during it. */
int crew_load_strike(struct crew *crew);
void crew_load_end(struct crew *crew, const char *what, int in_flight);

/* Posts an event with this name and data: its id must come, again when the API
 * refuses it, as it does while a broker is late with its answers. */
void crew_post(struct crew *crew, const char *name, const char *data,
	       char ret_id[37]);
/* One column of one row, malloced. */
char *crew_row(struct crew *crew, const char *id, const char *column);
/* Waits until the row has this status. */
void crew_await_row(struct crew *crew, const char *id, const char *status);
/* A column of a row must be this. */
void crew_check_row(struct crew *crew, const char *id, const char *column,
		    const char *expected);

#endif
