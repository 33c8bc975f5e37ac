#include "event_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "event.h"

#define CHUNK_EVENTS 64
#define HAND_MAX     64
#define HAND_BATCH   32

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
	struct chunk *chunks;
	struct event *free;
	struct hand *hands;
	long out_of_ended; /* `out` of the threads that have ended */
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
	/* Fails only beyond 1024 keys; then hands of ended threads stay on
	 * the list of chunks, which leaks nothing. */
	(void)pthread_key_create(&pool.key, hand_destroy);
}

static void
hand_register(void)
{
	pthread_once(&pool.once, pool_init);
	(void)pthread_setspecific(pool.key, &hand);
	pthread_mutex_lock(&pool.lock);
	hand.next = pool.hands;
	pool.hands = &hand;
	pthread_mutex_unlock(&pool.lock);
	hand_is_known = true;
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

struct event *
event_pool_get(void)
{
	struct event *ev;

	if (!hand_is_known)
		hand_register();
	if (hand.n == 0)
		hand_fill();
	ev = hand.free;
	if (!ev)
		return NULL;
	hand.free = ev->next;
	hand.n--;
	atomic_store_explicit(
		&hand.out,
		atomic_load_explicit(&hand.out, memory_order_relaxed) + 1,
		memory_order_relaxed);
	return ev;
}

void
event_pool_put(struct event *ev)
{
	if (!hand_is_known)
		hand_register();
	ev->next = hand.free;
	hand.free = ev;
	hand.n++;
	atomic_store_explicit(
		&hand.out,
		atomic_load_explicit(&hand.out, memory_order_relaxed) - 1,
		memory_order_relaxed);
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
