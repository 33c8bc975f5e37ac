#include "balance.h"

#include <inttypes.h>

#include "delivery.h"
#include "event.h"
#include "failure.h"
#include "instance.h"
#include "log.h"
#include "walker.h"

/* Errors in the host's log before this schedule. */
static uint64_t n_blamed;

void
balance_begin(void)
{
	n_blamed = log_count(EVH_ERROR);
}

static void
look_window(const struct pipeline *p, unsigned number)
{
	const struct instance *source = p->elements[0].in;
	bool is_exact = source->n_heads == 1 && !p->config->match[0] &&
			!p->config->otherwise;
	unsigned used = window_used(&p->window);
	uint64_t bytes = atomic_load(&p->window.used) & WINDOW_MAX_SIZE;
	const struct emission *e;
	uint64_t size = 0;
	unsigned at = 0;
	unsigned n = 0;

	while ((e = emission_next(&at)) != NULL) {
		if (!(e->pipelines & 1u << number) ||
		    e->state == EMISSION_OFFERED)
			continue;
		n++;
		size += e->size;
	}
	if (used > p->config->in_flight)
		failure("window: %s has %u events", p->name, used);
	if (used > 1 && bytes > p->config->in_flight_size)
		failure("window: %s has %u bytes", p->name, (unsigned)bytes);
	if (used > n || bytes > size || (is_exact && used < n))
		failure("window: %s counts %u events of %u bytes, and not "
			"%u of %u",
			p->name, used, (unsigned)bytes, n, (unsigned)size);
}

static void
look_hands(const struct scene *s)
{
	for (unsigned i = 0; i < s->n_pipelines; i++) {
		const struct pipeline *p = s->pipelines[i];

		look_window(p, i);
		for (unsigned pos = 1; pos < p->n_elements; pos++) {
			const struct element *el = &p->elements[pos];
			const struct end *end = el->in->self;
			unsigned n = 0;

			if (el->delivery == NULL)
				continue;
			for (unsigned h = 0; h < end->n_held; h++)
				n += event_element(
					     (struct event *)end->held[h]) ==
				     el;
			if (el->delivery->n_in_hand != n)
				failure("%s has %u events of %s, counted %u",
					end->name, n, p->name,
					el->delivery->n_in_hand);
		}
	}
}

void
balance_look(const struct scene *s)
{
	if (log_count(EVH_ERROR) != n_blamed)
		failure("the host blames a plugin that keeps the rules");
	look_hands(s);
}

void
balance_end(const struct scene *s)
{
	const struct emission *e;
	unsigned at = 0;

	balance_look(s);
	e = emission_next(&at);
	if (e != NULL)
		failure("#%u is never answered", e->order);
	for (unsigned i = 0; i < s->n_pipelines; i++) {
		const struct pipeline *p = s->pipelines[i];

		if (atomic_load(&p->window.used) != 0)
			failure("window: %s is not empty", p->name);
		if (atomic_load(&p->n_diverted) != 0)
			failure("%s has diverted events left", p->name);
		for (unsigned l = 0; l < LANE_SHARES; l++)
			if (atomic_load(&p->shares.n[l]) != 0 ||
			    atomic_load(&p->shares.n_standing[l]) != 0)
				failure("%s: a lane's share is not given back",
					p->name);
	}
	for (unsigned i = 0; i < s->n_ends; i++)
		if (atomic_load(&s->instances[i]->n_open) != 0)
			failure("%s: something is open", s->ends[i].name);
}
