#include "text.h"

#include <json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP ((size_t)1024)

void
text_fini(struct text *text)
{
	free(text->at);
	*text = (struct text){ 0 };
}

void
text_clear(struct text *text, size_t keep)
{
	if (text->cap > keep)
		text_fini(text);
	text->len = 0;
	text->failed = false;
}

bool
text_reserve(struct text *text, size_t n)
{
	size_t cap = text->cap > FIRST_CAP ? text->cap : FIRST_CAP;
	char *at;

	if (text->failed)
		return false;
	if (n <= text->cap - text->len)
		return true;
	if (n > SIZE_MAX / 2 - text->len) {
		text->failed = true;
		return false;
	}
	while (cap < text->len + n)
		cap *= 2;
	at = realloc(text->at, cap);
	if (at == NULL) {
		text->failed = true;
		return false;
	}
	text->at = at;
	text->cap = cap;
	return true;
}

void
text_add(struct text *text, const void *bytes, size_t n)
{
	if (n == 0 || !text_reserve(text, n))
		return;
	memcpy(text->at + text->len, bytes, n);
	text->len += n;
}

void
text_str(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void
text_int(struct text *text, int64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%lld", (long long)value);

	text_add(text, digits, (size_t)n);
}

void
text_quoted(struct text *text, const char *string, size_t n)
{
	size_t room = n + n / 8 + 16, len;

	if (!text_reserve(text, room))
		return;
	room = text->cap - text->len;
	len = json_quote(string, n, text->at + text->len, room);
	if (len >= room) {
		if (!text_reserve(text, len + 1))
			return;
		len = json_quote(string, n, text->at + text->len, len + 1);
	}
	text->len += len;
}

void
text_base64(struct text *text, const void *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = bytes;
	char *out;

	if (!text_reserve(text, n / 3 * 4 + 4))
		return;
	out = text->at + text->len;
	for (; n >= 3; n -= 3, in += 3) {
		*out++ = digits[in[0] >> 2];
		*out++ = digits[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = digits[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = digits[in[2] & 63];
	}
	if (n > 0) {
		unsigned second = n == 2 ? in[1] : 0;

		*out++ = digits[in[0] >> 2];
		*out++ = digits[(in[0] & 3U) << 4 | second >> 4];
		*out++ = n == 2 ? digits[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	text->len = (size_t)(out - text->at);
}
