#include "routes.h"

#include <string.h>

#define GETTERS (1U << METHOD_GET | 1U << METHOD_HEAD | 1U << METHOD_OPTIONS)
#define POST	(1U << METHOD_POST)

static const struct {
	const char *name, *path; /* path NULL: not found by comparing */
	unsigned methods;
	const char *allow;
} table[N_ROUTES] = {
	[ROUTE_UNKNOWN] = { "unknown", NULL, 0, "" },
	[ROUTE_EVENTS] = { "/api/v1/events", "/api/v1/events", GETTERS | POST,
			   "GET, HEAD, POST, OPTIONS" },
	[ROUTE_EVENT] = { "/api/v1/events/{id}", NULL, GETTERS,
			  "GET, HEAD, OPTIONS" },
	[ROUTE_RETRY] = { "/api/v1/events/{id}/retry", NULL,
			  POST | 1U << METHOD_OPTIONS, "POST, OPTIONS" },
	[ROUTE_HEALTH] = { "/health", "/health", GETTERS,
			   "GET, HEAD, OPTIONS" },
	[ROUTE_LIVEZ] = { "/livez", "/livez", GETTERS, "GET, HEAD, OPTIONS" },
	[ROUTE_READYZ] = { "/readyz", "/readyz", GETTERS,
			   "GET, HEAD, OPTIONS" },
	[ROUTE_ANY] = { "*", "*", 1U << METHOD_OPTIONS,
			"GET, HEAD, POST, OPTIONS" },
};

static const char *const methods[N_METHODS] = {
	[METHOD_OTHER] = "other",     [METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",	      [METHOD_POST] = "POST",
	[METHOD_OPTIONS] = "OPTIONS",
};

static struct route_match
find_exact(const char *path, size_t len)
{
	static const char prefix[] = "/api/v1/events/";
	static const char retry[] = "/retry";
	const size_t prefix_len = sizeof(prefix) - 1;
	struct route_match match = { .route = ROUTE_UNKNOWN };
	const char *slash;

	for (int i = 0; i < N_ROUTES; i++) {
		if (table[i].path != NULL && len == strlen(table[i].path) &&
		    memcmp(path, table[i].path, len) == 0) {
			match.route = (enum route)i;
			return match;
		}
	}
	if (len <= prefix_len || memcmp(path, prefix, prefix_len) != 0)
		return match;
	match.id = path + prefix_len;
	match.id_len = len - prefix_len;
	slash = memchr(match.id, '/', match.id_len);
	if (slash == NULL) {
		match.route = ROUTE_EVENT;
	} else if (slash > match.id &&
		   (size_t)(path + len - slash) == sizeof(retry) - 1 &&
		   memcmp(slash, retry, sizeof(retry) - 1) == 0) {
		match.id_len = (size_t)(slash - match.id);
		match.route = ROUTE_RETRY;
	}
	return match;
}

struct route_match
route_find(const char *path, size_t len)
{
	struct route_match match = { .route = ROUTE_UNKNOWN };

	if (memchr(path, '%', len) != NULL)
		return match;
	match = find_exact(path, len);
	if (match.route == ROUTE_UNKNOWN && len > 1 && path[len - 1] == '/') {
		match = find_exact(path, len - 1);
		match.slash = match.route != ROUTE_UNKNOWN &&
			      match.route != ROUTE_ANY;
		if (!match.slash)
			match.route = ROUTE_UNKNOWN;
	}
	return match;
}

enum method
route_method(const char *method)
{
	for (int i = METHOD_GET; i < N_METHODS; i++)
		if (strcmp(method, methods[i]) == 0)
			return (enum method)i;
	return METHOD_OTHER;
}

bool
route_allows(enum route route, enum method method)
{
	return (table[route].methods >> method & 1) != 0;
}

const char *
route_allow(enum route route)
{
	return table[route].allow;
}

const char *
route_name(enum route route)
{
	return table[route].name;
}

const char *
route_method_name(enum method method)
{
	return methods[method];
}
