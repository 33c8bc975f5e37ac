#include "scan.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "table.h"

/* A piece of the text: from the first byte to behind the last one. */
struct span {
	const char *at, *end;
};

static const char *
skip_blank(const char *at, const char *end)
{
	while (at < end &&
	       (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	return at;
}

/* Behind the string that begins here; NULL: it does not end. */
static const char *
skip_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\')
			at++;
	}
	return NULL;
}

/* Behind the value that begins here: a string, what has brackets, or a word. */
static const char *
skip_value(const char *at, const char *end)
{
	int depth = 0;

	while (at && at < end) {
		switch (*at) {
		case '"':
			at = skip_string(at, end);
			break;
		case '{':
		case '[':
			depth++;
			at++;
			continue;
		case '}':
		case ']':
			if (depth == 0)
				return at;
			depth--;
			at++;
			break;
		case ',':
			if (depth == 0)
				return at;
			at++;
			continue;
		default:
			at++;
			continue;
		}
		if (depth == 0)
			return at;
	}
	return NULL;
}

static int
hex(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static bool
id_read(const char *text, size_t len, unsigned char id[16])
{
	if (len != 36)
		return false;
	for (int i = 0; i < 16; text += 2) {
		if (*text == '-')
			text++;
		id[i++] = (unsigned char)(hex(text[0]) << 4 | hex(text[1]));
	}
	return true;
}

static int
digits(const char *at, int n)
{
	int value = 0;

	while (n-- > 0)
		value = value * 10 + (*at++ - '0');
	return value;
}

/* 2026-11-22T20:23:59.423922Z, by arithmetic: timegm() costs more. */
static bool
time_read(const char *at, size_t len, int64_t *ret_us)
{
	int y, m, d;
	int64_t days;

	if (len != 27)
		return false;
	y = digits(at, 4);
	m = digits(at + 5, 2);
	d = digits(at + 8, 2);
	y -= m <= 2;
	m += m <= 2 ? 9 : -3; /* March is the first month */
	days = (int64_t)365 * y + y / 4 - y / 100 + y / 400 +
	       (153 * m + 2) / 5 + d - 1 - 719468;
	*ret_us =
		(((days * 24 + digits(at + 11, 2)) * 60 + digits(at + 14, 2)) *
			 60 +
		 digits(at + 17, 2)) *
			1000000 +
		digits(at + 20, 6);
	return true;
}

static bool
is_word(struct span key, const char *word, size_t len)
{
	return (size_t)(key.end - key.at) == len &&
	       memcmp(key.at, word, len) == 0;
}

/* One member's value goes to its place; false: it cannot be one. */
static bool
take(struct span key, struct span value, struct row *row)
{
	size_t len = (size_t)(value.end - value.at);

	if (is_word(key, "data", 4)) {
		row->data = value.at;
		row->data_len = len;
		return true;
	}
	if (len < 2 || *value.at != '"')
		return true;
	if (is_word(key, "id", 2))
		return id_read(value.at + 1, len - 2, row->id);
	if (is_word(key, "name", 4)) {
		/* Escapes in it would have to be undone: fill.c has none. */
		row->name = value.at + 1;
		row->name_len = len - 2;
	} else if (is_word(key, "created_at", 10)) {
		return time_read(value.at + 1, len - 2, &row->created_us);
	}
	return true;
}

bool
scan_row(const char *text, size_t len, struct row *row)
{
	const char *end = text + len;
	const char *at = skip_blank(text, end);

	row->name = row->data = NULL;
	if (at == end || *at != '{')
		return false;
	do {
		struct span key, value;

		key.at = skip_blank(at + 1, end);
		if (key.at == end || *key.at != '"')
			return false;
		at = skip_string(key.at, end);
		if (!at)
			return false;
		key.at++;
		key.end = at - 1;
		at = skip_blank(at, end);
		if (at == end || *at != ':')
			return false;
		value.at = skip_blank(at + 1, end);
		value.end = skip_value(value.at, end);
		if (!value.end || !take(key, value, row))
			return false;
		at = skip_blank(value.end, end);
	} while (at < end && *at == ',');
	return at < end && *at == '}' && skip_blank(at + 1, end) == end &&
	       row->name && row->data;
}

bool
scan_row_jansson(const char *text, size_t len, struct row *row)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	if (!json)
		return false;
	json_decref(json);
	/* jansson has no places: where the bytes of data stand is looked for
	 * once more. */
	return scan_row(text, len, row);
}
