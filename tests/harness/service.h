/*
 * service.h - the whole service as it is shipped: a world with a migrated
 * database, one API and one consumer, each an evhd process of its own.
 *
 * A group of tests shares one, by SERVICE_GROUP's set-up and teardown; a test
 * that needs other options starts an API of its own beside it, from a shipped
 * configuration with changes, on the same topic and table.
 */
#ifndef EVH_TEST_SERVICE_H
#define EVH_TEST_SERVICE_H

#include "daemon.h"
#include "world.h"

#define SERVICE_READY_MS 60000
#define SERVICE_STOP_MS	 40000

struct service {
	struct world w;
	struct daemon api;
	struct daemon consumer; /* pid 0: none */
};

/* What is changed in a shipped configuration: pairs of a text that stands in
 * it once or more and what stands there instead, NULL-ended. */
typedef const char *const service_changes[];

/* A change of an API's: its answer waits for the pending row however busy the
 * machine is, while the shipped one leaves without it after a second. */
#define SERVICE_PATIENT "write_timeout = \"1s\"", "write_timeout = \"8s\""
extern service_changes service_patient; /* that alone */

/* A shipped configuration, changed, as FILE in the world's folder. */
void service_config(const struct world *w, const char *shipped,
		    const char *file, service_changes changes,
		    char ret[WORLD_PATH_MAX]);

/* World, database and topic are there when it returns, and both processes are
 * ready, the API's store too.  what: for their names.  The API makes the topic.
 */
void service_start(struct service *s, const char *what);
/* The same without a consumer: what is pending stays pending; and the API is
 * patient, so that who has a 201 finds the row. */
void service_start_api(struct service *s, const char *what);
/* Ends both, which must exit with 0, and takes the world away. */
void service_stop(struct service *s);

/* One more evhd with an API, by the shipped api.conf with changes; ready when
 * it returns.  name: of its log and config.  End it by daemon_stop(). */
void service_api(struct service *s, struct daemon *d, const char *name,
		 service_changes changes);

/* The service's consumer, by the shipped consumer.conf with changes. */
void service_consumer(struct service *s, service_changes changes);

/* For cmocka's groups: *state is the service.  Sets-up of their own call
 * service_start() or service_start_api() on a static one. */
int service_setup(void **state);
int service_setup_api(void **state);
int service_teardown(void **state);

#endif
