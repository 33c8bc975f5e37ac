#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "failure.h"
#include "instance.h"
#include "order.h"
#include "strand.h"
#include "virtual.h"

static const char *const words[] = { "nothing", "OK",	"DROP",
				     "RETRY",	"FAIL", "HOLD" };

static struct {
	struct scene *scene;
	unsigned n_offered;
	unsigned n_left; /* the chain */
} oracle;

void
oracle_begin(struct scene *scene)
{
	walkers_reset();
	oracle.scene = scene;
	oracle.n_offered = 0;
}

/* For the trace and for failures: which one, and where. */
static unsigned
label(const struct emission *e)
{
	return e->order;
}

/* ---- Sources ------------------------------------------------------------ */

static int
lane_of(const struct evh_event *ev)
{
	if (ev->key.len > 0)
		return ((const char *)ev->key.data)[0];
	return ev->topic ? 1000 + ev->partition : -1;
}

static bool
matches(const struct pipeline *p, char name)
{
	char *const *match = p->config->match;

	return !match[0] || match[0][0] == name;
}

/* Those whose match fits; else those that say otherwise. */
static unsigned
pipelines_of(const struct end *source, char name)
{
	unsigned bits = 0;
	unsigned others = 0;

	for (unsigned i = 0; i < oracle.scene->n_pipelines; i++) {
		const struct pipeline *p = oracle.scene->pipelines[i];

		if (p->elements[0].in != source->in)
			continue;
		if (p->config->otherwise)
			others |= 1u << i;
		else if (matches(p, name))
			bits |= 1u << i;
	}
	return bits ? bits : others;
}

static size_t
size_of(const struct evh_event *ev)
{
	size_t size = ev->data.len + ev->key.len;

	for (unsigned i = 0; i < ev->n_headers; i++)
		size += ev->headers[i].value.len;
	return size;
}

struct emission *
oracle_offer(struct end *source, const struct evh_event *ev, bool has_error)
{
	struct emission *e = emission_get(source, ev);

	if (e->state != 0 && e->state != EMISSION_GIVEN_BACK)
		failure("%s: #%u is emitted twice", source->name, label(e));
	e->state = EMISSION_OFFERED;
	e->order = ++oracle.n_offered;
	e->lane = lane_of(ev);
	e->name = ev->name[0];
	e->has_error = has_error;
	e->size = size_of(ev);
	e->born_ns = virtual_now_ns();
	e->partition = ev->partition;
	e->offset = ev->offset;
	e->pipelines = pipelines_of(source, e->name);
	for (unsigned i = 0; i < oracle.scene->n_pipelines; i++) {
		struct walker *w;

		if (!(e->pipelines & 1u << i))
			continue;
		w = walker_get(e, oracle.scene->pipelines[i], i, e->id, NULL);
		w->name = e->name;
		w->is_failed = has_error;
	}
	return e;
}

void
oracle_emitted(struct emission *const *es, int n, int n_taken)
{
	for (int i = 0; i < n; i++) {
		struct emission *e = es[i];

		if (i < n_taken) {
			if (e->state == EMISSION_OFFERED)
				e->state = EMISSION_TAKEN;
			continue;
		}
		if (e->state != EMISSION_OFFERED)
			failure("#%u is answered, and was not taken", label(e));
		for (struct walker *w = e->walkers; w; w = w->next)
			if (w->is_shown)
				failure("#%u was shown, and not taken",
					label(e));
		e->state = EMISSION_GIVEN_BACK;
	}
}

/* What its end may be, of all results that its walkers may have ended with. */
static unsigned
joined_ends(const struct emission *e)
{
	unsigned all = 0;

	for (struct walker *w = e->walkers; w; w = w->next) {
		unsigned ends, both = 0;

		if (w->state == WALKER_VOID)
			continue;
		ends = w->state == WALKER_TENTATIVE ? 0 : walker_ends(w);
		if (ends == 0)
			return 0;
		for (unsigned a = EVH_OK; a <= EVH_FAIL; a++)
			for (unsigned b = EVH_OK; b <= EVH_FAIL; b++)
				if (ends & WALKER_BIT(a) &&
				    (all == 0 || all & WALKER_BIT(b)))
					both |= WALKER_BIT(
						all == 0 ? a
							 : (unsigned)event_join(
								   a, b));
		all = both;
	}
	if (all == 0) /* no pipeline wanted it */
		all = WALKER_BIT(e->has_error ? EVH_FAIL : EVH_DROP);
	return all;
}

struct emission *
oracle_done(struct end *source, const struct evh_event *ev,
	    enum evh_result result)
{
	struct emission *e = emission_find(source, ev);
	unsigned ends;

	if (e == NULL)
		failure("%s hears of what it never emitted", source->name);
	trace("%s hears %s for #%u", source->name, words[result], label(e));
	if (e->state == EMISSION_ANSWERED)
		failure("#%u is answered twice", label(e));
	if (!emission_is_live(e))
		failure("#%u is answered, and was not taken", label(e));
	ends = joined_ends(e);
	if (ends == 0)
		failure("#%u is answered early, with %s", label(e),
			words[result]);
	if (!(ends & WALKER_BIT(result)))
		failure("#%u is answered %s; possible were 0x%x", label(e),
			words[result], ends);
	e->state = EMISSION_ANSWERED;
	return e;
}

/* ---- What every element sees -------------------------------------------- */

static unsigned
mark_of(const struct evh_event *ev)
{
	for (unsigned i = 0; i < ev->n_headers; i++)
		if (strcmp(ev->headers[i].name, "mark") == 0)
			return (unsigned)strtoul(ev->headers[i].value.data,
						 NULL, 10);
	return 0;
}

static unsigned
pos_of(const struct evh_event *ev)
{
	return ((const struct event *)ev)->pos;
}

static void
check_status(const struct walker *w, const struct evh_event *ev,
	     enum element_role role)
{
	unsigned mark = role == ELEMENT_FAIL ? w->mark_emitted : w->mark;

	if ((ev->status == EVH_FAILED) != (role == ELEMENT_FAIL) ||
	    (ev->status == EVH_DROPPED) != (role == ELEMENT_DROP))
		failure("#%u has status %d", label(w->emission),
			(int)ev->status);
	if ((ev->error != NULL) != (role == ELEMENT_FAIL))
		failure("#%u is shown with the wrong error",
			label(w->emission));
	if (mark_of(ev) != mark)
		failure("#%u has mark %u, and not %u", label(w->emission),
			mark_of(ev), mark);
}

/* May it be here now. */
static void
check_place(const struct walker *w, unsigned pos, const struct element *el)
{
	const struct pipeline *p = w->pipeline;
	bool may = false;

	switch (el->role) {
	case ELEMENT_CHAIN:
		may = !w->is_failed && !w->is_dropped && pos > w->through &&
		      walker_may_skip_between(w, w->through, pos);
		break;
	case ELEMENT_FAIL:
		may = (w->is_failed || w->may_fail) &&
		      (pos == w->through + 1 ||
		       (pos == p->n_chain && w->through < pos));
		break;
	case ELEMENT_DROP:
		may = w->is_dropped &&
		      (pos == w->through + 1 ||
		       (pos == p->n_chain + p->n_fail && w->through < pos));
		break;
	}
	if (!may)
		failure("#%u is at element %u of %s, through %u",
			label(w->emission), pos, p->name, w->through);
}

static struct walker *
look(struct end *end, const struct evh_event *ev)
{
	struct walker *w = walker_of(oracle.scene, ev);
	const struct element *el = event_element((const struct event *)ev);
	unsigned sum = 0;

	if (w == NULL)
		failure("%s is shown what nobody emitted", end->name);
	if (w->state != WALKER_UNDER_WAY || !emission_is_live(w->emission))
		failure("%s is shown #%u, which is undone or over", end->name,
			label(w->emission));
	if (w->has != NULL)
		failure("%s is shown #%u, which %s has", end->name,
			label(w->emission), w->has->name);
	if (el->in != end->in)
		failure("%s is shown what is for %s", end->name, el->in->name);
	/* With two threads, it may have become so after the host had looked. */
	if (!atomic_load(&end->in->is_ready) && !strand_has_met())
		failure("%s is not ready, and is shown #%u", end->name,
			label(w->emission));
	check_place(w, pos_of(ev), el);
	check_status(w, ev, el->role);
	/* Its bytes are there: the sanitizer looks on. */
	for (size_t i = 0; i < ev->data.len; i += 64)
		sum += ((const unsigned char *)ev->data.data)[i];
	(void)sum;
	if (el->role == ELEMENT_FAIL)
		w->is_failed = true;
	w->may_fail = false;
	w->is_shown = true;
	w->at = pos_of(ev);
	return w;
}

/* ---- Handlers ----------------------------------------------------------- */

void
oracle_process(struct end *handler, const struct evh_event *ev)
{
	struct walker *w = look(handler, ev);
	unsigned attempts = handler->in->attempts
				    ? handler->in->attempts
				    : w->pipeline->config->attempts;

	trace("%s looks at #%u.%u of %s, attempt %u", handler->name,
	      label(w->emission), w->depth, w->pipeline->name, ev->attempt);
	order_check(w, handler);
	if (ev->attempt < 1 || ev->attempt > attempts)
		failure("#%u is at attempt %u of %u", label(w->emission),
			ev->attempt, attempts);
	w->has = handler;
	w->mark_tried = w->mark;
}

static struct walker *
held(struct end *end, const struct evh_event *ev)
{
	struct walker *w = walker_of(oracle.scene, ev);

	if (w == NULL || w->has != end)
		failure("the simulation lost track of what %s has", end->name);
	return w;
}

void
oracle_mark(struct end *handler, const struct evh_event *ev, unsigned mark)
{
	held(handler, ev)->mark_tried = mark;
}

void
oracle_child(struct end *handler, const struct evh_event *parent,
	     const struct evh_event *child, unsigned mark)
{
	struct walker *w = held(handler, parent);
	struct walker *c = walker_get(w->emission, w->pipeline,
				      w->pipeline_number, child->id, w);

	c->name = child->name[0];
	c->mark = c->mark_emitted = mark;
	trace("%s makes a child of #%u.%u", handler->name, label(w->emission),
	      w->depth);
}

static void
leave(struct walker *w)
{
	w->left = ++oracle.n_left;
	w->left_at = w->at;
}

static void
children_settle(struct walker *parent, enum walker_state state)
{
	for (struct walker *w = parent->emission->walkers; w; w = w->next)
		if (w->parent == parent && w->state == WALKER_TENTATIVE)
			w->state = state;
}

void
oracle_verdict(struct end *handler, const struct evh_event *ev,
	       enum evh_result verdict)
{
	struct walker *w = held(handler, ev);
	unsigned attempts = handler->in->attempts
				    ? handler->in->attempts
				    : w->pipeline->config->attempts;

	trace("%s says %s to #%u.%u", handler->name, words[verdict],
	      label(w->emission), w->depth);
	if (verdict == EVH_HOLD)
		return;
	w->has = NULL;
	if (verdict == EVH_OK || verdict == EVH_DROP) {
		w->through = w->at;
		w->mark = w->mark_tried;
		w->is_dropped = verdict == EVH_DROP;
		if (w->is_dropped)
			leave(w);
		children_settle(w, WALKER_UNDER_WAY);
		return;
	}
	children_settle(w, WALKER_VOID);
	if (verdict == EVH_FAIL) {
		w->is_failed = true;
		leave(w);
	} else
		w->may_fail = ev->attempt >= attempts;
}

/* ---- Sinks -------------------------------------------------------------- */

int
oracle_lane(const struct end *end, const struct evh_event *ev)
{
	(void)end;
	return walker_of(oracle.scene, ev)->emission->lane;
}

void
oracle_submit(struct end *sink, struct evh_event *const *evs, int n,
	      int n_taken)
{
	for (int i = 0; i < n; i++) {
		struct walker *w = look(sink, evs[i]);

		trace("%s is offered #%u.%u of %s%s", sink->name,
		      label(w->emission), w->depth, w->pipeline->name,
		      i < n_taken ? "" : ", and leaves it");
		order_check(w, sink);
		w->has = sink;
	}
	for (int i = n_taken < 0 ? 0 : n_taken; i < n; i++)
		walker_of(oracle.scene, evs[i])->has = NULL;
}

void
oracle_keeps(struct end *sink, const struct evh_event *ev)
{
	struct walker *w = held(sink, ev);

	w->may_be_overtaken =
		w->may_be_overtaken || w->pipeline->elements[w->at].is_optional;
}

void
oracle_answered(struct walker *w, enum evh_result result)
{
	if (result == EVH_RETRY)
		w->n_retrying--;
}

struct walker *
oracle_answer(struct end *sink, const struct evh_event *ev,
	      enum evh_result result)
{
	struct walker *w = held(sink, ev);
	const struct element *el = &w->pipeline->elements[w->at];

	trace("%s answers %s to #%u.%u of %s", sink->name, words[result],
	      label(w->emission), w->depth, w->pipeline->name);
	w->has = NULL;
	if (result == EVH_RETRY) {
		w->n_retrying++;
		return w;
	}
	if (el->role != ELEMENT_CHAIN) {
		w->through = w->at;
		w->is_kept = w->is_kept || result == EVH_OK;
	} else if (result == EVH_OK) {
		w->through = w->at;
	} else if (!el->is_optional) {
		w->is_failed = true;
		leave(w);
	}
	return w;
}

unsigned
oracle_count_live(void)
{
	unsigned at = 0;
	unsigned n = 0;

	while (emission_next(&at) != NULL)
		n++;
	return n;
}
