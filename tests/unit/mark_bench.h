/*
 * mark_bench.h - a file of marks, and processes that leave some in it.
 */
#ifndef EVH_TESTS_MARK_BENCH_H
#define EVH_TESTS_MARK_BENCH_H

#include <stdbool.h>

#include "../harness/tempdir.h"
#include "marks.h"

/* Where the marks lie: the state of a test. */
struct mark_place {
	struct tempdir dir;
	char state[96]; /* not made yet */
	char file[128];
};

/* Ids of two events. */
extern const unsigned char mark_one[16], mark_two[16];

int mark_place_open(void **state);
int mark_place_close(void **state);
/* The marks there; the caller's to close. */
struct marks *mark_open(const struct mark_place *place);
/* How many ends are counted against the event at this handler. */
unsigned mark_ends(const struct marks *marks, const unsigned char id[16],
		   const char *name);
/* A process that is killed while its handler "h" has the event, alone when it
 * was there at such an end before; with is_late, after its timeout; with
 * has_left, after process() has returned. */
void mark_die(const struct mark_place *place, const unsigned char id[16],
	      bool is_late, bool has_left);

#endif
