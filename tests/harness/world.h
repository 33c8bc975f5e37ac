/*
 * world.h - a fresh database, a fresh topic and a folder, on real servers.
 *
 * The servers are those that scripts/servers has started; their addresses
 * come from the EVENT_HANDLER_SERVICE_* variables that `scripts/servers env`
 * prints.  Without them a test fails and says how to get them.  Each world
 * has a database and a topic of its own, so that tests do not meet.
 */
#ifndef EVH_TEST_WORLD_H
#define EVH_TEST_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#define WORLD_NAME_MAX 64
#define WORLD_PATH_MAX 256

struct world {
	char name[WORLD_NAME_MAX];  /* of database and topic */
	char group[WORLD_NAME_MAX]; /* a consumer group of its own */
	char dir[WORLD_PATH_MAX];   /* for configs and logs; kept on failure */
	char brokers[WORLD_PATH_MAX];
	char conninfo[WORLD_PATH_MAX * 2]; /* of the database, with password */
};

/* Makes database and folder, and says in the environment that its children
 * use them (POSTGRES_DB, TOPIC_NAME).  Fails the test when it cannot. */
void world_init(struct world *w, const char *what);
/* Migrates the database by `evhd migrate ... upgrade head`. */
void world_migrate(const struct world *w);
/* Drops the database, deletes the topic and the folder. */
void world_fini(struct world *w);

/* Writes a file into the folder; ret gets its path. */
void world_write(const struct world *w, const char *file, const char *text,
		 char ret[WORLD_PATH_MAX]);

/*
 * The shipped configs' text with the world's group in it, written as FILE in
 * the folder; `extra` (or NULL) is put behind.
 */
void world_config(const struct world *w, const char *shipped, const char *file,
		  const char *extra, char ret[WORLD_PATH_MAX]);

/* Runs scripts/servers WORD ("restart-kafka", "stop-postgres", ...); fails
 * the test when that fails. */
void world_servers(const char *word);

const char *world_build_dir(void); /* where evhd is */
const char *world_source_dir(void);
/* A variable that must be there. */
const char *world_env(const char *name);

/* Monotonic milliseconds, for deadlines. */
long world_now_ms(void);
/* Waits until fn(arg) is true, asking again and again; fails the test after
 * timeout_ms, naming `what`. */
void world_await(bool (*fn)(void *arg), void *arg, int timeout_ms,
		 const char *what);

#endif
