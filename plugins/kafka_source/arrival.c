#include "arrival.h"

#include "consumer.h"

static void
message_release(void *arg)
{
	rd_kafka_message_t *msg = arg;
	struct consumer *c = rd_kafka_topic_opaque(msg->rkt);

	rd_kafka_message_destroy(msg);
	if (!atomic_load(&c->is_draining)) {
		atomic_fetch_sub(&c->n_messages, 1);
		return;
	}
	/* poller_stop() may wait for it, and frees everything after. */
	pthread_mutex_lock(&c->lock);
	atomic_fetch_sub(&c->n_messages, 1);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static int
decode_headers(struct message_decoder *d, const rd_kafka_message_t *msg)
{
	rd_kafka_headers_t *headers;
	struct evh_bytes value;
	const char *name;
	const void *data;
	int r = 0;

	message_begin(d);
	if (rd_kafka_message_headers(msg, &headers) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	for (size_t i = 0;
	     r == 0 &&
	     rd_kafka_header_get_all(headers, i, &name, &data, &value.len) ==
		     RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++) {
		value.data = data;
		r = message_add_header(d, name, value);
	}
	return r;
}

struct evh_event *
arrival_event(struct consumer *c, rd_kafka_message_t *msg, uintptr_t cookie)
{
	rd_kafka_timestamp_type_t type;
	struct message m = {
		.topic = c->settings.topic,
		.partition = msg->partition,
		.offset = msg->offset,
		.timestamp_ms = rd_kafka_message_timestamp(msg, &type),
		.value = { msg->payload, msg->len },
		.key = { msg->key, msg->key_len },
	};
	struct evh_event *ev = NULL;
	struct evh_spec spec;
	int r;

	r = decode_headers(&c->decoder, msg);
	if (r == 0)
		r = message_decode(&c->decoder, &m, &spec);
	if (r >= 0) {
		spec.cookie = cookie;
		spec.release = message_release;
		spec.release_arg = msg;
		ev = c->ctx->event_new(c->ctx, &spec, NULL);
	}
	if (ev == NULL) {
		rd_kafka_message_destroy(msg);
		return NULL;
	}
	atomic_fetch_add(&c->n_messages, 1);
	/* Poison without its reason would pass for a good event. */
	if (r > 0 && c->ctx->set_error(c->ctx, ev, "invalid", "%s",
				       c->decoder.poison.text) < 0) {
		c->ctx->event_free(c->ctx, &ev, 1);
		return NULL;
	}
	return ev;
}
