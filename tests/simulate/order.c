#include "order.h"

#include "failure.h"

/* In the chain: everybody before it in its lane is through here, or, at a
 * sink, in its hands already. */
static void
check_one(const struct walker *v, const struct walker *w, const struct end *end)
{
	if (v == w || v->pipeline != w->pipeline ||
	    v->state != WALKER_UNDER_WAY || !walker_precedes(v, w))
		return;
	if (v->is_failed || v->may_fail || v->is_dropped ||
	    v->may_be_overtaken || v->through >= w->at ||
	    walker_may_skip_between(v, v->through, w->at + 1) ||
	    walker_is_late(v))
		return;
	/* At a stop an optional sink gets what the others have had, also behind
	 * one that was handed back before them. */
	if (w->pipeline->elements[w->at].is_optional &&
	    walker_may_be_given_up(v))
		return;
	/* Until its done(RETRY) has returned, the host cannot know; then the
	 * sink says RETRY to the later one, too. */
	if (end->kind == EVH_SINK && v->at == w->at &&
	    (v->has == end || v->n_retrying > 0))
		return;
	failure("order: %s has #%u before #%u (through %u, at %u)", end->name,
		w->emission->order, v->emission->order, v->through, v->at);
}

/* Aside: those that left the chain at the same element stay in their order. */
static void
check_aside(const struct walker *v, const struct walker *w,
	    const struct end *end)
{
	if (v == w || v->pipeline != w->pipeline ||
	    v->state != WALKER_UNDER_WAY || v->left == 0 || w->left == 0 ||
	    v->left > w->left || v->left_at != w->left_at ||
	    v->is_failed != w->is_failed || v->is_dropped != w->is_dropped)
		return;
	if (v->through >= w->at || walker_may_be_given_up(v) ||
	    (v->at == w->at && (v->has == end || v->n_retrying > 0)))
		return;
	failure("order: %s has #%u before #%u, aside", end->name,
		w->emission->order, v->emission->order);
}

void
order_check(const struct walker *w, const struct end *end)
{
	const struct emission *e;
	unsigned at = 0;

	if (w->emission->lane < 0)
		return;
	while ((e = emission_next(&at)) != NULL) {
		if (e->lane != w->emission->lane ||
		    e->source != w->emission->source)
			continue;
		for (const struct walker *v = e->walkers; v; v = v->next)
			if (w->at < w->pipeline->n_chain)
				check_one(v, w, end);
			else
				check_aside(v, w, end);
	}
}
