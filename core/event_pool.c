#include "event_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "event.h"

#define CHUNK_EVENTS 64
#define HAND_MAX     64
#define HAND_BATCH   32
#define CACHE_LINE   64

struct chunk {
	struct chunk *next;
	struct event events[CHUNK_EVENTS];
};

/* What one thread keeps for itself. */
struct hand {
	struct event *free;
	unsigned n;
	/* Made minus recycled here; summed over the threads it is the number
	 * of events that are out.  Atomic because others read it. */
	atomic_long out;
	struct hand *next;
};

/*
 * The one piece of mutable process-wide state of the core: memory that is
 * never unmapped has no owner with a shorter life.
 */
static struct {
	pthread_mutex_t lock; /* guards: all of this struct */
	pthread_once_t once;
	pthread_key_t key; /* destroys a thread's hand when it ends */
	bool has_key;
	struct chunk *chunks;
	struct event *free;
	struct hand *hands;
	/* `out` of the threads that have ended, and of those without a hand. */
	long out_of_ended;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT };

static _Thread_local struct hand hand;
static _Thread_local bool hand_is_known;

static void
hand_return(struct hand *h, unsigned keep)
{
	while (h->n > keep) {
		struct event *ev = h->free;

		h->free = ev->next;
		h->n--;
		ev->next = pool.free;
		pool.free = ev;
	}
}

static void
hand_destroy(void *arg)
{
	struct hand *h = arg;
	struct hand **link;

	pthread_mutex_lock(&pool.lock);
	hand_return(h, 0);
	pool.out_of_ended += atomic_load(&h->out);
	for (link = &pool.hands; *link; link = &(*link)->next) {
		if (*link == h) {
			*link = h->next;
			break;
		}
	}
	pthread_mutex_unlock(&pool.lock);
}

static void
pool_init(void)
{
	pool.has_key = pthread_key_create(&pool.key, hand_destroy) == 0;
}

/* False when nothing would return the hand at the thread's end: beyond 1024
 * keys, or when memory is short.  The thread does without one then. */
static bool
hand_register(void)
{
	if (hand_is_known)
		return true;
	pthread_once(&pool.once, pool_init);
	if (!pool.has_key || pthread_setspecific(pool.key, &hand) != 0)
		return false;
	pthread_mutex_lock(&pool.lock);
	hand.next = pool.hands;
	pool.hands = &hand;
	pthread_mutex_unlock(&pool.lock);
	hand_is_known = true;
	return true;
}

static struct event *
chunk_new(void)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk));
	struct event *list = NULL;

	if (!chunk)
		return NULL;
	for (int i = CHUNK_EVENTS - 1; i >= 0; i--) {
		chunk->events[i].next = list;
		list = &chunk->events[i];
	}
	pthread_mutex_lock(&pool.lock);
	chunk->next = pool.chunks;
	pool.chunks = chunk;
	pthread_mutex_unlock(&pool.lock);
	return list;
}

static void
hand_fill(void)
{
	pthread_mutex_lock(&pool.lock);
	while (pool.free && hand.n < HAND_BATCH) {
		struct event *ev = pool.free;

		pool.free = ev->next;
		ev->next = hand.free;
		hand.free = ev;
		hand.n++;
	}
	pthread_mutex_unlock(&pool.lock);
	if (hand.n > 0)
		return;
	hand.free = chunk_new();
	if (hand.free)
		hand.n = CHUNK_EVENTS;
}

/* Without a hand: one event to or from the shared store. */
static struct event *
shared_get(void)
{
	struct event *made = NULL;
	struct event *ev;

	pthread_mutex_lock(&pool.lock);
	if (!pool.free) {
		pthread_mutex_unlock(&pool.lock);
		made = chunk_new();
		pthread_mutex_lock(&pool.lock);
	}
	while (made) {
		ev = made;
		made = ev->next;
		ev->next = pool.free;
		pool.free = ev;
	}
	ev = pool.free;
	if (ev) {
		pool.free = ev->next;
		pool.out_of_ended++;
	}
	pthread_mutex_unlock(&pool.lock);
	return ev;
}

static void
shared_put(struct event *ev)
{
	pthread_mutex_lock(&pool.lock);
	ev->next = pool.free;
	pool.free = ev;
	pool.out_of_ended--;
	pthread_mutex_unlock(&pool.lock);
}

static void
hand_count(long change)
{
	/* Written by this thread alone, read by others. */
	atomic_store_explicit(
		&hand.out,
		atomic_load_explicit(&hand.out, memory_order_relaxed) + change,
		memory_order_relaxed);
}

/* It has lain long enough to be out of the caches: what event_clear() is about
 * to write comes while another event is made. */
static void
event_fetch(const struct event *ev)
{
	const char *p = (const char *)ev;

	for (size_t at = 0; at < offsetof(struct event, saved);
	     at += CACHE_LINE)
		__builtin_prefetch(p + at, 1);
	__builtin_prefetch(&ev->arena, 1);
}

struct event *
event_pool_get(void)
{
	struct event *ev;

	if (!hand_register())
		return shared_get();
	if (hand.n == 0)
		hand_fill();
	ev = hand.free;
	if (!ev)
		return NULL;
	hand.free = ev->next;
	hand.n--;
	hand_count(1);
	if (hand.free)
		event_fetch(hand.free);
	return ev;
}

void
event_pool_put(struct event *ev)
{
	if (!hand_register()) {
		shared_put(ev);
		return;
	}
	ev->next = hand.free;
	hand.free = ev;
	hand.n++;
	hand_count(-1);
	if (hand.n <= HAND_MAX)
		return;
	pthread_mutex_lock(&pool.lock);
	hand_return(&hand, HAND_MAX - HAND_BATCH);
	pthread_mutex_unlock(&pool.lock);
}

unsigned long
event_pool_count(void)
{
	long out;

	pthread_mutex_lock(&pool.lock);
	out = pool.out_of_ended;
	for (struct hand *h = pool.hands; h; h = h->next)
		out += atomic_load_explicit(&h->out, memory_order_relaxed);
	pthread_mutex_unlock(&pool.lock);
	return out > 0 ? (unsigned long)out : 0;
}

unsigned
event_pool_count_held(const struct instance *holder)
{
	unsigned n = 0;

	pthread_mutex_lock(&pool.lock);
	for (struct chunk *chunk = pool.chunks; chunk; chunk = chunk->next)
		for (int i = 0; i < CHUNK_EVENTS; i++)
			n += atomic_load(&chunk->events[i].holder) == holder;
	pthread_mutex_unlock(&pool.lock);
	return n;
}
