/*
 * sink.c - a sink that takes what it likes, and answers later or at once.
 */
#include <errno.h>
#include <string.h>

#include "ends.h"
#include "failure.h"
#include "oracle.h"
#include "strand.h"
#include "virtual.h"
#include "walker.h"

#define SLOW_NS	  INT64_C(3000000)
#define LANES_MAX 64u

/* A few lanes, to remember. */
struct lanes_seen {
	int lanes[LANES_MAX];
	unsigned n;
};

static bool
seen(const struct lanes_seen *set, int lane)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->lanes[i] == lane)
			return true;
	return false;
}

static void
see(struct lanes_seen *set, int lane)
{
	if (lane >= 0 && !seen(set, lane) && set->n < LANES_MAX)
		set->lanes[set->n++] = lane;
}

static enum evh_result
draw(struct end *sink, struct evh_event *ev)
{
	enum evh_result result = ends_answer(sink);

	if (result == EVH_FAIL && chance_of(sink->scene->chance, 50))
		(void)sink->ctx->set_error(sink->ctx, ev, "22P05",
					   "a row that cannot be");
	return result;
}

/* Until done() has returned, no later one of its lane may be answered, by
 * another thread. */
static void
begin_answer(struct end *sink, int lane, enum evh_result result)
{
	sink->answering[sink->n_answering++] =
		(struct answering){ lane, result };
}

static void
end_answer(struct end *sink, int lane, enum evh_result result)
{
	unsigned i = 0;

	while (sink->answering[i].lane != lane ||
	       sink->answering[i].result != result)
		i++;
	sink->answering[i] = sink->answering[--sink->n_answering];
}

/* With any result; or with this one. */
static bool
is_answering(const struct end *sink, int lane, enum evh_result result)
{
	for (unsigned i = 0; lane >= 0 && i < sink->n_answering; i++)
		if (sink->answering[i].lane == lane &&
		    (!result || sink->answering[i].result == result))
			return true;
	return false;
}

/* Those of these lanes that it has still will hear RETRY, too. */
static void
retry_rest(struct end *sink, const struct lanes_seen *retried)
{
	for (unsigned i = 0; i < sink->n_held; i++)
		if (seen(retried, oracle_lane(sink, sink->held[i])))
			sink->must_retry[i] = true;
}

/* Answers all of evs, in order, as runs of one result; after RETRY of a lane
 * the rest of that lane hears the same. */
static void
answer(struct end *sink, struct evh_event *const *evs, const bool *must_retry,
       unsigned n)
{
	struct lanes_seen retried = { .n = 0 };
	enum evh_result results[END_HELD_MAX];
	struct walker *walkers[END_HELD_MAX];
	unsigned from = 0;

	for (unsigned i = 0; i < n; i++) {
		int lane = oracle_lane(sink, evs[i]);

		results[i] = must_retry[i] || seen(&retried, lane)
				     ? EVH_RETRY
				     : draw(sink, evs[i]);
		if (results[i] == EVH_RETRY)
			see(&retried, lane);
		begin_answer(sink, lane, results[i]);
	}
	retry_rest(sink, &retried);
	while (from < n) {
		unsigned to = from;

		for (; to < n && results[to] == results[from]; to++)
			walkers[to] =
				oracle_answer(sink, evs[to], results[from]);
		sink->ctx->done(sink->ctx, evs + from, (int)(to - from),
				results[from]);
		for (; from < to; from++) {
			oracle_answered(walkers[from], results[from]);
			end_answer(sink, walkers[from]->emission->lane,
				   results[from]);
		}
	}
}

static bool
has_lane_of(const struct end *sink, struct evh_event *const *evs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int lane = oracle_lane(sink, evs[i]);

		if (is_answering(sink, lane, 0))
			return true;
		for (unsigned h = 0; lane >= 0 && h < sink->n_held; h++)
			if (oracle_lane(sink, sink->held[h]) == lane)
				return true;
	}
	return false;
}

static unsigned
choose(struct end *sink, unsigned n)
{
	struct chance *c = sink->scene->chance;
	unsigned room = (END_HELD_MAX - sink->n_held) / 2;
	unsigned k = n;

	if (!sink->scene->is_calm && chance_of(c, sink->mood.refuses))
		k = chance_below(c, n + 1);
	return k < room ? k : room;
}

static void
keep(struct end *sink, struct evh_event *const *evs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int lane = oracle_lane(sink, evs[i]);

		oracle_keeps(sink, evs[i]);
		sink->must_retry[sink->n_held] =
			is_answering(sink, lane, EVH_RETRY);
		sink->held[sink->n_held++] = evs[i];
	}
}

int
sink_submit(void *self, struct evh_event *const *evs, int n)
{
	static const bool none[END_HELD_MAX];
	struct end *sink = self;
	struct chance *c = sink->scene->chance;
	unsigned k;

	strand_point();
	k = choose(sink, (unsigned)n);
	if (chance_of(c, sink->mood.slow))
		virtual_advance(SLOW_NS);
	oracle_submit(sink, evs, n, (int)k);
	if (k > 0 && chance_of(c, sink->mood.at_once) &&
	    !has_lane_of(sink, evs, k))
		answer(sink, evs, none, k);
	else
		keep(sink, evs, k);
	/* Its own thread may answer them before this returns. */
	strand_point();
	if (!sink->scene->is_calm && chance_of(c, 1))
		sink->ctx->ready(sink->ctx, "its server is away");
	if (k == 0)
		return chance_of(c, 50) ? 0 : -EAGAIN;
	return (int)k;
}

/* Some of what it has: of a lane never a later one before an earlier one, and
 * when it says RETRY to one, to all later ones of the lane that it has. */
void
sink_answer(struct end *sink, bool all)
{
	struct lanes_seen left = { .n = 0 };
	struct evh_event *evs[END_HELD_MAX];
	bool must_retry[END_HELD_MAX];
	unsigned n = 0;
	unsigned n_left = 0;

	for (unsigned i = 0; i < sink->n_held; i++) {
		struct evh_event *ev = sink->held[i];
		int lane = oracle_lane(sink, ev);

		if (!seen(&left, lane) && !is_answering(sink, lane, 0) &&
		    (all || chance_of(sink->scene->chance, 60))) {
			must_retry[n] = sink->must_retry[i];
			evs[n++] = ev;
			continue;
		}
		see(&left, lane);
		sink->must_retry[n_left] = sink->must_retry[i];
		sink->held[n_left++] = ev;
	}
	/* They are out of its hands: it may be offered more within done(). */
	sink->n_held = n_left;
	if (n > 0)
		answer(sink, evs, must_retry, n);
}

void
sink_flush(void *self, int timeout_ms)
{
	struct end *sink = self;

	trace("%s flushes, %d ms", sink->name, timeout_ms);
	while (sink->n_held > 0) {
		(void)strand_finish();
		sink_answer(sink, true);
	}
}
