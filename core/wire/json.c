#include "json.h"
#include "json_plain.h"
#include "json_string.h"
#include "utf8.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define JSON_FLAGS                                                             \
	(JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL |   \
	 JSON_DECODE_ANY)

/* The one variable of this file: jansson's hash seed is made only once. */
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void
seed(void)
{
	json_object_seed(0);
}

/* ---- Scanning text that is known to be JSON ---------------------------- */

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

static const char *
skip_space(const char *p, const char *end)
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

/* A string, one punctuation mark, or a run of anything else but space. */
static const char *
skip_token(const char *p, const char *end)
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
		return skip_token(p, end);
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
	return skip_space(behind, end);
}

/* ---- Checking ----------------------------------------------------------- */

static int
refuse(struct json_error *ret, size_t position, bool not_utf8, const char *why)
{
	if (ret != NULL) {
		ret->position = position;
		ret->not_utf8 = not_utf8;
		snprintf(ret->text, sizeof(ret->text), "%s", why);
	}
	return -EINVAL;
}

/*
 * What jansson would not refuse, or not with the right words.  Raw NULs are
 * no JSON anywhere, but behind a number or a literal jansson 2.14 skips them.
 */
static int
check_bytes(const char *text, size_t len, struct json_error *ret)
{
	const char *nul;
	size_t valid = utf8_prefix(text, len);

	if (valid < len)
		return refuse(ret, valid, true, "invalid UTF-8");
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		return refuse(ret, 0, false, "byte order mark");
	nul = memchr(text, '\0', len);
	if (nul != NULL)
		return refuse(ret, (size_t)(nul - text), false, "NUL byte");
	return 0;
}

/*
 * Exact for what is JSON; of other text it may see strings where there are
 * none, but then jansson refuses it whatever this says.
 */
static const char *
find_too_deep(const char *text, const char *end)
{
	const char *p = text;
	int depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (is_opening(*p) && ++depth > JSON_MAX_DEPTH)
			return p;
		if (is_closing(*p))
			depth--;
		p++;
	}
	return NULL;
}

static int
check_depth(const char *text, size_t len, struct json_error *ret)
{
	size_t i, n_opening = 0;
	const char *deep;
	char why[48];

	/* Most texts do not even have so many brackets. */
	for (i = 0; i < len; i++)
		n_opening += is_opening(text[i]);
	if (n_opening <= JSON_MAX_DEPTH)
		return 0;
	deep = find_too_deep(text, text + len);
	if (deep == NULL)
		return 0;
	snprintf(why, sizeof(why), "nested deeper than %d", JSON_MAX_DEPTH);
	return refuse(ret, (size_t)(deep - text), false, why);
}

/*
 * jansson tells how far it had read, which is behind the token that it did
 * not like, except within a string.  Clients want the place itself.
 */
static size_t
place_of(const char *text, size_t len, const json_error_t *error)
{
	const char *p = text, *end = text + len, *next;
	size_t read = error->position > 0 ? (size_t)error->position : 0;

	if (json_error_code(error) == json_error_premature_end_of_input)
		return len;
	if (strncmp(error->text, "control character", 17) == 0 ||
	    strncmp(error->text, "unexpected newline", 18) == 0)
		return read;
	if (strcmp(error->text, "invalid escape") == 0 ||
	    strncmp(error->text, "invalid escape near", 19) == 0)
		return read > 0 ? read - 1 : 0;

	for (p = skip_space(p, end); p < end; p = skip_space(next, end)) {
		next = skip_token(p, end);
		if ((size_t)(next - text) >= read)
			return (size_t)(p - text);
	}
	return len;
}

/*
 * Where memory ran out jansson says nothing, but for a string's: that becomes
 * an invalid token that ends in a quote, which no other invalid token does.
 */
static bool
memory_ran_out(const char *text, size_t len, const json_error_t *error)
{
	size_t read = error->position > 0 ? (size_t)error->position : 0;

	if (error->text[0] == '\0' ||
	    json_error_code(error) == json_error_out_of_memory)
		return true;
	return read > 0 && read <= len && text[read - 1] == '"' &&
	       (strncmp(error->text, "invalid token", 13) == 0 ||
		strncmp(error->text, "string or '}' expected", 22) == 0);
}

static int
explain(const char *text, size_t len, json_error_t *error,
	struct json_error *ret)
{
	size_t place;
	char *near;

	if (memory_ran_out(text, len, error))
		return -ENOMEM;
	place = place_of(text, len, error);
	/* The position says it better, and input is not echoed. */
	near = strstr(error->text, " near '");
	if (near != NULL)
		*near = '\0';
	return refuse(ret, place, false, error->text);
}

/* What is not plain: jansson's tree is made, and thrown away. */
static int
ask_jansson(const char *text, size_t len, struct json_error *ret_error)
{
	json_error_t error;
	json_t *tree;
	int r;

	r = check_bytes(text, len, ret_error);
	if (r < 0)
		return r;
	r = check_depth(text, len, ret_error);
	if (r < 0)
		return r;

	pthread_once(&seeded, seed);
	tree = json_loadb(text, len, JSON_FLAGS, &error);
	if (tree == NULL)
		return explain(text, len, &error, ret_error);
	json_decref(tree);
	return 0;
}

int
json_check(const char *text, size_t len, struct json_span *ret,
	   struct json_error *ret_error)
{
	const char *end = text + len;
	int r;

	if (len == 0)
		return refuse(ret_error, 0, false, "empty");
	/* jansson counts its position in an int. */
	if (len > INT32_MAX)
		return refuse(ret_error, 0, false, "beyond 2 GiB");
	if (!json_is_plain(text, len)) {
		r = ask_jansson(text, len, ret_error);
		if (r < 0)
			return r;
	}
	text = skip_space(text, end);
	while (is_space(end[-1]))
		end--;
	ret->at = text;
	ret->len = (size_t)(end - text);
	ret->type = type_of(*text);
	return 0;
}

/* ---- Finding ------------------------------------------------------------ */

/* Behind a value and its comma, or NULL. */
static const char *
next_item(const char *p, const char *end)
{
	return p < end && *p == ',' ? skip_space(p + 1, end) : p;
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
		p = skip_space(p + 1, end);
	p = take_value(p, end, &key);
	if (p == NULL || p >= end || *p != ':')
		return false;
	p = take_value(skip_space(p + 1, end), end, &value);
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
	p = skip_space(array->at + 1, end);
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
