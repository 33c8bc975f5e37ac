#include "message.h"

#include <envelope.h>
#include <json.h>
#include <rfc3339.h>
#include <scratch.h>
#include <uuid_text.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Up to here the value is written on the stack and copied by librdkafka. */
#define SMALL 4096

/* Headers that say what this event is now; older ones of these names, which
 * a consumed message brings along, are not passed on. */
static const char *const ours[] = {
	"evh-id",    "content-type", "evh-attempts",  "evh-status",
	"evh-error", "evh-source",   "evh-failed-at", "evh-created-at",
};

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

static rd_kafka_headers_t *
headers_of(const struct evh_event *ev, bool raw, int64_t now_ns)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(ev->n_headers + 8);
	char text[UUID_TEXT_LEN];
	char number[16];
	int bad = 0;

	if (headers == NULL)
		return NULL;
	uuid_write(ev->id, text);
	bad += add(headers, "evh-id", text, sizeof(text));
	bad += add_text(headers, "content-type",
			raw ? "application/octet-stream" : "application/json");
	if (ev->attempts > 0) {
		snprintf(number, sizeof(number), "%" PRIu32, ev->attempts);
		bad += add_text(headers, "evh-attempts", number);
	}
	bad += add_outcome(headers, ev, now_ns);
	for (uint32_t i = 0; i < ev->n_headers; i++) {
		const struct evh_header *header = &ev->headers[i];

		if (!message_is_ours(header->name))
			bad += add(headers, header->name, header->value.data,
				   header->value.len);
	}
	if (bad < 0) {
		rd_kafka_headers_destroy(headers);
		return NULL;
	}
	return headers;
}

static int64_t
wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
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

static rd_kafka_resp_err_t
produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, const struct evh_event *ev,
	struct evh_bytes value, int flags, int64_t time_ms,
	rd_kafka_headers_t *headers, void *opaque)
{
	/* librdkafka hashes an empty key like any other, and keyless events
	 * are to be spread. */
	const void *key = ev->key.len > 0 ? ev->key.data : NULL;

	return rd_kafka_producev(
		rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(flags),
		/* With F_COPY it is only read, with F_FREE it is ours. */
		RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.len),
		RD_KAFKA_V_KEY(key, ev->key.len), RD_KAFKA_V_TIMESTAMP(time_ms),
		RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque),
		RD_KAFKA_V_END);
}

static rd_kafka_resp_err_t
produce_envelope(rd_kafka_t *rk, rd_kafka_topic_t *topic,
		 const struct evh_event *ev, int64_t time_ms,
		 rd_kafka_headers_t *headers, void *opaque)
{
	size_t size = envelope_size(ev);
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
	value.len = envelope_write(ev, large != NULL ? large : small, size);
	err = produce(rk, topic, ev, value,
		      large != NULL ? RD_KAFKA_MSG_F_FREE : RD_KAFKA_MSG_F_COPY,
		      time_ms, headers, opaque);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		free(large);
	return err;
}

rd_kafka_resp_err_t
message_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic,
		const struct evh_event *ev, void *opaque)
{
	bool raw = is_raw(ev);
	bool is_over = ev->status == EVH_FAILED || ev->status == EVH_DROPPED;
	int64_t now_ns = is_over ? wall_ns() : 0;
	rd_kafka_headers_t *headers = headers_of(ev, raw, now_ns);
	int64_t time_ms = timestamp_ms(ev, now_ns);
	rd_kafka_resp_err_t err;

	/* Out of memory is a full queue: offered again later. */
	if (headers == NULL)
		return RD_KAFKA_RESP_ERR__QUEUE_FULL;
	if (raw)
		err = produce(rk, topic, ev, ev->data, RD_KAFKA_MSG_F_COPY,
			      time_ms, headers, opaque);
	else
		err = produce_envelope(rk, topic, ev, time_ms, headers, opaque);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_headers_destroy(headers);
	return err;
}
