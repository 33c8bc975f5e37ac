/*
 * watch_bench.h - a handler that hangs, between a source and two sinks.
 *
 * Events whose cookies are below HANGS hang in it until the gate opens; what
 * has failed goes to the sink `dead`.
 */
#ifndef EVH_TESTS_WATCH_BENCH_H
#define EVH_TESTS_WATCH_BENCH_H

#include "pipeline.h"
#include "rig.h"

/* Far longer than what is not to be late needs, on a busy machine. */
#define TIMEOUT_MS 300
#define AWAIT_S	   60

/* Events whose cookies are below this hang until the gate opens. */
#define HANGS 10

/* A source, a handler that hangs at some, a sink, a sink for what failed. */
struct bench {
	struct rig *rig;
	struct pipeline *pipeline;
	struct rig_element src, look, out, dead;
};

/* Lets the cookies up to open_to go on, which then say so. */
void gate_set(unsigned open_to, enum evh_result says);
/* Until so many hang. */
void gate_await_inside(unsigned n);
/* Of the last event that failed. */
const char *gate_error(void);
/* What the handler may do: hang below HANGS, or hold every event. */
enum evh_result handler_hang(struct rig_element *el, struct evh_event *ev);
enum evh_result handler_hold(struct rig_element *el, struct evh_event *ev);
/* The elements, for a test that changes one before bench_start(). */
void bench_fill(struct bench *b,
		enum evh_result (*process)(struct rig_element *,
					   struct evh_event *),
		enum evh_threads threads, unsigned timeout_ms);
void bench_start(struct bench *b, unsigned workers);
void bench_open_with(struct bench *b,
		     enum evh_result (*process)(struct rig_element *,
						struct evh_event *),
		     unsigned workers, enum evh_threads threads,
		     unsigned timeout_ms);
/* Both, with a timeout of TIMEOUT_MS. */
void bench_open(struct bench *b,
		enum evh_result (*process)(struct rig_element *,
					   struct evh_event *),
		unsigned workers, enum evh_threads threads);
/* Waits until the handler is late with n events. */
void bench_await_late(const struct bench *b, unsigned n);
/* That the state has this in it, and says rc. */
void bench_assert_state(struct bench *b, int rc, const char *what);

#endif
