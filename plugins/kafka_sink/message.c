#include "message.h"

#include <clock.h>
#include <envelope.h>
#include <json.h>
#include <rfc3339.h>
#include <scratch.h>
#include <uuid_text.h>

#include <openssl/evp.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to here the value is written on the stack and copied by librdkafka. */
#define SMALL 4096
/* What librdkafka and the broker add to a message, and to each header. */
#define FRAME	     64
#define HEADER_FRAME 10
/* A longer key is lost with the bytes. */
#define LOST_KEY_MAX 1024
#define SHA256_TEXT  64

/* Headers that say what this event is now; older ones of these names, which
 * a consumed message brings along, are not passed on. */
static const char *const ours[] = {
	"evh-id",    "content-type", "evh-attempts",	"evh-status",
	"evh-error", "evh-source",   "evh-failed-at",	"evh-created-at",
	"evh-name",  "evh-lost",     "evh-lost-sha256",
};

/* What of an event the value has. */
enum content { CONTENT_ENVELOPE = 1, CONTENT_RAW, CONTENT_NONE };

bool
message_is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strcmp(ours[i], name) == 0)
			return true;
	}
	return false;
}

static bool
is_over(const struct evh_event *ev)
{
	return ev->status == EVH_FAILED || ev->status == EVH_DROPPED;
}

static bool
is_raw(const struct evh_event *ev)
{
	struct json_span value;

	if (ev->status != EVH_FAILED)
		return false;
	return ev->name[0] == '\0' ||
	       json_check(ev->data.data, ev->data.len, &value, NULL) < 0;
}

static int
add(rd_kafka_headers_t *headers, const char *name, const void *value,
    size_t len)
{
	return rd_kafka_header_add(headers, name, -1, value, (ssize_t)len) ==
			       RD_KAFKA_RESP_ERR_NO_ERROR
		       ? 0
		       : -1;
}

static int
add_text(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	return add(headers, name, value, strlen(value));
}

static int
add_time(rd_kafka_headers_t *headers, const char *name, int64_t unix_ns)
{
	char text[RFC3339_LEN];

	rfc3339_write(unix_ns, text);
	return add(headers, name, text, sizeof(text));
}

/* What a dead letter needs to be understood, and found again.  Its value may
 * be no envelope, so when it was created stands here, too. */
static int
add_outcome(rd_kafka_headers_t *headers, const struct evh_event *ev,
	    int64_t now_ns)
{
	char place[320];
	int bad = 0;

	if (ev->status == EVH_FAILED)
		bad += add_text(headers, "evh-status", "failed");
	else if (ev->status == EVH_DROPPED)
		bad += add_text(headers, "evh-status", "dropped");
	else
		return 0;
	bad += add_time(headers, "evh-failed-at", now_ns);
	bad += add_time(headers, "evh-created-at", ev->created_ns);
	if (ev->error != NULL)
		bad += add_text(headers, "evh-error", ev->error);
	if (ev->topic != NULL) {
		snprintf(place, sizeof(place), "%s/%" PRId32 "/%" PRId64,
			 ev->topic, ev->partition, ev->offset);
		bad += add_text(headers, "evh-source", place);
	}
	return bad;
}

/* What is left of bytes that are not kept. */
static int
add_lost(rd_kafka_headers_t *headers, const struct evh_event *ev)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[SHA256_TEXT + 1], number[24];
	unsigned n;
	int bad = 0;

	if (!EVP_Digest(ev->data.data, ev->data.len, digest, &n, EVP_sha256(),
			NULL))
		return -1;
	for (unsigned i = 0; i < SHA256_TEXT / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	snprintf(number, sizeof(number), "%zu", ev->data.len);
	bad += add_text(headers, "evh-name", ev->name);
	bad += add_text(headers, "evh-lost", number);
	bad += add_text(headers, "evh-lost-sha256", hex);
	return bad;
}

static int
add_events_own(rd_kafka_headers_t *headers, const struct evh_event *ev)
{
	int bad = 0;

	for (uint32_t i = 0; i < ev->n_headers; i++) {
		const struct evh_header *header = &ev->headers[i];

		if (!message_is_ours(header->name))
			bad += add(headers, header->name, header->value.data,
				   header->value.len);
	}
	return bad;
}

static rd_kafka_headers_t *
headers_of(const struct evh_event *ev, enum content content, int64_t now_ns)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(ev->n_headers + 11);
	char text[UUID_TEXT_LEN];
	char number[16];
	int bad = 0;

	if (headers == NULL)
		return NULL;
	uuid_write(ev->id, text);
	bad += add(headers, "evh-id", text, sizeof(text));
	bad += add_text(headers, "content-type",
			content == CONTENT_ENVELOPE
				? "application/json"
				: "application/octet-stream");
	if (ev->attempts > 0) {
		snprintf(number, sizeof(number), "%" PRIu32, ev->attempts);
		bad += add_text(headers, "evh-attempts", number);
	}
	bad += add_outcome(headers, ev, now_ns);
	/* Its own headers may be what is too large. */
	bad += content == CONTENT_NONE ? add_lost(headers, ev)
				       : add_events_own(headers, ev);
	if (bad < 0) {
		rd_kafka_headers_destroy(headers);
		return NULL;
	}
	return headers;
}

/*
 * An event's first message has the time of its making.  What is written later
 * (a retry, a dead letter, a copy) may be old by then: retention goes by this
 * time, and would delete it before anybody has read it.  now_ns is when a dead
 * letter became one, or 0; and 0 for Kafka is the time of writing.
 */
static int64_t
timestamp_ms(const struct evh_event *ev, int64_t now_ns)
{
	if (now_ns > 0)
		return now_ns / 1000000;
	if (ev->status != EVH_PENDING || ev->attempts > 0)
		return 0;
	return ev->created_ns / 1000000;
}

/* ---- How large ------------------------------------------------------------
 */

static size_t
headers_size(const rd_kafka_headers_t *headers)
{
	const char *name;
	const void *value;
	size_t size = 0, len;

	for (size_t i = 0;
	     rd_kafka_header_get_all(headers, i, &name, &value, &len) ==
	     RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++)
		size += strlen(name) + len + HEADER_FRAME;
	return size;
}

/* Not less than librdkafka finds. */
static size_t
message_size(size_t value_len, size_t key_len,
	     const rd_kafka_headers_t *headers)
{
	return value_len + key_len + headers_size(headers) + FRAME;
}

size_t
message_letter_size(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;

	if (rd_kafka_message_headers(message, &headers) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR ||
	    rd_kafka_header_get_last(headers, "evh-status", &value, &len) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR ||
	    rd_kafka_header_get_last(headers, "evh-lost", &value, &len) ==
		    RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	return message_size(message->len, message->key_len, headers);
}

/* ---- On its way -----------------------------------------------------------
 */

/* A message in the making. */
struct draft {
	const struct evh_event *ev;
	enum content content;
	int64_t time_ms;
	struct evh_bytes key;
	rd_kafka_headers_t *headers;
	void *opaque;
};

static int
draft_init(struct draft *draft, const struct evh_event *ev,
	   enum content content, int64_t now_ns)
{
	*draft = (struct draft){ .ev = ev,
				 .content = content,
				 .time_ms = timestamp_ms(ev, now_ns),
				 .key = ev->key,
				 .headers = headers_of(ev, content, now_ns) };
	if (content == CONTENT_NONE && ev->key.len > LOST_KEY_MAX)
		draft->key.len = 0;
	return draft->headers != NULL ? 0 : -1;
}

static size_t
draft_size(const struct draft *draft)
{
	const struct evh_event *ev = draft->ev;

	return message_size(draft->content == CONTENT_RAW ? ev->data.len
							  : envelope_size(ev),
			    draft->key.len, draft->headers);
}

static rd_kafka_resp_err_t
draft_produce(const struct draft *draft, rd_kafka_t *rk,
	      rd_kafka_topic_t *topic, struct evh_bytes value, int flags)
{
	/* librdkafka hashes an empty key like any other, and keyless events
	 * are to be spread. */
	const void *key = draft->key.len > 0 ? draft->key.data : NULL;

	return rd_kafka_producev(
		rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(flags),
		/* With F_COPY it is only read, with F_FREE it is ours. */
		RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.len),
		RD_KAFKA_V_KEY(key, draft->key.len),
		RD_KAFKA_V_TIMESTAMP(draft->time_ms),
		RD_KAFKA_V_HEADERS(draft->headers),
		RD_KAFKA_V_OPAQUE(draft->opaque), RD_KAFKA_V_END);
}

static rd_kafka_resp_err_t
draft_produce_envelope(const struct draft *draft, rd_kafka_t *rk,
		       rd_kafka_topic_t *topic)
{
	size_t size = envelope_size(draft->ev);
	rd_kafka_resp_err_t err;
	struct evh_bytes value;
	EVH_SCRATCH char small[SMALL];
	char *large = NULL;

	if (size > sizeof(small)) {
		large = malloc(size);
		if (large == NULL)
			return RD_KAFKA_RESP_ERR__QUEUE_FULL;
	}
	value.data = large != NULL ? large : small;
	value.len =
		envelope_write(draft->ev, large != NULL ? large : small, size);
	err = draft_produce(draft, rk, topic, value,
			    large != NULL ? RD_KAFKA_MSG_F_FREE
					  : RD_KAFKA_MSG_F_COPY);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		free(large);
	return err;
}

static rd_kafka_resp_err_t
draft_send(const struct draft *draft, rd_kafka_t *rk, rd_kafka_topic_t *topic)
{
	/* Empty, since no value at all is what deletes in a compacted topic. */
	const struct evh_bytes none = { "", 0 };

	switch (draft->content) {
	case CONTENT_ENVELOPE:
		return draft_produce_envelope(draft, rk, topic);
	case CONTENT_RAW:
		return draft_produce(draft, rk, topic, draft->ev->data,
				     RD_KAFKA_MSG_F_COPY);
	case CONTENT_NONE:
		break;
	}
	return draft_produce(draft, rk, topic, none, RD_KAFKA_MSG_F_COPY);
}

rd_kafka_resp_err_t
message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
		const struct evh_event *ev, const struct message_limits *limits,
		void *opaque)
{
	int64_t now_ns = is_over(ev) ? clock_wall_ns() : 0;
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	struct draft draft;
	int rc =
		draft_init(&draft, ev,
			   is_raw(ev) ? CONTENT_RAW : CONTENT_ENVELOPE, now_ns);

	/* Out of memory is a full queue: offered again later. */
	if (rc < 0)
		return RD_KAFKA_RESP_ERR__QUEUE_FULL;
	if (is_over(ev) && draft_size(&draft) > limits->letter) {
		rd_kafka_headers_destroy(draft.headers);
		if (draft_init(&draft, ev, CONTENT_NONE, now_ns) < 0)
			return RD_KAFKA_RESP_ERR__QUEUE_FULL;
	} else if (!is_over(ev) && draft_size(&draft) > limits->event) {
		err = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
	}
	draft.opaque = opaque;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = draft_send(&draft, rk, topic);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_headers_destroy(draft.headers);
	return err;
}
