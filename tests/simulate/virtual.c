#include "virtual.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "chance.h"
#include "event_pool.h"
#include "failure.h"
#include "strand.h"
#include "timer.h"

/* Not 0, which means "no time" here and there; and long before the machine's
 * own monotonic clock, in case one of its waits were real. */
#define BEGIN_NS INT64_C(1000000000)
#define WALL_NS	 INT64_C(1700000000000000000)

/* A wait that nothing ends would make the schedule endless. */
#define PATIENCE_NS INT64_C(500000000)
#define WAITS_MAX   200000u

static struct {
	struct chance *chance;
	void (*step)(void *arg, int64_t due_ns);
	void *arg;
	int64_t now_ns;
	unsigned shortage; /* allocations until one fails; 0: none will */
	bool has_struck;
	unsigned n_waits;
} outside;

void
virtual_begin(struct chance *chance, void (*step)(void *arg, int64_t due_ns),
	      void *arg)
{
	outside.chance = chance;
	outside.step = step;
	outside.arg = arg;
	outside.now_ns = BEGIN_NS;
	outside.shortage = 0;
	outside.has_struck = false;
	outside.n_waits = 0;
}

int64_t
virtual_now_ns(void)
{
	return outside.now_ns;
}

void
virtual_advance_to(int64_t now_ns)
{
	if (now_ns > outside.now_ns)
		outside.now_ns = now_ns;
}

void
virtual_advance(int64_t ns)
{
	outside.now_ns += ns;
}

/* ---- core/timer_clock.c, and consumer.c's clock ------------------------- */

int64_t
timer_now_ns(void)
{
	return outside.now_ns;
}

int64_t
timer_clock_ns(clockid_t clock)
{
	return clock == CLOCK_REALTIME ? timer_wall_ns() : outside.now_ns;
}

int64_t
timer_coarse_ns(void)
{
	return outside.now_ns;
}

int64_t
timer_wall_ns(void)
{
	return WALL_NS + outside.now_ns;
}

double
timer_chance(void)
{
	if (outside.chance == NULL)
		return 0.5;
	return (double)(chance_next(outside.chance) >> 11) * 0x1p-53;
}

/* ---- Memory ------------------------------------------------------------- */

/* The linker's --wrap gives these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
struct event *__real_event_pool_get(void);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __real_event_pool_put(struct event *ev);
struct event *__wrap_event_pool_get(void);
void __wrap_event_pool_put(struct event *ev);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
				  const struct timespec *due);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock);

void
virtual_shortage(unsigned n)
{
	outside.shortage = n;
	outside.has_struck = false;
}

bool
virtual_shortage_struck(void)
{
	return outside.has_struck;
}

static bool
is_short(void)
{
	if (outside.shortage == 0 || --outside.shortage > 0)
		return false;
	outside.has_struck = true;
	return true;
}

void *
__wrap_malloc(size_t n)
{
	return is_short() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_short() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return is_short() ? NULL : __real_realloc(p, n);
}

/* Events come from a pool that never shrinks, so that in the second schedule
 * their memory would never be short; and whether it takes its lock depends on
 * the schedules before. */
struct event *
__wrap_event_pool_get(void)
{
	struct event *ev;

	if (is_short())
		return NULL;
	strand_mute(true);
	ev = __real_event_pool_get();
	strand_mute(false);
	return ev;
}

void
__wrap_event_pool_put(struct event *ev)
{
	strand_mute(true);
	__real_event_pool_put(ev);
	strand_mute(false);
}

void *
virtual_alloc(size_t n)
{
	void *p = __real_calloc(1, n);

	if (p == NULL)
		failure("the machine's own memory is short");
	return p;
}

void
virtual_free(void *p)
{
	free(p);
}

/* ---- Waits -------------------------------------------------------------- */

/* The second strand waits for the first a while, in which no time goes by; but
 * who has half a second sees it get on. */
static int
wait_for_first(pthread_mutex_t *lock, int64_t due_ns)
{
	bool is_enough = due_ns - outside.now_ns < PATIENCE_NS &&
			 chance_of(outside.chance, 2);

	pthread_mutex_unlock(lock);
	strand_change();
	pthread_mutex_lock(lock);
	return is_enough ? ETIMEDOUT : 0;
}

int
__wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
			      const struct timespec *due)
{
	int64_t due_ns = (int64_t)due->tv_sec * 1000000000 + due->tv_nsec;

	(void)cond;
	if (strand_is_second())
		return wait_for_first(lock, due_ns);
	if (outside.now_ns >= due_ns)
		return ETIMEDOUT;
	if (outside.n_waits++ == WAITS_MAX)
		failure("somebody waits for ever");
	pthread_mutex_unlock(lock);
	/* It may be the second strand that it waits for. */
	if (!strand_await())
		outside.step(outside.arg, due_ns);
	pthread_mutex_lock(lock);
	return outside.now_ns >= due_ns ? ETIMEDOUT : 0;
}

int
__wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
	(void)cond;
	(void)lock;
	failure("a wait without a deadline");
}
/* NOLINTEND(bugprone-reserved-identifier) */
