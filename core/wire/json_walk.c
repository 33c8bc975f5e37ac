#include "json_walk.h"
#include "json_string.h"

#include <string.h>

/* ---- Tokens ------------------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool
is_punctuation(char c)
{
	return c == '{' || c == '}' || c == '[' || c == ']' || c == ':' ||
	       c == ',';
}

const char *
json_walk_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

/* From the opening quote to behind the closing one, or to the end. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

const char *
json_walk_token(const char *p, const char *end)
{
	if (*p == '"')
		return skip_string(p, end);
	if (is_punctuation(*p))
		return p + 1;
	while (p < end && *p != '"' && !is_punctuation(*p) && !is_space(*p))
		p++;
	return p;
}

/* '[' and '{', and what closes them, are the same but for one bit. */
static bool
is_opening(char c)
{
	return (c & 0xDF) == '[';
}

static bool
is_closing(char c)
{
	return (c & 0xDF) == ']';
}

static const char *
skip_value(const char *p, const char *end)
{
	size_t depth = 0;

	if (!is_opening(*p))
		return json_walk_token(p, end);
	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (is_opening(*p))
			depth++;
		else if (is_closing(*p) && --depth == 0)
			return p + 1;
		p++;
	}
	return end;
}

static enum json_type
type_of(char first)
{
	switch (first) {
	case '{':
		return JSON_SPAN_OBJECT;
	case '[':
		return JSON_SPAN_ARRAY;
	case '"':
		return JSON_SPAN_STRING;
	case 't':
		return JSON_SPAN_TRUE;
	case 'f':
		return JSON_SPAN_FALSE;
	case 'n':
		return JSON_SPAN_NULL;
	default:
		return JSON_SPAN_NUMBER;
	}
}

/*
 * The value at p, and where the next token begins.  NULL, with *ret untouched,
 * when there is none: then the span was not one of json_check()'s.
 */
static const char *
take_value(const char *p, const char *end, struct json_span *ret)
{
	const char *behind;

	if (p >= end || (is_punctuation(*p) && !is_opening(*p)))
		return NULL;
	behind = skip_value(p, end);
	ret->at = p;
	ret->len = (size_t)(behind - p);
	ret->type = type_of(*p);
	ret->verbatim = false; /* nobody has looked */
	return json_walk_space(behind, end);
}

/* ---- Whole texts -------------------------------------------------------- */

const char *
json_walk_deeper(const char *text, const char *end, int max)
{
	const char *p;
	int depth = 0, n_opening = 0;

	/* Most texts do not even have so many brackets. */
	for (p = text; p < end; p++)
		n_opening += is_opening(*p);
	if (n_opening <= max)
		return NULL;
	for (p = text; p < end;) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (is_opening(*p) && ++depth > max)
			return p;
		if (is_closing(*p))
			depth--;
		p++;
	}
	return NULL;
}

struct json_span
json_walk_whole(const char *text, size_t len)
{
	const char *end = text + len;

	text = json_walk_space(text, end);
	while (is_space(end[-1]))
		end--;
	return (struct json_span){ .at = text,
				   .len = (size_t)(end - text),
				   .type = type_of(*text) };
}

/* ---- Finding ------------------------------------------------------------ */

/* Behind a value and its comma, or NULL. */
static const char *
next_item(const char *p, const char *end)
{
	return p < end && *p == ',' ? json_walk_space(p + 1, end) : p;
}

bool
json_member(const struct json_span *object, size_t *cursor,
	    struct json_span *ret_key, struct json_span *ret_value)
{
	const char *p, *end = object->at + object->len;
	struct json_span key, value;

	if (object->type != JSON_SPAN_OBJECT || *cursor >= object->len)
		return false;
	p = object->at + *cursor;
	if (*cursor == 0)
		p = json_walk_space(p + 1, end);
	p = take_value(p, end, &key);
	if (p == NULL || p >= end || *p != ':')
		return false;
	p = take_value(json_walk_space(p + 1, end), end, &value);
	if (p == NULL)
		return false;
	*cursor = (size_t)(next_item(p, end) - object->at);
	*ret_key = key;
	*ret_value = value;
	return true;
}

/*
 * One byte of a name, or of a pointer's token, where ~1 is '/' and ~0 is '~'.
 * An escape that is none ends the comparison: -1.
 */
static int
name_byte(const char **p, const char *end, bool pointer)
{
	if (*p >= end)
		return -1;
	if (!pointer || **p != '~')
		return (unsigned char)*(*p)++;
	if (end - *p < 2 || ((*p)[1] != '0' && (*p)[1] != '1'))
		return -1;
	*p += 2;
	return (*p)[-1] == '0' ? '~' : '/';
}

static bool
key_is(const struct json_span *key, const char *name, size_t len, bool pointer)
{
	const char *p = key->at + 1, *end = key->at + key->len - 1;
	const char *name_end = name + len;
	char one[4];
	size_t i, n;

	while (p < end) {
		p = json_string_next(p, end, one, &n);
		for (i = 0; i < n; i++)
			if (name_byte(&name, name_end, pointer) !=
			    (unsigned char)one[i])
				return false;
	}
	return name == name_end;
}

static bool
find(const struct json_span *object, const char *name, size_t len, bool pointer,
     struct json_span *ret)
{
	struct json_span key, value;
	size_t cursor = 0;

	while (json_member(object, &cursor, &key, &value)) {
		if (key_is(&key, name, len, pointer)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

bool
json_find(const struct json_span *object, const char *name,
	  struct json_span *ret_value)
{
	return find(object, name, strlen(name), false, ret_value);
}

/* An array index by RFC 6901: digits, no leading zero; "-" is never there. */
static bool
index_read(const char *text, size_t len, size_t *ret)
{
	size_t i, value = 0;

	if (len == 0 || len > 9 || (len > 1 && text[0] == '0'))
		return false;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (size_t)(text[i] - '0');
	}
	*ret = value;
	return true;
}

static bool
find_item(const struct json_span *array, const char *index, size_t len,
	  struct json_span *ret)
{
	const char *p, *end = array->at + array->len;
	size_t i, wanted;

	if (array->type != JSON_SPAN_ARRAY || !index_read(index, len, &wanted))
		return false;
	p = json_walk_space(array->at + 1, end);
	for (i = 0; p != NULL && p < end; i++) {
		struct json_span item;

		p = take_value(p, end, &item);
		if (p == NULL)
			return false;
		if (i == wanted) {
			*ret = item;
			return true;
		}
		p = next_item(p, end);
	}
	return false;
}

bool
json_pointer_is_good(const char *pointer)
{
	if (*pointer != '/')
		return false;
	for (const char *p = strchr(pointer, '~'); p; p = strchr(p + 1, '~'))
		if (p[1] != '0' && p[1] != '1')
			return false;
	return true;
}

bool
json_pointer(const struct json_span *value, const char *pointer,
	     struct json_span *ret_value)
{
	struct json_span at = *value;

	while (*pointer != '\0') {
		size_t len;

		if (*pointer++ != '/')
			return false;
		len = strcspn(pointer, "/");
		if (!find(&at, pointer, len, true, &at) &&
		    !find_item(&at, pointer, len, &at))
			return false;
		pointer += len;
	}
	*ret_value = at;
	return true;
}
