#include "stderr_now.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

struct stderr_now
stderr_swap(int reader, int writer)
{
	struct stderr_now now = { .reader = reader };

	fflush(stderr);
	now.saved = dup(STDERR_FILENO);
	assert_true(now.saved >= 0);
	assert_int_equal(dup2(writer, STDERR_FILENO), STDERR_FILENO);
	close(writer);
	return now;
}

void
stderr_restore(struct stderr_now *now)
{
	log_close();
	assert_int_equal(dup2(now->saved, STDERR_FILENO), STDERR_FILENO);
	close(now->saved);
	if (now->reader >= 0)
		close(now->reader);
}

struct stderr_now
stderr_to_pipe(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	return stderr_swap(fds[0], fds[1]);
}

size_t
stderr_read(int fd, char *ret, size_t size)
{
	size_t len = 0;
	ssize_t n;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	while (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN)) {
		n = read(fd, ret + len, size - len - 1);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	ret[len] = '\0';
	return len;
}
