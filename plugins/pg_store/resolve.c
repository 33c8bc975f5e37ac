#include "resolve.h"

#include "deadline.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESSES_MAX 16 /* of one name; further ones are not tried */

struct lookup {
	atomic_int refs;     /* who asked, and the thread */
	int done_fd;	     /* readable when is_done is true */
	atomic_bool is_done; /* `error` and `found` are there */
	int error;	     /* of getaddrinfo(3) */
	struct addrinfo *found;
	char host[256];
};

static void
lookup_unref(struct lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->refs, 1) != 1)
		return;

	if (lookup->found)
		freeaddrinfo(lookup->found);
	close(lookup->done_fd);
	free(lookup);
}

static void *
lookup_main(void *arg)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct lookup *lookup = arg;

	pthread_setname_np(pthread_self(), "evh-pg-dns");
	lookup->error = getaddrinfo(lookup->host, NULL, &hints, &lookup->found);
	atomic_store(&lookup->is_done, true);
	eventfd_write(lookup->done_fd, 1);
	lookup_unref(lookup);
	return NULL;
}

static int
lookup_start(const char *host, struct lookup **ret)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	pthread_t thread;
	int rc;

	if (!lookup)
		return -ENOMEM;

	snprintf(lookup->host, sizeof(lookup->host), "%s", host);
	atomic_init(&lookup->refs, 2);
	lookup->done_fd = eventfd(0, EFD_CLOEXEC);
	if (lookup->done_fd < 0) {
		rc = -errno;
		free(lookup);
		return rc;
	}

	rc = pthread_create(&thread, NULL, lookup_main, lookup);
	if (rc) {
		close(lookup->done_fd);
		free(lookup);
		return -rc;
	}
	pthread_detach(thread);
	*ret = lookup;
	return 0;
}

static int
lookup_wait(struct lookup *lookup, int64_t deadline, int cancel_fd)
{
	struct pollfd fds[] = { { .fd = lookup->done_fd, .events = POLLIN },
				{ .fd = cancel_fd, .events = POLLIN } };

	for (;;) {
		int n = poll(fds, 2, deadline_left_ms(deadline));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n > 0)
			return atomic_load(&lookup->is_done) ? 0 : -ECANCELED;
	}
}

/* Adds one pair to the two lists. */
static int
pair_add(struct resolved *resolved, const char *host, const char *address)
{
	size_t at_host = strlen(resolved->hosts);
	size_t at_address = strlen(resolved->addresses);
	const char *comma = at_host ? "," : "";
	int n, m;

	n = snprintf(resolved->hosts + at_host,
		     sizeof(resolved->hosts) - at_host, "%s%s", comma, host);
	m = snprintf(resolved->addresses + at_address,
		     sizeof(resolved->addresses) - at_address, "%s%s", comma,
		     address);
	if ((size_t)n >= sizeof(resolved->hosts) - at_host ||
	    (size_t)m >= sizeof(resolved->addresses) - at_address)
		return -ENAMETOOLONG;
	return 0;
}

static int
found_add(struct resolved *resolved, const char *host,
	  const struct addrinfo *found)
{
	const struct addrinfo *a;
	char address[64];
	unsigned n = 0;
	int rc;

	for (a = found; a && n < ADDRESSES_MAX; a = a->ai_next) {
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address,
				sizeof(address), NULL, 0, NI_NUMERICHOST))
			continue;
		rc = pair_add(resolved, host, address);
		if (rc < 0)
			return rc;
		n++;
	}
	return n ? 0 : -EHOSTUNREACH;
}

static bool
is_address(const char *host)
{
	static const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
					       .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;

	if (getaddrinfo(host, NULL, &hints, &found))
		return false;
	freeaddrinfo(found);
	return true;
}

static int
host_resolve(const char *host, int64_t deadline, int cancel_fd,
	     struct resolved *ret, const char **ret_why)
{
	struct lookup *lookup = NULL;
	int rc;

	if (!*host || *host == '/' || *host == '@')
		return pair_add(ret, host, ""); /* a socket's folder */
	if (is_address(host))
		return pair_add(ret, host, host);

	rc = lookup_start(host, &lookup);
	if (rc < 0)
		return rc;
	assert(lookup);

	rc = lookup_wait(lookup, deadline, cancel_fd);
	if (rc == 0 && lookup->error) {
		*ret_why = gai_strerror(lookup->error);
		rc = -EHOSTUNREACH;
	} else if (rc == 0) {
		rc = found_add(ret, host, lookup->found);
	}
	lookup_unref(lookup);
	return rc;
}

int
resolve(const char *hosts, int64_t deadline, int cancel_fd,
	struct resolved *ret, const char **ret_why, char *ret_host,
	size_t host_size)
{
	struct resolved resolved = { { 0 }, { 0 } };
	const char *at = hosts, *why = "no address";
	char host[256];
	int rc;

	for (;;) {
		size_t len = strcspn(at, ",");

		if (len >= sizeof(host))
			return -ENAMETOOLONG;
		memcpy(host, at, len);
		host[len] = '\0';

		rc = host_resolve(host, deadline, cancel_fd, &resolved, &why);
		if (rc < 0) {
			*ret_why = why;
			snprintf(ret_host, host_size, "%s", host);
			return rc;
		}
		if (!at[len])
			break;
		at += len + 1;
	}
	*ret = resolved;
	return 0;
}
