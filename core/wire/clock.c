#include "clock.h"

int64_t
clock_read_ns(clockid_t clock)
{
	struct timespec ts;

	/* Cannot fail for the system's own clocks and a good address. */
	(void)clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
clock_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

int64_t
clock_ms(void)
{
	return clock_ns() / NS_PER_MS;
}

int64_t
clock_wall_ns(void)
{
	return clock_read_ns(CLOCK_REALTIME);
}
