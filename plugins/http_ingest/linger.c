#include "linger.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS    2000
#define LINGER_BYTES ((size_t)4 << 20)

static void
slot_free(struct lingering *linger, unsigned slot)
{
	close(linger->slots[slot].fd);
	linger->slots[slot].fd = 0;
	linger->n--;
}

void
linger_add(struct loop *loop, int fd)
{
	struct lingering *linger = &loop->linger;
	unsigned slot = 0;
	int copy;

	if (linger->n == LINGER_MAX)
		return;
	while (linger->slots[slot].fd != 0)
		slot++;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return;
	(void)shutdown(copy, SHUT_WR);
	linger->slots[slot].fd = copy;
	linger->slots[slot].deadline_ms = loop->now_ms + LINGER_MS;
	linger->slots[slot].budget = LINGER_BYTES;
	linger->n++;
	if (loop_watch(loop, copy, LOOP_LINGER + slot) < 0)
		slot_free(linger, slot);
}

void
linger_read(struct loop *loop, unsigned slot)
{
	struct lingering *linger = &loop->linger;
	char waste[16384];
	ssize_t n;

	if (linger->slots[slot].fd == 0)
		return;
	do {
		n = recv(linger->slots[slot].fd, waste, sizeof(waste),
			 MSG_DONTWAIT);
		if (n <= 0)
			break;
		if ((size_t)n >= linger->slots[slot].budget) {
			slot_free(linger, slot);
			return;
		}
		linger->slots[slot].budget -= (size_t)n;
	} while ((size_t)n == sizeof(waste));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		slot_free(linger, slot);
}

void
linger_expire(struct loop *loop)
{
	struct lingering *linger = &loop->linger;

	for (unsigned i = 0; linger->n > 0 && i < LINGER_MAX; i++)
		if (linger->slots[i].fd != 0 &&
		    linger->slots[i].deadline_ms <= loop->now_ms)
			slot_free(linger, i);
}

int64_t
linger_deadline(const struct loop *loop)
{
	const struct lingering *linger = &loop->linger;
	int64_t earliest = INT64_MAX;

	for (unsigned i = 0; linger->n > 0 && i < LINGER_MAX; i++)
		if (linger->slots[i].fd != 0 &&
		    linger->slots[i].deadline_ms < earliest)
			earliest = linger->slots[i].deadline_ms;
	return earliest;
}

void
linger_fini(struct loop *loop)
{
	for (unsigned i = 0; i < LINGER_MAX; i++)
		if (loop->linger.slots[i].fd != 0)
			slot_free(&loop->linger, i);
}
