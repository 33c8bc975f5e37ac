#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MIN (sizeof("HTTP/1.1 200") - 1)

/* The value of a field of the head, or NULL; up to its line's end. */
static const char *
field_find(const char *head, size_t len, const char *name)
{
	const char *end = head + len;
	size_t name_len = strlen(name);
	const char *line = memchr(head, '\n', len);

	while (line && (size_t)(end - ++line) > name_len) {
		if (strncasecmp(line, name, name_len) == 0 &&
		    line[name_len] == ':')
			return line + name_len + 1;
		line = memchr(line, '\n', (size_t)(end - line));
	}
	return NULL;
}

int
answer_read(struct answer *ret, const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	const char *value;
	struct answer answer = { 0 };
	size_t head_len;

	if (!end)
		return 0;
	head_len = (size_t)(end - bytes) + 4;
	if (head_len < HEAD_MIN || memcmp(bytes, "HTTP/1.", 7) != 0)
		return -EPROTO;
	answer.status = (int)strtol(bytes + 9, NULL, 10);
	value = field_find(bytes, head_len, "Content-Length");
	if (answer.status < 100 || !value)
		return -EPROTO;
	answer.body_len = strtoul(value, NULL, 10);
	answer.body = end + 4;
	answer.len = head_len + answer.body_len;
	value = field_find(bytes, head_len, "Connection");
	answer.is_last = value && strncasecmp(value + 1, "close", 5) == 0;
	if (len < answer.len)
		return 0;
	*ret = answer;
	return 1;
}

bool
answer_text(const struct answer *answer, const char *name, char *ret,
	    size_t size)
{
	char member[64];
	int n = snprintf(member, sizeof(member), "\"%s\":\"", name);
	const char *at =
		memmem(answer->body, answer->body_len, member, (size_t)n);
	const char *end;

	if (!at)
		return false;
	at += n;
	end = memchr(at, '"', answer->body_len - (size_t)(at - answer->body));
	if (!end || (size_t)(end - at) >= size)
		return false;
	memcpy(ret, at, (size_t)(end - at));
	ret[end - at] = '\0';
	return true;
}
