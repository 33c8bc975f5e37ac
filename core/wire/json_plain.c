#include "json_plain.h"
#include "scratch.h"
#include "utf8.h"

#include <stdint.h>
#include <string.h>

/* What is beyond one of these is left to jansson. */
#define DEPTH_MAX	 16
#define MEMBERS_MAX	 32 /* of one object: each is compared to all before */
#define NUMBER_LEN_MAX	 40 /* with two digits of exponent: within a double */
#define EXPONENT_LEN_MAX 2

struct reader {
	const char *p, *end;
	unsigned depth;
};

/* A member's name, between its quotes. */
struct name {
	const char *at;
	size_t len;
};

static bool read_value(struct reader *r);

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
 * Has the word a quote, a backslash or a control character in it?  By the test
 * for a zero byte, and for one less than n, of "Bit Twiddling Hacks": exact
 * where it says no, and a yes is looked at byte by byte.
 */
static bool
has_mark(uint64_t word)
{
	uint64_t quote = word ^ EACH_BYTE('"'), slash = word ^ EACH_BYTE('\\');
	uint64_t found;

	found = ((word - EACH_BYTE(0x20)) & ~word) |
		((quote - EACH_BYTE(1)) & ~quote) |
		((slash - EACH_BYTE(1)) & ~slash);
	return (found & EACH_BYTE(0x80)) != 0;
}

/* To the next quote, backslash or control character.  *seen gathers the bits of
 * all bytes on the way, to tell whether one was no ASCII. */
static void
skip_ordinary(struct reader *r, uint64_t *seen)
{
	uint64_t word;

	while (r->end - r->p >= (ptrdiff_t)sizeof(word)) {
		memcpy(&word, r->p, sizeof(word));
		if (has_mark(word))
			break;
		*seen |= word;
		r->p += sizeof(word);
	}
	for (; r->p < r->end; r->p++) {
		unsigned char c = (unsigned char)*r->p;

		if (c < 0x20 || c == '"' || c == '\\')
			return;
		*seen |= c;
	}
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

/* From the opening quote to behind the closing one.  *ret_escapes: has any. */
static bool
read_string(struct reader *r, bool *ret_escapes)
{
	const char *begin = r->p + 1;
	uint64_t seen = 0;
	size_t len;

	*ret_escapes = false;
	if (!take(r, '"'))
		return false;
	for (;;) {
		skip_ordinary(r, &seen);
		if (!take(r, '\\'))
			break;
		*ret_escapes = true;
		if (!skip_escape(r))
			return false;
	}
	len = (size_t)(r->p - begin);
	if (!take(r, '"'))
		return false;
	return (seen & EACH_BYTE(0x80)) == 0 || utf8_prefix(begin, len) == len;
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
read_name(struct reader *r, struct name *names, size_t n)
{
	struct name *name = &names[n];
	bool escapes;

	if (n == MEMBERS_MAX)
		return false;
	name->at = r->p;
	if (!read_string(r, &escapes) || escapes)
		return false;
	name->len = (size_t)(r->p - name->at);
	for (size_t i = 0; i < n; i++)
		if (names[i].len == name->len &&
		    memcmp(names[i].at, name->at, name->len) == 0)
			return false;
	return true;
}

static bool
read_object(struct reader *r)
{
	EVH_SCRATCH struct name names[MEMBERS_MAX];
	size_t n = 0;

	r->p++;
	skip_space(r);
	if (take(r, '}'))
		return true;
	do {
		skip_space(r);
		if (!read_name(r, names, n++))
			return false;
		skip_space(r);
		if (!take(r, ':') || !read_value(r))
			return false;
	} while (take(r, ','));
	return take(r, '}');
}

static bool
read_array(struct reader *r)
{
	r->p++;
	skip_space(r);
	if (take(r, ']'))
		return true;
	do {
		if (!read_value(r))
			return false;
	} while (take(r, ','));
	return take(r, ']');
}

/* With the white space around it. */
static bool
read_value(struct reader *r)
{
	bool good, escapes;

	skip_space(r);
	if (r->p == r->end || r->depth == DEPTH_MAX)
		return false;
	r->depth++;
	switch (*r->p) {
	case '{':
		good = read_object(r);
		break;
	case '[':
		good = read_array(r);
		break;
	case '"':
		good = read_string(r, &escapes);
		break;
	case 't':
		good = read_literal(r, "true", 4);
		break;
	case 'f':
		good = read_literal(r, "false", 5);
		break;
	case 'n':
		good = read_literal(r, "null", 4);
		break;
	default:
		good = read_number(r);
	}
	r->depth--;
	skip_space(r);
	return good;
}

bool
json_is_plain(const char *text, size_t len)
{
	struct reader r = { .p = text, .end = text + len };

	return read_value(&r) && r.p == r.end;
}
