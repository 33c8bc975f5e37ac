/*
 * completion.h - how an event ends, and how its source hears of it.
 */
#ifndef EVH_COMPLETION_H
#define EVH_COMPLETION_H

#include "event.h"
#include "pass.h"

/*
 * The event itself has come to its end; when nothing of it is under way
 * elsewhere, its origin, or else its source, is told.  Takes it.
 */
void completion_end(struct pass *pass, struct event *ev,
		    enum evh_result result);

/* Calls done() of the sources of all that has ended, and frees it. */
void completion_tell(struct pass *pass);

#endif
