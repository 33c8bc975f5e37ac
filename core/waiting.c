#include "waiting.h"

#include "event.h"
#include "pipeline.h"

void
waiting_init(struct waiting *w, const struct pipeline *p)
{
	*w = (struct waiting){ .pipeline = p, .late_ns = INT64_MAX };
}

static void
note_deadline(struct waiting *w, const struct event *ev)
{
	int64_t due_ns = pipeline_deadline_ns(w->pipeline, ev);

	if (due_ns < w->late_ns)
		w->late_ns = due_ns;
}

void
waiting_add(struct waiting *w, struct event_list *events)
{
	for (const struct event *ev = events->head; ev; ev = ev->next)
		note_deadline(w, ev);
	event_list_append(&w->list, events);
}

void
waiting_add_again(struct waiting *w, struct event_list *events)
{
	struct event_list merged = { 0 };

	for (const struct event *ev = events->head; ev; ev = ev->next)
		note_deadline(w, ev);
	while (events->head && w->list.head) {
		if (events->head->seq < w->list.head->seq)
			event_list_push(&merged, event_list_pop(events));
		else
			event_list_push(&merged, event_list_pop(&w->list));
	}
	event_list_append(&merged, events);
	event_list_append(&merged, &w->list);
	w->list = merged;
}

void
waiting_take(struct waiting *w, struct event_list *ret)
{
	event_list_append(ret, &w->list);
	w->late_ns = INT64_MAX;
}

void
waiting_take_late(struct waiting *w, int64_t now_ns, struct event_list *ret)
{
	struct event_list all = { 0 };
	struct event *ev;

	if (now_ns < w->late_ns)
		return;
	waiting_take(w, &all);
	while ((ev = event_list_pop(&all))) {
		if (pipeline_is_late(w->pipeline, ev, now_ns)) {
			event_list_push(ret, ev);
			continue;
		}
		note_deadline(w, ev);
		event_list_push(&w->list, ev);
	}
}
