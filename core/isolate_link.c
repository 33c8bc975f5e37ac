#include "isolate_link.h"

#include <errno.h>
#include <poll.h>

#include "timer.h"

/* evhd reads whenever there is something: it takes so long only when it has
 * been stopped. */
#define SEND_MAX_NS INT64_C(30000000000)
/* So much waits at most. */
#define WAIT_SIZE 16384

int
isolate_link_init(struct isolate_link *link, int fd)
{
	*link = (struct isolate_link){ .fd = fd, .max = FRAME_MAX_FIRST };
	return -pthread_mutex_init(&link->lock, NULL);
}

void
isolate_link_fini(struct isolate_link *link)
{
	frame_buffer_fini(&link->out);
	pthread_mutex_destroy(&link->lock);
}

/* All of it, whatever that takes, in bounded time.  Under its lock. */
static void
send_all(struct isolate_link *link)
{
	int64_t due_ns = timer_now_ns() + SEND_MAX_NS;
	struct pollfd poll_fd = { .fd = link->fd, .events = POLLOUT };

	while (!atomic_load(&link->is_broken)) {
		int rc = frame_send(&link->out, link->fd);

		if (rc == 0)
			return;
		if (rc != -EAGAIN || timer_now_ns() >= due_ns)
			atomic_store(&link->is_broken, true);
		else
			(void)poll(&poll_fd, 1, 1000);
	}
	frame_buffer_fini(&link->out);
}

struct frame_buffer *
link_begin(struct isolate_link *link)
{
	pthread_mutex_lock(&link->lock);
	return &link->out;
}

int
link_end(struct isolate_link *link, int rc, bool sends)
{
	if (sends || frame_buffer_len(&link->out) > WAIT_SIZE)
		send_all(link);
	pthread_mutex_unlock(&link->lock);
	return atomic_load(&link->is_broken) ? -EPIPE : rc;
}

void
link_flush(struct isolate_link *link)
{
	(void)link_begin(link);
	(void)link_end(link, 0, true);
}

void
link_send_u32(struct isolate_link *link, enum frame_type type, uint32_t value)
{
	struct frame_buffer *out = link_begin(link);

	frame_begin(out, type);
	frame_put_u32(out, value);
	(void)link_end(link, frame_end(out, link->max), true);
}

void
link_send_u64(struct isolate_link *link, enum frame_type type, uint64_t value)
{
	struct frame_buffer *out = link_begin(link);

	frame_begin(out, type);
	frame_put_u64(out, value);
	(void)link_end(link, frame_end(out, link->max), true);
}

void
link_send_text(struct isolate_link *link, enum frame_type type,
	       const char *text)
{
	struct frame_buffer *out = link_begin(link);

	frame_begin(out, type);
	frame_put_text(out, text);
	(void)link_end(link, frame_end(out, link->max), true);
}
