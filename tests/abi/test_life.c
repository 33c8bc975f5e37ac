/*
 * test_life.c - the life of the real evhd: the order of starting, draining and
 * stopping, signals, every(), commands, what systemd is told.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest.h"

#define STOP_MS 60000

static void
sinks_start_first_and_stop_last(void **state)
{
	struct guest *g = *state;

	guest_start_with(g, "", "", "", "", "");
	guest_await(g, "heard OK", 3);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	guest_assert_order(
		g, (const char *const[]){ "instance=src msg=\"life: create\"",
					  "instance=out msg=\"life: start\"",
					  "instance=dead msg=\"life: start\"",
					  "instance=look msg=\"life: start\"",
					  "instance=src msg=\"life: start\"",
					  "msg=\"SIGTERM: stopping\"",
					  "instance=src msg=\"life: drain\"",
					  "instance=src msg=\"life: stop\"",
					  "instance=look msg=\"life: stop\"",
					  "instance=dead msg=\"life: stop\"",
					  "instance=out msg=\"life: stop\"",
					  "instance=src msg=\"life: destroy\"",
					  "instance=look msg=\"life: destroy\"",
					  "instance=dead msg=\"life: destroy\"",
					  "instance=out msg=\"life: destroy\"",
					  NULL });
	guest_assert_logged(g, "msg=drained", 1);
	/* Nothing was in flight: nothing to flush. */
	guest_assert_logged(g, "life: flush", 0);
}

static void
flush_goes_along_the_chain_while_events_are_in_flight(void **state)
{
	struct guest *g = *state;

	guest_start_with(g, "", "", "keep", "", "shutdown_timeout = \"2s\"");
	guest_await(g, "evhd is ready", 1);
	guest_await(g, "life: keeps one", 3);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	guest_assert_order(
		g, (const char *const[]){ "instance=src msg=\"life: drain\"",
					  "instance=look msg=\"life: flush\"",
					  "instance=out msg=\"life: flush\"",
					  "instance=dead msg=\"life: flush\"",
					  "instance=look msg=\"life: flush\"",
					  NULL });
}

static void
a_second_sigterm_ends_the_wait(void **state)
{
	struct guest *g = *state;
	long begin_ms;

	guest_start_with(g, "", "", "keep", "", "shutdown_timeout = \"30s\"");
	guest_await(g, "evhd is ready", 1);
	guest_await(g, "life: keeps one", 3);
	assert_int_equal(kill(g->daemon.pid, SIGTERM), 0);
	guest_await(g, "life: drain", 1);
	begin_ms = world_now_ms();
	assert_int_equal(kill(g->daemon.pid, SIGTERM), 0);
	assert_int_equal(daemon_wait(&g->daemon, STOP_MS), 0);
	assert_in_range(world_now_ms() - begin_ms, 0, 20000);
	guest_assert_logged(g, "a second signal: not waiting any longer", 1);
}

/* Its flush() waits for the lock that its process() has for ever. */
static void
a_flush_that_never_returns_is_ended_in_time(void **state)
{
	struct guest *g = *state;
	long begin_ms;

	guest_start_with(g, "", "locked", "", "", "shutdown_timeout = \"1s\"");
	guest_await(g, "evhd is ready", 1);
	guest_await(g, "life: keeps one", 1);
	begin_ms = world_now_ms();
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	assert_in_range(world_now_ms() - begin_ms, 1000, STOP_MS);
	guest_assert_logged(g, "a plugin does not stop in time", 1);
}

static void
a_second_sigterm_hurries_a_flush_that_never_returns(void **state)
{
	struct guest *g = *state;
	long begin_ms;

	guest_start_with(g, "", "locked", "", "", "shutdown_timeout = \"30s\"");
	guest_await(g, "evhd is ready", 1);
	guest_await(g, "life: keeps one", 1);
	assert_int_equal(kill(g->daemon.pid, SIGTERM), 0);
	guest_await(g, "instance=look msg=\"life: flush\"", 1);
	begin_ms = world_now_ms();
	assert_int_equal(kill(g->daemon.pid, SIGTERM), 0);
	assert_int_equal(daemon_wait(&g->daemon, STOP_MS), 0);
	assert_in_range(world_now_ms() - begin_ms, 0, 20000);
	guest_assert_logged(g, "a second signal: not waiting any longer", 1);
}

static void
what_waits_for_a_server_that_is_away_does_not_hold_up_the_end(void **state)
{
	struct guest *g = *state;
	long begin_ms;

	guest_start_with(g, "", "", "away", "", "");
	guest_await(g, "its server is away", 1);
	begin_ms = world_now_ms();
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	assert_in_range(world_now_ms() - begin_ms, 0, 20000);
	guest_assert_logged(g, "msg=drained", 1);
	guest_assert_logged(g, "evhd is ready", 0);
}

static void
every_goes_on_while_evhd_drains(void **state)
{
	struct guest *g = *state;
	long begin_ms;

	guest_start(g,
		    "shutdown_timeout = \"60s\"\n"
		    "source \"src\" { plugin = \"faulty_source\" count = 40 }\n"
		    "sink \"out\" { plugin = \"faulty_serial\" "
		    "fault = \"by_every\" }\n"
		    "pipeline \"p\" { chain = { \"src\", \"out\" } "
		    "workers = 1 }\n");
	guest_await(g, "heard OK", 1);
	begin_ms = world_now_ms();
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	assert_in_range(world_now_ms() - begin_ms, 0, 40000);
	guest_assert_logged(g, "msg=drained", 1);
}

/* submit() has the serial lock when every() comes first, at 4 s, until 4.3 s:
 * then it has its turn, and not at 8 s. */
static void
every_of_a_busy_instance_comes_as_soon_as_it_can(void **state)
{
	struct guest *g = *state;
	long begin_ms;

	guest_start(g,
		    "source \"src\" { plugin = \"faulty_source\" count = 1 }\n"
		    "sink \"out\" { plugin = \"faulty_serial\" "
		    "fault = \"busy\" }\n"
		    "pipeline \"p\" { chain = { \"src\", \"out\" } "
		    "workers = 1 }\n");
	guest_await(g, "life: busy no more", 1);
	begin_ms = world_now_ms();
	guest_await(g, "ticked", 1);
	assert_in_range(world_now_ms() - begin_ms, 0, 3500);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
}

/* All that it says until there is nothing for a while. */
static void
told_read(struct guest *g, char *ret, size_t size)
{
	struct pollfd pfd = { .fd = g->daemon.notify_fd, .events = POLLIN };
	size_t len = 0;

	while (len + 1 < size && poll(&pfd, 1, 200) > 0) {
		ssize_t n =
			recv(g->daemon.notify_fd, ret + len, size - len - 1, 0);

		assert_true(n > 0);
		len += (size_t)n;
		ret[len++] = '|';
	}
	ret[len < size ? len : size - 1] = '\0';
}

static bool
has_stopped(void *arg)
{
	return daemon_logged(arg, "msg=drained") > 0;
}

static void
systemd_hears_ready_and_stopping_once_each(void **state)
{
	struct guest *g = *state;
	char told[2048];

	guest_start_with(g, "", "", "", "", "");
	guest_await(g, "heard OK", 3);
	assert_int_equal(kill(g->daemon.pid, SIGTERM), 0);
	world_await(has_stopped, &g->daemon, STOP_MS, "drained");
	told_read(g, told, sizeof(told));
	assert_string_equal(told, "READY=1\nSTATUS=ready|"
				  "STOPPING=1\nSTATUS=stopping|");
	assert_int_equal(daemon_wait(&g->daemon, STOP_MS), 0);
}

static bool
is_there(void *arg)
{
	return access(arg, F_OK) == 0;
}

static void
sighup_opens_the_log_anew_and_nothing_else(void **state)
{
	struct guest *g = *state;
	char config[512], path[WORLD_PATH_MAX], old[WORLD_PATH_MAX + 8];

	snprintf(path, sizeof(path), "%.200s/file.log", g->world.dir);
	snprintf(old, sizeof(old), "%s.1", path);
	snprintf(config, sizeof(config),
		 "log_file = \"%s\"\n"
		 "source \"src\" { plugin = \"faulty_source\" }\n"
		 "sink \"out\" { plugin = \"faulty_sink\" }\n"
		 "pipeline \"p\" { chain = { \"src\", \"out\" } }\n",
		 path);
	guest_start(g, config);
	snprintf(g->daemon.log, sizeof(g->daemon.log), "%s", path);
	guest_await(g, "heard OK", 3);
	assert_int_equal(rename(path, old), 0);
	assert_int_equal(kill(g->daemon.pid, SIGHUP), 0);
	world_await(is_there, path, STOP_MS, path);
	assert_int_equal(daemon_stop(&g->daemon, STOP_MS), 0);
	guest_assert_logged(g, "msg=drained", 1);
	guest_assert_logged(g, "heard OK", 0);
}

/* ---- Commands ------------------------------------------------------------ */

static const char two[] =
	"sink \"out\" { plugin = \"faulty_sink\" }\n"
	"handler \"bad\" { plugin = \"faulty_handler\" fault = \"create\" }\n"
	"source \"src\" { plugin = \"faulty_source\" }\n"
	"pipeline \"p\" { chain = { \"src\", \"bad\", \"out\" } }\n";

static void
a_command_has_one_instance_which_is_created_and_no_more(void **state)
{
	struct guest *g = *state;
	char *out;

	assert_int_equal(
		daemon_run(&out, (const char *const[]){ "wait", "-c",
							guest_write(g, two),
							"x", NULL }),
		17);
	assert_non_null(strstr(out, "instance=out msg=\"life: create\""));
	assert_non_null(strstr(out, "instance=out msg=\"life: destroy\""));
	assert_null(strstr(out, "life: start"));
	assert_null(strstr(out, "instance=bad"));
	assert_null(strstr(out, "instance=src"));
	free(out);
}

static void
a_command_that_waits_is_ended_by_a_signal(void **state)
{
	struct guest *g = *state;
	const char *path = guest_write(g, two);
	char evhd[WORLD_PATH_MAX], text[4096] = "";
	int fds[2], status;
	size_t len = 0;
	pid_t pid;

	snprintf(evhd, sizeof(evhd), "%.240s/evhd", world_build_dir());
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* Who runs tests in the background ignores it. */
		signal(SIGINT, SIG_DFL);
		if (dup2(fds[1], 2) == 2)
			execl(evhd, evhd, "wait", "-c", path, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	while (!strstr(text, "waiting")) {
		ssize_t n = read(fds[0], text + len, sizeof(text) - len - 1);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_int_equal(kill(pid, SIGINT), 0);
	/* The pipe ends with it; if it goes on, it is made to. */
	if (poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1,
		 60000) == 0)
		assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

int
main(void)
{
#define GUEST_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, guest_setup, guest_teardown)
	const struct CMUnitTest tests[] = {
		GUEST_TEST(sinks_start_first_and_stop_last),
		GUEST_TEST(
			flush_goes_along_the_chain_while_events_are_in_flight),
		GUEST_TEST(a_second_sigterm_ends_the_wait),
		GUEST_TEST(
			what_waits_for_a_server_that_is_away_does_not_hold_up_the_end),
		GUEST_TEST(a_flush_that_never_returns_is_ended_in_time),
		GUEST_TEST(a_second_sigterm_hurries_a_flush_that_never_returns),
		GUEST_TEST(every_goes_on_while_evhd_drains),
		GUEST_TEST(every_of_a_busy_instance_comes_as_soon_as_it_can),
		GUEST_TEST(systemd_hears_ready_and_stopping_once_each),
		GUEST_TEST(sighup_opens_the_log_anew_and_nothing_else),
		GUEST_TEST(
			a_command_has_one_instance_which_is_created_and_no_more),
		GUEST_TEST(a_command_that_waits_is_ended_by_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
