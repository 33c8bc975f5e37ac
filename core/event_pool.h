/*
 * event_pool.h - the recycled memory of events.
 *
 * Events come in chunks that are never given back to the system: a stale
 * pointer of a broken plugin then still points at an event, live or not, and
 * can be looked at.  Each thread keeps a few for itself, so that making one
 * where one has just ended costs no lock; full and empty hands go to and come
 * from a shared store, a batch at a time.
 */
#ifndef EVH_EVENT_POOL_H
#define EVH_EVENT_POOL_H

struct event;
struct instance;

/* An event whose content is undefined but for its holder, which is NULL; or
 * NULL when out of memory. [any] */
struct event *event_pool_get(void);
void event_pool_put(struct event *ev);
/* How many are out. */
unsigned long event_pool_count(void);
/* How many this instance has: a look at all events that there ever were. */
unsigned event_pool_count_held(const struct instance *holder);

#endif
