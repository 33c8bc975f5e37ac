#include "event_body.h"

#include "detail.h"

#include <event_key.h>
#include <scratch.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY_ROOM 128 /* most keys are shorter */

static struct evh_bytes
bytes_of(const struct json_span *span)
{
	return (struct evh_bytes){ span->at, span->len };
}

static struct evh_bytes
bytes_str(const char *text)
{
	return (struct evh_bytes){ text, strlen(text) };
}

/* What is wrong before there is an object: one mistake, and no other can be
 * seen behind it. */
static void
refuse_whole(struct text *detail, const struct detail_item *item)
{
	detail_begin(detail);
	detail_add(detail, item);
	detail_end(detail);
}

static void
refuse_missing(struct text *detail)
{
	refuse_whole(detail, &(struct detail_item){ .type = "missing",
						    .place = "body",
						    .msg = "Field required" });
}

static void
refuse_grammar(struct text *detail, const struct json_error *error)
{
	char position[24];
	struct text ctx = { 0 };
	struct detail_item item = { .type = "json_invalid",
				    .place = "body",
				    .msg = "JSON decode error",
				    .input = bytes_str("{}") };

	snprintf(position, sizeof(position), "%zu", error->position);
	item.where = bytes_str(position);
	text_str(&ctx, "{\"error\":");
	text_quoted(&ctx, error->text, strlen(error->text));
	text_add(&ctx, "}", 2); /* with its NUL: ctx is a string */
	if (ctx.failed)
		detail->failed = true;
	else
		item.ctx = ctx.at;
	refuse_whole(detail, &item);
	text_fini(&ctx);
}

/* The text as a whole: a JSON object, or not. */
static int
check_whole(const char *text, size_t len, struct json_members *ret,
	    struct text *ret_detail)
{
	const struct json_span *value = &ret->value;
	struct json_error error;
	int rc;

	if (len == 0) {
		refuse_missing(ret_detail);
		return -EINVAL;
	}
	rc = json_members_read(text, len, ret, &error);
	if (rc == -EINVAL && error.not_utf8)
		return -EILSEQ;
	if (rc == -EINVAL)
		refuse_grammar(ret_detail, &error);
	if (rc < 0)
		return rc;
	if (value->type == JSON_SPAN_NULL) {
		refuse_missing(ret_detail);
		return -EINVAL;
	}
	if (value->type == JSON_SPAN_OBJECT)
		return 0;
	refuse_whole(ret_detail,
		     &(struct detail_item){ .type = "model_attributes_type",
					    .place = "body",
					    .msg = "Input should be a valid "
						   "dictionary or object to "
						   "extract fields from",
					    .input = bytes_of(value) });
	return -EINVAL;
}

/* Fills the item's type, msg and ctx; false when the name is fine. */
static bool
name_is_wrong(const struct json_span *span, struct event_body *body,
	      struct detail_item *item)
{
	size_t len;

	if (span->type != JSON_SPAN_STRING) {
		item->type = "string_type";
		item->msg = "Input should be a valid string";
		return true;
	}
	len = json_decode(span, body->name, sizeof(body->name));
	/* What does not fit has more than 255 characters of 4 bytes each. */
	body->name_len = len;
	switch (len >= sizeof(body->name)
			? ENVELOPE_NAME_TOO_LONG
			: envelope_name_check(body->name, len)) {
	case ENVELOPE_NAME_OK:
		return false;
	case ENVELOPE_NAME_EMPTY:
		item->type = "string_too_short";
		item->msg = "String should have at least 1 character";
		item->ctx = "{\"min_length\":1}";
		return true;
	case ENVELOPE_NAME_TOO_LONG:
		item->type = "string_too_long";
		item->msg = "String should have at most 255 characters";
		item->ctx = "{\"max_length\":255}";
		return true;
	case ENVELOPE_NAME_CONTROL:
		break;
	}
	item->type = "value_error";
	item->msg = "Value error, name must not contain control characters";
	item->ctx = "{\"error\":{}}";
	return true;
}

/* One pass over the members; what is found is noted, what is unknown is
 * refused at once, behind name and data, when `forbid` says so. */
struct found {
	struct json_span name, data;
	bool has_name, has_data;
};

static bool
key_is(const struct json_span *key, const char *word)
{
	char room[8];
	size_t len;
	const char *text = json_content(key, room, sizeof(room), &len);

	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static void
find_members(const struct json_members *members, struct found *ret)
{
	struct json_span key, value;
	size_t cursor = 0;

	while (json_members_next(members, &cursor, &key, &value)) {
		if (key_is(&key, "name")) {
			ret->name = value;
			ret->has_name = true;
		} else if (key_is(&key, "data")) {
			ret->data = value;
			ret->has_data = true;
		}
	}
}

static unsigned
refuse_unknown(const struct json_members *members, struct text *detail)
{
	struct json_span key, value;
	size_t cursor = 0;
	unsigned n = 0;

	while (n < DETAIL_UNKNOWN_MAX &&
	       json_members_next(members, &cursor, &key, &value)) {
		struct detail_item item = {
			.type = "extra_forbidden",
			.place = "body",
			.where = bytes_of(&key),
			.msg = "Extra inputs are not permitted",
			.input = bytes_of(&value),
		};

		if (key_is(&key, "name") || key_is(&key, "data"))
			continue;
		detail_add(detail, &item);
		n++;
	}
	return n;
}

static void
refuse_field(struct text *detail, struct detail_item *item, const char *where)
{
	item->place = "body";
	item->where = bytes_str(where);
	detail_add(detail, item);
}

int
event_body_check(const char *text, size_t len, bool forbid,
		 struct event_body *ret, struct text *ret_detail)
{
	EVH_SCRATCH struct json_members members;
	const struct json_span *object = &members.value;
	struct found found = { 0 };
	struct detail_item item = { 0 };
	size_t before = ret_detail->len;
	unsigned wrong = 0;
	int rc = check_whole(text, len, &members, ret_detail);

	if (rc < 0)
		return ret_detail->failed ? -ENOMEM : rc;
	find_members(&members, &found);
	detail_begin(ret_detail);
	if (!found.has_name) {
		item = (struct detail_item){ .type = "missing",
					     .msg = "Field required",
					     .input = bytes_of(object) };
		refuse_field(ret_detail, &item, "\"name\"");
		wrong++;
	} else if (item.input = bytes_of(&found.name),
		   name_is_wrong(&found.name, ret, &item)) {
		refuse_field(ret_detail, &item, "\"name\"");
		wrong++;
	}
	if (!found.has_data || found.data.type != JSON_SPAN_OBJECT) {
		const struct json_span *input =
			found.has_data ? &found.data : object;

		item = (struct detail_item){ .input = bytes_of(input) };
		item.type = found.has_data ? "dict_type" : "missing";
		item.msg = found.has_data ? "Input should be a valid dictionary"
					  : "Field required";
		refuse_field(ret_detail, &item, "\"data\"");
		wrong++;
	}
	if (forbid)
		wrong += refuse_unknown(&members, ret_detail);
	if (wrong > 0) {
		detail_end(ret_detail);
		return ret_detail->failed ? -ENOMEM : -EINVAL;
	}
	ret_detail->len = before;
	ret->data = found.data;
	return ret_detail->failed ? -ENOMEM : 0;
}

bool
event_body_key_rule(const char *rule)
{
	return event_key_rule(rule);
}

void
event_body_key(struct evh_bytes name, const struct json_span *data,
	       const unsigned char id[16], const char *rule,
	       struct text *ret_key)
{
	size_t room = KEY_ROOM, len;

	if (strcmp(rule, "none") == 0 || !text_reserve(ret_key, room))
		return;
	len = event_key(name, data, id, rule, ret_key->at + ret_key->len, room);
	if (len >= room) {
		room = len + 1;
		if (!text_reserve(ret_key, room))
			return;
		len = event_key(name, data, id, rule,
				ret_key->at + ret_key->len, room);
	}
	ret_key->len += len;
}

void
event_body_key_refuse(struct text *ret_detail)
{
	char msg[80];

	snprintf(msg, sizeof(msg),
		 "Value error, the event's key must have at most %zu bytes",
		 EVENT_BODY_KEY_MAX);
	refuse_whole(ret_detail,
		     &(struct detail_item){ .type = "value_error",
					    .place = "body",
					    .where = bytes_str("\"data\""),
					    .msg = msg,
					    .ctx = "{\"error\":{}}" });
}
