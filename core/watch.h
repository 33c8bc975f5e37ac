/*
 * watch.h - a watchdog over the handlers of one pipeline that have a timeout.
 *
 * A thread that looks from time to time whether a worker is where it was.  An
 * event that its handler has had for longer than the handler's timeout is
 * named in the log and in readiness, and cannot be taken from it; but the
 * worker can be taken from the thread: a spare one goes on with the worker's
 * inbox, backlog and lanes, while the lane of the late event stands.  When
 * process() returns at last, its event has failed, and its thread ends.
 *
 * There are as many spare threads as the pipeline has workers.  When all of
 * them are needed, the next worker that is late stands, until one is free or
 * process() returns.  With on_timeout = "abort" evhd ends at once.
 */
#ifndef EVH_WATCH_H
#define EVH_WATCH_H

#include <evh/plugin.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct event;
struct instance;
struct marks_slot;
struct pass;
struct pipeline;
struct worker;

/* One worker's process() as the watchdog sees it.  It belongs to whoever runs
 * the worker; changes of `turn` but for the quick end are under its lock. */
struct watch_call {
	_Atomic uint64_t turn; /* number of the call, and its state */
	_Atomic(struct instance *) in;
	_Atomic(struct event *) event;
	_Atomic(struct marks_slot *) mark;
	/* The watchdog's own: what it saw, and since when (watch_now_ns()). */
	uint64_t seen;
	int64_t seen_ns;
};

/* The time that timeouts are judged by: a pause of evhd itself is none of it.
 * A number of ns, to be compared with others of this pipeline only. [any] */
int64_t watch_now_ns(const struct pipeline *p);

bool watch_is_needed(const struct pipeline *p);
/* 0 or -errno, logged. [main] */
int watch_start(struct pipeline *p);
/* No event is left; joins the watchdog and the late threads. [main] */
void watch_stop(struct pipeline *p);

/*
 * Calls process() under the eyes of the watchdog, on the worker's thread, with
 * the instance entered.  If it took too long, the event is late from then on,
 * and will fail whatever the verdict.  When the worker is another thread's by
 * then, it does not return: the event is posted to the worker, the instance
 * is left, and the thread ends. [worker]
 */
enum evh_result watch_process(struct pass *pass, struct instance *in,
			      struct event *ev, struct marks_slot *mark);

/* A held event's time is over, it has been held for so long: named, or evhd
 * ends. [worker] */
void watch_held(struct instance *in, struct event *ev, int64_t held_ns);
/* The event is late no more: it is here, and fails with this.  Gives its
 * verdict. [worker] */
enum evh_result watch_fail(struct instance *in, struct event *ev);

#endif
