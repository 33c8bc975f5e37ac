#include "dead_letter.h"

#include "message.h"

#include <clock.h>
#include <letter.h>
#include <rfc3339.h>
#include <uuid_text.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_SIZE 400

void
dead_decoder_init(struct dead_decoder *d)
{
	*d = (struct dead_decoder){ .error = NULL };
}

static void
texts_free(struct dead_decoder *d)
{
	free(d->error);
	free(d->topic);
	free(d->name);
	d->error = NULL;
	d->topic = NULL;
	d->name = NULL;
}

void
dead_decoder_fini(struct dead_decoder *d)
{
	texts_free(d);
	free(d->headers);
	d->headers = NULL;
}

/* ---- Headers --------------------------------------------------------------
 */

static bool
is_text(const void *value, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(value, text, len) == 0;
}

static uint64_t
size_read(const char *value, size_t len)
{
	char text[24];

	snprintf(text, sizeof(text), "%.*s", (int)(len < 20 ? len : 20), value);
	return strtoull(text, NULL, 10);
}

/* "topic/partition/offset"; what is none says nothing. */
static int
source_read(struct dead_decoder *d, const char *value, size_t len)
{
	char *text = strndup(value, len), *offset, *partition;

	if (text == NULL)
		return -ENOMEM;
	offset = strrchr(text, '/');
	if (offset != NULL)
		*offset++ = '\0';
	partition = offset != NULL ? strrchr(text, '/') : NULL;
	if (partition == NULL) {
		free(text);
		return 0;
	}
	*partition++ = '\0';
	free(d->topic);
	d->topic = text;
	d->letter.topic = text;
	d->letter.partition = (int32_t)strtol(partition, NULL, 10);
	d->letter.offset = strtoll(offset, NULL, 10);
	return 0;
}

static int
error_read(struct dead_decoder *d, const char *value, size_t len)
{
	free(d->error);
	d->error = strndup(value, len);
	d->letter.error = d->error;
	return d->error != NULL ? 0 : -ENOMEM;
}

/* Of a letter whose bytes were too many. */
static int
lost_read(struct dead_decoder *d, const char *name, const char *value,
	  size_t len)
{
	if (strcmp(name, "evh-name") == 0) {
		free(d->name);
		d->name = strndup(value, len);
		return d->name != NULL ? 0 : -ENOMEM;
	}
	if (strcmp(name, "evh-lost") == 0) {
		d->letter.lost_len = size_read(value, len);
	} else if (len < sizeof(d->lost_sha256)) {
		memcpy(d->lost_sha256, value, len);
		d->lost_sha256[len] = '\0';
		d->letter.lost_sha256 = d->lost_sha256;
	}
	return 0;
}

static int
own_read(struct dead_decoder *d, const char *name, const char *value,
	 size_t len)
{
	struct evh_letter *letter = &d->letter;

	if (strcmp(name, "evh-status") == 0) {
		d->is_over = is_text(value, len, "failed") ||
			     is_text(value, len, "dropped");
		/* Whether this is a dead letter is told by its name then. */
		letter->name = is_text(value, len, "failed") ? "" : NULL;
	} else if (strcmp(name, "evh-id") == 0) {
		d->has_id = uuid_read(value, len, letter->id, NULL) == 0;
	} else if (strcmp(name, "content-type") == 0) {
		d->is_raw = is_text(value, len, "application/octet-stream");
	} else if (strcmp(name, "evh-attempts") == 0) {
		letter->attempts = letter_count_read(value, len);
	} else if (strcmp(name, "evh-failed-at") == 0) {
		(void)rfc3339_read(value, len, &letter->failed_ns);
	} else if (strcmp(name, "evh-created-at") == 0) {
		d->has_created =
			rfc3339_read(value, len, &letter->created_ns) == 0;
	} else if (strcmp(name, "evh-error") == 0) {
		return error_read(d, value, len);
	} else if (strcmp(name, "evh-source") == 0) {
		return source_read(d, value, len);
	} else {
		return lost_read(d, name, value, len);
	}
	return 0;
}

/* The event's own. */
static int
header_add(struct dead_decoder *d, const char *name, const void *value,
	   size_t len)
{
	struct evh_header *headers;
	size_t size;

	if (d->n_headers == d->size_headers) {
		size = d->size_headers ? d->size_headers * 2 : 8;
		headers = realloc(d->headers, size * sizeof(*headers));
		if (headers == NULL)
			return -ENOMEM;
		d->headers = headers;
		d->size_headers = size;
	}
	d->headers[d->n_headers++] =
		(struct evh_header){ name, { value, len } };
	return 0;
}

static int
headers_read(struct dead_decoder *d, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t len;
	int rc = 0;

	if (rd_kafka_message_headers(message, &headers) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	for (size_t i = 0; rc == 0 && rd_kafka_header_get_all(headers, i, &name,
							      &value, &len) ==
					      RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++) {
		if (value == NULL) {
			value = "";
			len = 0;
		}
		rc = message_is_ours(name) ? own_read(d, name, value, len)
					   : header_add(d, name, value, len);
	}
	d->letter.headers = d->headers;
	d->letter.n_headers = (uint32_t)d->n_headers;
	return rc;
}

/* ---- The rest -------------------------------------------------------------
 */

static void
id_derive(struct dead_decoder *d, const rd_kafka_message_t *message)
{
	char place[PLACE_SIZE];
	int n = snprintf(place, sizeof(place),
			 "kafka:%s/%" PRId32 "/%" PRId64 "/%" PRId64,
			 rd_kafka_topic_name(message->rkt), message->partition,
			 message->offset,
			 rd_kafka_message_timestamp(message, NULL));

	uuid_v5_url(place, n < PLACE_SIZE ? (size_t)n : PLACE_SIZE - 1,
		    d->letter.id);
}

static int
value_read(struct dead_decoder *d, const rd_kafka_message_t *message)
{
	struct evh_letter *letter = &d->letter;
	struct envelope_error why;
	int rc = -EINVAL;

	letter->data = (struct evh_bytes){ message->payload, message->len };
	if (message->payload == NULL)
		letter->data = (struct evh_bytes){ "", 0 };
	if (!d->is_raw)
		rc = envelope_read(letter->data.data, letter->data.len,
				   SIZE_MAX, &d->envelope, &why);
	if (rc == -ENOMEM)
		return rc;
	letter->raw = rc < 0;
	if (rc < 0 && letter->lost_sha256 != NULL && d->name != NULL)
		letter->name = d->name;
	if (rc < 0)
		return 0;
	letter->lost_sha256 = NULL;
	letter->name = d->envelope.name;
	letter->data = d->envelope.data;
	if (d->envelope.has_id && !d->has_id) {
		memcpy(letter->id, d->envelope.id, sizeof(letter->id));
		d->has_id = true;
	}
	if (d->envelope.has_created) {
		letter->created_ns = d->envelope.created_ns;
		d->has_created = true;
	}
	return 0;
}

int
dead_decode(struct dead_decoder *d, const rd_kafka_message_t *message)
{
	int64_t time_ms = rd_kafka_message_timestamp(message, NULL);
	struct evh_letter *letter = &d->letter;
	int rc;

	texts_free(d);
	d->n_headers = 0;
	d->is_over = false;
	d->is_raw = false;
	d->has_id = false;
	d->has_created = false;
	*letter = (struct evh_letter){
		.key = { message->key != NULL ? message->key : "",
			 message->key_len },
		.failed_ns = time_ms > 0 ? time_ms * NS_PER_MS : 0,
	};
	rc = headers_read(d, message);
	if (rc < 0 || letter->name == NULL)
		return rc;
	rc = value_read(d, message);
	if (rc < 0)
		return rc;
	if (!d->has_id)
		id_derive(d, message);
	if (!d->has_created)
		letter->created_ns = letter->failed_ns;
	return 1;
}
