#include "event_list.h"

#include <stddef.h>

#include "event.h"

void
event_list_push(struct event_list *list, struct event *ev)
{
	ev->next = NULL;
	if (list->tail)
		list->tail->next = ev;
	else
		list->head = ev;
	list->tail = ev;
	list->n++;
}

struct event *
event_list_pop(struct event_list *list)
{
	struct event *ev = list->head;

	if (!ev)
		return NULL;
	list->head = ev->next;
	if (!list->head)
		list->tail = NULL;
	ev->next = NULL;
	list->n--;
	return ev;
}

void
event_list_append(struct event_list *to, struct event_list *from)
{
	if (!from->head)
		return;
	if (to->tail)
		to->tail->next = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	to->n += from->n;
	*from = (struct event_list){ 0 };
}
