#include "timer.h"

#include <stddef.h>

#include "backoff.h"
#include "clock.h"

/* Makes the later of two heaps the first child of the earlier. */
static struct timer *
heap_meld(struct timer *a, struct timer *b)
{
	if (!a)
		return b;
	if (!b)
		return a;
	if (b->due_ns < a->due_ns) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->sibling = a->child;
	if (b->sibling)
		b->sibling->link = &b->sibling;
	b->link = &a->child;
	a->child = b;
	return a;
}

/* Melds a list of siblings pairwise, then all of the pairs. */
static struct timer *
heap_meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL;
	struct timer *root = NULL;

	while (first) {
		struct timer *a = first;
		struct timer *b = a->sibling;

		first = b ? b->sibling : NULL;
		a->sibling = NULL;
		if (b)
			b->sibling = NULL;
		a = heap_meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *next = pairs->sibling;

		pairs->sibling = NULL;
		root = heap_meld(root, pairs);
		pairs = next;
	}
	return root;
}

static void
heap_root(struct timer_heap *heap, struct timer *root)
{
	heap->root = root;
	if (root) {
		root->sibling = NULL;
		root->link = &heap->root;
	}
}

void
timer_set(struct timer_heap *heap, struct timer *timer, int64_t due_ns)
{
	if (timer->is_set)
		timer_clear(heap, timer);
	*timer = (struct timer){ .due_ns = due_ns, .is_set = true };
	heap_root(heap, heap_meld(heap->root, timer));
}

void
timer_clear(struct timer_heap *heap, struct timer *timer)
{
	struct timer *rest;

	if (!timer->is_set)
		return;
	rest = heap_meld_siblings(timer->child);
	if (heap->root == timer) {
		heap_root(heap, rest);
	} else {
		*timer->link = timer->sibling;
		if (timer->sibling)
			timer->sibling->link = timer->link;
		heap_root(heap, heap_meld(heap->root, rest));
	}
	timer->is_set = false;
}

struct timer *
timer_pop(struct timer_heap *heap, int64_t now_ns)
{
	struct timer *first = heap->root;

	if (!first || first->due_ns > now_ns)
		return NULL;
	timer_clear(heap, first);
	return first;
}

int
timer_wait_ms(const struct timer_heap *heap, int64_t now_ns, int max_ms)
{
	int64_t wait_ns;

	if (!heap->root)
		return max_ms;
	wait_ns = heap->root->due_ns - now_ns;
	if (wait_ns <= 0)
		return 0;
	if (wait_ns / NS_PER_MS >= max_ms)
		return max_ms;
	return (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS);
}

int64_t
timer_backoff_ns(unsigned attempt, unsigned first_ms, unsigned max_ms)
{
	int64_t wait_ns =
		backoff_wait(attempt > 2 ? attempt - 2 : 0,
			     first_ms * NS_PER_MS, max_ms * NS_PER_MS);

	return backoff_strew(wait_ns, timer_chance());
}
