/*
 * test_answer.c - the pages, made from a host that says what the test says.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

struct fake_host {
	int rc;
	const char *pieces[4];
};

static int
fake_put(void *self, evh_put *put, void *arg)
{
	struct fake_host *fake = self;
	size_t i;

	for (i = 0; fake->pieces[i] && put; i++)
		put(arg, fake->pieces[i], strlen(fake->pieces[i]));
	return fake->rc;
}

static void
answers(struct fake_host fake, const char *method, const char *path,
	bool verbose, unsigned status, const char *type, const char *text)
{
	const struct evh_host host = { &fake, fake_put, fake_put };
	struct answer answer;

	assert_int_equal(answer_make(&host, method, path, verbose, &answer), 0);
	assert_int_equal(answer.len, strlen(text));
	assert_string_equal(answer.text, text);
	assert_int_equal(answer.status, status);
	assert_string_equal(answer.type, type);
	if (status == 405)
		assert_string_equal(answer.allow, "GET, HEAD");
	else
		assert_null(answer.allow);
	free(answer.text);
}

static const char json[] = "application/json";
static const struct fake_host ready = {
	0, { "{\"status\":\"ready\",", "\"reasons\":[],\"instances\":[]}" }
};
static const struct fake_host not_ready = {
	-EAGAIN,
	{ "{\"status\":\"not ready\",\"reasons\":[\"kafka: \\\"away\\\"\",",
	  "\"events: \xC3\xBC\"],\"checks\":{},\"instances\":[]}" }
};

static void
livez_asks_nobody(void **state)
{
	struct answer answer;

	(void)state;
	answers(not_ready, "GET", "/livez", false, 200, json,
		"{\"status\":\"alive\"}");
	assert_int_equal(answer_make(NULL, "HEAD", "/livez", false, &answer),
			 0);
	assert_int_equal(answer.status, 200);
	free(answer.text);
}

static void
readyz_is_brief(void **state)
{
	(void)state;
	answers(ready, "GET", "/readyz", false, 200, json,
		"{\"status\":\"ready\"}");
	answers(not_ready, "GET", "/readyz", false, 503, json,
		"{\"status\":\"not ready\",\"reasons\":"
		"[\"kafka: \\\"away\\\"\",\"events: \xC3\xBC\"]}");
}

static void
readyz_verbose_is_the_whole_state(void **state)
{
	(void)state;
	answers(ready, "GET", "/readyz", true, 200, json,
		"{\"status\":\"ready\",\"reasons\":[],\"instances\":[]}");
	answers(not_ready, "GET", "/readyz", true, 503, json,
		"{\"status\":\"not ready\",\"reasons\":[\"kafka: "
		"\\\"away\\\"\",\"events: \xC3\xBC\"],\"checks\":{},"
		"\"instances\":[]}");
}

static void
a_state_that_is_no_json_is_still_not_ready(void **state)
{
	struct fake_host broken = { -EAGAIN, { "{" } };

	(void)state;
	answers(broken, "GET", "/readyz", false, 503, json,
		"{\"status\":\"not ready\",\"reasons\":[]}");
	broken.pieces[0] = NULL;
	answers(broken, "GET", "/readyz", false, 503, json,
		"{\"status\":\"not ready\",\"reasons\":[]}");
}

static void
metrics_are_what_the_host_puts(void **state)
{
	struct fake_host metrics = { 0, { "evh_a 1\n", "evh_b 2\n", "" } };

	(void)state;
	answers(metrics, "GET", "/metrics", false, 200,
		"text/plain; version=0.0.4; charset=utf-8",
		"evh_a 1\nevh_b 2\n");
	metrics.rc = -ENOMEM;
	answers(metrics, "GET", "/metrics", false, 500, json,
		"{\"detail\":\"The metrics cannot be made\"}");
}

static void
errors_are_json(void **state)
{
	static const char *const paths[] = { "/",	"",	     "/livez/",
					     "/Livez",	"/livez%20", "/events",
					     "//livez", "/metricsx" };
	static const char *const methods[] = { "POST", "PUT", "DELETE",
					       "OPTIONS", "get" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		answers(ready, "GET", paths[i], false, 404, json,
			"{\"detail\":\"Not Found\"}");
	answers(ready, "POST", "/x", false, 404, json,
		"{\"detail\":\"Not Found\"}");
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		answers(ready, methods[i], "/metrics", false, 405, json,
			"{\"detail\":\"Method Not Allowed\"}");
}

static void
without_a_host_only_livez_works(void **state)
{
	static const char *const paths[] = { "/readyz", "/metrics" };
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(
			answer_make(NULL, "GET", paths[i], false, &answer), 0);
		assert_int_equal(answer.status, 501);
		assert_string_equal(
			answer.text,
			"{\"detail\":\"This evhd does not offer it\"}");
		free(answer.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(livez_asks_nobody),
		cmocka_unit_test(readyz_is_brief),
		cmocka_unit_test(readyz_verbose_is_the_whole_state),
		cmocka_unit_test(a_state_that_is_no_json_is_still_not_ready),
		cmocka_unit_test(metrics_are_what_the_host_puts),
		cmocka_unit_test(errors_are_json),
		cmocka_unit_test(without_a_host_only_livez_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
