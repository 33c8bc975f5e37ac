#include "steps.h"

#include <inttypes.h>
#include <stddef.h>

#include "chance.h"
#include "failure.h"
#include "strand.h"
#include "virtual.h"

void
steps_begin(struct chance *chance, uint64_t seed, void (*beside)(void),
	    void (*waiting)(void *arg, int64_t due_ns))
{
	chance_init(chance, seed);
	strand_begin(chance, beside, 0);
	virtual_begin(chance, waiting, NULL);
	trace("seed %" PRIu64, seed);
}

unsigned
steps_start(struct chance *chance, void (*beside)(void), unsigned least,
	    unsigned most, unsigned limit)
{
	static const unsigned rates[] = { 0, 5, 20, 50 };
	unsigned n;

	strand_begin(chance, beside, rates[chance_below(chance, 4)]);
	n = chance_between(chance, least, most);
	return limit > 0 && limit < n ? limit : n;
}

void
steps_take(struct chance *chance, const struct step *steps, unsigned n)
{
	unsigned sum = 0, at;

	for (unsigned i = 0; i < n; i++)
		sum += steps[i].weight;
	at = chance_below(chance, sum);
	while (at >= steps->weight)
		at -= steps++->weight;
	(void)steps->take();
	(void)strand_finish();
}

void
steps_take_beside(struct chance *chance, step_fn *const *steps, unsigned n)
{
	trace("meanwhile");
	(void)steps[chance_below(chance, n)]();
	trace("and so on");
}

bool
steps_shorten_memory(struct chance *chance)
{
	unsigned n = chance_of(chance, 70) ? chance_between(chance, 1, 12) : 0;

	trace("memory will be short at allocation %u", n);
	virtual_shortage(n);
	return true;
}
