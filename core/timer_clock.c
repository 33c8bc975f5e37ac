#include <stdlib.h>

#include "clock.h"
#include "timer.h"

int64_t
timer_clock_ns(clockid_t clock)
{
	return clock_read_ns(clock);
}

int64_t
timer_now_ns(void)
{
	return timer_clock_ns(CLOCK_MONOTONIC);
}

int64_t
timer_coarse_ns(void)
{
	return timer_clock_ns(CLOCK_MONOTONIC_COARSE);
}

int64_t
timer_wall_ns(void)
{
	return timer_clock_ns(CLOCK_REALTIME);
}

double
timer_chance(void)
{
	static _Thread_local unsigned short seed[3];
	static _Thread_local bool is_seeded;

	if (!is_seeded) {
		int64_t now_ns = timer_now_ns();

		seed[0] = (unsigned short)now_ns;
		seed[1] = (unsigned short)(now_ns >> 16);
		seed[2] = (unsigned short)((uintptr_t)&seed >> 6);
		is_seeded = true;
	}
	return erand48(seed);
}
