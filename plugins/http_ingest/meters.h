/*
 * meters.h - what is counted: requests by route, method and code, their time,
 * and connections.
 *
 * A handle is asked for when its combination first occurs, then kept: most of
 * the table never does, and the host caps the labels of an instance.
 */
#ifndef HTTP_METERS_H
#define HTTP_METERS_H

#include <evh/plugin.h>

#include <stdatomic.h>

#include "routes.h"

#define METERS_CODES 32 /* distinct codes; what is more shares the last */

struct meters {
	struct evh_ctx *ctx;
	_Atomic(struct evh_metric *) requests[N_ROUTES][N_METHODS]
					     [METERS_CODES];
	_Atomic(struct evh_metric *) seconds[N_ROUTES];
	struct evh_metric *connections;
	_Atomic int64_t n_connections;
};

void meters_init(struct meters *meters, struct evh_ctx *ctx);

/* A request was answered with `status`, ns after its first line. [any] */
void meters_request(struct meters *meters, enum route route, enum method method,
		    unsigned status, int64_t ns);
/* An answer that no request led to: a head that could not be read. [any] */
void meters_refused(struct meters *meters, unsigned status);
void meters_connection(struct meters *meters, int change);

#endif
