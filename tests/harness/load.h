/*
 * load.h - clients that post without pause, and remember what they were told.
 *
 * Each has its own kept-alive connection; one that breaks is made again.
 * The ids of all 201 answers are kept, so that a test can ask the table for
 * each of them, and counted by phase, so that it can show that there was load
 * before, during and after a fault.
 */
#ifndef EVH_TEST_LOAD_H
#define EVH_TEST_LOAD_H

#include <stdbool.h>

#include "world.h"

#define LOAD_PHASES 3 /* before, during, after */

struct load;

/* n clients to this port, bodies {"name":name,"data":{...}}; rate: requests
 * per second of all of them, 0: as fast as they can. */
struct load *load_start(int port, int n, const char *name, int rate);
/* From now on 2xx answers count for this phase. */
void load_phase(struct load *load, int phase);
/* Waits until this phase has n 201 answers; fails the test after a while. */
void load_await(struct load *load, int phase, int n, int timeout_ms);
int load_in_flight(struct load *load); /* requests without an answer now */
/* Ends the clients when their last request is answered; a second time does
 * nothing. */
void load_stop(struct load *load);

int load_taken(const struct load *load, int phase); /* 201 */
int load_refused(const struct load *load);	    /* other answers */
int load_broken(const struct load *load);	    /* no answer */
/* Prints the figures, and fails the test when a phase had no 201 or nothing
 * was in flight when the fault struck. */
void load_report(const struct load *load, const char *what, int in_flight);
/*
 * Waits until each id that got a 201 is in the table with this status
 * (NULL: any), once each, and fails the test naming those that are not.
 */
void load_check(const struct load *load, const struct world *w,
		const char *status, int timeout_ms);
void load_free(struct load *load);

#endif
