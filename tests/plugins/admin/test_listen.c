/*
 * test_listen.c - the first free port, on real sockets.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), rc;

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return rc;
}

/* Two neighbouring ports that are free, the first one taken: below those that
 * the kernel gives to anybody who asks. */
static struct hostport
two_ports(int *ret_fd)
{
	struct hostport range = { .host = "127.0.0.1" }, next = range;
	uint16_t port;
	int fd, other;

	for (unsigned first = 20000 + (unsigned)getpid() % 5000 * 2;
	     first < 32000; first += 2) {
		range.first = range.last = (uint16_t)first;
		next.first = next.last = (uint16_t)(first + 1);
		fd = listen_open(&range, &port);
		other = fd < 0 ? -1 : listen_open(&next, &port);
		range.last = next.last;
		if (other >= 0) {
			close(other);
			*ret_fd = fd;
			return range;
		}
		if (fd >= 0)
			close(fd);
	}
	fail_msg("no two neighbouring ports are free");
	return range;
}

static void
the_first_free_port_of_the_range_is_taken(void **state)
{
	struct hostport range;
	int taken, fd, again;
	uint16_t port = 0, untouched = 7;

	(void)state;
	range = two_ports(&taken);
	fd = listen_open(&range, &port);
	assert_true(fd >= 0);
	assert_int_equal(port, range.last);
	assert_int_equal(connect_to(port), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);

	again = listen_open(&range, &untouched);
	assert_int_equal(again, -EADDRINUSE);
	assert_int_equal(untouched, 7);

	close(taken);
	close(fd);
	fd = listen_open(&range, &port);
	assert_true(fd >= 0);
	assert_int_equal(port, range.first);
	close(fd);
}

static void
what_is_no_address_of_ours_is_an_error(void **state)
{
	struct hostport far = { "192.0.2.1", 9901, 9932 },
			nowhere = { "no such host", 9901, 9932 };
	uint16_t port;

	(void)state;
	assert_int_equal(listen_open(&far, &port), -EADDRNOTAVAIL);
	assert_int_equal(listen_open(&nowhere, &port), -EHOSTUNREACH);
}

static void
a_url_has_brackets_where_they_belong(void **state)
{
	struct hostport v4 = { "127.0.0.1", 1, 2 }, v6 = { "::1", 1, 2 },
			all = { "", 1, 2 };
	char url[64];

	(void)state;
	listen_url(&v4, 9901, url, sizeof(url));
	assert_string_equal(url, "http://127.0.0.1:9901");
	listen_url(&v6, 9901, url, sizeof(url));
	assert_string_equal(url, "http://[::1]:9901");
	listen_url(&all, 9901, url, sizeof(url));
	assert_string_equal(url, "http://0.0.0.0:9901");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_free_port_of_the_range_is_taken),
		cmocka_unit_test(what_is_no_address_of_ours_is_an_error),
		cmocka_unit_test(a_url_has_brackets_where_they_belong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
