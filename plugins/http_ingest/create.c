#include "create.h"

#include "event_body.h"
#include "event_view.h"
#include "http.h"
#include "loop.h"
#include "request.h"

#include <clock.h>
#include <uuid_text.h>

#include <errno.h>
#include <string.h>

/* Why nothing was taken: by whom it could be taken again, and when. */
static enum reply
reply_refused(const struct http *http, int rc)
{
	if (rc == -ESHUTDOWN || http_is_draining(http))
		return REPLY_DRAINING;
	return http_ready(http) < 0 ? REPLY_AWAY : REPLY_FULL;
}

/* The event has come back: chooses the answer. */
static void
settle(struct request *request)
{
	const struct http *http = request_http(request);

	switch (request->result) {
	case EVH_OK:
	case EVH_DROP:
		if (request->spooled)
			event_view_spooled(&request->answer);
		request_json(request,
			     request->route == ROUTE_RETRY ? 202 : 201);
		return;
	case EVH_RETRY:
		request_reply(request, http_ready(http) < 0
					       ? REPLY_UNDELIVERED_AWAY
					       : REPLY_UNDELIVERED);
		break;
	case EVH_FAIL:
	case EVH_HOLD: /* no source hears that */
		request_reply(request, REPLY_FAILED);
		break;
	}
	/* Where the event would have been is told with a 201 alone. */
	text_clear(&request->location, SIZE_MAX);
}

/* Hands the event over; whatever comes of it is in the request then. */
static void
emit(struct request *request, struct evh_event *event)
{
	struct http *http = request_http(request);
	struct evh_ctx *ctx = http->ctx;
	int rc;

	/* Before emit(): done() may come before it returns. */
	request_expect(request, settle);
	rc = ctx->emit(ctx, &event, 1, 0);
	if (rc == 1)
		return;
	request_unexpect(request);
	ctx->event_free(ctx, &event, 1);
	request_reply(request, reply_refused(http, rc));
}

/* The 201 is written beforehand: the body's room is free while the chain has
 * the event, and nothing can fail any more when it comes back. */
static bool
prepare_created(struct request *request, const struct event_body *body,
		const struct evh_spec *spec)
{
	const struct event_view view = { .id = spec->id,
					 .name = body->name,
					 .name_len = body->name_len,
					 .data = spec->data,
					 .created_ns = spec->created_ns };
	char id[UUID_TEXT_LEN];

	if (!request_answer_room(request, event_view_created_max(&view)))
		return false;
	uuid_write(spec->id, id);
	event_view_created(&request->answer, &view);
	text_str(&request->location, "/api/v1/events/");
	text_add(&request->location, id, sizeof(id));
	text_add(&request->location, "", 1);
	return !request->answer.failed && !request->location.failed;
}

static void
take_event(struct request *request, const struct event_body *body)
{
	struct http *http = request_http(request);
	struct evh_spec spec = { .name = body->name,
				 .data = { body->data.at, body->data.len },
				 .status = EVH_PENDING,
				 .cookie = (uintptr_t)request };
	struct evh_event *event = NULL;
	struct text key = { 0 };

	/* As exact as it is ever shown. */
	spec.created_ns = clock_wall_ns() / 1000 * 1000;
	if (!request->keyed)
		uuid_v7(spec.created_ns, request->id);
	spec.id = request->id;
	event_body_key((struct evh_bytes){ body->name, body->name_len },
		       &body->data, request->id, http->set.key, &key);
	if (key.len > EVENT_BODY_KEY_MAX) {
		event_body_key_refuse(&request->answer);
		request_json(request, 422);
		text_fini(&key);
		request_body_free(request);
		return;
	}
	spec.key = (struct evh_bytes){ key.at, key.len };
	if (!key.failed && prepare_created(request, body, &spec))
		event = http->ctx->event_new(http->ctx, &spec, NULL);
	text_fini(&key);
	request_body_free(request);
	if (event == NULL)
		request_reply(request, REPLY_NO_MEMORY);
	else
		emit(request, event);
}

void
create_event(struct request *request)
{
	struct http *http = request_http(request);
	struct event_body body;
	int rc = event_body_check(request->body.at, request->body.len,
				  http->set.forbid_extra, &body,
				  &request->answer);

	switch (rc) {
	case 0:
		take_event(request, &body);
		return;
	case -EINVAL:
		request_json(request, 422);
		break;
	case -EILSEQ:
		request_reply(request, REPLY_BODY_NOT_UTF8);
		break;
	default:
		request_reply(request, REPLY_NO_MEMORY);
		break;
	}
	request_body_free(request);
}

void
create_again(struct request *request)
{
	struct evh_event *event = request->event;

	/* The store had no such event, or none that could be tried again. */
	if (event == NULL)
		return;
	/* As with a 201: nothing may fail once the chain has the event. */
	event_view_retry(&request->answer, request->id, request->attempts);
	if (request->answer.failed) {
		request_event_free(request);
		request_reply(request, REPLY_NO_MEMORY);
		return;
	}
	request->event = NULL;
	emit(request, event);
}

/* An older evhd has no spool, and no such member. */
static bool
is_spooled(const struct request *request, const struct evh_event *event)
{
	return EVH_EVENT_HAS(request_http(request)->ctx, is_spooled) &&
	       event->is_spooled;
}

void
create_done(struct evh_event *const *evs, int n, enum evh_result result)
{
	struct request *first = NULL, *last = NULL;

	for (int i = 0; i < n; i++) {
		struct request *request = (struct request *)evs[i]->cookie;

		request->result = result;
		request->spooled = is_spooled(request, evs[i]);
		if (first != NULL && first->loop != request->loop) {
			request_post(first, last);
			first = NULL;
		}
		if (first == NULL)
			last = request;
		request->next = first;
		first = request;
	}
	if (first != NULL)
		request_post(first, last);
}
