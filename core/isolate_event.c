#include "isolate_event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handling.h"
#include "instance.h"

#define ID_SIZE	    16
#define HEADER_SIZE 10 /* two texts, empty */
#define CHILD_SIZE  52 /* with nothing in it but its id */

/* What a handler has done to an event. */
enum change { CHANGE_DATA = 1, CHANGE_KEY, CHANGE_HEADER };

#define CHANGE_SIZE 9 /* what, and bytes, empty */

/* ---- There ------------------------------------------------------------- */

static void
put_headers(struct frame_buffer *buffer, const struct evh_event *pub)
{
	frame_put_u32(buffer, pub->n_headers);
	for (uint32_t i = 0; i < pub->n_headers; i++) {
		frame_put_text(buffer, pub->headers[i].name);
		frame_put_bytes(buffer, pub->headers[i].value);
	}
}

int
isolate_event_put(struct frame_buffer *buffer, const struct event *ev,
		  uint64_t number, size_t max)
{
	const struct evh_event *pub = &ev->pub;

	frame_begin(buffer, FRAME_EVENT);
	frame_put_u64(buffer, number);
	frame_put_bytes(buffer, (struct evh_bytes){ pub->id, ID_SIZE });
	frame_put_u64(buffer, (uint64_t)pub->created_ns);
	frame_put_text(buffer, pub->name);
	frame_put_bytes(buffer, pub->data);
	frame_put_bytes(buffer, pub->key);
	put_headers(buffer, pub);
	frame_put_u32(buffer, pub->status);
	frame_put_text(buffer, pub->topic);
	frame_put_u64(buffer, (uint64_t)pub->offset);
	frame_put_u32(buffer, (uint32_t)pub->partition);
	frame_put_u32(buffer, pub->attempts);
	frame_put_u32(buffer, pub->attempt);
	frame_put_u32(buffer, ev->n_children);
	return frame_end(buffer, max);
}

/* Malloced; NULL when there are none, or memory is short, or it is bad. */
static struct evh_header *
take_headers(struct frame *frame, uint32_t *ret_n)
{
	uint32_t n = frame_take_count(frame, HEADER_SIZE);
	struct evh_header *headers = NULL;

	*ret_n = n;
	if (n == 0)
		return NULL;
	headers = calloc(n, sizeof(*headers));
	if (!headers) {
		frame->is_bad = true;
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		headers[i].name = frame_take_text(frame);
		headers[i].value = frame_take_bytes(frame);
		if (!headers[i].name || !*headers[i].name)
			frame->is_bad = true;
	}
	return headers;
}

/* A status that there is; else the frame is bad. */
static enum evh_status
take_status(struct frame *frame)
{
	uint32_t status = frame_take_u32(frame);

	if (status < EVH_PENDING || status > EVH_DROPPED) {
		frame->is_bad = true;
		return EVH_PENDING;
	}
	return (enum evh_status)status;
}

static const unsigned char *
take_id(struct frame *frame)
{
	struct evh_bytes id = frame_take_bytes(frame);

	if (id.len != ID_SIZE)
		frame->is_bad = true;
	return id.data;
}

static const char *
take_name(struct frame *frame)
{
	const char *name = frame_take_text(frame);

	if (!name)
		frame->is_bad = true;
	return name;
}

struct event *
isolate_event_take(struct frame *frame, struct instance *in)
{
	uint64_t number = frame_take_u64(frame);
	struct evh_spec spec = { .id = take_id(frame) };
	struct evh_header *headers;
	uint32_t attempt, n_children;
	struct event *ev = NULL;

	spec.created_ns = (int64_t)frame_take_u64(frame);
	spec.name = take_name(frame);
	spec.data = frame_take_bytes(frame);
	spec.key = frame_take_bytes(frame);
	headers = take_headers(frame, &spec.n_headers);
	spec.headers = headers;
	spec.status = take_status(frame);
	spec.topic = frame_take_text(frame);
	spec.offset = (int64_t)frame_take_u64(frame);
	spec.partition = (int32_t)frame_take_u32(frame);
	spec.attempts = frame_take_u32(frame);
	attempt = frame_take_u32(frame);
	n_children = frame_take_u32(frame);
	if (frame_is_done(frame))
		ev = event_new(in, &spec, NULL);
	free(headers);
	if (!ev)
		return NULL;
	ev->seq = number;
	ev->pub.attempt = attempt;
	ev->n_children = n_children;
	return ev;
}

/* ---- And back ---------------------------------------------------------- */

static bool
headers_have_name(const struct event_face *face, const char *name)
{
	for (uint32_t i = 0; i < face->n_headers; i++)
		if (strcmp(face->headers[i].name, name) == 0)
			return true;
	return false;
}

/* This very value: a header that nobody has set is where it was. */
static bool
headers_have_value(const struct event_face *face, const void *value)
{
	for (uint32_t i = 0; i < face->n_headers; i++)
		if (face->headers[i].value.data == value)
			return true;
	return false;
}

static void
put_header(struct frame_buffer *buffer, const char *name, const char *value)
{
	frame_put_u32(buffer, CHANGE_HEADER);
	frame_put_text(buffer, name);
	frame_put_text(buffer, value);
}

static uint32_t
put_header_changes(struct frame_buffer *buffer, const struct event_face *before,
		   const struct event_face *now)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < before->n_headers; i++) {
		const char *name = before->headers[i].name;

		if (headers_have_name(now, name))
			continue;
		put_header(buffer, name, NULL);
		n++;
	}
	for (uint32_t i = 0; i < now->n_headers; i++) {
		const struct evh_header *header = &now->headers[i];

		if (headers_have_value(before, header->value.data))
			continue;
		put_header(buffer, header->name, header->value.data);
		n++;
	}
	return n;
}

static uint32_t
put_changes(struct frame_buffer *buffer, const struct event *ev)
{
	struct event_face now = { ev->pub.data, ev->pub.key, ev->pub.headers,
				  ev->pub.n_headers };
	uint32_t n = 0;

	if (!ev->face_saved)
		return 0;
	if (now.data.data != ev->saved.data.data ||
	    now.data.len != ev->saved.data.len) {
		frame_put_u32(buffer, CHANGE_DATA);
		frame_put_bytes(buffer, now.data);
		n++;
	}
	if (now.key.data != ev->saved.key.data ||
	    now.key.len != ev->saved.key.len) {
		frame_put_u32(buffer, CHANGE_KEY);
		frame_put_bytes(buffer, now.key);
		n++;
	}
	if (now.headers != ev->saved.headers)
		n += put_header_changes(buffer, &ev->saved, &now);
	return n;
}

static void
put_child(struct frame_buffer *buffer, const struct evh_event *pub)
{
	frame_put_bytes(buffer, (struct evh_bytes){ pub->id, ID_SIZE });
	frame_put_u64(buffer, (uint64_t)pub->created_ns);
	frame_put_text(buffer, pub->name);
	frame_put_bytes(buffer, pub->data);
	frame_put_bytes(buffer, pub->key);
	put_headers(buffer, pub);
	frame_put_u32(buffer, pub->status);
}

/* A number that is known only when all of it is written. */
static void
set_count(struct frame_buffer *buffer, size_t at, uint32_t n)
{
	if (!buffer->is_short)
		memcpy(buffer->at + buffer->frame + at, &n, sizeof(n));
}

static void
put_result(struct frame_buffer *buffer, const struct event *ev)
{
	size_t at = buffer->end - buffer->frame;
	const struct event *child;

	frame_put_u32(buffer, 0);
	set_count(buffer, at, put_changes(buffer, ev));
	frame_put_u32(buffer, ev->n_children);
	frame_put_u32(buffer, ev->children.n);
	for (child = ev->children.head; child; child = child->next)
		put_child(buffer, &child->pub);
}

int
isolate_verdict_put(struct frame_buffer *buffer, const struct event *ev,
		    int verdict, size_t max)
{
	int rc;

	frame_begin(buffer, FRAME_VERDICT);
	frame_put_u64(buffer, ev->seq);
	frame_put_u32(buffer, (uint32_t)verdict);
	frame_put_text(buffer, ev->error_code);
	frame_put_text(buffer, ev->error_text);
	/* Nothing stays of a try that did not succeed. */
	if (verdict == EVH_OK || verdict == EVH_DROP)
		put_result(buffer, ev);
	rc = frame_end(buffer, max);
	if (rc != -EMSGSIZE)
		return rc;
	frame_begin(buffer, FRAME_VERDICT);
	frame_put_u64(buffer, ev->seq);
	frame_put_u32(buffer, EVH_FAIL);
	frame_put_text(buffer, "too_large");
	frame_put_text(buffer, "what its process made of it is larger than "
			       "in_flight_size");
	return frame_end(buffer, max);
}

static int
take_change(struct frame *frame, struct event *ev)
{
	uint32_t change = frame_take_u32(frame);
	const char *name, *value;
	struct evh_bytes bytes;

	switch (change) {
	case CHANGE_DATA:
		bytes = frame_take_bytes(frame);
		return frame->is_bad ? -EBADMSG : event_set_data(ev, bytes);
	case CHANGE_KEY:
		bytes = frame_take_bytes(frame);
		return frame->is_bad ? -EBADMSG : event_set_key(ev, bytes);
	case CHANGE_HEADER:
		name = take_name(frame);
		value = frame_take_text(frame);
		if (frame->is_bad || !*name)
			return -EBADMSG;
		return event_set_header(ev, name, value);
	default:
		return -EBADMSG;
	}
}

static int
take_child(struct frame *frame, struct instance *in, struct event *ev)
{
	struct evh_spec spec = { .id = take_id(frame) };
	struct evh_header *headers;
	struct evh_event *pub;
	struct event *child;

	spec.created_ns = (int64_t)frame_take_u64(frame);
	spec.name = take_name(frame);
	spec.data = frame_take_bytes(frame);
	spec.key = frame_take_bytes(frame);
	headers = take_headers(frame, &spec.n_headers);
	spec.headers = headers;
	spec.status = take_status(frame);
	child = frame->is_bad ? NULL : event_new(in, &spec, ev);
	free(headers);
	if (!child)
		return frame->is_bad ? -EBADMSG : -ENOMEM;
	pub = &child->pub;
	if (handling_emit(in, &pub, 1) == 1)
		return 0;
	event_free(child);
	return -EBADMSG;
}

static int
take_result(struct frame *frame, struct instance *in, struct event *ev)
{
	uint32_t n = frame_take_count(frame, CHANGE_SIZE);
	uint32_t n_children;
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = take_change(frame, ev);
	if (rc < 0)
		return rc;
	n_children = frame_take_u32(frame);
	n = frame_take_count(frame, CHILD_SIZE);
	if (frame->is_bad || n_children < ev->n_children ||
	    n_children - ev->n_children < n)
		return -EBADMSG;
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = take_child(frame, in, ev);
	/* Those that it made and gave back had numbers, too. */
	ev->n_children = n_children;
	return rc;
}

int
isolate_verdict_take(struct frame *frame, struct instance *in, struct event *ev,
		     int *ret_verdict)
{
	int verdict = (int)frame_take_u32(frame);
	const char *code = frame_take_text(frame);
	const char *text = frame_take_text(frame);
	int rc = 0;

	if (frame->is_bad)
		return -EBADMSG;
	if (text)
		rc = event_set_error(ev, code, text);
	if (rc == 0 && (verdict == EVH_OK || verdict == EVH_DROP))
		rc = take_result(frame, in, ev);
	if (rc == 0 && !frame_is_done(frame))
		rc = -EBADMSG;
	if (rc == 0)
		*ret_verdict = verdict;
	return rc;
}
