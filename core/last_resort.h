/*
 * last_resort.h - the end of a stop that does not come to its end.
 *
 * flush() and stop() are called on the main thread and may wait for a lock that
 * a process() has which never returns; then nobody enforces shutdown_timeout,
 * and nobody reads a second SIGTERM.  So a thread waits beside it.  When the
 * time and a little more is over, it ends evhd by _exit(), which is safe
 * because nothing unfinished was claimed.
 */
#ifndef EVH_LAST_RESORT_H
#define EVH_LAST_RESORT_H

#include <pthread.h>
#include <stdint.h>

struct host;

struct last_resort {
	struct host *host;
	int exit_code; /* unless the host has another: see host_fatal() */
	int64_t due_ns;
	int disarm_fd; /* an eventfd; -1: not armed */
	pthread_t thread;
};

/* Before the drain, with the exit code that it would end with.  Where it
 * cannot be had, which is logged, evhd stops all the same. [main] */
void last_resort_arm(struct last_resort *last, struct host *host,
		     int exit_code);
/* evhd has stopped; after each last_resort_arm(). [main] */
void last_resort_disarm(struct last_resort *last);

#endif
