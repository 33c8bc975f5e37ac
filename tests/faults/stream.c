#include "stream.h"

#include <string.h>

#define SSL_REQUEST  80877103u
#define GSS_REQUEST  80877104u
#define LENGTH_BYTES 4u

static uint32_t
u32_at(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool
has_type(const struct stream *stream)
{
	return stream->kind == STREAM_PG_SERVER ||
	       (stream->kind == STREAM_PG_CLIENT && stream->is_started);
}

/* The prefix is whole: how much follows it. */
static void
message_begin(struct stream *stream)
{
	size_t skip = has_type(stream) ? 1 : 0;
	uint32_t len = u32_at(stream->prefix + skip);

	/* PostgreSQL's length counts itself, Kafka's does not. */
	if (stream->kind != STREAM_KAFKA)
		len = len < LENGTH_BYTES ? 0 : len - LENGTH_BYTES;
	stream->left = len;
	stream->head_len = 0;
}

static void
message_end(struct stream *stream, struct message *ret)
{
	ret->type = 0;
	if (has_type(stream))
		ret->type = (char)stream->prefix[0];
	stream->head[stream->head_len] = '\0';
	ret->head = stream->head;
	ret->head_len = stream->head_len;
	stream->prefix_len = 0;
	if (stream->kind == STREAM_PG_CLIENT && !stream->is_started &&
	    stream->head_len >= LENGTH_BYTES) {
		uint32_t code = u32_at(stream->head);

		stream->is_started = code != SSL_REQUEST && code != GSS_REQUEST;
	}
}

/* A server answers a request for encryption with one letter, no message. */
static bool
is_letter(const struct stream *stream, const unsigned char *bytes, size_t len)
{
	return stream->kind == STREAM_PG_SERVER && !stream->is_started &&
	       stream->prefix_len == 0 && len == 1 &&
	       (bytes[0] == 'N' || bytes[0] == 'S');
}

size_t
stream_take(struct stream *stream, const void *bytes, size_t len,
	    struct message *ret, bool *ret_is_whole)
{
	const unsigned char *at = bytes;
	size_t need = has_type(stream) ? 5 : 4;
	size_t i = 0;

	*ret_is_whole = false;
	if (stream->kind == STREAM_PLAIN || is_letter(stream, at, len))
		return len;
	stream->is_started |= stream->kind == STREAM_PG_SERVER;
	while (i < len && stream->prefix_len < need) {
		stream->prefix[stream->prefix_len++] = at[i++];
		if (stream->prefix_len == need)
			message_begin(stream);
	}
	if (stream->prefix_len < need)
		return i;
	while (i < len && stream->left > 0) {
		size_t n = len - i < stream->left ? len - i : stream->left;
		size_t room = STREAM_HEAD - stream->head_len;
		size_t keep = n < room ? n : room;

		memcpy(stream->head + stream->head_len, at + i, keep);
		stream->head_len += keep;
		stream->left -= n;
		i += n;
	}
	if (stream->left == 0) {
		*ret_is_whole = true;
		message_end(stream, ret);
	}
	return i;
}
