/*
 * clock_step.c - a system clock that steps, for one process: preloaded, it
 * shifts the time of day by the seconds that a file says now.
 *
 *   EVH_CLOCK_FILE=FILE LD_PRELOAD=clock_step.so evhd ...
 *
 * The file holds a number of a fixed width ("+0060") and is written in place.
 * Waits until a time of day are cut into slices, so that a step in their midst
 * lengthens or ends them, as it does where the kernel's clock is set; libraries
 * that only shift what is asked for do not show that.  The monotonic clock is
 * left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define STEP_EXPORT __attribute__((visibility("default")))
#define SLICE_NS    INT64_C(50000000)
#define SECOND_NS   INT64_C(1000000000)
#define FILE_BYTES  5
/* Since 1970 that much has passed, and since no boot: so the clock that a
 * time is of can be told by its size. */
#define EPOCH_LEAST_NS (100000000 * SECOND_NS)

typedef int cond_until(pthread_cond_t *, pthread_mutex_t *,
		       const struct timespec *);
typedef int cnd_until(cnd_t *, mtx_t *, const struct timespec *);

static const char *step; /* the file, mapped; NULL: there is none */

__attribute__((constructor)) static void
step_open(void)
{
	const char *path = getenv("EVH_CLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, FILE_BYTES + 1, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		step = map;
}

static int64_t
shift_ns(void)
{
	return step ? strtol(step, NULL, 10) * SECOND_NS : 0;
}

static int64_t
ns_of(const struct timespec *ts)
{
	return ts->tv_sec * SECOND_NS + ts->tv_nsec;
}

static struct timespec
timespec_of(int64_t ns)
{
	return (struct timespec){ ns / SECOND_NS, ns % SECOND_NS };
}

static int64_t
real_ns(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	return ns_of(&ts);
}

STEP_EXPORT int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	long rc = syscall(SYS_clock_gettime, clock, ret);

	if (rc == 0 &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		*ret = timespec_of(ns_of(ret) + shift_ns());
	return (int)rc;
}

STEP_EXPORT int
timespec_get(struct timespec *ret, int base)
{
	if (base != TIME_UTC)
		return 0;
	*ret = timespec_of(real_ns() + shift_ns());
	return base;
}

STEP_EXPORT int
gettimeofday(struct timeval *ret, void *zone)
{
	int64_t ns = real_ns() + shift_ns();

	(void)zone;
	*ret = (struct timeval){ ns / SECOND_NS, ns % SECOND_NS / 1000 };
	return 0;
}

STEP_EXPORT time_t
time(time_t *ret)
{
	time_t now = (real_ns() + shift_ns()) / SECOND_NS;

	if (ret)
		*ret = now;
	return now;
}

/* The end of the next slice of a wait until this time, for the kernel; 0 when
 * that time has come. */
static int64_t
slice_end(int64_t due_ns)
{
	int64_t now_ns = real_ns();
	int64_t left_ns = due_ns - shift_ns() - now_ns;

	if (left_ns <= 0)
		return 0;
	return now_ns + (left_ns < SLICE_NS ? left_ns : SLICE_NS);
}

STEP_EXPORT int
pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
		       const struct timespec *due)
{
	cond_until *next = (cond_until *)(uintptr_t)dlsym(
		RTLD_NEXT, "pthread_cond_timedwait");
	int64_t end_ns;
	int rc = ETIMEDOUT;

	if (ns_of(due) < EPOCH_LEAST_NS)
		return next(cond, lock, due);
	while (rc == ETIMEDOUT && (end_ns = slice_end(ns_of(due))) > 0) {
		struct timespec slice = timespec_of(end_ns);

		rc = next(cond, lock, &slice);
	}
	return rc;
}

STEP_EXPORT int
cnd_timedwait(cnd_t *cond, mtx_t *lock, const struct timespec *due)
{
	cnd_until *next =
		(cnd_until *)(uintptr_t)dlsym(RTLD_NEXT, "cnd_timedwait");
	int64_t end_ns;
	int rc = thrd_timedout;

	while (rc == thrd_timedout && (end_ns = slice_end(ns_of(due))) > 0) {
		struct timespec slice = timespec_of(end_ns);

		rc = next(cond, lock, &slice);
	}
	return rc;
}
