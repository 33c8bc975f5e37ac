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

enum envelope_name
envelope_name_check(const char *name, size_t len)
{
	size_t i, points = 0;
	bool control = false;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		control = control || c < 0x20 || c == 0x7F;
		points += (c & 0xC0) != 0x80; /* all but continuation bytes */
	}
	if (len == 0)
		return ENVELOPE_NAME_EMPTY;
	if (points > ENVELOPE_NAME_MAX)
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

static int
read_id(const struct json_span *value, struct envelope *env,
	struct envelope_error *ret_error)
{
	char text[UUID_TEXT_LEN + 2]; /* one more shows what is too long */
	const char *why;
	size_t len;

	if (value->type != JSON_SPAN_STRING)
		return poison(ret_error, "id is not a string");
	len = json_decode(value, text, sizeof(text));
	if (uuid_read(text, len, env->id, &why) < 0)
		return poison(ret_error, "id is not a UUID: %s", why);
	env->has_id = true;
	return 0;
}

static int
read_name(const struct json_span *value, struct envelope *env,
	  struct envelope_error *ret_error)
{
	enum envelope_name verdict = ENVELOPE_NAME_TOO_LONG;
	size_t len;

	if (value->type != JSON_SPAN_STRING)
		return poison(ret_error, "name is not a string");
	len = json_decode(value, env->name, sizeof(env->name));
	if (len < sizeof(env->name))
		verdict = envelope_name_check(env->name, len);
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
read_created(const struct json_span *value, struct envelope *env)
{
	char text[64];
	size_t len;

	if (value->type != JSON_SPAN_STRING)
		return;
	len = json_decode(value, text, sizeof(text));
	if (len < sizeof(text))
		env->has_created =
			rfc3339_read(text, len, &env->created_ns) == 0;
}

/* One member of the message; *named when it was the name. */
static int
read_member(const struct json_span *key, const struct json_span *value,
	    struct envelope *env, bool *named, struct envelope_error *ret_error)
{
	char text[sizeof("created_at") + 1];

	if (json_decode(key, text, sizeof(text)) >= sizeof(text))
		return 0;
	if (strcmp(text, "id") == 0)
		return read_id(value, env, ret_error);
	if (strcmp(text, "name") == 0) {
		*named = true;
		return read_name(value, env, ret_error);
	}
	if (strcmp(text, "data") == 0)
		env->data = (struct evh_bytes){ value->at, value->len };
	else if (strcmp(text, "created_at") == 0)
		read_created(value, env);
	return 0;
}

static int
read_object(const struct json_span *object, struct envelope *env,
	    struct envelope_error *ret_error)
{
	struct json_span key, value;
	bool named = false;
	size_t cursor = 0;
	int r;

	while (json_member(object, &cursor, &key, &value)) {
		r = read_member(&key, &value, env, &named, ret_error);
		if (r < 0)
			return r;
	}
	return named ? 0 : poison(ret_error, "name is missing");
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
	EVH_SCRATCH struct envelope env; /* the name is 1 KiB */
	struct json_error error;
	struct json_span value;
	int r;

	env.has_id = false;
	env.has_created = false;
	env.created_ns = 0;
	memset(env.id, 0, sizeof(env.id));
	env.name[0] = '\0';
	env.data = (struct evh_bytes){ no_data, sizeof(no_data) - 1 };
	if (len == 0)
		return poison(ret_error, "message is empty");
	if (len > max_bytes)
		return poison(ret_error,
			      "message of %zu bytes is larger than %zu", len,
			      max_bytes);
	r = json_check(message, len, &value, &error);
	if (r < 0)
		return explain(r, &error, ret_error);
	if (value.type != JSON_SPAN_OBJECT)
		return poison(ret_error, "not a JSON object");
	r = read_object(&value, &env, ret_error);
	if (r < 0)
		return r;
	*ret = env;
	return 0;
}
