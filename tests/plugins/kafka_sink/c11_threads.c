/*
 * C11's threads as POSIX threads, for TSan, which intercepts only these.
 *
 * librdkafka makes its threads with thrd_create(); in such a thread gcc 12's
 * TSan dies at the first malloc().  A program that defines these functions
 * itself is asked instead of libc, and TSan then also sees librdkafka's own
 * locks, across which its code, which is not instrumented, hands things over.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#if defined(__SANITIZE_THREAD__)

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "glibc's mutexes");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's conditions");

/* What librdkafka's threads share by its own atomics TSan cannot see; nothing
 * of the sink runs in them, so such a report is never about the sink. */
const char *__tsan_default_suppressions(void);

const char *
__tsan_default_suppressions(void)
{
	return "race:librdkafka";
}

struct start {
	thrd_start_t fn;
	void *arg;
};

static int
result(int rc)
{
	if (rc == ETIMEDOUT)
		return thrd_timedout;
	return rc == 0 ? thrd_success : thrd_error;
}

static void *
start_run(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	return (void *)(intptr_t)start.fn(start.arg);
}

int
thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
	struct start *start = malloc(sizeof(*start));

	if (start == NULL)
		return thrd_nomem;
	*start = (struct start){ fn, arg };
	return result(pthread_create(thread, NULL, start_run, start));
}

int
thrd_join(thrd_t thread, int *ret)
{
	void *value;
	int rc = pthread_join(thread, &value);

	if (ret != NULL)
		*ret = (int)(intptr_t)value;
	return result(rc);
}

int
mtx_init(mtx_t *lock, int type)
{
	pthread_mutexattr_t attr;
	int rc;

	pthread_mutexattr_init(&attr);
	if (type & mtx_recursive)
		pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	rc = pthread_mutex_init((pthread_mutex_t *)lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return result(rc);
}

void
mtx_destroy(mtx_t *lock)
{
	pthread_mutex_destroy((pthread_mutex_t *)lock);
}

int
mtx_lock(mtx_t *lock)
{
	return result(pthread_mutex_lock((pthread_mutex_t *)lock));
}

int
mtx_unlock(mtx_t *lock)
{
	return result(pthread_mutex_unlock((pthread_mutex_t *)lock));
}

int
cnd_init(cnd_t *cond)
{
	return result(pthread_cond_init((pthread_cond_t *)cond, NULL));
}

void
cnd_destroy(cnd_t *cond)
{
	pthread_cond_destroy((pthread_cond_t *)cond);
}

int
cnd_signal(cnd_t *cond)
{
	return result(pthread_cond_signal((pthread_cond_t *)cond));
}

int
cnd_broadcast(cnd_t *cond)
{
	return result(pthread_cond_broadcast((pthread_cond_t *)cond));
}

int
cnd_wait(cnd_t *cond, mtx_t *lock)
{
	return result(pthread_cond_wait((pthread_cond_t *)cond,
					(pthread_mutex_t *)lock));
}

int
cnd_timedwait(cnd_t *cond, mtx_t *lock, const struct timespec *until)
{
	return result(pthread_cond_timedwait((pthread_cond_t *)cond,
					     (pthread_mutex_t *)lock, until));
}

#else
typedef int c11_threads_is_for_tsan; /* no file is empty in ISO C */
#endif
