#include "content.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "chance.h"

static void
bytes_fill(struct chance *c, unsigned char *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (unsigned char)chance_below(c, 256);
}

void
content_make(struct content *ret, unsigned number, char key, size_t size)
{
	static const char *const names[CONTENT_HEADERS_MAX] = { "a", "b", "c" };
	struct chance c;
	unsigned n;

	chance_init(&c, number);
	memset(ret, 0, sizeof(*ret));
	ret->name[0] = 'e';
	ret->key[0] = key;
	ret->key_len = key != '\0';
	n = chance_below(&c, CONTENT_HEADERS_MAX + 1);
	for (unsigned i = 0; i < n && size >= CONTENT_HEADER_SIZE; i++) {
		size_t len = chance_below(&c, CONTENT_VALUE_MAX + 1);

		if (len > size - CONTENT_HEADER_SIZE)
			len = size - CONTENT_HEADER_SIZE;
		bytes_fill(&c, ret->values[i], len);
		ret->headers[i] =
			(struct evh_header){ names[i],
					     { ret->values[i], len } };
		ret->n_headers++;
		size -= CONTENT_HEADER_SIZE + len;
	}
	ret->data_len = size;
	bytes_fill(&c, ret->data, size);
}

static bool
is(struct evh_bytes bytes, const void *data, size_t len)
{
	return bytes.len == len &&
	       (len == 0 || memcmp(bytes.data, data, len) == 0);
}

const char *
content_difference(const struct content *content, const struct evh_event *ev)
{
	if (strcmp(ev->name, content->name) != 0)
		return "name";
	if (!is(ev->key, content->key, content->key_len))
		return "key";
	if (ev->n_headers != content->n_headers)
		return "number of headers";
	for (unsigned i = 0; i < content->n_headers; i++) {
		const struct evh_header *header = &content->headers[i];

		if (strcmp(ev->headers[i].name, header->name) != 0 ||
		    !is(ev->headers[i].value, header->value.data,
			header->value.len))
			return "header";
	}
	return is(ev->data, content->data, content->data_len) ? NULL : "data";
}

/* ---- On the disk -------------------------------------------------------- */

static unsigned char *
put(unsigned char *p, const void *data, size_t n)
{
	if (n > 0)
		memcpy(p, data, n);
	return p + n;
}

/* n bytes of it, the lowest first. */
static unsigned char *
put_number(unsigned char *p, uint64_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		*p++ = (unsigned char)(value >> 8 * i);
	return p;
}

size_t
content_body(const struct content *content, const struct evh_event *ev,
	     unsigned char ret[CONTENT_BODY_MAX])
{
	size_t name_len = strlen(content->name);
	unsigned char *p = put(ret, ev->id, sizeof(ev->id));

	p = put_number(p, (uint64_t)ev->created_ns, 8);
	p = put_number(p, (uint64_t)ev->offset, 8);
	p = put_number(p, ev->status, 4);
	p = put_number(p, ev->attempts, 4);
	p = put_number(p, (uint32_t)ev->partition, 4);
	p = put_number(p, content->n_headers, 4);
	p = put_number(p, name_len, 4);
	p = put_number(p, UINT32_MAX, 4); /* no topic */
	p = put_number(p, content->key_len, 4);
	p = put_number(p, content->data_len, 4);
	p = put(p, content->name, name_len + 1);
	p = put(p, content->key, content->key_len);
	for (unsigned i = 0; i < content->n_headers; i++) {
		const struct evh_header *header = &content->headers[i];
		size_t len = strlen(header->name);

		p = put_number(p, len, 4);
		p = put_number(p, header->value.len, 4);
		p = put(p, header->name, len + 1);
		p = put(p, header->value.data, header->value.len);
	}
	p = put(p, content->data, content->data_len);
	return (size_t)(p - ret);
}
