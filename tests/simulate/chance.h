/*
 * chance.h - the one source of randomness of a schedule.
 *
 * A number from the seed, then the next one: the same seed, the same schedule,
 * on every machine.
 */
#ifndef SIMULATE_CHANCE_H
#define SIMULATE_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

void chance_init(struct chance *c, uint64_t seed);
uint64_t chance_next(struct chance *c);
/* 0 to n - 1; n > 0. */
unsigned chance_below(struct chance *c, unsigned n);
/* low to high, both included. */
unsigned chance_between(struct chance *c, unsigned low, unsigned high);
/* True in so many of a hundred cases. */
bool chance_of(struct chance *c, unsigned percent);

#endif
