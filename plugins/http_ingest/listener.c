#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024

int
listener_resolve(const struct hostport *where, struct listener *ret)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags =
						AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char port[8];

	snprintf(port, sizeof(port), "%u", where->first);
	if (getaddrinfo(where->host[0] != '\0' ? where->host : NULL, port,
			&hints, &found) != 0 ||
	    found == NULL)
		return -EHOSTUNREACH;
	memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
	ret->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int
open_bound(const struct listener *listener, bool share)
{
	const int on = 1;
	int fd = socket(listener->address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (share &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
	    bind(fd, (const struct sockaddr *)&listener->address,
		 listener->len) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

int
listener_probe(const struct listener *listener)
{
	int fd = open_bound(listener, false);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int
listener_open(struct listener *listener)
{
	const int on = 1;
	int fd = open_bound(listener, true);
	int err;

	if (fd < 0)
		return fd;
	/* Accepted sockets inherit it; answers leave in one piece anyway. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&listener->address,
			&listener->len) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

void
listener_name(const struct listener *listener, char *ret, size_t size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	bool v6 = listener->address.ss_family == AF_INET6;

	if (getnameinfo((const struct sockaddr *)&listener->address,
			listener->len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		snprintf(ret, size, "?");
		return;
	}
	snprintf(ret, size, v6 ? "[%s]:%s" : "%s:%s", host, port);
}
