/*
 * listen.c - an address, a range of ports, and the first free one.
 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

/* Digits alone; where they end, or NULL. */
static const char *
port_parse(const char *text, uint16_t *ret)
{
	unsigned long port;
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	port = strtoul(text, &end, 10);
	if (port > UINT16_MAX)
		return NULL;
	*ret = (uint16_t)port;
	return end;
}

static const char *
ports_parse(const char *text, uint16_t *ret_first, uint16_t *ret_last)
{
	const char *end = port_parse(text, ret_first);

	if (!end)
		return "the port is no number from 0 to 65535";
	*ret_last = *ret_first;
	if (*end == '-') {
		end = port_parse(end + 1, ret_last);
		if (!end)
			return "the last port is no number from 1 to 65535";
		if (*ret_first == 0 || *ret_last < *ret_first)
			return "the first port is 0 or behind the last";
	}
	return *end ? "there is something behind the port" : NULL;
}

int
listen_parse(const char *text, struct listen_range *ret, const char **ret_why)
{
	const char *colon = strrchr(text, ':');
	struct listen_range range = { .first = 0 };
	size_t len;

	*ret_why = "there is no port: HOST:PORT or HOST:FIRST-LAST";
	if (!colon)
		return -EINVAL;

	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		*ret_why = "an IPv6 address wants brackets: [::1]:9901";
		return -EINVAL;
	}
	if (len >= sizeof(range.host)) {
		*ret_why = "the host is too long";
		return -EINVAL;
	}
	memcpy(range.host, text, len);
	range.host[len] = '\0';

	*ret_why = ports_parse(colon + 1, &range.first, &range.last);
	if (*ret_why)
		return -EINVAL;
	*ret = range;
	return 0;
}

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
open_first(const struct listen_range *range, const struct addrinfo *address,
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
listen_open(const struct listen_range *range, uint16_t *ret_port)
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
listen_url(const struct listen_range *range, uint16_t port, char *ret,
	   size_t size)
{
	const char *host = range->host[0] ? range->host : "0.0.0.0";

	snprintf(ret, size,
		 strchr(host, ':') ? "http://[%s]:%u" : "http://%s:%u", host,
		 port);
}
