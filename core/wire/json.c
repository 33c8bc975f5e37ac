#include "json.h"
#include "json_plain.h"
#include "json_walk.h"
#include "scratch.h"
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

static int
check_depth(const char *text, size_t len, struct json_error *ret)
{
	const char *deep;
	char why[48];

	deep = json_walk_deeper(text, text + len, JSON_MAX_DEPTH);
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

	for (p = json_walk_space(p, end); p < end;
	     p = json_walk_space(next, end)) {
		next = json_walk_token(p, end);
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
json_members_read(const char *text, size_t len, struct json_members *ret,
		  struct json_error *ret_error)
{
	int r;

	if (len == 0)
		return refuse(ret_error, 0, false, "empty");
	/* jansson counts its position in an int. */
	if (len > INT32_MAX)
		return refuse(ret_error, 0, false, "beyond 2 GiB");
	if (json_plain_read(text, len, ret))
		return 0;
	r = ask_jansson(text, len, ret_error);
	if (r < 0)
		return r;
	ret->value = json_walk_whole(text, len);
	ret->are_kept = false;
	return 0;
}

bool
json_members_next(const struct json_members *members, size_t *cursor,
		  struct json_span *ret_key, struct json_span *ret_value)
{
	if (!members->are_kept)
		return json_member(&members->value, cursor, ret_key, ret_value);
	if (*cursor >= members->n)
		return false;
	*ret_key = members->keys[*cursor];
	*ret_value = members->values[*cursor];
	++*cursor;
	return true;
}

int
json_check(const char *text, size_t len, struct json_span *ret,
	   struct json_error *ret_error)
{
	EVH_SCRATCH struct json_members members;
	int r;

	r = json_members_read(text, len, &members, ret_error);
	if (r < 0)
		return r;
	*ret = members.value;
	return 0;
}
