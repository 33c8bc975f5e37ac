/*
 * listen.h - where the admin page listens: the first free port of a range, so
 * that any number of evhd on one machine can share a config file.
 */
#ifndef ADMIN_LISTEN_H
#define ADMIN_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "hostport.h"

/*
 * Listens on the first free port and returns the socket, yours, non-blocking;
 * *ret_port is the port.  -EADDRINUSE when none is free, -EHOSTUNREACH when
 * the host does not resolve, or what else bind(2) says. [main]
 */
int listen_open(const struct hostport *range, uint16_t *ret_port);

/* "http://127.0.0.1:9901", with a NUL, cut at size. */
void listen_url(const struct hostport *range, uint16_t port, char *ret,
		size_t size);

#endif
