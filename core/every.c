#include "every.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "clock.h"
#include "host_tables.h"
#include "instance.h"
#include "pass.h"

/* Of an instance whose turn it is not: tried again so soon. */
#define BUSY_NS INT64_C(10000000)

static int64_t
period_of(const struct instance_every *every)
{
	return every->period_ms * NS_PER_MS;
}

int
every_add(struct instance *in, unsigned period_ms, void (*fn)(void *self))
{
	struct host *host = in->host;
	struct instance_every *every;

	if (period_ms == 0 || !fn)
		return -EINVAL;
	every = calloc(1, sizeof(*every));
	if (!every)
		return -ENOMEM;
	every->in = in;
	every->period_ms = period_ms;
	every->fn = fn;
	pthread_mutex_lock(&host->timers_lock);
	every->next = in->everies;
	in->everies = every;
	timer_set(&host->timers, &every->timer,
		  timer_now_ns() + period_of(every));
	pthread_mutex_unlock(&host->timers_lock);
	host_wake(host);
	return 0;
}

static struct instance_every *
every_due(struct host *host, int64_t now_ns)
{
	struct timer *timer;

	pthread_mutex_lock(&host->timers_lock);
	timer = timer_pop(&host->timers, now_ns);
	pthread_mutex_unlock(&host->timers_lock);
	if (!timer)
		return NULL;
	return (struct instance_every *)((char *)timer -
					 offsetof(struct instance_every,
						  timer));
}

static void
every_set(struct host *host, struct instance_every *every, int64_t due_ns)
{
	pthread_mutex_lock(&host->timers_lock);
	timer_set(&host->timers, &every->timer, due_ns);
	pthread_mutex_unlock(&host->timers_lock);
}

static void
every_call(struct host *host, struct instance_every *every, int64_t now_ns)
{
	struct instance *in = every->in;
	int64_t period_ns = period_of(every);
	struct pass own;

	if (in->life != INSTANCE_STARTED)
		return;
	if (atomic_load(&in->n_late) > 0) {
		/* The plugin may wait for a lock that its late process() has,
		 * and the main thread must not. */
		every_set(host, every, now_ns + period_ns);
		return;
	}
	if (!instance_enter_for(in, 0)) {
		every_set(host, every,
			  now_ns + (period_ns < BUSY_NS ? period_ns : BUSY_NS));
		return;
	}
	every_set(host, every, now_ns + period_ns);
	(void)pass_begin(&own, NULL, NULL, false);
	every->fn(in->self);
	instance_leave(in);
	pass_end(&own);
}

void
every_run(struct host *host)
{
	int64_t now_ns = timer_now_ns();
	struct instance_every *every;

	while ((every = every_due(host, now_ns)))
		every_call(host, every, now_ns);
}

int
every_wait_ms(struct host *host, int max_ms)
{
	int ms;

	pthread_mutex_lock(&host->timers_lock);
	ms = timer_wait_ms(&host->timers, timer_now_ns(), max_ms);
	pthread_mutex_unlock(&host->timers_lock);
	return ms;
}
