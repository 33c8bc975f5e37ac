#include "shape.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* How far text follows a pattern in which x is a lower case hex digit, 9 a
 * decimal one, v one of 89ab, and anything else itself; 0: not to its end. */
static size_t
follows(const char *text, const char *pattern)
{
	size_t i = 0;

	for (; pattern[i] != '\0'; i++) {
		const char *set = pattern[i] == 'x'   ? "0123456789abcdef"
				  : pattern[i] == '9' ? "0123456789"
				  : pattern[i] == 'v' ? "89ab"
						      : NULL;

		if (text[i] == '\0' ||
		    (set ? !strchr(set, text[i]) : text[i] != pattern[i]))
			return 0;
	}
	return i;
}

static size_t
number_len(const char *text)
{
	size_t sign = text[0] == '-';
	size_t digits = strspn(text + sign, "0123456789");

	return digits > 0 ? sign + digits : 0;
}

static size_t
hole_size(const char *at)
{
	static const char *const holes[] = { "<text>", "<id>", "<uuid>",
					     "<time>", "<n>" };

	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++)
		if (strncmp(at, holes[i], strlen(holes[i])) == 0)
			return strlen(holes[i]);
	return 0;
}

static void
fill(struct shape *shape, const char *at, size_t len)
{
	if (!shape || shape->n == SHAPE_HOLES)
		return;
	snprintf(shape->got[shape->n++], SHAPE_MAX, "%.*s", (int)len, at);
}

/* Up to where the literal behind the hole stands: to the end of the text when
 * it is the last one, else where it first does; -1: nowhere. */
static long
text_len(const char *text, const char *behind)
{
	size_t n = 0;
	const char *at;

	while (behind[n] != '\0' && hole_size(behind + n) == 0)
		n++;
	if (behind[n] == '\0') {
		size_t len = strlen(text);

		return len >= n && strcmp(text + len - n, behind) == 0
			       ? (long)(len - n)
			       : -1;
	}
	at = memmem(text, strlen(text), behind, n);
	return at ? at - text : -1;
}

/* How much of text the hole takes; -1: nothing that fits. */
static long
hole_len(const char *text, const char *hole, size_t size)
{
	size_t n = 0;

	if (strncmp(hole, "<text>", size) == 0)
		return text_len(text, hole + size);
	if (strncmp(hole, "<id>", size) == 0)
		n = follows(text, "xxxxxxxx-xxxx-7xxx-vxxx-xxxxxxxxxxxx");
	else if (strncmp(hole, "<uuid>", size) == 0)
		n = follows(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
	else if (strncmp(hole, "<time>", size) == 0)
		n = follows(text, "9999-99-99T99:99:99.999999Z");
	else if (strncmp(hole, "<n>", size) == 0)
		n = number_len(text);
	return n > 0 ? (long)n : -1;
}

void
shape_check(const char *text, const char *expected, struct shape *ret)
{
	const char *at = text;
	const char *want = expected;
	long n = 0;

	if (ret)
		ret->n = 0;
	while (n >= 0 && *want != '\0') {
		size_t size = hole_size(want);

		n = 1;

		if (size > 0) {
			n = hole_len(at, want, size);
			if (n >= 0)
				fill(ret, at, (size_t)n);
			want += size;
		} else if (*at != *want++) {
			n = -1;
		}
		if (n > 0)
			at += n;
	}
	if (n < 0 || *at != '\0')
		fail_msg("%s\n  is not of the shape\n%s\n  from\n%s", text,
			 expected, at);
}

int64_t
shape_id_ms(const char *id)
{
	char digits[13];

	snprintf(digits, sizeof(digits), "%.8s%.4s", id, id + 9);
	return (int64_t)strtoll(digits, NULL, 16);
}

int64_t
shape_time_ms(const char *time)
{
	struct tm tm = { 0 };
	const char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest || *rest != '.')
		fail_msg("no time: %s", time);
	return (int64_t)timegm(&tm) * 1000 + strtol(rest + 1, NULL, 10) / 1000;
}
