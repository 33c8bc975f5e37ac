#include "chance.h"

void
chance_init(struct chance *c, uint64_t seed)
{
	c->state = seed;
}

/* SplitMix64: every seed is a good one, neighbours too. */
uint64_t
chance_next(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

unsigned
chance_below(struct chance *c, unsigned n)
{
	return (unsigned)((chance_next(c) >> 32) * n >> 32);
}

unsigned
chance_between(struct chance *c, unsigned low, unsigned high)
{
	return low + chance_below(c, high - low + 1);
}

bool
chance_of(struct chance *c, unsigned percent)
{
	return chance_below(c, 100) < percent;
}
