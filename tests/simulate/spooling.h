/*
 * spooling.h - a schedule about a spool: processes that have it, one after the
 * other, on one disk.
 *
 * Each emits, drains, loses its server and gets it back, on a disk that fails,
 * fills up and is mended, until it is stopped or dies; the next one starts with
 * what that left.  In the end all goes well, and whatever was acknowledged has
 * to be with the sink.
 */
#ifndef SIMULATE_SPOOLING_H
#define SIMULATE_SPOOLING_H

#include <stdint.h>

/* As schedule_run(), whose schedule_init() comes first. */
unsigned spooling_run(uint64_t seed, unsigned max_steps);

#endif
