/*
 * test_notify.c - read back from a real NOTIFY_SOCKET.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

struct manager {
	char dir[64];
	struct sockaddr_un address;
	int fd;
	char got[1024];
};

static int
manager_make(void **state)
{
	struct manager *manager = calloc(1, sizeof(*manager));

	if (!manager)
		return -1;
	snprintf(manager->dir, sizeof(manager->dir), "/tmp/evh-notify-XXXXXX");
	if (!mkdtemp(manager->dir))
		goto fail;
	manager->address.sun_family = AF_UNIX;
	snprintf(manager->address.sun_path, sizeof(manager->address.sun_path),
		 "%s/socket", manager->dir);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (manager->fd < 0 ||
	    bind(manager->fd, (struct sockaddr *)&manager->address,
		 sizeof(manager->address)) < 0)
		goto fail;
	*state = manager;
	return setenv("NOTIFY_SOCKET", manager->address.sun_path, 1);
fail:
	free(manager);
	return -1;
}

static int
manager_remove(void **state)
{
	struct manager *manager = *state;

	if (manager->fd >= 0)
		close(manager->fd);
	unlink(manager->address.sun_path);
	rmdir(manager->dir);
	free(manager);
	return unsetenv("NOTIFY_SOCKET");
}

/* One datagram, which is there already: a local one is when sent. */
static const char *
receive(struct manager *manager)
{
	ssize_t n =
		recv(manager->fd, manager->got, sizeof(manager->got) - 1, 0);

	if (n < 0)
		return strerror(errno);
	manager->got[n] = '\0';
	return manager->got;
}

static void
the_manager_hears_of_each_step(void **state)
{
	struct manager *manager = *state;

	notify_ready();
	assert_string_equal(receive(manager), "READY=1\nSTATUS=ready");
	notify_status("not ready");
	assert_string_equal(receive(manager), "STATUS=not ready");
	notify_stopping();
	assert_string_equal(receive(manager), "STOPPING=1\nSTATUS=stopping");
	assert_string_equal(receive(manager), strerror(EAGAIN));
}

static void
a_status_cannot_smuggle_another_message(void **state)
{
	struct manager *manager = *state;

	notify_status("kafka: away\nREADY=1\r\t.");
	assert_string_equal(receive(manager), "STATUS=kafka: away READY=1  .");
}

static void
a_long_status_is_cut(void **state)
{
	struct manager *manager = *state;
	char text[800];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	notify_status(text);
	assert_int_equal(strlen(receive(manager)), strlen("STATUS=") + 511);
}

static void
without_a_manager_nothing_happens(void **state)
{
	uint64_t warnings = log_count(EVH_WARN);

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	notify_status("x");
	notify_stopping();
	assert_int_equal(log_count(EVH_WARN) - warnings, 0);
}

static void
a_manager_that_is_gone_is_logged(void **state)
{
	struct manager *manager = *state;
	uint64_t warnings = log_count(EVH_WARN);

	assert_int_equal(log_open(EVH_WARN, LOG_LOGFMT, "/dev/null"), 0);
	close(manager->fd);
	manager->fd = -1;
	notify_ready();
	log_close();
	assert_int_equal(log_count(EVH_WARN) - warnings, 1);
}

int
main(void)
{
#define MANAGED(test)                                                          \
	cmocka_unit_test_setup_teardown(test, manager_make, manager_remove)
	const struct CMUnitTest tests[] = {
		MANAGED(the_manager_hears_of_each_step),
		MANAGED(a_status_cannot_smuggle_another_message),
		MANAGED(a_long_status_is_cut),
		cmocka_unit_test(without_a_manager_nothing_happens),
		MANAGED(a_manager_that_is_gone_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
