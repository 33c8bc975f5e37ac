#include "json_string.h"
#include "json.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where snprintf-like functions write: all is counted, what fits is kept. */
struct output {
	char *at;
	size_t size; /* with the NUL */
	size_t kept;
	size_t total;
};

/* Keeps all of these bytes or none, and nothing behind a cut. */
static void
output_put(struct output *out, const char *bytes, size_t n)
{
	if (out->kept == out->total && n < out->size - out->kept) {
		memcpy(out->at + out->kept, bytes, n);
		out->kept += n;
	}
	out->total += n;
}

/* UTF-8 that stands for itself: what does not fit is cut between characters. */
static void
output_run(struct output *out, const char *text, const char *end)
{
	size_t n = (size_t)(end - text);

	if (n < out->size - out->kept) {
		output_put(out, text, n);
		return;
	}
	while (text < end) {
		int one = utf8_next(text, (size_t)(end - text));

		n = one > 0 ? (size_t)one : 1;
		output_put(out, text, n);
		text += n;
	}
}

static size_t
output_end(struct output *out)
{
	if (out->size > 0)
		out->at[out->kept] = '\0';
	return out->total;
}

static unsigned int
hex4(const char *p)
{
	unsigned int value = 0;
	int i;

	for (i = 0; i < 4; i++) {
		unsigned int c = (unsigned char)p[i];

		value = value << 4 | (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return value & 0xFFFF;
}

static size_t
utf8_encode(unsigned int code, char ret[4])
{
	if (code < 0x80) {
		ret[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		ret[0] = (char)(0xC0 | code >> 6);
		ret[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		ret[0] = (char)(0xE0 | code >> 12);
		ret[1] = (char)(0x80 | (code >> 6 & 0x3F));
		ret[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	ret[0] = (char)(0xF0 | code >> 18);
	ret[1] = (char)(0x80 | (code >> 12 & 0x3F));
	ret[2] = (char)(0x80 | (code >> 6 & 0x3F));
	ret[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

const char *
json_string_next(const char *p, const char *end, char ret[4], size_t *ret_n)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *found;
	unsigned int code;

	if (*p != '\\' || p + 1 >= end) {
		int n = utf8_next(p, (size_t)(end - p));

		*ret_n = n > 0 ? (size_t)n : 1;
		memcpy(ret, p, *ret_n);
		return p + *ret_n;
	}
	if (p[1] != 'u' || end - p < 6) {
		found = strchr(from, p[1]);
		ret[0] = found != NULL ? to[found - from] : p[1];
		*ret_n = 1;
		return p + 2;
	}
	code = hex4(p + 2);
	p += 6;
	if (code >= 0xD800 && code <= 0xDBFF && end - p >= 6) {
		code = 0x10000 + ((code - 0xD800) << 10 |
				  ((hex4(p + 2) - 0xDC00) & 0x3FF));
		p += 6;
	}
	*ret_n = utf8_encode(code, ret);
	return p;
}

size_t
json_decode(const struct json_span *string, char *ret, size_t size)
{
	struct output out = { .at = ret, .size = size };
	const char *p = string->at + 1, *end, *escape;
	size_t n;
	char one[4];

	if (string->type != JSON_SPAN_STRING || string->len < 2)
		return output_end(&out);
	n = string->len - 2;
	if (string->verbatim && n < size) {
		memcpy(ret, p, n);
		ret[n] = '\0';
		return n;
	}
	for (end = string->at + string->len - 1; p < end;) {
		escape = memchr(p, '\\', (size_t)(end - p));
		output_run(&out, p, escape != NULL ? escape : end);
		if (escape == NULL)
			break;
		p = json_string_next(escape, end, one, &n);
		output_put(&out, one, n);
	}
	return output_end(&out);
}

const char *
json_content(const struct json_span *string, char *room, size_t size,
	     size_t *ret_len)
{
	if (string->verbatim) {
		*ret_len = string->len - 2;
		return string->at + 1;
	}
	*ret_len = json_decode(string, room, size);
	return room;
}

/* Printable ASCII that stands for itself. */
static bool
is_plain(char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* How a character that is not plain is written; n bytes, which are UTF-8. */
static void
quote_one(struct output *out, const char *p, size_t n)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found;
	char escape[8];

	if (n > 1 || *p == 0x7F) {
		output_put(out, p, n);
		return;
	}
	found = *p != '\0' ? strchr(from, *p) : NULL;
	if (found != NULL) {
		escape[0] = '\\';
		escape[1] = to[found - from];
		output_put(out, escape, 2);
	} else {
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)*p);
		output_put(out, escape, 6);
	}
}

size_t
json_quote(const char *text, size_t len, char *ret, size_t size)
{
	struct output out = { .at = ret, .size = size };
	const char *end = text + len, *run;
	int n;

	output_put(&out, "\"", 1);
	while (text < end) {
		for (run = text; text < end && is_plain(*text);)
			text++;
		output_run(&out, run, text);
		if (text == end)
			break;
		n = utf8_next(text, (size_t)(end - text));
		if (n > 0)
			quote_one(&out, text, (size_t)n);
		else
			output_put(&out, "\xEF\xBF\xBD", 3);
		text += n > 0 ? n : -n;
	}
	output_put(&out, "\"", 1);
	return output_end(&out);
}
