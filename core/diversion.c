#include "diversion.h"

#include <assert.h>

#include "pipeline.h"
#include "worker.h"

void
diversion_enter(struct event *ev)
{
	struct pipeline *p = ev->pipeline;

	if (p->n_workers > 0 || ev->is_diverted)
		return;
	ev->is_diverted = true;
	atomic_fetch_add(&p->n_diverted, 1);
}

void
diversion_leave(struct event *ev)
{
	if (!ev->is_diverted)
		return;
	ev->is_diverted = false;
	atomic_fetch_sub(&ev->pipeline->n_diverted, 1);
}

void
diversion_leave_with(struct pass *pass, struct event *ev)
{
	if (!ev->is_diverted)
		return;
	assert(pass->worker);
	ev->is_diverted = false;
	pass->n_undiverted++;
}

void
diversion_settle(struct pass *pass)
{
	if (pass->n_undiverted == 0)
		return;
	atomic_fetch_sub(&pass->worker->pipeline->n_diverted,
			 pass->n_undiverted);
	pass->n_undiverted = 0;
}
