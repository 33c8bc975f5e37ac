#include "envelope.h"
#include "json.h"
#include "rfc3339.h"
#include "scratch.h"
#include "uuid_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Around the values, in the order in which they are written. */
static const char before_id[] = "{\"id\":\"";
static const char before_name[] = "\",\"name\":";
static const char before_data[] = ",\"data\":";
static const char before_created[] = ",\"created_at\":\"";
static const char behind[] = "\"}";
static const char no_data[] = "{}";

/* All that is as long in every envelope. */
#define FIXED_LEN                                                              \
	(sizeof(before_id) - 1 + UUID_TEXT_LEN + sizeof(before_name) - 1 +     \
	 sizeof(before_data) - 1 + sizeof(before_created) - 1 + RFC3339_LEN +  \
	 sizeof(behind) - 1)

/* ---- Writing ------------------------------------------------------------ */

static struct evh_bytes
data_of(const struct evh_event *ev)
{
	struct evh_bytes none = { no_data, sizeof(no_data) - 1 };

	return ev->data.len > 0 ? ev->data : none;
}

size_t
envelope_size(const struct evh_event *ev)
{
	return sizeof(before_id) + UUID_TEXT_LEN + sizeof(before_name) +
	       json_quote(ev->name, strlen(ev->name), NULL, 0) +
	       sizeof(before_data) + data_of(ev).len + sizeof(before_created) +
	       RFC3339_LEN + sizeof(behind);
}

static char *
put(char *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

size_t
envelope_write(const struct evh_event *ev, char *ret, size_t size)
{
	struct evh_bytes data = data_of(ev);
	char *at = ret;
	size_t name_len;

	if (size < FIXED_LEN || size - FIXED_LEN < data.len)
		return 0;
	at = put(at, before_id, sizeof(before_id) - 1);
	uuid_write(ev->id, at);
	at += UUID_TEXT_LEN;
	at = put(at, before_name, sizeof(before_name) - 1);
	/* The caller has measured the name already; here it is only looked
	 * at once, and cut where the room ends. */
	name_len = json_quote(ev->name, strlen(ev->name), at,
			      size - (size_t)(at - ret));
	if (size - FIXED_LEN - data.len < name_len)
		return 0;
	at += name_len;
	at = put(at, before_data, sizeof(before_data) - 1);
	at = put(at, data.data, data.len);
	at = put(at, before_created, sizeof(before_created) - 1);
	rfc3339_write(ev->created_ns, at);
	at = put(at + RFC3339_LEN, behind, sizeof(behind) - 1);
	return (size_t)(at - ret);
}

/* ---- Reading ------------------------------------------------------------ */

static bool
is_too_long(const char *name, size_t len)
{
	size_t points = 0;

	if (len <= ENVELOPE_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		points += (name[i] & 0xC0) != 0x80; /* no continuation byte */
	return points > ENVELOPE_NAME_MAX;
}

enum envelope_name
envelope_name_check(const char *name, size_t len)
{
	bool control = false;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		control |= (c < 0x20) | (c == 0x7F); /* without a branch */
	}
	if (len == 0)
		return ENVELOPE_NAME_EMPTY;
	if (is_too_long(name, len))
		return ENVELOPE_NAME_TOO_LONG;
	return control ? ENVELOPE_NAME_CONTROL : ENVELOPE_NAME_OK;
}

static int EVH_PRINTF(2, 3)
	poison(struct envelope_error *ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret->text, sizeof(ret->text), format, args);
	va_end(args);
	return -EINVAL;
}

/* What is read before it is known that all is well; the name as it stands. */
struct found {
	bool has_id, has_name, has_created;
	unsigned char id[16];
	int64_t created_ns;
	struct json_span name;
	struct evh_bytes data;
};

static int
read_id(const struct json_span *value, struct found *found,
	struct envelope_error *ret_error)
{
	char room[UUID_TEXT_LEN + 2]; /* one more shows what is too long */
	const char *text, *why;
	size_t len;

	if (value->type != JSON_SPAN_STRING)
		return poison(ret_error, "id is not a string");
	text = json_content(value, room, sizeof(room), &len);
	if (uuid_read(text, len, found->id, &why) < 0)
		return poison(ret_error, "id is not a UUID: %s", why);
	found->has_id = true;
	return 0;
}

static int
read_name(const struct json_span *value, struct found *found,
	  struct envelope_error *ret_error)
{
	EVH_SCRATCH char room[ENVELOPE_NAME_BYTES + 1];
	enum envelope_name verdict = ENVELOPE_NAME_TOO_LONG;
	const char *name;
	size_t len;

	if (value->type != JSON_SPAN_STRING)
		return poison(ret_error, "name is not a string");
	found->has_name = true;
	found->name = *value;
	name = json_content(value, room, sizeof(room), &len);
	if (len < sizeof(room))
		verdict = envelope_name_check(name, len);
	switch (verdict) {
	case ENVELOPE_NAME_OK:
		break;
	case ENVELOPE_NAME_EMPTY:
		return poison(ret_error, "name is empty");
	case ENVELOPE_NAME_TOO_LONG:
		return poison(ret_error, "name is longer than %d characters",
			      ENVELOPE_NAME_MAX);
	case ENVELOPE_NAME_CONTROL:
		return poison(ret_error, "name has a control character");
	}
	return 0;
}

static void
read_created(const struct json_span *value, struct found *found)
{
	char room[64];
	const char *text;
	size_t len;

	if (value->type != JSON_SPAN_STRING)
		return;
	text = json_content(value, room, sizeof(room), &len);
	if (len < sizeof(room))
		found->has_created =
			rfc3339_read(text, len, &found->created_ns) == 0;
}

static bool
word_is(const char *word, size_t len, const char *expected)
{
	return len == strlen(expected) && memcmp(word, expected, len) == 0;
}

static int
read_member(const struct json_span *key, const struct json_span *value,
	    struct found *found, struct envelope_error *ret_error)
{
	char room[sizeof("created_at") + 1]; /* the same */
	const char *word;
	size_t len;

	word = json_content(key, room, sizeof(room), &len);
	if (word_is(word, len, "id"))
		return read_id(value, found, ret_error);
	if (word_is(word, len, "name"))
		return read_name(value, found, ret_error);
	if (word_is(word, len, "data"))
		found->data = (struct evh_bytes){ value->at, value->len };
	else if (word_is(word, len, "created_at"))
		read_created(value, found);
	return 0;
}

static int
read_members(const struct json_members *members, struct found *found,
	     struct envelope_error *ret_error)
{
	struct json_span key, value;
	size_t cursor = 0;
	int r;

	while (json_members_next(members, &cursor, &key, &value)) {
		r = read_member(&key, &value, found, ret_error);
		if (r < 0)
			return r;
	}
	return found->has_name ? 0 : poison(ret_error, "name is missing");
}

static int
explain(int r, const struct json_error *error, struct envelope_error *ret)
{
	if (r != -EINVAL)
		return r;
	if (error->not_utf8)
		return poison(ret, "not UTF-8 at byte %zu", error->position);
	return poison(ret, "not JSON: %s at byte %zu", error->text,
		      error->position);
}

int
envelope_read(const void *message, size_t len, size_t max_bytes,
	      struct envelope *ret, struct envelope_error *ret_error)
{
	EVH_SCRATCH struct json_members members;
	struct found found = { .data = { no_data, sizeof(no_data) - 1 } };
	struct json_error error;
	int r;

	if (len == 0)
		return poison(ret_error, "message is empty");
	if (len > max_bytes)
		return poison(ret_error,
			      "message of %zu bytes is larger than %zu", len,
			      max_bytes);
	r = json_members_read(message, len, &members, &error);
	if (r < 0)
		return explain(r, &error, ret_error);
	if (members.value.type != JSON_SPAN_OBJECT)
		return poison(ret_error, "not a JSON object");
	r = read_members(&members, &found, ret_error);
	if (r < 0)
		return r;
	ret->has_id = found.has_id;
	memcpy(ret->id, found.id, sizeof(ret->id));
	ret->has_created = found.has_created;
	ret->created_ns = found.created_ns;
	json_decode(&found.name, ret->name, sizeof(ret->name));
	ret->data = found.data;
	return 0;
}
