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

static int
resolve(const char *host, const char *port, struct listener *ret)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;

	if (getaddrinfo(host, port, &hints, &found) != 0 || found == NULL)
		return -EADDRNOTAVAIL;
	memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
	ret->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static bool
is_port(const char *text)
{
	unsigned n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || n > 65535)
			return false;
		n = n * 10 + (unsigned)(*p - '0');
	}
	return *text != '\0' && n <= 65535;
}

int
listener_parse(const char *text, struct listener *ret, const char **ret_why)
{
	const char *colon = strrchr(text, ':');
	char host[256];
	size_t len;
	int rc;

	if (colon == NULL || !is_port(colon + 1)) {
		*ret_why = "want HOST:PORT with a port of 0 to 65535";
		return -EINVAL;
	}
	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		*ret_why = "an IPv6 address goes in brackets: [::1]:8000";
		return -EINVAL;
	}
	if (len >= sizeof(host)) {
		*ret_why = "the host's name is too long";
		return -EINVAL;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	rc = resolve(len > 0 ? host : NULL, colon + 1, ret);
	if (rc < 0)
		*ret_why = "the host does not resolve";
	return rc;
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
