/*
 * main_loop.h - what evhd's main thread does between start and stop: it waits
 * for signals, for timers, and for somebody who wakes it.
 *
 * A service runs the loop until it is told to stop; a command of evhd's own
 * takes one turn after the other while it waits for something.
 */
#ifndef EVH_MAIN_LOOP_H
#define EVH_MAIN_LOOP_H

#include <stdbool.h>

struct host;

/* Until SIGTERM, SIGINT or somebody's fatal(); tells the service manager of
 * readiness. [main] */
void main_loop_run(struct host *host);
/* Waits until host_wake(), a signal, or at most so long, and does what is due.
 * True when it is time to stop. [main] */
bool main_loop_turn(struct host *host, int timeout_ms);
/* The same of who stops already: a signal is left to main_loop_told_twice(),
 * and not waited for when that was told. [main] */
void main_loop_wait(struct host *host, int timeout_ms);
/* While it drains: every() goes on, and a second signal hurries it, for good.
 * [main] */
bool main_loop_hurries(struct host *host);
/* The second signal alone. [any] */
bool main_loop_told_twice(struct host *host);

#endif
