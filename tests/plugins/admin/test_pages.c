/*
 * test_pages.c - the pages and what else is asked for, by libcurl and by bare
 * sockets.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <evh/plugin.h>
#include <evh/services.h>

#include "admin_bench.h"
#include "admin_client.h"

static void
pages_are_served_over_one_connection(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	got_answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	assert_non_null(strstr(got->headers, "application/json"));
	assert_int_equal(got->connects, 1);
	got_answers(got, bench, "GET", "/readyz", 503,
		    "{\"status\":\"not ready\",\"reasons\":[\"kafka: away\"]}");
	got_answers(got, bench, "GET", "/readyz?verbose", 503, bench_state_not);
	got_answers(got, bench, "GET", "/readyz?x=1&verbose=1", 503,
		    bench_state_not);
	atomic_store(&bench->ready, true);
	got_answers(got, bench, "GET", "/readyz", 200,
		    "{\"status\":\"ready\"}");
	got_answers(got, bench, "GET", "/readyz?verbose", 200,
		    bench_state_ready);
	got_answers(got, bench, "GET", "/nowhere", 404,
		    "{\"detail\":\"Not Found\"}");
	got_answers(got, bench, "GET", "/live%7a", 404,
		    "{\"detail\":\"Not Found\"}");
	got_answers(got, bench, "GET", "/livez/", 404,
		    "{\"detail\":\"Not Found\"}");
	assert_int_equal(got->connects, 0);
	got_free(got);
}

static void
a_page_of_any_length_comes_whole(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	assert_int_equal(got_ask(got, bench, "GET", "/metrics", NULL),
			 CURLE_OK);
	assert_int_equal(got->status, 200);
	assert_non_null(strstr(got->headers, "Content-Type: text/plain; "
					     "version=0.0.4; charset=utf-8"));
	assert_int_equal(got->len, 20000 * 19);
	assert_string_equal(got->body + got->len - 19,
			    "evh_m{i=\"19999\"} 1\n");
	got_free(got);
}

static void
head_is_get_without_the_body(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	got_answers(got, bench, "HEAD", "/readyz", 503, "");
	assert_non_null(strstr(got->headers, "Content-Length: 48\r\n"));
	got_answers(got, bench, "HEAD", "/nowhere", 404, "");
	got_free(got);
}

static void
another_method_gets_405_and_what_is_allowed(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	got_answers(got, bench, "DELETE", "/metrics", 405,
		    "{\"detail\":\"Method Not Allowed\"}");
	assert_non_null(strstr(got->headers, "Allow: GET, HEAD\r\n"));
	got_free(got);
}

static void
a_body_is_not_read_and_ends_the_connection(void **state)
{
	static const char *const requests[] = {
		"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n"
		"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: a\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
	};
	struct bench *bench = *state;
	char text[4096];
	size_t i;

	for (i = 0; i < 3; i++) {
		int fd = socket_to(bench);

		socket_send(fd, requests[i]);
		assert_true(
			socket_read(fd, text, sizeof(text), CLIENT_WAIT_MS));
		assert_memory_equal(
			text, i == 0 ? "HTTP/1.1 405" : "HTTP/1.1 200", 12);
		assert_non_null(strstr(text, "Connection: close\r\n"));
		assert_null(strstr(text, "404"));
		close(fd);
	}
}

static void
headers_beyond_the_limit_are_refused(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();
	char text[4096], line[1024];
	int i, fd = socket_to(bench);

	memset(line, 'a', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	socket_send(fd, "GET /livez HTTP/1.1\r\nHost: a\r\n");
	for (i = 0; i < 20; i++)
		if (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
			break;
	assert_true(socket_read(fd, text, sizeof(text), CLIENT_WAIT_MS));
	assert_null(strstr(text, "alive"));
	close(fd);
	got_answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	got_free(got);
}

static void
without_a_host_there_is_still_livez(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");
	struct got *got = got_new();

	(void)state;
	bench->no_host = true;
	bench_start(bench);
	got_answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	got_answers(got, bench, "GET", "/metrics", 501,
		    "{\"detail\":\"This evhd does not offer it\"}");
	got_free(got);
	bench_remove((void **)&bench);
}

int
main(void)
{
#define STARTED(test)                                                          \
	cmocka_unit_test_setup_teardown(test, bench_make, bench_remove)
	const struct CMUnitTest tests[] = {
		STARTED(pages_are_served_over_one_connection),
		STARTED(a_page_of_any_length_comes_whole),
		STARTED(head_is_get_without_the_body),
		STARTED(another_method_gets_405_and_what_is_allowed),
		STARTED(a_body_is_not_read_and_ends_the_connection),
		STARTED(headers_beyond_the_limit_are_refused),
		cmocka_unit_test(without_a_host_there_is_still_livez),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
