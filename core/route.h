/*
 * route.h - what a source emits, on its way into pipelines.
 *
 * A source may head several.  Those whose `match` fits get the event, those
 * with `otherwise` what no other got.  One pipeline moves the event itself;
 * several get a copy each, and the event is done when all of these are.
 */
#ifndef EVH_ROUTE_H
#define EVH_ROUTE_H

#include <evh/plugin.h>

#include <stdint.h>

struct event;
struct instance;
struct pass;
struct pipeline;

/* ctx->emit of a source: plugin.h says what it returns. [any] */
int route_emit(struct instance *source, struct evh_event *const *evs, int n,
	       int timeout_ms);

/* An event that has room in this pipeline's window, and whose lane was found,
 * goes to the first element behind the source.  Takes it. [any] */
void route_enter(struct pass *pass, struct pipeline *p, struct event *ev,
		 int64_t now_ns);

#endif
