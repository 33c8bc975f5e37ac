#include "pass.h"

#include <stddef.h>

#include "completion.h"
#include "diversion.h"
#include "pipeline.h"
#include "worker.h"

/* Thread-local, because the plugins' calls that add to it carry no more than
 * their ctx. */
static _Thread_local struct pass *current;

struct pass *
pass_current(void)
{
	return current;
}

struct pass *
pass_begin(struct pass *own, struct instance *caller, struct worker *worker,
	   bool is_emit)
{
	if (current)
		return current;
	*own = (struct pass){ .caller = caller,
			      .worker = worker,
			      .is_emit = is_emit };
	current = own;
	return own;
}

void
pass_adopt(struct pass *pass)
{
	current = pass;
}

void
pass_lend(struct pass *guest, struct event *looked_at)
{
	*guest = (struct pass){ .looked_at = looked_at };
	current = guest;
}

void
pass_return(struct pass *pass, struct pass *guest)
{
	event_list_append(&pass->moving, &guest->moving);
	event_list_append(&pass->ended, &guest->ended);
	current = pass;
}

void
pass_move(struct pass *pass, struct event *ev)
{
	event_list_push(&pass->moving, ev);
}

/* All that stand in front at the same element. */
static void
pass_take_run(struct pass *pass, struct event_list *ret)
{
	struct event *first = pass->moving.head;

	*ret = (struct event_list){ 0 };
	do {
		event_list_push(ret, event_list_pop(&pass->moving));
	} while (pass->moving.head &&
		 pass->moving.head->pipeline == first->pipeline &&
		 pass->moving.head->pos == first->pos);
}

void
pass_put_back(struct pass *pass, struct event_list *list)
{
	const struct event *first = pass->put_back.head;

	if (first && list->head && first->pipeline == list->head->pipeline &&
	    first->pos < list->head->pos) {
		event_list_append(list, &pass->put_back);
		pass->put_back = *list;
	} else {
		event_list_append(&pass->put_back, list);
	}
}

void
pass_run(struct pass *pass)
{
	struct event_list run;

	while (pass->moving.head) {
		pass_take_run(pass, &run);
		pipeline_step(pass, run.head->pipeline, run.head->pos, &run);
	}
}

void
pass_run_ahead(struct pass *pass, const struct event *ev)
{
	struct event_list ahead = { 0 };
	struct event_list rest = { 0 };
	/* Without workers only: where a process() may be left by its worker, no
	 * event stands elsewhere. */
	struct run run = pass->run;
	struct event *other;

	while ((other = event_list_pop(&pass->moving))) {
		bool is_ahead =
			other->pipeline == ev->pipeline && other->pos > ev->pos;

		event_list_push(is_ahead ? &ahead : &rest, other);
	}
	pass->moving = ahead;
	pass->run = (struct run){ 0 };
	pass_run(pass);
	pass->run = run;
	pass->moving = rest;
}

void
pass_end(struct pass *own)
{
	if (current != own)
		return;
	for (;;) {
		pass_run(own);
		diversion_settle(own);
		if (!own->ended.head)
			break;
		completion_tell(own);
	}
	current = NULL;
}
