#include "batch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LEFT_OUT UINT32_MAX

int
batch_init(struct batch *batch, size_t max)
{
	*batch = (struct batch){
		.order = calloc(max, sizeof(*batch->order)),
		.rounds = calloc(max, sizeof(*batch->rounds)),
		.sorted = calloc(max, sizeof(*batch->sorted)),
		.starts = calloc(max + 1, sizeof(*batch->starts)),
		.max = max,
	};
	if (!batch->order || !batch->rounds || !batch->sorted ||
	    !batch->starts) {
		batch_fini(batch);
		return -ENOMEM;
	}
	return 0;
}

void
batch_fini(struct batch *batch)
{
	free(batch->order);
	free(batch->rounds);
	free(batch->sorted);
	free(batch->starts);
	*batch = (struct batch){ 0 };
}

static int
compare(const void *a, const void *b, void *arg)
{
	struct evh_event *const *evs = arg;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int by_id = memcmp(evs[i]->id, evs[j]->id, sizeof(evs[i]->id));

	if (by_id)
		return by_id;
	return i < j ? -1 : 1; /* what came first, first */
}

/*
 * Does `later` change nothing in the row once `earlier` was applied to it,
 * whatever the row was before?  The rule is that of upsert_sql: after a
 * processed or dropped one nothing counts; after a failed with n attempts the
 * row has at least n; saying the same again is the same.
 */
static bool
is_settled_by(const struct evh_event *later, const struct evh_event *earlier)
{
	if (earlier->status == EVH_PROCESSED || earlier->status == EVH_DROPPED)
		return true;
	if (later->status == earlier->status &&
	    later->attempts <= earlier->attempts)
		return later->status == EVH_FAILED ||
		       later->attempts == earlier->attempts;
	return earlier->status == EVH_FAILED && later->status == EVH_PENDING &&
	       later->attempts < earlier->attempts;
}

/* Gives each sorted position its round; returns how many rounds there are. */
static uint32_t
rounds_assign(struct batch *batch, struct evh_event *const *evs, size_t n)
{
	const struct evh_event *last = NULL; /* that was not left out */
	uint32_t round = 0, n_rounds = 1;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct evh_event *ev = evs[batch->sorted[i]];

		if (!last || memcmp(last->id, ev->id, sizeof(ev->id))) {
			round = 0;
		} else if (is_settled_by(ev, last)) {
			batch->rounds[i] = LEFT_OUT;
			continue;
		} else {
			round++;
		}
		batch->rounds[i] = round;
		if (round >= n_rounds)
			n_rounds = round + 1;
		last = ev;
	}
	return n_rounds;
}

static bool
is_ascending(const struct batch *batch, struct evh_event *const *evs)
{
	size_t i;

	for (i = 1; i < batch->n; i++)
		if (memcmp(evs[batch->sorted[i - 1]]->id,
			   evs[batch->sorted[i]]->id, sizeof(evs[0]->id)) >= 0)
			return false;
	return true;
}

/* A counting sort by round, which keeps the order by id within each. */
static void
rounds_collect(struct batch *batch, size_t n)
{
	uint32_t *starts = batch->starts;
	size_t i;

	memset(starts, 0, (batch->n_rounds + 1) * sizeof(*starts));
	for (i = 0; i < n; i++)
		if (batch->rounds[i] != LEFT_OUT)
			starts[batch->rounds[i] + 1]++;
	for (i = 0; i < batch->n_rounds; i++)
		starts[i + 1] += starts[i];

	/* Filling moves each start to its round's end, the next one's start. */
	for (i = 0; i < n; i++)
		if (batch->rounds[i] != LEFT_OUT)
			batch->order[starts[batch->rounds[i]]++] =
				batch->sorted[i];
}

void
batch_plan(struct batch *batch, struct evh_event *const *evs,
	   const enum evh_result *results, size_t n)
{
	uint32_t i;

	batch->n = 0;
	for (i = 0; i < n; i++)
		if (!results || !results[i])
			batch->sorted[batch->n++] = i;

	if (!is_ascending(batch, evs))
		qsort_r(batch->sorted, batch->n, sizeof(*batch->sorted),
			compare, (void *)evs);

	batch->n_rounds = batch->n ? rounds_assign(batch, evs, batch->n) : 0;
	rounds_collect(batch, batch->n);
}

size_t
batch_round(const struct batch *batch, size_t round,
	    const uint32_t **ret_positions)
{
	size_t start = round ? batch->starts[round - 1] : 0;

	*ret_positions = batch->order + start;
	return batch->starts[round] - start;
}
