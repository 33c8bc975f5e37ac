/*
 * linger.h - connections that are closed while their client still sends.
 *
 * Closing a socket with unread bytes makes the kernel send a reset, which may
 * overtake the answer.  So a copy of the descriptor stays open a little, and
 * what comes is read and thrown away, until the client is done or the time or
 * the bytes are over.
 */
#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

#include <stddef.h>
#include <stdint.h>

#define LINGER_MAX 64 /* at a time; beyond it a close is a close */

struct loop;

struct lingering {
	struct {
		int fd; /* 0: free */
		int64_t deadline_ms;
		size_t budget;
	} slots[LINGER_MAX];
	unsigned n;
};

/* Copies fd, which the caller closes. [loop] */
void linger_add(struct loop *loop, int fd);
/* There is something to read at this slot. [loop] */
void linger_read(struct loop *loop, unsigned slot);
void linger_expire(struct loop *loop);
int64_t linger_deadline(const struct loop *loop);
void linger_fini(struct loop *loop);

#endif
