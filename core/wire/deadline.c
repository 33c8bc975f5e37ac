#include "deadline.h"

#include "clock.h"

#include <limits.h>

int64_t
deadline_in(int64_t ms)
{
	return clock_ns() + ms * NS_PER_MS;
}

bool
deadline_over(int64_t deadline)
{
	return clock_ns() >= deadline;
}

int
deadline_left_ms(int64_t deadline)
{
	int64_t left_ns = deadline - clock_ns();
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
