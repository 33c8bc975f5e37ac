#include "condition.h"

#include <time.h>

#include "clock.h"

int
condition_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc;

	rc = pthread_condattr_init(&attr);
	if (rc != 0)
		return -rc;
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return -rc;
}

bool
condition_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t due_ns)
{
	struct timespec due = { .tv_sec = due_ns / NS_PER_S,
				.tv_nsec = due_ns % NS_PER_S };

	return pthread_cond_timedwait(cond, lock, &due) == 0;
}
