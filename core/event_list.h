/*
 * event_list.h - events in an order, linked through their own `next`.
 *
 * An event is in one list at a time.  Zero it to begin with an empty one.
 */
#ifndef EVH_EVENT_LIST_H
#define EVH_EVENT_LIST_H

struct event;

struct event_list {
	struct event *head, *tail;
	unsigned n;
};

void event_list_push(struct event_list *list, struct event *ev);
struct event *event_list_pop(struct event_list *list);
/* Moves all of `from` to the end of `to`. */
void event_list_append(struct event_list *to, struct event_list *from);

#endif
