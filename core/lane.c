#include "lane.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* FNV-1a, and a last mixing because workers are chosen by the low bits. */
static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t
hash_mix(uint64_t hash)
{
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdu;
	hash ^= hash >> 33;
	return hash;
}

void
lane_find(struct event *ev)
{
	uint64_t hash = 0xcbf29ce484222325u;

	if (ev->pub.key.len > 0) {
		hash = hash_bytes(hash, ev->pub.key.data, ev->pub.key.len);
	} else if (ev->pub.topic) {
		hash = hash_bytes(hash, ev->pub.topic, strlen(ev->pub.topic));
		hash = hash_bytes(hash, &ev->pub.partition,
				  sizeof(ev->pub.partition));
	} else {
		/* No order: any worker will do, so spread by the id. */
		hash = hash_bytes(hash, ev->pub.id, sizeof(ev->pub.id));
		ev->lane = hash_mix(hash);
		ev->is_ordered = false;
		return;
	}
	ev->lane = hash_mix(hash);
	ev->is_ordered = true;
}

static unsigned
bucket_of(const struct event *ev)
{
	return (unsigned)((ev->lane >> 8) + ev->pos) % LANE_BUCKETS;
}

struct event *
lanes_find(const struct lanes *lanes, const struct event *ev)
{
	struct event *head;

	if (lanes->n == 0 || !ev->is_ordered)
		return NULL;
	for (head = lanes->buckets[bucket_of(ev)]; head; head = head->lane_next)
		if (head->lane == ev->lane && head->pos == ev->pos &&
		    head->is_ordered)
			return head;
	return NULL;
}

bool
lanes_have(const struct lanes *lanes, const struct event *ev)
{
	const struct event *head = lanes->buckets[bucket_of(ev)];

	while (head && head != ev)
		head = head->lane_next;
	return head != NULL;
}

void
lanes_stand(struct lanes *lanes, struct event *ev, int64_t due_ns)
{
	unsigned bucket = bucket_of(ev);

	ev->lane_next = lanes->buckets[bucket];
	lanes->buckets[bucket] = ev;
	lanes->n++;
	ev->behind = (struct event_list){ 0 };
	if (due_ns != 0)
		timer_set(&lanes->due, &ev->timer, due_ns);
}

void
lanes_leave(struct lanes *lanes, struct event *head, struct event_list *ret)
{
	struct event **link = &lanes->buckets[bucket_of(head)];

	while (*link != head) {
		assert(*link);
		link = &(*link)->lane_next;
	}
	*link = head->lane_next;
	lanes->n--;
	timer_clear(&lanes->due, &head->timer);
	*ret = head->behind;
	head->behind = (struct event_list){ 0 };
}

struct event *
lanes_due(struct lanes *lanes, int64_t now_ns)
{
	struct timer *timer = timer_pop(&lanes->due, now_ns);

	if (!timer)
		return NULL;
	return (struct event *)((char *)timer - offsetof(struct event, timer));
}

void
lanes_hurry(struct lanes *lanes, int64_t now_ns)
{
	for (unsigned i = 0; i < LANE_BUCKETS; i++)
		for (struct event *ev = lanes->buckets[i]; ev;
		     ev = ev->lane_next)
			if (ev->timer.is_set)
				timer_set(&lanes->due, &ev->timer, now_ns);
}

static unsigned
share_of(const struct event *ev)
{
	return (unsigned)(ev->lane >> 16) % LANE_SHARES;
}

void
lane_share_take(struct lane_shares *shares, const struct event *ev)
{
	if (ev->is_ordered)
		atomic_fetch_add_explicit(&shares->n[share_of(ev)], 1,
					  memory_order_relaxed);
}

void
lane_share_give(struct lane_shares *shares, const struct event *ev)
{
	if (ev->is_ordered)
		atomic_fetch_sub(&shares->n[share_of(ev)], 1);
}

void
lane_share_stand(struct lane_shares *shares, const struct event *ev, int change)
{
	if (ev->is_ordered)
		atomic_fetch_add(&shares->n_standing[share_of(ev)],
				 (unsigned)change);
}

bool
lane_share_is_full(const struct lane_shares *shares, const struct event *ev,
		   bool is_scarce)
{
	unsigned i = share_of(ev);

	if (!ev->is_ordered ||
	    (!is_scarce && atomic_load(&shares->n_standing[i]) == 0))
		return false;
	return atomic_load(&shares->n[i]) >= shares->limit;
}

void
lane_share_hand_back(struct lane_shares *shares, const struct event *ev)
{
	if (ev->is_ordered)
		atomic_store(&shares->is_handed_back[share_of(ev)], true);
}

bool
lane_share_is_handed_back(const struct lane_shares *shares,
			  const struct event *ev)
{
	return ev->is_ordered &&
	       atomic_load(&shares->is_handed_back[share_of(ev)]);
}
