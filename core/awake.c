#include "awake.h"

#include "clock.h"
#include "timer.h"

void
awake_init(struct awake *awake, unsigned tick_ms)
{
	awake->ns = awake->ticked_ns = timer_now_ns();
	awake->step_max_ns = 2 * NS_PER_MS * tick_ms;
}

static int64_t
at(const struct awake *awake, int64_t now_ns)
{
	int64_t step_ns = now_ns - awake->ticked_ns;

	if (step_ns > awake->step_max_ns)
		step_ns = awake->step_max_ns;
	return awake->ns + step_ns;
}

int64_t
awake_now_ns(const struct awake *awake)
{
	return at(awake, timer_now_ns());
}

int64_t
awake_tick_ns(struct awake *awake)
{
	int64_t now_ns = timer_now_ns();

	awake->ns = at(awake, now_ns);
	awake->ticked_ns = now_ns;
	return awake->ns;
}
