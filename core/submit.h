/*
 * submit.h - events handed to a sink, one call of its submit() after the other.
 *
 * Between the decision to call it, which is made under the delivery's lock, and
 * the call another thread may answer RETRY.  The event that comes back is older
 * than those about to be offered, and the sink cannot know that these are not
 * the ones that come again.  So calls that have been decided on are counted,
 * and done(RETRY) returns when there are none: until then the sink says RETRY
 * to what it takes of that key, or takes nothing.
 */
#ifndef EVH_SUBMIT_H
#define EVH_SUBMIT_H

#include "event.h"
#include "pass.h"

struct delivery;
struct instance;

/* It is decided: submit_all() follows.  Under the delivery's lock. */
void submit_begin(struct delivery *d);

/*
 * Hands over until the sink takes no more, or has said RETRY; what is left in
 * the list was not taken.  The events are in hand.  What the sink has answered
 * within its submit() is moved on first, before anybody can offer it a later
 * one of the same key.
 */
void submit_all(struct pass *pass, struct delivery *d, struct event_list *list);

/* The sink has answered RETRY: waits, not for long, until no submit() of it is
 * under way that does not know.  Not within its own submit(). [any] */
void submit_await(const struct instance *in);

#endif
