/*
 * resolve.h - the addresses of a host, within a deadline.
 *
 * libpq and getaddrinfo(3) wait for a name server as long as the system's
 * configuration says, and cannot be interrupted.  So the lookup runs on a
 * thread of its own, `evh-pg-dns`, which is left behind when it is late: it
 * shares only a small reference-counted record with who asked, writes its
 * answer there and frees it when it is the last.  Addresses and the folders
 * of sockets need no lookup and make no thread.
 */
#ifndef PG_STORE_RESOLVE_H
#define PG_STORE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

/* Names and addresses as libpq wants them: lists of the same length, parted
 * by commas.  An empty address leaves that name to libpq (sockets). */
struct resolved {
	char hosts[2048];
	char addresses[1024];
};

/*
 * Resolves the comma-separated list `hosts`; a name with several addresses is
 * listed once for each.  cancel_fd: readable when it shall give up, or -1.
 * 0, -EHOSTUNREACH when a name has none (ret_why: gai_strerror's words;
 * ret_host: that name), -ETIMEDOUT, -ECANCELED, -ENOMEM, -EAGAIN (no thread),
 * -ENAMETOOLONG.
 */
int resolve(const char *hosts, int64_t deadline, int cancel_fd,
	    struct resolved *ret, const char **ret_why, char *ret_host,
	    size_t host_size);

#endif
