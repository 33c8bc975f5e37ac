#include "isolate_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD_SIZE 8 /* type, length of what follows */
#define NO_TEXT	  UINT32_MAX
#define PIECE	  65536
/* What a buffer keeps when it is empty. */
#define KEEP_MAX (4 * PIECE)

void
frame_buffer_fini(struct frame_buffer *buffer)
{
	free(buffer->at);
	*buffer = (struct frame_buffer){ 0 };
}

size_t
frame_buffer_len(const struct frame_buffer *buffer)
{
	return buffer->end - buffer->begin;
}

/* What has been read makes room first. */
static void
buffer_shift(struct frame_buffer *buffer)
{
	size_t n = frame_buffer_len(buffer);

	if (buffer->begin == 0)
		return;
	memmove(buffer->at, buffer->at + buffer->begin, n);
	buffer->frame -= buffer->begin;
	buffer->end = n;
	buffer->begin = 0;
}

int
frame_buffer_reserve(struct frame_buffer *buffer, size_t n)
{
	size_t size = buffer->size ? buffer->size : 4096;
	char *at;

	if (buffer->size - buffer->end >= n)
		return 0;
	buffer_shift(buffer);
	while (size - buffer->end < n)
		size *= 2;
	if (size == buffer->size)
		return 0;
	at = realloc(buffer->at, size);
	if (!at)
		return -ENOMEM;
	buffer->at = at;
	buffer->size = size;
	return 0;
}

void
frame_buffer_consume(struct frame_buffer *buffer, size_t n)
{
	buffer->begin += n;
	if (buffer->begin < buffer->end)
		return;
	buffer->begin = buffer->end = 0;
	if (buffer->size > KEEP_MAX)
		frame_buffer_fini(buffer);
}

/* ---- Writing ------------------------------------------------------------- */

static void
put(struct frame_buffer *buffer, const void *data, size_t n)
{
	if (buffer->is_short || frame_buffer_reserve(buffer, n) < 0) {
		buffer->is_short = true;
		return;
	}
	if (n > 0)
		memcpy(buffer->at + buffer->end, data, n);
	buffer->end += n;
}

void
frame_begin(struct frame_buffer *buffer, enum frame_type type)
{
	buffer->frame = buffer->end;
	frame_put_u32(buffer, type);
	frame_put_u32(buffer, 0);
}

void
frame_put_u32(struct frame_buffer *buffer, uint32_t value)
{
	put(buffer, &value, sizeof(value));
}

void
frame_put_u64(struct frame_buffer *buffer, uint64_t value)
{
	put(buffer, &value, sizeof(value));
}

void
frame_put_bytes(struct frame_buffer *buffer, struct evh_bytes bytes)
{
	if (bytes.len >= NO_TEXT) {
		buffer->is_short = true;
		return;
	}
	frame_put_u32(buffer, (uint32_t)bytes.len);
	put(buffer, bytes.data, bytes.len);
	put(buffer, "", 1);
}

void
frame_put_text(struct frame_buffer *buffer, const char *text)
{
	if (text)
		frame_put_bytes(buffer,
				(struct evh_bytes){ text, strlen(text) });
	else
		frame_put_u32(buffer, NO_TEXT);
}

int
frame_end(struct frame_buffer *buffer, size_t max)
{
	size_t n = buffer->end - buffer->frame;
	bool is_short = buffer->is_short;
	uint32_t len;

	buffer->is_short = false;
	if (is_short || n - HEAD_SIZE > max) {
		buffer->end = buffer->frame;
		return is_short ? -ENOMEM : -EMSGSIZE;
	}
	len = (uint32_t)(n - HEAD_SIZE);
	memcpy(buffer->at + buffer->frame + sizeof(uint32_t), &len,
	       sizeof(len));
	return 0;
}

/* ---- Reading ------------------------------------------------------------- */

int
frame_next(struct frame_buffer *buffer, size_t max, struct frame *ret)
{
	const char *head = buffer->at + buffer->begin;
	size_t n = frame_buffer_len(buffer);
	uint32_t type, len;

	if (n < HEAD_SIZE)
		return 0;
	memcpy(&type, head, sizeof(type));
	memcpy(&len, head + sizeof(type), sizeof(len));
	if (len > max || type == 0 || type >= FRAME_END)
		return -EBADMSG;
	if (n - HEAD_SIZE < len)
		return 0;
	*ret = (struct frame){ .type = type,
			       .at = head + HEAD_SIZE,
			       .end = head + HEAD_SIZE + len };
	buffer->begin += HEAD_SIZE + len;
	return 1;
}

static const void *
take(struct frame *frame, size_t n)
{
	const char *at = frame->at;

	if (frame->is_bad || (size_t)(frame->end - at) < n) {
		frame->is_bad = true;
		return NULL;
	}
	frame->at += n;
	return at;
}

uint32_t
frame_take_u32(struct frame *frame)
{
	uint32_t value = 0;
	const void *at = take(frame, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

uint64_t
frame_take_u64(struct frame *frame)
{
	uint64_t value = 0;
	const void *at = take(frame, sizeof(value));

	if (at)
		memcpy(&value, at, sizeof(value));
	return value;
}

/* So many bytes, and the NUL that follows them. */
static struct evh_bytes
take_bytes(struct frame *frame, size_t len)
{
	const char *at = take(frame, len + 1);

	if (at && at[len] == '\0')
		return (struct evh_bytes){ at, len };
	frame->is_bad = true;
	return (struct evh_bytes){ "", 0 };
}

struct evh_bytes
frame_take_bytes(struct frame *frame)
{
	return take_bytes(frame, frame_take_u32(frame));
}

const char *
frame_take_text(struct frame *frame)
{
	uint32_t len = frame_take_u32(frame);
	struct evh_bytes text;

	if (len == NO_TEXT)
		return NULL;
	text = take_bytes(frame, len);
	if (strlen(text.data) == text.len)
		return text.data;
	frame->is_bad = true;
	return "";
}

uint32_t
frame_take_count(struct frame *frame, size_t least_size)
{
	uint32_t n = frame_take_u32(frame);

	if (n <= (size_t)(frame->end - frame->at) / least_size)
		return n;
	frame->is_bad = true;
	return 0;
}

bool
frame_is_done(const struct frame *frame)
{
	return !frame->is_bad && frame->at == frame->end;
}

/* ---- The socket ---------------------------------------------------------- */

ssize_t
frame_receive(struct frame_buffer *buffer, int fd)
{
	ssize_t n;

	/* Only as much as comes, whatever a head says is to follow. */
	if (frame_buffer_reserve(buffer, PIECE) < 0)
		return -ENOMEM;
	do {
		n = recv(fd, buffer->at + buffer->end, PIECE, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buffer->end += (size_t)n;
	return n;
}

int
frame_send(struct frame_buffer *buffer, int fd)
{
	while (frame_buffer_len(buffer) > 0) {
		ssize_t n = send(fd, buffer->at + buffer->begin,
				 frame_buffer_len(buffer),
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		frame_buffer_consume(buffer, (size_t)n);
	}
	return 0;
}
