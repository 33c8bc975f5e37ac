#include "window.h"

#include "condition.h"
#include "timer.h"

/* Nobody waits longer without a look at what he waits for. */
#define SLICE_NS INT64_C(1000000000)

int
window_init(struct window *w, unsigned limit, uint64_t limit_size)
{
	int rc;

	*w = (struct window){ 0 };
	w->limit = limit < WINDOW_MAX_EVENTS ? limit : WINDOW_MAX_EVENTS;
	w->limit_size = limit_size;
	/* So that one event beyond the limit still fits the 40 bits. */
	if (w->limit_size > WINDOW_MAX_SIZE / 2)
		w->limit_size = WINDOW_MAX_SIZE / 2;
	rc = condition_init(&w->changed);
	if (rc < 0)
		return rc;
	rc = pthread_mutex_init(&w->lock, NULL);
	if (rc != 0)
		pthread_cond_destroy(&w->changed);
	return -rc;
}

void
window_fini(struct window *w)
{
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
}

static uint64_t
used_pack(unsigned n, uint64_t size)
{
	return (uint64_t)n << 40 | size;
}

bool
window_take(struct window *w, size_t size)
{
	/* Not relaxed: who waits has said so first. */
	uint64_t used = atomic_load(&w->used);

	if (size > WINDOW_MAX_SIZE / 2)
		return false;
	do {
		unsigned n = (unsigned)(used >> 40);

		if (n >= w->limit ||
		    (n > 0 && (used & WINDOW_MAX_SIZE) + size > w->limit_size))
			return false;
	} while (!atomic_compare_exchange_weak(&w->used, &used,
					       used + used_pack(1, size)));
	return true;
}

void
window_give(struct window *w, unsigned n, uint64_t size)
{
	atomic_fetch_sub(&w->used, used_pack(n, size));
	window_wake(w);
}

unsigned
window_used(const struct window *w)
{
	return (unsigned)(atomic_load(&w->used) >> 40);
}

unsigned
window_turn(struct window *w)
{
	unsigned turn;

	pthread_mutex_lock(&w->lock);
	atomic_fetch_add(&w->n_waiting, 1);
	turn = w->turn;
	pthread_mutex_unlock(&w->lock);
	return turn;
}

void
window_leave(struct window *w)
{
	atomic_fetch_sub(&w->n_waiting, 1);
}

bool
window_wait(struct window *w, unsigned turn, int64_t due_ns)
{
	int64_t slice_ns = timer_now_ns() + SLICE_NS;
	bool is_last = due_ns <= slice_ns;
	bool is_in_time = true;

	pthread_mutex_lock(&w->lock);
	while (w->turn == turn && is_in_time)
		is_in_time = condition_wait(&w->changed, &w->lock,
					    is_last ? due_ns : slice_ns);
	pthread_mutex_unlock(&w->lock);
	window_leave(w);
	return is_in_time || !is_last;
}

void
window_wake(struct window *w)
{
	if (atomic_load(&w->n_waiting) > 0)
		window_poke(w);
}

void
window_poke(struct window *w)
{
	pthread_mutex_lock(&w->lock);
	w->turn++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}
