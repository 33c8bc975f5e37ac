/*
 * field.h - a value inside an event's data, named by a JSON Pointer.
 *
 * Several handlers look at one value: "/user/role" in
 * {"user":{"role":"admin"}}.  They see it as text: a string decoded, anything
 * else as it stands in the data (12, true, null, [1,2]).
 */
#ifndef EVH_FIELD_H
#define EVH_FIELD_H

#include <evh/plugin.h>

#include <stdbool.h>

/*
 * 1 and the value, which lives as long as the event's data does; 0 when there
 * is none; -EINVAL when the data is no JSON, -ENOMEM. [worker]
 */
int field_find(struct evh_ctx *ctx, struct evh_event *ev, const char *pointer,
	       struct evh_bytes *ret);

/* Whether it is one of the list that this option of the handler has. [any] */
bool field_is_one_of(struct evh_ctx *ctx, const char *option,
		     struct evh_bytes value);

#endif
