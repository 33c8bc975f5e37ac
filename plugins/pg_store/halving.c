#include "halving.h"

/* Depth: log2(n).  Returns how many of the range are settled. */
static size_t
range_run(const struct halving_ops *ops, void *arg, size_t at, size_t n,
	  unsigned *splits)
{
	size_t half = n / 2;
	size_t settled;

	switch (ops->try(arg, at, n)) {
	case HALVING_DONE:
		return n;
	case HALVING_STOPPED:
		return 0;
	case HALVING_BAD:
		break;
	}

	if (n == 1) {
		ops->bad(arg, at);
		return 1;
	}

	++*splits;
	settled = range_run(ops, arg, at, half, splits);
	if (settled < half)
		return settled;

	return half + range_run(ops, arg, at + half, n - half, splits);
}

size_t
halving_run(const struct halving_ops *ops, void *arg, size_t n,
	    unsigned *splits)
{
	return n ? range_run(ops, arg, 0, n, splits) : 0;
}
