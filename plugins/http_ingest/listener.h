/*
 * listener.h - the sockets that loops listen on, one each for the same
 * address, so that the kernel spreads connections without a lock of ours.
 */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include <stddef.h>
#include <sys/socket.h>

#include "hostport.h"

struct listener {
	struct sockaddr_storage address;
	socklen_t len;
};

/* The first address of the host.  0; -EHOSTUNREACH when it has none. [main] */
int listener_resolve(const struct hostport *where, struct listener *ret);

/*
 * Is the port free?  SO_REUSEPORT would share it with another process of the
 * same user without a word.  0 or -errno; port 0 is free.
 */
int listener_probe(const struct listener *listener);
/* A listening socket, yours, or -errno.  After the first one, port 0 has
 * become the port that the kernel chose. */
int listener_open(struct listener *listener);
/* "127.0.0.1:8000" */
void listener_name(const struct listener *listener, char *ret, size_t size);

#endif
