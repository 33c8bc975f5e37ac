#include "deadline.h"

#include <limits.h>

int64_t
deadline_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
}

int64_t
deadline_in(int64_t ms)
{
	return deadline_now() + ms * NS_PER_MS;
}

bool
deadline_over(int64_t deadline)
{
	return deadline_now() >= deadline;
}

int
deadline_left_ms(int64_t deadline)
{
	int64_t left_ns = deadline - deadline_now();
	int64_t left_ms;

	if (left_ns <= 0)
		return 0;

	left_ms = (left_ns + NS_PER_MS - 1) / NS_PER_MS;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

int64_t
deadline_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct timespec
deadline_timespec(int64_t deadline)
{
	return (struct timespec){
		.tv_sec = (time_t)(deadline / (1000 * NS_PER_MS)),
		.tv_nsec = (long)(deadline % (1000 * NS_PER_MS)),
	};
}
