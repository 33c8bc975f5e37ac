/*
 * query.h - what a list asks for: status, name, limit, offset.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <evh/plugin.h>

#include <stdbool.h>

#include "text.h"

#define QUERY_NAME_MAX	 (4 * 255)
#define QUERY_LIMIT_MAX	 1000
#define QUERY_LIMIT_DEF	 100
#define QUERY_OFFSET_MAX 100000

struct query {
	enum evh_status status; /* 0: any */
	bool has_name;
	char name[QUERY_NAME_MAX + 1];
	uint32_t limit, offset;
};

/*
 * Reads what stands behind the "?" (raw may be empty).  0 and *ret; -EINVAL
 * and the JSON of the 422 added to ret_detail; -ENOMEM. [any]
 */
int query_read(const char *raw, size_t len, struct query *ret,
	       struct text *ret_detail);

/* Is the parameter there, with a value or without? For `?verbose`. */
bool query_has(const char *raw, size_t len, const char *name);

#endif
