#include "message.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "uuid_text.h"

/* The longest topic, two signs, three numbers of at most 20 digits. */
#define PLACE_SIZE 400

void
message_decoder_init(struct message_decoder *d, size_t max_message)
{
	*d = (struct message_decoder){ .max_message = max_message };
}

void
message_decoder_fini(struct message_decoder *d)
{
	free(d->headers);
	d->headers = NULL;
}

void
message_begin(struct message_decoder *d)
{
	d->n_headers = 0;
	d->attempts = 0;
}

/* Digits and nothing else; what is no number says nothing, as any header that
 * somebody else wrote. */
static uint32_t
read_attempts(struct evh_bytes value)
{
	const char *text = value.data;
	uint64_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > UINT32_MAX)
			return 0;
	}
	return (uint32_t)n;
}

int
message_add_header(struct message_decoder *d, const char *name,
		   struct evh_bytes value)
{
	struct evh_header *headers;
	uint32_t size;

	if (strcmp(name, MESSAGE_HEADER_ATTEMPTS) == 0) {
		d->attempts = read_attempts(value);
		return 0;
	}
	if (strcmp(name, MESSAGE_HEADER_ID) == 0 ||
	    strcmp(name, MESSAGE_HEADER_TYPE) == 0)
		return 0;
	if (d->n_headers == d->size_headers) {
		size = d->size_headers ? d->size_headers * 2 : 8;
		headers = realloc(d->headers, size * sizeof(*headers));
		if (headers == NULL)
			return -ENOMEM;
		d->headers = headers;
		d->size_headers = size;
	}
	/* A header without a value is one with an empty value. */
	if (value.data == NULL)
		value = (struct evh_bytes){ "", 0 };
	d->headers[d->n_headers++] = (struct evh_header){ name, value };
	return 0;
}

static void
derive_id(const struct message *m, unsigned char ret[16])
{
	char place[PLACE_SIZE];
	int n;

	n = snprintf(place, sizeof(place),
		     "kafka:%s/%" PRId32 "/%" PRId64 "/%" PRId64, m->topic,
		     m->partition, m->offset, m->timestamp_ms);
	assert(n > 0 && (size_t)n < sizeof(place));
	uuid_v5_url(place, (size_t)n, ret);
}

int
message_decode(struct message_decoder *d, const struct message *m,
	       struct evh_spec *ret_spec)
{
	struct evh_spec spec = {
		.id = d->id,
		.key = m->key,
		.headers = d->headers,
		.n_headers = d->n_headers,
		.status = EVH_PROCESSED,
		.attempts = d->attempts,
		.topic = m->topic,
		.offset = m->offset,
		.partition = m->partition,
	};
	int r;

	if (m->timestamp_ms > 0 && m->timestamp_ms <= INT64_MAX / NS_PER_MS)
		spec.created_ns = m->timestamp_ms * NS_PER_MS;
	r = envelope_read(m->value.data, m->value.len, d->max_message,
			  &d->envelope, &d->poison);
	if (r < 0 && r != -EINVAL)
		return r;
	if (r < 0) {
		derive_id(m, d->id);
		spec.name = "";
		spec.data = m->value;
		if (spec.data.data == NULL)
			spec.data = (struct evh_bytes){ "", 0 };
		*ret_spec = spec;
		return 1;
	}
	if (d->envelope.has_id)
		spec.id = d->envelope.id;
	else
		derive_id(m, d->id);
	if (d->envelope.has_created)
		spec.created_ns = d->envelope.created_ns;
	spec.name = d->envelope.name;
	spec.data = d->envelope.data;
	*ret_spec = spec;
	return 0;
}
