#include "pace.h"

#define SLOW_MS	 1000 /* for what waits to go */
#define QUICK_MS 250  /* for all that waited at a pause, */
#define N_QUICK	 8    /* so often */

void
pace_reset(struct pace *pace)
{
	*pace = (struct pace){ 0 };
}

void
pace_offered(struct pace *pace, unsigned n_gone, unsigned n_left,
	     int64_t now_ms)
{
	if (n_gone < pace->n_ahead) {
		pace->n_ahead -= n_gone;
		return;
	}
	pace->n_ahead = n_left;
	pace->marked_ms = now_ms;
}

void
pace_dropped(struct pace *pace)
{
	pace->n_ahead = 0;
}

bool
pace_is_slow(const struct pace *pace, bool is_full, int64_t now_ms)
{
	if (pace->is_slow && is_full)
		return true;
	return pace->n_ahead > 0 && now_ms - pace->marked_ms > SLOW_MS;
}

void
pace_paused(struct pace *pace, int64_t now_ms)
{
	pace->is_slow = true;
	pace->paused_ms = now_ms;
}

void
pace_resumed(struct pace *pace, int64_t now_ms)
{
	if (now_ms - pace->paused_ms >= QUICK_MS)
		pace->n_quick = 0;
	else if (++pace->n_quick >= N_QUICK)
		pace_reset(pace);
}
