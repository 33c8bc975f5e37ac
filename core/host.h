/*
 * host.h - the running evhd: instances, pipelines, and their life.
 *
 * Creates every instance, then starts them in the setup's order, then waits
 * for signals and timers on the main thread until it is told to stop: drains
 * sources, flushes handlers and sinks along the chains until nothing is in
 * flight or shutdown_timeout is over, stops and destroys all in the reverse
 * order.
 */
#ifndef EVH_HOST_H
#define EVH_HOST_H

#include <stdbool.h>

#include "setup.h"

/*
 * Runs until SIGTERM, SIGINT or an instance's fatal().  Returns an exit code
 * of sysexits.h: 0 drained, 70 a fault, 71 the system refused, 78 create() or
 * start() refused the configuration.  *ret_abandon: events were in flight when
 * the time to stop was over, so threads run on and nothing was freed; the
 * caller ends the process by _exit(). [main]
 */
int host_run(struct setup *setup, bool *ret_abandon);

/*
 * The same around a command of evhd's own: `work` runs on the main thread once
 * all have started, and takes turns (main_loop.h) while it waits.  Returns what
 * it returned, or why nothing could be done. [main]
 */
struct host;
typedef int host_work(struct host *host, void *arg);
int host_run_work(struct setup *setup, host_work *work, void *arg,
		  bool *ret_abandon);

/* Creates every instance, which opens nothing, and destroys it again: adds what
 * the plugins have to say of their sections. [main] */
void host_check(struct setup *setup, struct problems *problems);

/* Creates the one instance, runs its command, destroys it; the exit code. */
int host_command(struct setup *setup, unsigned instance,
		 const struct evh_command *command, int argc, char **argv);

#endif
