#include "poison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOO_BIG	 (1200u << 10) /* kafka_source's max_message is 1 MiB */
#define TOO_DEEP 80
#define TOO_LONG 300
#define HEAD	 "{\"name\":\"fault.poison\",\"data\":"
#define KIND(n, text)                                                          \
	{                                                                      \
		.name = (n), .bytes = (text), .len = sizeof(text) - 1          \
	}

/* A text, or a text with so much of a byte in its middle. */
static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	char fill;
	size_t n_fill;
	const char *tail;
} kinds[] = {
	KIND("no-json", "this is no JSON"),
	KIND("cut-off", HEAD "{\"a\":"),
	KIND("no-object", "[1,2,3]"),
	KIND("no-name", "{\"data\":{}}"),
	KIND("wrong-type", "{\"name\":7,\"data\":{}}"),
	KIND("no-utf8", HEAD "{\"a\":\"\xC3\x28\"}}"),
	KIND("twice", HEAD "{\"a\":1,\"a\":2}}"),
	KIND("huge-number", HEAD "{\"a\":1e400}}"),
	KIND("control-in-name", "{\"name\":\"a\\u0001\",\"data\":{}}"),
	{ "long-name", "{\"name\":\"", 9, 'x', TOO_LONG, "\",\"data\":{}}" },
	{ "deep", HEAD "{\"a\":", sizeof(HEAD) + 4, '[', TOO_DEEP, "" },
	{ "big", HEAD "{\"a\":\"", sizeof(HEAD) + 5, 'x', TOO_BIG, "\"}}" },
};

size_t
poison_kinds(void)
{
	return sizeof(kinds) / sizeof(kinds[0]);
}

const char *
poison_name(size_t kind)
{
	return kinds[kind].name;
}

char *
poison_make(size_t kind, size_t *ret_len)
{
	const char *tail = kinds[kind].tail ? kinds[kind].tail : "";
	size_t len = kinds[kind].len;
	size_t n_fill = kinds[kind].n_fill;
	char *bytes = malloc(len + n_fill + strlen(tail) + 1);

	if (!bytes)
		return NULL;
	memcpy(bytes, kinds[kind].bytes, len);
	memset(bytes + len, kinds[kind].fill, n_fill);
	memcpy(bytes + len + n_fill, tail, strlen(tail) + 1);
	*ret_len = len + n_fill + strlen(tail);
	return bytes;
}
