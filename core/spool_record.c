#include "spool_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"

/* The body begins with these, of a fixed size:
 * id, created, offset, status, attempts, partition, number of headers, and the
 * lengths of name, topic, key and data. */
#define BODY_HEAD ((size_t)(16 + 8 + 8 + 8 * 4))
/* Instead of a topic's length: it has none. */
#define NO_TOPIC UINT32_MAX

void
spool_put_u32(unsigned char *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> 8 * i);
}

void
spool_put_u64(unsigned char *p, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(value >> 8 * i);
}

uint32_t
spool_get_u32(const unsigned char *p)
{
	uint32_t value = 0;

	for (int i = 3; i >= 0; i--)
		value = value << 8 | p[i];
	return value;
}

uint64_t
spool_get_u64(const unsigned char *p)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | p[i];
	return value;
}

/* ---- Writing ------------------------------------------------------------ */

size_t
spool_record_size(const struct evh_event *ev)
{
	size_t size = SPOOL_RECORD_HEAD + BODY_HEAD;

	/* Each string with its NUL. */
	size += strlen(ev->name) + 1 + ev->key.len + ev->data.len;
	if (ev->topic)
		size += strlen(ev->topic) + 1;
	for (uint32_t i = 0; i < ev->n_headers; i++)
		size += 8 + strlen(ev->headers[i].name) + 1 +
			ev->headers[i].value.len;
	return size;
}

static int
bytes_reserve(struct spool_bytes *bytes, size_t n)
{
	size_t room = bytes->room ? bytes->room : 4096;
	unsigned char *at;

	while (room - bytes->len < n)
		room *= 2;
	if (room == bytes->room)
		return 0;
	at = realloc(bytes->at, room);
	if (!at)
		return -ENOMEM;
	bytes->at = at;
	bytes->room = room;
	return 0;
}

static unsigned char *
put(unsigned char *p, const void *data, size_t len)
{
	if (len > 0)
		memcpy(p, data, len);
	return p + len;
}

static unsigned char *
put_u32(unsigned char *p, size_t value)
{
	spool_put_u32(p, (uint32_t)value);
	return p + 4;
}

static unsigned char *
body_put(unsigned char *p, const struct evh_event *ev)
{
	size_t name_len = strlen(ev->name);
	size_t topic_len = ev->topic ? strlen(ev->topic) : NO_TOPIC;

	p = put(p, ev->id, sizeof(ev->id));
	spool_put_u64(p, (uint64_t)ev->created_ns);
	spool_put_u64(p + 8, (uint64_t)ev->offset);
	p = put_u32(p + 16, ev->status);
	p = put_u32(p, ev->attempts);
	p = put_u32(p, (uint32_t)ev->partition);
	p = put_u32(p, ev->n_headers);
	p = put_u32(p, name_len);
	p = put_u32(p, topic_len);
	p = put_u32(p, ev->key.len);
	p = put_u32(p, ev->data.len);
	p = put(p, ev->name, name_len + 1);
	if (ev->topic)
		p = put(p, ev->topic, topic_len + 1);
	p = put(p, ev->key.data, ev->key.len);
	for (uint32_t i = 0; i < ev->n_headers; i++) {
		const struct evh_header *header = &ev->headers[i];
		size_t len = strlen(header->name);

		p = put_u32(p, len);
		p = put_u32(p, header->value.len);
		p = put(p, header->name, len + 1);
		p = put(p, header->value.data, header->value.len);
	}
	return put(p, ev->data.data, ev->data.len);
}

static uint32_t
record_sum(const unsigned char *at, size_t body_len)
{
	uint32_t crc = crc32c(0, at, 4);

	return crc32c(crc, at + 8, SPOOL_RECORD_HEAD - 8 + body_len);
}

int
spool_record_add(struct spool_bytes *bytes, const struct evh_event *ev,
		 uint64_t number, uint64_t synced)
{
	size_t size = spool_record_size(ev);
	size_t body_len = size - SPOOL_RECORD_HEAD;
	unsigned char *at;
	int rc;

	if (body_len > SPOOL_RECORD_MAX)
		return -EMSGSIZE;
	rc = bytes_reserve(bytes, size);
	if (rc < 0)
		return rc;
	at = bytes->at + bytes->len;
	spool_put_u32(at, (uint32_t)body_len);
	spool_put_u64(at + 8, number);
	spool_put_u64(at + 16, synced);
	(void)body_put(at + SPOOL_RECORD_HEAD, ev);
	spool_put_u32(at + 4, record_sum(at, body_len));
	bytes->len += size;
	return 0;
}

/* ---- Reading ------------------------------------------------------------ */

struct spool_head
spool_record_head(const unsigned char *at)
{
	return (struct spool_head){ .body_len = spool_get_u32(at),
				    .crc = spool_get_u32(at + 4),
				    .number = spool_get_u64(at + 8),
				    .synced = spool_get_u64(at + 16) };
}

bool
spool_record_is_whole(const unsigned char *at, const struct spool_head *head)
{
	return record_sum(at, head->body_len) == head->crc;
}

/* What is left of a body. */
struct cursor {
	const unsigned char *at;
	size_t left;
	bool is_short;
};

static const unsigned char *
take(struct cursor *c, size_t n)
{
	const unsigned char *at = c->at;

	if (n > c->left) {
		c->is_short = true;
		return NULL;
	}
	c->at += n;
	c->left -= n;
	return at;
}

static uint32_t
take_u32(struct cursor *c)
{
	const unsigned char *at = take(c, 4);

	return at ? spool_get_u32(at) : 0;
}

/* len bytes and their NUL. */
static const char *
take_text(struct cursor *c, size_t len)
{
	const unsigned char *at = take(c, len + 1);

	if (at && at[len] != '\0')
		c->is_short = true;
	return (const char *)at;
}

static struct evh_bytes
take_bytes(struct cursor *c, size_t len)
{
	const unsigned char *at = take(c, len);

	return (struct evh_bytes){ at, at ? len : 0 };
}

static int
take_headers(struct cursor *c, uint32_t n, struct evh_header **ret)
{
	struct evh_header *headers;

	if (n == 0 || c->is_short)
		return 0;
	if (n > c->left / 9) {
		c->is_short = true; /* each has nine bytes at least */
		return 0;
	}
	headers = calloc(n, sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	for (uint32_t i = 0; i < n && !c->is_short; i++) {
		uint32_t name_len = take_u32(c);
		uint32_t value_len = take_u32(c);

		headers[i].name = take_text(c, name_len);
		headers[i].value = take_bytes(c, value_len);
	}
	*ret = headers;
	return 0;
}

int
spool_record_spec(const unsigned char *body, size_t len, struct evh_spec *ret,
		  struct evh_header **ret_headers)
{
	struct cursor c = { .at = body, .left = len };
	struct evh_spec spec = { .id = take(&c, 16) };
	struct evh_header *headers = NULL;
	const unsigned char *times = take(&c, 16);
	uint32_t name_len, topic_len, key_len, data_len;

	if (c.is_short)
		return -EBADMSG;
	spec.created_ns = (int64_t)spool_get_u64(times);
	spec.offset = (int64_t)spool_get_u64(times + 8);
	spec.status = (enum evh_status)take_u32(&c);
	spec.attempts = take_u32(&c);
	spec.partition = (int32_t)take_u32(&c);
	spec.n_headers = take_u32(&c);
	name_len = take_u32(&c);
	topic_len = take_u32(&c);
	key_len = take_u32(&c);
	data_len = take_u32(&c);
	spec.name = take_text(&c, name_len);
	if (topic_len != NO_TOPIC)
		spec.topic = take_text(&c, topic_len);
	spec.key = take_bytes(&c, key_len);
	if (take_headers(&c, spec.n_headers, &headers) < 0)
		return -ENOMEM;
	spec.headers = headers;
	spec.data = take_bytes(&c, data_len);
	if (c.is_short || c.left > 0 || spec.status < EVH_PENDING ||
	    spec.status > EVH_DROPPED) {
		free(headers);
		return -EBADMSG;
	}
	*ret = spec;
	*ret_headers = headers;
	return 0;
}
