#include "json_plain.h"
#include "scratch.h"
#include "utf8.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* What is beyond one of these is left to jansson. */
#define DEPTH_MAX 16
/* Of one object: each is compared to all before, and the outermost's kept. */
#define MEMBERS_MAX	 JSON_MEMBERS_KEPT
#define NUMBER_LEN_MAX	 40 /* with two digits of exponent: within a double */
#define EXPONENT_LEN_MAX 2

struct reader {
	const char *p, *end;
	unsigned depth;
	uint64_t seen; /* the bits of all bytes of strings, and of others */
	struct json_members *outermost;
};

static bool read_value(struct reader *r, struct json_span *ret);

static void
skip_space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' ||
				 *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

/* Takes this byte if it is the next one. */
static bool
take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* ---- Strings ------------------------------------------------------------ */

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/*
 * A word whose lowest set bit is the top bit of the first byte that is a quote,
 * a backslash or a control character; 0 when none is.  By the test for a byte
 * less than n of "Bit Twiddling Hacks"
 * (graphics.stanford.edu/~seander/bithacks.html), for bytes of ASCII.  It
 * borrows from the byte above one that it marks, so that only the lowest mark
 * is surely one; and there is one whenever it marks any.  With bit 1 turned
 * round the quote, 0x22, comes to lie just above the control characters.
 */
static uint64_t
marks_of(uint64_t word)
{
	uint64_t control = (word ^ EACH_BYTE(0x02)) - EACH_BYTE(0x21);
	uint64_t slash = (word ^ EACH_BYTE('\\')) - EACH_BYTE(0x01);

	return (control | slash) & ~word & EACH_BYTE(0x80);
}

/* To the next quote, backslash or control character. */
static void
skip_ordinary(struct reader *r)
{
	const char *p = r->p;
	uint64_t word, marks, seen = 0;

	for (; r->end - p >= (ptrdiff_t)sizeof(word); p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		word = le64toh(word); /* the first byte is the lowest */
		seen |= word;
		marks = marks_of(word);
		if (marks != 0) {
			r->seen |= seen;
			r->p = p + __builtin_ctzll(marks) / 8;
			return;
		}
	}
	for (; p < r->end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == '"' || c == '\\')
			break;
		seen |= c;
	}
	r->seen |= seen;
	r->p = p;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Behind a backslash.  Surrogates come in pairs: not plain. */
static bool
skip_escape(struct reader *r)
{
	char c;

	if (r->p == r->end)
		return false;
	c = *r->p++;
	if (c != 'u')
		return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
	if (r->end - r->p < 4 || !is_hex(r->p[0]) || !is_hex(r->p[1]) ||
	    !is_hex(r->p[2]) || !is_hex(r->p[3]))
		return false;
	if ((r->p[0] | 0x20) == 'd' && r->p[1] > '7')
		return false;
	r->p += 4;
	return true;
}

/* From the opening quote to behind the closing one. */
static bool
read_string(struct reader *r, struct json_span *ret)
{
	ret->at = r->p;
	ret->type = JSON_SPAN_STRING;
	ret->verbatim = true;
	if (!take(r, '"'))
		return false;
	for (;;) {
		skip_ordinary(r);
		if (!take(r, '\\'))
			break;
		ret->verbatim = false;
		if (!skip_escape(r))
			return false;
	}
	if (!take(r, '"'))
		return false;
	ret->len = (size_t)(r->p - ret->at);
	return true;
}

/* ---- Numbers, literals -------------------------------------------------- */

static size_t
skip_digits(struct reader *r)
{
	const char *begin = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return (size_t)(r->p - begin);
}

static bool
read_number(struct reader *r)
{
	const char *begin = r->p;
	size_t n;

	take(r, '-');
	if (!take(r, '0') && skip_digits(r) == 0)
		return false;
	if (take(r, '.') && skip_digits(r) == 0)
		return false;
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+'))
			take(r, '-');
		n = skip_digits(r);
		if (n == 0 || n > EXPONENT_LEN_MAX)
			return false;
	}
	return r->p - begin <= NUMBER_LEN_MAX;
}

static bool
read_literal(struct reader *r, const char *literal, size_t len)
{
	if ((size_t)(r->end - r->p) < len || memcmp(r->p, literal, len) != 0)
		return false;
	r->p += len;
	return true;
}

/* ---- Objects, arrays ---------------------------------------------------- */

/* A name that none of the n before it is. */
static bool
read_name(struct reader *r, struct json_span *names, size_t n)
{
	struct json_span *name = &names[n];

	if (!read_string(r, name) || !name->verbatim)
		return false;
	for (size_t i = 0; i < n; i++)
		if (names[i].len == name->len &&
		    memcmp(names[i].at, name->at, name->len) == 0)
			return false;
	return true;
}

/* All members, the first of which, or the closing brace, is at r->p.  Names
 * have room for MEMBERS_MAX; values have it as well, or are NULL. */
static bool
read_members(struct reader *r, struct json_span *names,
	     struct json_span *values, size_t *ret_n)
{
	struct json_span ignored;
	size_t n = 0;

	*ret_n = 0;
	skip_space(r);
	if (take(r, '}'))
		return true;
	do {
		skip_space(r);
		if (n == MEMBERS_MAX || !read_name(r, names, n))
			return false;
		skip_space(r);
		if (!take(r, ':') ||
		    !read_value(r, values != NULL ? &values[n] : &ignored))
			return false;
		skip_space(r);
		n++;
	} while (take(r, ','));
	*ret_n = n;
	return take(r, '}');
}

static bool
read_object(struct reader *r)
{
	EVH_SCRATCH struct json_span names[MEMBERS_MAX];
	struct json_members *outermost = r->outermost;
	size_t n;

	r->p++;
	if (r->depth == 1)
		return read_members(r, outermost->keys, outermost->values,
				    &outermost->n);
	return read_members(r, names, NULL, &n);
}

static bool
read_array(struct reader *r)
{
	struct json_span ignored;

	r->p++;
	skip_space(r);
	if (take(r, ']'))
		return true;
	do {
		if (!read_value(r, &ignored))
			return false;
		skip_space(r);
	} while (take(r, ','));
	return take(r, ']');
}

static bool
read_token(struct reader *r, enum json_type *ret_type)
{
	switch (*r->p) {
	case '{':
		*ret_type = JSON_SPAN_OBJECT;
		return read_object(r);
	case '[':
		*ret_type = JSON_SPAN_ARRAY;
		return read_array(r);
	case 't':
		*ret_type = JSON_SPAN_TRUE;
		return read_literal(r, "true", 4);
	case 'f':
		*ret_type = JSON_SPAN_FALSE;
		return read_literal(r, "false", 5);
	case 'n':
		*ret_type = JSON_SPAN_NULL;
		return read_literal(r, "null", 4);
	default:
		*ret_type = JSON_SPAN_NUMBER;
		return read_number(r);
	}
}

/* What is no string.  Not inlined: it has much to save, and most values are
 * strings. */
static bool __attribute__((noinline))
read_other(struct reader *r, struct json_span *ret)
{
	if (r->depth == DEPTH_MAX)
		return false;
	r->depth++;
	ret->at = r->p;
	ret->verbatim = false;
	if (!read_token(r, &ret->type))
		return false;
	ret->len = (size_t)(r->p - ret->at);
	r->depth--;
	return true;
}

/* With the white space before it, which is not of the span. */
static bool
read_value(struct reader *r, struct json_span *ret)
{
	skip_space(r);
	if (r->p == r->end)
		return false;
	return *r->p == '"' ? read_string(r, ret) : read_other(r, ret);
}

bool
json_plain_read(const char *text, size_t len, struct json_members *ret)
{
	struct reader r = { .p = text, .end = text + len, .outermost = ret };

	ret->are_kept = true;
	ret->n = 0;
	if (!read_value(&r, &ret->value))
		return false;
	skip_space(&r);
	if (r.p != r.end)
		return false;
	/* Outside of strings there is ASCII only, and most often within. */
	return (r.seen & EACH_BYTE(0x80)) == 0 || utf8_prefix(text, len) == len;
}
