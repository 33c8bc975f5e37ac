/*
 * isolate_event.h - an event on its way to a handler's process, and back what
 * that has made of it.
 *
 * The process gets a copy; the event itself stays where it is, held.  What
 * comes back are the calls that lead from the one to the other: data, key,
 * headers, the children, the error.  They are made here again, as if the
 * handler had made them, so that undoing a try works as ever.
 */
#ifndef EVH_ISOLATE_EVENT_H
#define EVH_ISOLATE_EVENT_H

#include "event.h"
#include "isolate_frame.h"

struct instance;

/* evhd: the event under this number.  0, -ENOMEM or -EMSGSIZE. */
int isolate_event_put(struct frame_buffer *buffer, const struct event *ev,
		      uint64_t number, size_t max);
/* The process: the copy, held by `in`, its number in `seq`; NULL when memory is
 * short or the frame is bad. */
struct event *isolate_event_take(struct frame *frame, struct instance *in);

/* The process: what became of it.  What does not fit the longest frame becomes
 * a FAIL.  0 or -ENOMEM. */
int isolate_verdict_put(struct frame_buffer *buffer, const struct event *ev,
			int verdict, size_t max);
/* evhd: all behind the number; the event changed accordingly, by `in`, which
 * holds it.  0, -EBADMSG or -ENOMEM; half of it may have been done then. */
int isolate_verdict_take(struct frame *frame, struct instance *in,
			 struct event *ev, int *ret_verdict);

#endif
