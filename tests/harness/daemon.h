/*
 * daemon.h - an evhd process that a test starts, watches and ends.
 */
#ifndef EVH_TEST_DAEMON_H
#define EVH_TEST_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "world.h"

struct daemon {
	const char *name;
	pid_t pid;
	int notify_fd; /* where it says READY=1 */
	char notify_path[WORLD_PATH_MAX];
	char log[WORLD_PATH_MAX];
	int api_port;	/* 0: none */
	int admin_port; /* 0: not known yet */
};

/* Starts `evhd -c config`, API_PORT a free one when has_api, log in the
 * world's folder under `name`. */
void daemon_start(struct daemon *d, const struct world *w, const char *name,
		  const char *config, bool has_api);
/* Waits for READY=1; fails the test after timeout_ms and shows the log. */
void daemon_await_ready(struct daemon *d, int timeout_ms);
/* SIGTERM, then waits; gives the exit code, -signal when one killed it. */
int daemon_stop(struct daemon *d, int timeout_ms);
int daemon_wait(struct daemon *d, int timeout_ms);
void daemon_kill(struct daemon *d); /* kill -9, reaped */
/* How often this text stands in the log so far. */
int daemon_logged(const struct daemon *d, const char *text);
void daemon_await_logged(const struct daemon *d, const char *text,
			 int timeout_ms);
/* The admin page's port, from the log. */
int daemon_admin_port(struct daemon *d);

/* Runs evhd to its end with these arguments (NULL-ended, without "evhd");
 * ret_out, malloced, gets stdout and stderr together.  The exit code, -signal
 * when one killed it, as SIGALRM does when it hangs. */
int daemon_run(char **ret_out, const char *const *args);

/* A port of this program's own, where nobody listens yet. */
int daemon_free_port(void);

#endif
