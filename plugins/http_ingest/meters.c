#include "meters.h"

#include <stdio.h>

static const unsigned short codes[METERS_CODES] = {
	200, 201, 202, 204, 207, 307, 400, 404, 405, 408, 409,
	411, 413, 414, 415, 417, 422, 431, 500, 501, 503, 505,
};

static unsigned
code_index(unsigned status)
{
	unsigned i = 0;

	while (i < METERS_CODES - 1 && codes[i] != status)
		i++;
	return i;
}

void
meters_init(struct meters *meters, struct evh_ctx *ctx)
{
	meters->ctx = ctx;
	meters->connections = ctx->metric(ctx, EVH_GAUGE, "http_connections",
					  NULL, "open connections");
}

/* Two loops may both ask: the host gives both the same handle. */
static struct evh_metric *
handle_of(struct meters *meters, enum route route, enum method method,
	  unsigned status)
{
	_Atomic(struct evh_metric *) *place =
		&meters->requests[route][method][code_index(status)];
	struct evh_metric *metric =
		atomic_load_explicit(place, memory_order_acquire);
	char labels[96];

	if (metric != NULL)
		return metric;
	snprintf(labels, sizeof(labels), "route=%s,method=%s,code=%u",
		 route_name(route), route_method_name(method), status);
	metric = meters->ctx->metric(meters->ctx, EVH_COUNTER, "http_requests",
				     labels, "requests answered");
	atomic_store_explicit(place, metric, memory_order_release);
	return metric;
}

static struct evh_metric *
seconds_of(struct meters *meters, enum route route)
{
	_Atomic(struct evh_metric *) *place = &meters->seconds[route];
	struct evh_metric *metric =
		atomic_load_explicit(place, memory_order_acquire);
	char labels[64];

	if (metric != NULL)
		return metric;
	snprintf(labels, sizeof(labels), "route=%s", route_name(route));
	metric = meters->ctx->metric(
		meters->ctx, EVH_HISTOGRAM, "http_request_seconds", labels,
		"from a request's first line to the end of its answer");
	atomic_store_explicit(place, metric, memory_order_release);
	return metric;
}

void
meters_request(struct meters *meters, enum route route, enum method method,
	       unsigned status, int64_t ns)
{
	struct evh_ctx *ctx = meters->ctx;

	ctx->record(handle_of(meters, route, method, status), 1);
	ctx->record(seconds_of(meters, route), ns);
}

void
meters_refused(struct meters *meters, unsigned status)
{
	meters->ctx->record(
		handle_of(meters, ROUTE_UNKNOWN, METHOD_OTHER, status), 1);
}

void
meters_connection(struct meters *meters, int change)
{
	int64_t now = atomic_fetch_add_explicit(&meters->n_connections, change,
						memory_order_relaxed) +
		      change;

	meters->ctx->record(meters->connections, now);
}
