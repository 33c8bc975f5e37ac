/*
 * verdict.h - one try of an event at a handler, and what its verdict leads to.
 *
 * A try is all or nothing: when process() says RETRY or FAIL, what it has set
 * is undone and the children it made are dropped.  All of it runs on the
 * thread whose turn the event is.
 */
#ifndef EVH_VERDICT_H
#define EVH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "pass.h"
#include "pipeline.h"

/* What a verdict leaves behind, if not a time (monotonic ns) to stand until:
 * the event is gone from its handler, or stands until resume(). */
#define VERDICT_MOVED_ON      INT64_C(0)
#define VERDICT_UNTIL_RESUMED INT64_C(-1)

/* Whether it may be tried now; then the instance is entered, for verdict_ask()
 * only.  If not, to be asked again so much later: one that was at a handler
 * when a process ended is tried alone, or is to be, and waits for the others to
 * leave; or somebody else has the turn at an EVH_SERIAL one, and may be late
 * with it. */
#define VERDICT_ALONE_NS INT64_C(20000000)
bool verdict_may_ask(const struct element *el, struct event *ev);

/* Calls process(), and leaves the instance; while the verdict is EVH_HOLD the
 * handler has the event. */
enum evh_result verdict_ask(struct pass *pass, struct element *el,
			    struct event *ev);
/* Acts on it.  Takes the event when it gives VERDICT_MOVED_ON. */
int64_t verdict_apply(struct pass *pass, struct element *el, struct event *ev,
		      enum evh_result verdict);
/* The handler is not ready: no try, no attempt; until when to stand. */
int64_t verdict_await_ready(const struct element *el, struct event *ev);

#endif
