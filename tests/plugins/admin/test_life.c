/*
 * test_life.c - start and stop, and the port.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <evh/plugin.h>
#include <evh/services.h>

#include "admin_bench.h"
#include "admin_client.h"

/* ---- Connections --------------------------------------------------------- */

static unsigned
count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
a_start_that_fails_leaves_no_socket(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");
	struct rlimit before, tight;
	unsigned n_open;

	(void)state;
	assert_int_equal(bench->plugin->create(&bench->ctx, &bench->self), 0);
	n_open = count_fds();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)dup(0) + 1; /* room for the listener alone */
	close((int)tight.rlim_cur - 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_true(bench->plugin->start(bench->self) < 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(count_fds(), n_open);
	assert_string_equal(bench->logged, "libmicrohttpd does not start");
	bench->plugin->destroy(bench->self);
	free(bench);
}

static void
its_thread_has_a_name(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();
	struct dirent *entry;
	char file[300], name[32];
	bool found = false;
	DIR *dir;

	got_answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	got_free(got);
	dir = opendir("/proc/self/task");
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		FILE *f;

		snprintf(file, sizeof(file), "/proc/self/task/%s/comm",
			 entry->d_name);
		f = fopen(file, "re");
		if (f && fgets(name, sizeof(name), f))
			found |= strcmp(name, "admin\n") == 0;
		if (f)
			fclose(f);
	}
	closedir(dir);
	assert_true(found);
}

/* ---- Life ---------------------------------------------------------------- */

static bool
port_is_free(unsigned short port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free;

	assert_true(fd >= 0);
	is_free = bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
	close(fd);
	return is_free;
}

/* The first of two below those that the kernel gives to anybody who asks. */
static unsigned short
two_free_ports(void)
{
	unsigned short port = (unsigned short)(20000 + getpid() % 5000 * 2);

	while (!port_is_free(port) || !port_is_free(port + 1)) {
		port = (unsigned short)(port + 2);
		assert_true(port < 32000);
	}
	return port;
}

static void
replicas_share_a_range_until_no_port_is_free(void **state)
{
	struct got *got = got_new();
	struct bench *bench[3];
	unsigned short port;
	char listen[64];
	int i;

	(void)state;
	port = two_free_ports();
	snprintf(listen, sizeof(listen), "127.0.0.1:%u-%u", port, port + 1u);
	for (i = 0; i < 3; i++)
		bench[i] = bench_new(listen);

	bench_start(bench[0]);
	bench_start(bench[1]);
	assert_int_equal(bench[0]->port, port);
	assert_int_equal(bench[1]->port, port + 1);
	got_answers(got, bench[1], "GET", "/livez", 200,
		    "{\"status\":\"alive\"}");

	assert_int_equal(
		bench[2]->plugin->create(&bench[2]->ctx, &bench[2]->self), 0);
	assert_int_equal(bench[2]->plugin->start(bench[2]->self), -EADDRINUSE);
	assert_int_equal(bench[2]->level, EVH_ERROR);
	assert_non_null(strstr(bench[2]->logged, "no free port"));
	assert_non_null(strstr(bench[2]->logged, listen));
	bench[2]->plugin->destroy(bench[2]->self);
	free(bench[2]);

	got_free(got);
	bench_remove((void **)&bench[0]);
	bench_remove((void **)&bench[1]);
}

static void
a_malformed_listen_is_refused_with_a_sentence(void **state)
{
	struct bench *bench = bench_new("127.0.0.1");

	(void)state;
	assert_int_equal(bench->plugin->create(&bench->ctx, &bench->self),
			 -EINVAL);
	assert_int_equal(bench->level, EVH_ERROR);
	assert_string_equal(bench->logged,
			    "listen = \"127.0.0.1\": there is no port: "
			    "HOST:PORT or HOST:FIRST-LAST");
	free(bench);
}

static void
stop_ends_all_connections_and_frees_the_port(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0"), *next;
	char text[64], listen[64];
	int fd, i;

	(void)state;
	bench_start(bench);
	fd = socket_to(bench);
	socket_send(fd, "GET /liv");
	bench->plugin->stop(bench->self, 1000);
	assert_true(socket_read(fd, text, sizeof(text), CLIENT_WAIT_MS));
	close(fd);

	/* The same instance may start again, on the same port. */
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", bench->port);
	bench->plugin->destroy(bench->self);
	for (i = 0; i < 2; i++) {
		next = bench_new(listen);
		bench_start(next);
		bench_remove((void **)&next);
	}
	free(bench);
}

static void
the_descriptor_says_what_it_is(void **state)
{
	struct bench *bench = bench_new("");
	const struct evh_option *option = bench->plugin->options;

	(void)state;
	assert_int_equal(bench->plugin->abi, EVH_ABI);
	assert_int_equal(bench->plugin->size, sizeof(struct evh_plugin));
	assert_int_equal(bench->plugin->kind, EVH_SERVICE);
	assert_string_equal(bench->plugin->name, "admin");
	assert_string_equal(option[0].name, "listen");
	assert_string_equal(option[0].def, "127.0.0.1:9901-9932");
	assert_string_equal(option[1].name, "connections");
	assert_string_equal(option[1].def, "32");
	assert_null(option[2].name);
	free(bench);
}

int
main(void)
{
#define STARTED(test)                                                          \
	cmocka_unit_test_setup_teardown(test, bench_make, bench_remove)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_that_fails_leaves_no_socket),
		STARTED(its_thread_has_a_name),
		cmocka_unit_test(replicas_share_a_range_until_no_port_is_free),
		cmocka_unit_test(a_malformed_listen_is_refused_with_a_sentence),
		cmocka_unit_test(stop_ends_all_connections_and_frees_the_port),
		cmocka_unit_test(the_descriptor_says_what_it_is),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
