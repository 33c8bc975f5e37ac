/*
 * test_connections.c - those that say nothing, that are too many, or at once.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <evh/plugin.h>
#include <evh/services.h>

#include "admin_bench.h"
#include "admin_client.h"

static void
one_that_says_nothing_holds_up_nobody_and_is_closed_after_5_s(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();
	struct timespec before, after;
	int fd, half;
	char text[256];

	clock_gettime(CLOCK_MONOTONIC, &before);
	fd = socket_to(bench);
	half = socket_to(bench);
	socket_send(half, "GET /livez HTT");
	got_answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	assert_true(socket_read(half, text, sizeof(text), CLIENT_WAIT_MS));
	assert_true(socket_read(fd, text, sizeof(text), CLIENT_WAIT_MS));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 4, CLIENT_WAIT_MS / 1000);
	close(fd);
	close(half);
	got_free(got);
}

static void
beyond_the_limit_the_longest_without_an_answer_goes(void **state)
{
	static const char request[] = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
	struct bench *bench = bench_new("127.0.0.1:0");
	char text[1024];
	int silent, kept, third;

	(void)state;
	bench->connections = 2;
	bench_start(bench);
	silent = socket_to(bench);
	socket_send(silent, "GET /li");
	kept = socket_to(bench);
	socket_send(kept, request);
	socket_hears(kept, "alive", text, sizeof(text));
	socket_send(silent, "vez HT"); /* no end of it */

	third = socket_to(bench);
	socket_send(third, request);
	socket_hears(third, "alive", text, sizeof(text));
	assert_true(socket_read(silent, text, sizeof(text), CLIENT_WAIT_MS));
	assert_string_equal(text, "");
	socket_send(kept, request);
	socket_hears(kept, "alive", text, sizeof(text));
	close(silent);
	close(kept);
	close(third);
	bench_remove((void **)&bench);
}

static void
of_the_librarys_messages_only_the_form_is_logged(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");
	char text[1024];
	int fd;

	(void)state;
	bench_start(bench);
	fd = socket_to(bench);
	socket_send(fd, "GET /livez HTTP/1.1\r\nSecret: \r\nno colon\r\n\r\n");
	assert_true(socket_read(fd, text, sizeof(text), CLIENT_WAIT_MS));
	close(fd);
	bench->plugin->stop(bench->self, 1000); /* its thread has ended */
	bench->plugin->destroy(bench->self);
	assert_memory_equal(bench->debugged, "libmicrohttpd: ", 15);
	assert_non_null(strchr(bench->debugged, '%'));
	free(bench);
}

/* Returns NULL when all was well. */
static void *
ask_many(void *arg)
{
	struct got *got = got_new();
	unsigned wrong = 0;
	int i;

	for (i = 0; i < 20; i++) {
		if (got_ask(got, arg, "GET", "/metrics", NULL) != CURLE_OK ||
		    got->len != 20000 * 19)
			wrong++;
		if (got_ask(got, arg, "GET", "/readyz?verbose", NULL) !=
			    CURLE_OK ||
		    got->status != 503)
			wrong++;
	}
	got_free(got);
	return wrong > 0 ? arg : NULL;
}

static void
several_clients_at_once_are_all_served(void **state)
{
	pthread_t threads[4];
	void *wrong;
	int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, ask_many, *state), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int
main(void)
{
#define STARTED(test)                                                          \
	cmocka_unit_test_setup_teardown(test, bench_make, bench_remove)
	const struct CMUnitTest tests[] = {
		STARTED(one_that_says_nothing_holds_up_nobody_and_is_closed_after_5_s),
		cmocka_unit_test(
			beyond_the_limit_the_longest_without_an_answer_goes),
		cmocka_unit_test(
			of_the_librarys_messages_only_the_form_is_logged),
		STARTED(several_clients_at_once_are_all_served),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
