/*
 * diversion.h - without workers, events that go to the pump.
 *
 * A pipeline without workers runs its handlers on the thread that emits, but
 * for what has to wait, which is the pump's.  While the pump has any in its
 * care, all others go there too, so that none overtakes: each is counted in the
 * pipeline from here until it is with a sink, or ends.
 */
#ifndef EVH_DIVERSION_H
#define EVH_DIVERSION_H

#include "event.h"
#include "pass.h"

/* Goes to the pump, if the pipeline has no workers. */
void diversion_enter(struct event *ev);
/* Leaves its care at once; fine when it was not in it. */
void diversion_leave(struct event *ev);
/* Leaves it by way of a sink: nobody may overtake before the pass that takes
 * it there is through, which diversion_settle() says. */
void diversion_leave_with(struct pass *pass, struct event *ev);
void diversion_settle(struct pass *pass);

#endif
