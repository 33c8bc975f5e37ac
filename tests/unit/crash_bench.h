/*
 * crash_bench.h - processes that end while events are at the handler "h".
 *
 * What they leave behind lies in a directory of the test's own, which is its
 * state; event i has an id that follows from i.
 */
#ifndef EVH_TESTS_CRASH_BENCH_H
#define EVH_TESTS_CRASH_BENCH_H

#include "../harness/tempdir.h"
#include "marks_table.h"
#include "rig.h"

/* At the handler at once, at most. */
#define CRASH_GUESTS 8

/* Setup and teardown of a test: *state is a struct tempdir. */
int crash_place_open(void **state);
int crash_place_close(void **state);
/* The marks there; the caller's to close. */
struct marks *crash_marks(const struct tempdir *dir);
void crash_id(unsigned i, unsigned char ret[16]);
/* A process that is killed while events 0, 1 and so on were so. */
void crash_die_with(const struct tempdir *dir, unsigned n,
		    const enum marks_state *states);
/* Emits events 0 to n - 1, with their numbers as cookies. */
void crash_emit(struct rig_element *src, unsigned n);

#endif
