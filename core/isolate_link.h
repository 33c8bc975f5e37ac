/*
 * isolate_link.h - an isolated handler's process: the way back to evhd.
 *
 * Frames of any thread go out whole, one after the other.  A verdict is sent at
 * once, before the next event is begun: what evhd has not been told of is what
 * a crash took along.  Metrics wait for company.  evhd always reads, so that
 * one which does not for a while is gone, and the link is broken for good.
 */
#ifndef EVH_ISOLATE_LINK_H
#define EVH_ISOLATE_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "isolate_frame.h"

struct isolate_link {
	int fd;
	size_t max; /* longest frame */
	atomic_bool is_broken;
	pthread_mutex_t lock; /* guards: out */
	struct frame_buffer out;
};

/* Borrows fd.  0 or -errno. */
int isolate_link_init(struct isolate_link *link, int fd);
void isolate_link_fini(struct isolate_link *link);

/* Takes the lock and gives the buffer, to write one frame into; then ends it,
 * and sends all that there is, or leaves it for later.  0, or what frame_end()
 * says, or -EPIPE. [any] */
struct frame_buffer *link_begin(struct isolate_link *link);
int link_end(struct isolate_link *link, int rc, bool sends);
/* Sends what has waited. */
void link_flush(struct isolate_link *link);

/* Frames of one field. */
void link_send_u32(struct isolate_link *link, enum frame_type type,
		   uint32_t value);
void link_send_u64(struct isolate_link *link, enum frame_type type,
		   uint64_t value);
void link_send_text(struct isolate_link *link, enum frame_type type,
		    const char *text);

#endif
