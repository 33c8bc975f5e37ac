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

/* How long the turn at an EVH_SERIAL handler is waited for at most, and how
 * soon who may not be tried asks again at first. */
#define VERDICT_ALONE_NS INT64_C(20000000)

/* Whether it may be tried now; then the instance is entered, for verdict_ask()
 * only.  If not, it is to be asked again in a while: one that was at a handler
 * when a process ended is tried alone, or is to be, and waits for the others to
 * leave; or somebody else has the turn at an EVH_SERIAL one, and may be late
 * with it. */
bool verdict_may_ask(const struct element *el, struct event *ev);
/* How long that is, for one that waits since stand_until_ns.  While a suspect
 * is tried, thousands may wait for it: the longer, the seldomer they ask. */
int64_t verdict_wait_ns(const struct element *el, const struct event *ev,
			int64_t now_ns);

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
