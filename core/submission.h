/*
 * submission.h - calls of a sink's submit(), and who has to wait for them.
 *
 * Calls that have begun are counted in the delivery, so that a sink that
 * answers RETRY meanwhile is not let go on before they have returned.
 */
#ifndef EVH_SUBMISSION_H
#define EVH_SUBMISSION_H

#include "event_list.h"
#include "pass.h"

struct delivery;

/* It is decided: submission_run() follows.  Under the delivery's lock. */
void submission_begin(struct delivery *d);

/*
 * Hands over until the sink takes no more, or has answered RETRY; what it has
 * not taken stays in the list.  The events count as in hand already.  What the
 * sink has answered within its submit() is moved on first, before anybody can
 * offer it a later one of the same key.
 */
void submission_run(struct pass *pass, struct delivery *d,
		    struct event_list *list);

/*
 * The sink has answered RETRY.  Calls of submit() that began before must return
 * before it may take events again, which is when its done() has returned.  One
 * on this very stack does so later, and its sink knows what it does.
 */
void submission_await(struct pass *pass, struct delivery *d);

#endif
