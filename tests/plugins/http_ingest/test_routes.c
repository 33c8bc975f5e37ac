/* Paths byte for byte, and what each of them allows. */
#include "routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
each_path_has_its_route(void **state)
{
	static const struct {
		const char *path;
		enum route route;
		bool slash;
		const char *id;
	} rows[] = {
		{ "/api/v1/events", ROUTE_EVENTS, false, NULL },
		{ "/api/v1/events/", ROUTE_EVENTS, true, NULL },
		{ "/api/v1/events//", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/events/abc", ROUTE_EVENT, false, "abc" },
		{ "/api/v1/events/abc/", ROUTE_EVENT, true, "abc" },
		{ "/api/v1/events/abc/retry", ROUTE_RETRY, false, "abc" },
		{ "/api/v1/events/abc/retry/", ROUTE_RETRY, true, "abc" },
		{ "/api/v1/events//retry", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/events/abc/retrY", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/events/abc/retry/x", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/events/abc/def", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/events/a%62c", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/event", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/eventsx", ROUTE_UNKNOWN, false, NULL },
		{ "/API/v1/events", ROUTE_UNKNOWN, false, NULL },
		{ "/api//v1/events", ROUTE_UNKNOWN, false, NULL },
		{ "/api/v1/../v1/events", ROUTE_UNKNOWN, false, NULL },
		{ "/health", ROUTE_HEALTH, false, NULL },
		{ "/health/", ROUTE_HEALTH, true, NULL },
		{ "/livez", ROUTE_LIVEZ, false, NULL },
		{ "/readyz", ROUTE_READYZ, false, NULL },
		{ "/%6civez", ROUTE_UNKNOWN, false, NULL },
		{ "/metrics", ROUTE_UNKNOWN, false, NULL },
		{ "/", ROUTE_UNKNOWN, false, NULL },
		{ "//", ROUTE_UNKNOWN, false, NULL },
		{ "", ROUTE_UNKNOWN, false, NULL },
		{ "*", ROUTE_ANY, false, NULL },
		{ "*/", ROUTE_UNKNOWN, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct route_match match =
			route_find(rows[i].path, strlen(rows[i].path));

		if (match.route != rows[i].route ||
		    match.slash != rows[i].slash)
			fail_msg("%s: route %d, slash %d", rows[i].path,
				 (int)match.route, match.slash);
		if (rows[i].id != NULL) {
			assert_int_equal(match.id_len, strlen(rows[i].id));
			assert_memory_equal(match.id, rows[i].id, match.id_len);
		}
	}
}

static void
each_route_allows_its_methods(void **state)
{
	(void)state;
	assert_true(route_allows(ROUTE_EVENTS, METHOD_POST));
	assert_true(route_allows(ROUTE_EVENTS, METHOD_HEAD));
	assert_false(route_allows(ROUTE_EVENT, METHOD_POST));
	assert_false(route_allows(ROUTE_RETRY, METHOD_GET));
	assert_true(route_allows(ROUTE_RETRY, METHOD_OPTIONS));
	assert_false(route_allows(ROUTE_HEALTH, METHOD_OTHER));
	assert_false(route_allows(ROUTE_UNKNOWN, METHOD_GET));
	assert_int_equal(route_method("get"), METHOD_OTHER);
	assert_int_equal(route_method("HEAD"), METHOD_HEAD);
	assert_string_equal(route_allow(ROUTE_EVENTS),
			    "GET, HEAD, POST, OPTIONS");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_has_its_route),
		cmocka_unit_test(each_route_allows_its_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
