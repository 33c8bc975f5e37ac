#include "answers.h"

#include <errno.h>

#include "consumer.h"

_Static_assert(sizeof(uintptr_t) == 8, "a cookie holds two numbers");

uintptr_t
answers_cookie(uint32_t generation, uint32_t slot)
{
	return (uintptr_t)generation << 32 | slot;
}

/* OK and DROP: it may be forgotten. */
static int
mark_done(struct partition *p, uintptr_t cookie, struct partition **dirty)
{
	int r = offsets_done(&p->offsets, (uint32_t)(cookie >> 32),
			     (uint32_t)cookie);

	if (r > 0 && !p->is_dirty) {
		p->is_dirty = true;
		p->next_dirty = *dirty;
		*dirty = p;
	}
	return r;
}

/* RETRY sends the partition back, FAIL stops it; the first FAIL says where. */
static int
mark_lost(struct consumer *c, struct partition *p, uintptr_t cookie,
	  enum evh_result result)
{
	int64_t offset;
	int r;

	r = offsets_lost(&p->offsets, (uint32_t)(cookie >> 32),
			 (uint32_t)cookie, &offset);
	if (r < 0 || p->state == PARTITION_STOPPED)
		return r;
	if (result == EVH_FAIL) {
		p->state = PARTITION_STOPPED;
		p->lost_offset = offset;
	} else if (p->state == PARTITION_RUNNING) {
		p->state = PARTITION_REWINDS;
		p->lost_offset = offset;
	}
	atomic_store(&c->is_attention, true);
	return 0;
}

static void
store_dirty(struct consumer *c, struct partition *dirty)
{
	for (; dirty != NULL; dirty = dirty->next_dirty) {
		dirty->is_dirty = false;
		partition_store(dirty, c->rk, dirty->offsets.next);
	}
}

void
answers_take(struct consumer *c, struct evh_event *const *evs, int n,
	     enum evh_result result)
{
	bool is_done = result == EVH_OK || result == EVH_DROP;
	struct partition *dirty = NULL;
	bool is_idle = false;
	struct partition *p;
	int n_late = 0;
	int r;

	pthread_mutex_lock(&c->lock);
	for (int i = 0; i < n; i++) {
		p = consumer_partition(c, evs[i]->partition);
		if (p == NULL)
			r = -ESTALE;
		else if (is_done)
			r = mark_done(p, evs[i]->cookie, &dirty);
		else
			r = mark_lost(c, p, evs[i]->cookie, result);
		if (r < 0)
			n_late++;
		else if (p->offsets.n_waiting == 0)
			is_idle = true;
	}
	store_dirty(c, dirty);
	if (is_idle)
		pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);

	if (n_late > 0)
		c->ctx->record(c->metric_late, n_late);
	/* The event is not released yet, so the queue is still there. */
	if (!is_done)
		rd_kafka_queue_yield(c->inbox);
}
