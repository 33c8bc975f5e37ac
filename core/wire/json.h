/*
 * json.h - is this text JSON by our rules, and where in it is what.
 *
 * The grammar is that of RFC 8259, and narrower: UTF-8 without BOM, depth up to
 * a limit, no member twice at any depth, no lone surrogate, no NUL in a
 * member's name, no number beyond a double's range; integers of more digits
 * than a double keeps are fine.  jansson decides that, unless the text is so
 * plain that there is no doubt (json_plain.h); its tree is thrown away, because
 * writing it out again would change numbers.  What is kept are spans: where the
 * members of the outermost object lie in the bytes that came.
 *
 * One thing here is shared by all threads: jansson's hash seed, which the
 * first check makes, once.
 */
#ifndef EVH_JSON_H
#define EVH_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type {
	JSON_SPAN_OBJECT = 1,
	JSON_SPAN_ARRAY,
	JSON_SPAN_STRING,
	JSON_SPAN_NUMBER,
	JSON_SPAN_TRUE,
	JSON_SPAN_FALSE,
	JSON_SPAN_NULL,
};

/* A value as it stands in the text; a string with its quotes. */
struct json_span {
	const char *at;
	size_t len;
	enum json_type type;
	bool verbatim; /* a string that surely has no escapes */
};

struct json_error {
	size_t position; /* byte in the text, from 0; its length: at the end */
	bool not_utf8;	 /* the text is no UTF-8 (answered otherwise) */
	char text[160];	 /* what is wrong, one sentence without a full stop */
};

#define JSON_MAX_DEPTH	  64
#define JSON_MEMBERS_KEPT 32

/*
 * A text's value, and the members of it where it is an object: those of a plain
 * text (json_plain.h) are kept while it is checked, those of another one are
 * looked for when somebody asks.  1.5 KiB, of which little is written.
 */
struct json_members {
	struct json_span value;
	bool are_kept;
	size_t n;
	struct json_span keys[JSON_MEMBERS_KEPT], values[JSON_MEMBERS_KEPT];
};

/*
 * Checks the whole text, which may be any JSON value.  0 and *ret is the
 * value without white space around it; or -EINVAL and *ret_error, or -ENOMEM.
 * ret_error may be NULL.  Nothing is allocated that outlives the call. [any]
 */
int json_check(const char *text, size_t len, struct json_span *ret,
	       struct json_error *ret_error);

/*
 * Checks as json_check() does, in one pass for most texts.  0, or as there, and
 * then what stands in *ret is of no use.  It borrows the text. [any]
 */
int json_members_read(const char *text, size_t len, struct json_members *ret,
		      struct json_error *ret_error);
/*
 * The members in text order, key with quotes.  *cursor starts as 0.  False
 * behind the last, and at once when the value is no object. [any]
 */
bool json_members_next(const struct json_members *members, size_t *cursor,
		       struct json_span *ret_key, struct json_span *ret_value);

/*
 * Walks the members of an object that json_check() has accepted, in text
 * order.  *cursor starts as 0.  False behind the last.  key is with quotes.
 */
bool json_member(const struct json_span *object, size_t *cursor,
		 struct json_span *ret_key, struct json_span *ret_value);
/* The member of this name (escapes in the text's key are decoded), or false. */
bool json_find(const struct json_span *object, const char *name,
	       struct json_span *ret_value);
/* Is it a pointer to something within: "/" first, and "~" only as ~0, ~1? */
bool json_pointer_is_good(const char *pointer);
/* RFC 6901 pointer ("/user/id", arrays by index); false when not there. */
bool json_pointer(const struct json_span *value, const char *pointer,
		  struct json_span *ret_value);

/*
 * Decodes a string span into UTF-8.  Returns its length in bytes and writes
 * at most size - 1 of them and a NUL; like snprintf, a result >= size means
 * that it was cut.  A \u0000 becomes a NUL byte: the length tells.
 */
size_t json_decode(const struct json_span *string, char *ret, size_t size);
/*
 * The same without a copy where it can be: returns where the content begins,
 * which is in the text of a verbatim string and else in room, of size bytes, as
 * json_decode() leaves it.  *ret_len is the length in bytes; only what is in
 * room ends in a NUL, and can be cut. [any]
 */
const char *json_content(const struct json_span *string, char *room,
			 size_t size, size_t *ret_len);

/*
 * Writes text as a JSON string with quotes, escaping what must be; bytes that
 * are no UTF-8 become U+FFFD.  Returns as json_decode() does.
 */
size_t json_quote(const char *text, size_t len, char *ret, size_t size);

#endif
