/*
 * detail.h - the body of a 422: FastAPI's list of what is wrong, every mistake
 * at once.
 *
 *   {"detail":[{"type":..,"loc":[..],"msg":..,"input":..,"ctx":..}]}
 */
#ifndef HTTP_DETAIL_H
#define HTTP_DETAIL_H

#include <evh/plugin.h>

#include "text.h"

/* What came is shown up to here, else as null. */
#define DETAIL_INPUT_MAX 1024
/* So many unknown members or parameters are named; the rest is not. */
#define DETAIL_UNKNOWN_MAX 100

struct detail_item {
	const char *type;
	const char *place; /* "body", "query", "path", "header" */
	struct evh_bytes
		where;	 /* raw JSON: a quoted name, a number; or empty */
	const char *msg; /* written as it is: no quotes in it */
	struct evh_bytes input; /* raw JSON; empty: null */
	const char *ctx;	/* raw JSON, or NULL */
};

void detail_begin(struct text *text);
void detail_add(struct text *text, const struct detail_item *item);
void detail_end(struct text *text);

#endif
