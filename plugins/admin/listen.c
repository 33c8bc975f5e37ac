/*
 * listen.c - an address, a range of ports, and the first free one.
 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

static void
port_set(struct sockaddr *address, uint16_t port)
{
	if (address->sa_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)address)->sin6_port =
			htons(port);
	else
		((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

static int
port_of(int fd, uint16_t *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = { .v6 = { .sin6_family = AF_UNSPEC } };
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) < 0)
		return -errno;
	*ret = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
						       : address.v4.sin_port);
	return 0;
}

/*
 * With SO_REUSEADDR, which a restart needs while old connections linger, two
 * processes may bind one port at the same moment: then listen(2) says to the
 * later one that it is in use.
 */
static int
open_one(const struct addrinfo *address)
{
	int fd, on = 1, err;

	fd = socket(address->ai_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	err = errno;
	close(fd);
	return -err;
}

static int
open_first(const struct hostport *range, const struct addrinfo *address,
	   uint16_t *ret_port)
{
	int fd = -EADDRINUSE, rc;
	unsigned port;

	for (port = range->first; port <= range->last && fd == -EADDRINUSE;
	     port++) {
		port_set(address->ai_addr, (uint16_t)port);
		fd = open_one(address);
	}
	if (fd < 0)
		return fd;

	rc = port_of(fd, ret_port);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int
listen_open(const struct hostport *range, uint16_t *ret_port)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *addresses, *address;
	int fd = -EHOSTUNREACH;

	if (getaddrinfo(range->host[0] ? range->host : NULL, "0", &hints,
			&addresses) != 0)
		return -EHOSTUNREACH;
	/* A name may have an address that this machine has not. */
	for (address = addresses; address && fd < 0; address = address->ai_next)
		fd = open_first(range, address, ret_port);
	freeaddrinfo(addresses);
	return fd;
}

void
listen_url(const struct hostport *range, uint16_t port, char *ret, size_t size)
{
	const char *host = range->host[0] ? range->host : "0.0.0.0";

	snprintf(ret, size,
		 strchr(host, ':') ? "http://[%s]:%u" : "http://%s:%u", host,
		 port);
}
