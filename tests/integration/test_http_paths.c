/*
 * Which paths and methods there are, and what the others answer.
 */
#include "api.h"
#include "service.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID    "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"
#define EVENT API_EVENTS "/" ID
#define USER  "{\"name\":\"user.created\",\"data\":{\"user_id\":123}}"

#define ANSWER_MS 60000

#define NOT_FOUND   "{\"detail\":\"Not Found\"}"
#define NOT_ALLOWED "{\"detail\":\"Method Not Allowed\"}"

static const struct {
	const char *path, *allow;
} routes[] = {
	{ API_EVENTS, "GET, HEAD, POST, OPTIONS" },
	{ EVENT, "GET, HEAD, OPTIONS" },
	{ EVENT "/retry", "POST, OPTIONS" },
	{ "/health", "GET, HEAD, OPTIONS" },
	{ "/livez", "GET, HEAD, OPTIONS" },
	{ "/readyz", "GET, HEAD, OPTIONS" },
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

static void
expect_header(const struct http_answer *a, const char *name, const char *want)
{
	char value[API_PATH_MAX];

	assert_string_equal(http_answer_header(a, name, value, sizeof(value)),
			    want);
}

static void
options_answers_204_and_the_methods_there_are(void **state)
{
	for (size_t i = 0; i < N_ROUTES; i++) {
		struct http_answer a = http_call(port_of(state), "OPTIONS",
						 routes[i].path, NULL, 0, NULL);

		assert_int_equal(a.status, 204);
		assert_int_equal(a.len, 0);
		expect_header(&a, "Allow", routes[i].allow);
		http_answer_fini(&a);
	}
}

static void
a_method_that_is_not_there_is_405_with_those_that_are(void **state)
{
	static const char *const methods[] = { "GET",	  "POST",   "PUT",
					       "PATCH",	  "DELETE", "TRACE",
					       "CONNECT", "get",    "BREW" };

	for (size_t i = 0; i < N_ROUTES; i++) {
		for (size_t k = 0; k < sizeof(methods) / sizeof(methods[0]);
		     k++) {
			struct http_answer a;

			if (strstr(routes[i].allow, methods[k]))
				continue;
			a = http_call(port_of(state), methods[k],
				      routes[i].path, NULL, 0, NULL);
			expect_header(&a, "Allow", routes[i].allow);
			api_expect(a, 405, NOT_ALLOWED);
		}
	}
}

static void
a_405_has_a_body_also_where_the_request_had_one(void **state)
{
	api_expect(http_call(port_of(state), "PUT", API_EVENTS, USER,
			     strlen(USER), NULL),
		   405, NOT_ALLOWED);
	api_expect(http_call(port_of(state), "DELETE", EVENT, USER,
			     strlen(USER), NULL),
		   405, NOT_ALLOWED);
}

/* Without what may differ from one moment to the next. */
static void
head_text(const struct http_answer *a, char *ret, size_t size)
{
	const char *date = strstr(a->headers, "Date: ");

	if (!date)
		fail_msg("an answer without a date: %s", a->headers);
	else
		snprintf(ret, size, "%.*s%s", (int)(date - a->headers),
			 a->headers, date + strcspn(date, "\r"));
}

static void
head_answers_as_get_does_without_the_body(void **state)
{
	char id[API_ID_MAX], path[API_PATH_MAX];
	const char *const paths[] = { path,
				      EVENT,
				      "/health",
				      "/livez",
				      "/readyz",
				      "/readyz?verbose",
				      API_EVENTS "?limit=1&name=head",
				      API_EVENTS "?limit=x",
				      "/nowhere" };

	api_make(port_of(state), "head", "{}", id);
	snprintf(path, sizeof(path), API_EVENTS "/%s", id);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct http_answer get = api_get(port_of(state), paths[i]);
		struct http_answer head = http_call(port_of(state), "HEAD",
						    paths[i], NULL, 0, NULL);
		char texts[2][1024];

		assert_int_equal(head.len, 0);
		head_text(&get, texts[0], sizeof(texts[0]));
		head_text(&head, texts[1], sizeof(texts[1]));
		assert_string_equal(texts[0], texts[1]);
		http_answer_fini(&get);
		http_answer_fini(&head);
	}
}

static void
head_sends_no_body_on_the_wire(void **state)
{
	struct wire wire;
	struct http_answer a;

	wire_open(&wire, port_of(state));
	assert_true(wire_say(&wire, "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n"
				    "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"));
	a = wire_answer_to_head(&wire, ANSWER_MS);
	assert_int_equal(a.status, 200);
	expect_header(&a, "Content-Length", "18");
	http_answer_fini(&a);
	api_expect(wire_answer(&wire, ANSWER_MS), 200,
		   "{\"status\":\"alive\"}");
	wire_close(&wire);
}

static void
a_trailing_slash_gets_307_to_the_path_without_it(void **state)
{
	static const char *const rows[][3] = {
		{ "POST", API_EVENTS "/", API_EVENTS },
		{ "GET", API_EVENTS "/", API_EVENTS },
		{ "GET", API_EVENTS "/?limit=1&name=a%20b",
		  API_EVENTS "?limit=1&name=a%20b" },
		{ "GET", EVENT "/", EVENT },
		{ "POST", EVENT "/retry/", EVENT "/retry" },
		{ "GET", "/health/", "/health" },
		{ "GET", "/readyz/?verbose", "/readyz?verbose" },
		{ "HEAD", "/livez/", "/livez" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool posts = strcmp(rows[i][0], "POST") == 0;
		struct http_answer a = http_call(
			port_of(state), rows[i][0], rows[i][1],
			posts ? USER : NULL, posts ? strlen(USER) : 0, NULL);

		if (a.status != 307)
			fail_msg("%s %s: %ld", rows[i][0], rows[i][1],
				 a.status);
		expect_header(&a, "Location", rows[i][2]);
		assert_int_equal(a.len, 0);
		http_answer_fini(&a);
	}
}

static void
paths_match_byte_for_byte(void **state)
{
	static const char *const paths[] = {
		"/",
		"//",
		"/api",
		"/api/v1",
		"/api/v1/",
		"/api/v1/event",
		"/api/v1/eventsx",
		"/api/v1/Events",
		"/API/v1/events",
		"//api/v1/events",
		"/api//v1/events",
		"/api/v1/events//",
		"/api/v1/./events",
		"/api/v1/x/../events",
		("/api/v1/events/" ID "//"),
		("/api/v1/events/" ID "/retry/x"),
		("/api/v1/events/" ID "/Retry"),
		"/api/v1/events//retry",
		"/api/v2/events",
		"/api/v1/events;x=1",
		"/health/x",
		"/healthz",
		"/ready",
		"/metrics",
		"/nowhere/",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		api_expect(api_get(port_of(state), paths[i]), 404, NOT_FOUND);
}

static void
a_path_with_a_percent_sign_is_unknown(void **state)
{
	static const char *const paths[] = {
		"/api/v1/%65vents", "/api/v1/events%2F",   "/%",
		"/liv%65z",	    "/livez%00",	   "/api/v1/events/%",
		"/livez%",	    (EVENT "%2Fretry"),	   "/health%20",
		(EVENT "%00"),	    "/api%2Fv1%2Fevents/", "/livez%zz",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		api_expect(api_get(port_of(state), paths[i]), 404, NOT_FOUND);
}

static void
a_path_that_is_unknown_is_404_by_any_method(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE",
					       "OPTIONS", "BREW" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		api_expect(http_call(port_of(state), methods[i], "/nowhere",
				     NULL, 0, NULL),
			   404, NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_answers_204_and_the_methods_there_are),
		cmocka_unit_test(
			a_method_that_is_not_there_is_405_with_those_that_are),
		cmocka_unit_test(
			a_405_has_a_body_also_where_the_request_had_one),
		cmocka_unit_test(head_answers_as_get_does_without_the_body),
		cmocka_unit_test(head_sends_no_body_on_the_wire),
		cmocka_unit_test(
			a_trailing_slash_gets_307_to_the_path_without_it),
		cmocka_unit_test(paths_match_byte_for_byte),
		cmocka_unit_test(a_path_with_a_percent_sign_is_unknown),
		cmocka_unit_test(a_path_that_is_unknown_is_404_by_any_method),
	};

	return cmocka_run_group_tests_name("http_paths", tests,
					   service_setup_api, service_teardown);
}
