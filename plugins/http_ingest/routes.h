/*
 * routes.h - which call a path means, and which methods it has.
 *
 * Paths are matched byte for byte: nothing is decoded, folded or normalised,
 * so no other spelling of a path exists for a proxy to let pass.
 */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

enum route {
	ROUTE_UNKNOWN,
	ROUTE_EVENTS, /* /api/v1/events */
	ROUTE_EVENT,  /* /api/v1/events/{id} */
	ROUTE_RETRY,  /* /api/v1/events/{id}/retry */
	ROUTE_HEALTH,
	ROUTE_LIVEZ,
	ROUTE_READYZ,
	ROUTE_ANY, /* "*", with OPTIONS */
	N_ROUTES,
};

enum method {
	METHOD_OTHER,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_OPTIONS,
	N_METHODS,
};

struct route_match {
	enum route route;
	const char *id; /* of an event, as it stands in the path; or NULL */
	size_t id_len;
	bool slash; /* one "/" too many: this is the path without it */
};

struct route_match route_find(const char *path, size_t len);
enum method route_method(const char *method);
bool route_allows(enum route route, enum method method);

/* The value of Allow; and the names by which metrics show them. */
const char *route_allow(enum route route);
const char *route_name(enum route route);
const char *route_method_name(enum method method);

#endif
