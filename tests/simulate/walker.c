#include "walker.h"

#include <string.h>

#include "event.h"
#include "failure.h"
#include "instance.h"
#include "virtual.h"

#define WALKERS_MAX   4096u
#define EMISSIONS_MAX 1024u
#define BUCKETS	      1024u

static struct {
	struct walker walkers[WALKERS_MAX];
	struct emission emissions[EMISSIONS_MAX];
	struct emission *listed[EMISSIONS_MAX];
	unsigned n_walkers, n_emissions, n_listed;
	struct walker *walker_table[BUCKETS];
	struct emission *emission_table[BUCKETS];
} all;

void
walkers_reset(void)
{
	all.n_walkers = 0;
	all.n_emissions = 0;
	all.n_listed = 0;
	memset(all.walker_table, 0, sizeof(all.walker_table));
	memset(all.emission_table, 0, sizeof(all.emission_table));
}

bool
walkers_are_many(void)
{
	return all.n_walkers > WALKERS_MAX * 3 / 4 ||
	       all.n_emissions > EMISSIONS_MAX * 3 / 4;
}

static unsigned
bucket_of(const unsigned char id[16], uintptr_t cookie)
{
	uint64_t hash;

	memcpy(&hash, id + 8, sizeof(hash));
	hash = (hash ^ cookie) * 0x9e3779b97f4a7c15u;
	return (unsigned)(hash >> 40) % BUCKETS;
}

struct emission *
emission_find(const struct end *source, const struct evh_event *ev)
{
	struct emission *e = all.emission_table[bucket_of(ev->id, ev->cookie)];

	while (e != NULL && (e->source != source || e->cookie != ev->cookie ||
			     memcmp(e->id, ev->id, sizeof(e->id)) != 0))
		e = e->hash_next;
	return e;
}

static void
list(struct emission *e)
{
	if (!e->is_listed)
		all.listed[all.n_listed++] = e;
	e->is_listed = true;
}

struct emission *
emission_get(struct end *source, const struct evh_event *ev)
{
	struct emission *e = emission_find(source, ev);
	struct emission **bucket;

	if (e != NULL) {
		list(e);
		return e;
	}
	if (all.n_emissions == EMISSIONS_MAX)
		failure("the oracle has no room for more emissions");
	e = &all.emissions[all.n_emissions++];
	bucket = &all.emission_table[bucket_of(ev->id, ev->cookie)];
	*e = (struct emission){ .source = source,
				.cookie = ev->cookie,
				.hash_next = *bucket };
	memcpy(e->id, ev->id, sizeof(e->id));
	*bucket = e;
	list(e);
	return e;
}

bool
emission_is_live(const struct emission *e)
{
	return e->state == EMISSION_OFFERED || e->state == EMISSION_TAKEN;
}

struct emission *
emission_next(unsigned *at)
{
	while (*at < all.n_listed) {
		struct emission *e = all.listed[*at];

		if (emission_is_live(e)) {
			(*at)++;
			return e;
		}
		e->is_listed = false;
		all.listed[*at] = all.listed[--all.n_listed];
	}
	return NULL;
}

static struct walker *
walker_find(const struct pipeline *p, const unsigned char id[16],
	    uintptr_t cookie, const struct end *source)
{
	struct walker *w = all.walker_table[bucket_of(id, cookie)];

	while (w != NULL &&
	       (w->pipeline != p || w->emission->cookie != cookie ||
		w->emission->source != source ||
		memcmp(w->id, id, sizeof(w->id)) != 0))
		w = w->hash_next;
	return w;
}

static void
walker_begin(struct walker *w, struct walker *parent)
{
	struct walker fresh = { .next = w->next,
				.hash_next = w->hash_next,
				.emission = w->emission,
				.pipeline = w->pipeline,
				.pipeline_number = w->pipeline_number,
				.parent = parent,
				.state = WALKER_UNDER_WAY };

	memcpy(fresh.id, w->id, sizeof(w->id));
	if (parent != NULL) {
		fresh.depth = parent->depth + 1;
		memcpy(fresh.made_at, parent->made_at, sizeof(fresh.made_at));
		memcpy(fresh.number, parent->number, sizeof(fresh.number));
		fresh.made_at[parent->depth] = parent->at;
		fresh.number[parent->depth] = parent->n_children++;
		fresh.at = fresh.through = parent->at;
		fresh.state = WALKER_TENTATIVE;
		fresh.may_be_overtaken = parent->may_be_overtaken;
	}
	*w = fresh;
}

struct walker *
walker_get(struct emission *e, struct pipeline *p, unsigned pipeline_number,
	   const unsigned char id[16], struct walker *parent)
{
	struct walker *w = walker_find(p, id, e->cookie, e->source);
	struct walker **bucket = &all.walker_table[bucket_of(id, e->cookie)];

	if (w != NULL) {
		if (parent != NULL && w->state != WALKER_VOID)
			failure("two children have the same id");
		walker_begin(w, parent);
		return w;
	}
	if (all.n_walkers == WALKERS_MAX)
		failure("the oracle has no room for more walkers");
	w = &all.walkers[all.n_walkers++];
	*w = (struct walker){ .next = e->walkers,
			      .hash_next = *bucket,
			      .emission = e,
			      .pipeline = p,
			      .pipeline_number = pipeline_number };
	memcpy(w->id, id, sizeof(w->id));
	*bucket = w;
	e->walkers = w;
	walker_begin(w, parent);
	return w;
}

struct walker *
walker_of(const struct scene *scene, const struct evh_event *ev)
{
	const struct event *inner = (const struct event *)ev;

	return walker_find(inner->pipeline, ev->id, ev->cookie,
			   scene_end(scene, inner->pipeline->elements[0].in));
}

bool
walker_precedes(const struct walker *a, const struct walker *b)
{
	unsigned depth = a->depth < b->depth ? a->depth : b->depth;

	if (a->emission != b->emission)
		return a->emission->order < b->emission->order;
	for (unsigned i = 0; i < depth; i++) {
		/* A child is right behind its parent: who was made later in
		 * the chain comes before those made earlier. */
		if (a->made_at[i] != b->made_at[i])
			return a->made_at[i] > b->made_at[i];
		if (a->number[i] != b->number[i])
			return a->number[i] < b->number[i];
	}
	return a->depth < b->depth;
}

bool
walker_may_skip(const struct walker *w, unsigned pos)
{
	const struct element *el = &w->pipeline->elements[pos];

	if (el->in->plugin->kind == EVH_SINK)
		return el->is_optional;
	return el->in->match[0] && el->in->match[0][0] != w->name;
}

bool
walker_may_skip_between(const struct walker *w, unsigned after, unsigned before)
{
	for (unsigned pos = after + 1; pos < before; pos++)
		if (!walker_may_skip(w, pos))
			return false;
	return true;
}

bool
walker_is_late(const struct walker *w)
{
	unsigned deadline_ms = w->pipeline->config->deadline_ms;

	return deadline_ms > 0 &&
	       virtual_now_ns() >=
		       w->emission->born_ns + (int64_t)deadline_ms * 1000000;
}

bool
walker_may_be_given_up(const struct walker *w)
{
	return atomic_load(&w->pipeline->gives_up) || walker_is_late(w);
}

/* Behind its chain, at sinks that keep it: the first pos and their number. */
static unsigned
aside_ends(const struct walker *w, unsigned first, unsigned n, unsigned if_none)
{
	if (n == 0)
		return WALKER_BIT(if_none);
	if (w->through < first + n - 1)
		return 0;
	return WALKER_BIT(w->is_kept ? EVH_DROP : EVH_FAIL);
}

unsigned
walker_ends(const struct walker *w)
{
	const struct pipeline *p = w->pipeline;
	unsigned ends = 0;

	if (w->has != NULL)
		return 0;
	if (w->is_failed || w->may_fail)
		ends |= aside_ends(w, p->n_chain, p->n_fail, EVH_FAIL);
	else if (w->is_dropped)
		ends |= aside_ends(w, p->n_chain + p->n_fail, p->n_drop,
				   EVH_DROP);
	else if (walker_may_skip_between(w, w->through, p->n_chain))
		ends |= WALKER_BIT(EVH_OK);
	if (walker_may_be_given_up(w) &&
	    (ends == 0 || w->may_fail || w->through + 1 < p->n_chain))
		ends |= WALKER_BIT(EVH_RETRY);
	return ends;
}
