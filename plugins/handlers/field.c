/*
 * field.c - found by its pointer, decoded into the event's own memory.
 */
#include "field.h"

#include <errno.h>
#include <string.h>

#include "json.h"

int
field_find(struct evh_ctx *ctx, struct evh_event *ev, const char *pointer,
	   struct evh_bytes *ret)
{
	struct json_span data, value;
	char *text;
	int err;

	err = json_check(ev->data.data, ev->data.len, &data, NULL);
	if (err < 0)
		return err;
	if (!json_pointer(&data, pointer, &value))
		return 0;
	if (value.type != JSON_SPAN_STRING) {
		*ret = (struct evh_bytes){ value.at, value.len };
		return 1;
	}
	/* Decoded, a string is shorter than with its quotes. */
	text = ctx->event_alloc(ctx, ev, value.len);
	if (!text)
		return -ENOMEM;
	ret->len = json_decode(&value, text, value.len);
	ret->data = text;
	return 1;
}

bool
field_is_one_of(struct evh_ctx *ctx, const char *option, struct evh_bytes value)
{
	const char *item;

	for (unsigned i = 0; (item = ctx->opt_at(ctx, option, i, NULL)); i++)
		if (strlen(item) == value.len &&
		    memcmp(item, value.data, value.len) == 0)
			return true;
	return false;
}
