#include "request.h"

#include "conn.h"
#include "http.h"
#include "loop.h"

#include <clock.h>

#include <stdlib.h>
#include <string.h>

/* What a request keeps of its buffers for the next one. */
#define KEEP	   ((size_t)16 << 10)
#define SPARES_MAX 2048
/* The part of all room for answers that reads leave: whoever reads his page
 * slowly must not keep an event from being taken. */
#define ROOM_FOR_POSTS 8

int64_t
request_age_ns(const struct request *request)
{
	return clock_ns() - request->began_ns;
}

struct http *
request_http(const struct request *request)
{
	return request->loop->http;
}

struct request *
request_new(struct loop *loop)
{
	struct request *request = loop->spare;

	if (request != NULL) {
		loop->spare = request->next;
		loop->n_spare--;
	} else {
		request = calloc(1, sizeof(*request));
		if (request == NULL)
			return NULL;
		request->loop = loop;
	}
	request->next = NULL;
	request->stage = REQUEST_HEAD;
	request->began_ns = clock_ns();
	return request;
}

static void
request_destroy(struct request *request)
{
	text_fini(&request->query);
	text_fini(&request->body);
	text_fini(&request->answer);
	text_fini(&request->location);
	free(request);
}

void
request_recycle(struct request *request)
{
	struct loop *loop = request->loop;
	struct request empty = { .loop = loop, .next = loop->spare };

	request_body_free(request);
	room_give(&loop->http->answers, request->answer_counted);
	if (loop->n_spare >= SPARES_MAX) {
		request_destroy(request);
		return;
	}
	text_clear(&request->query, KEEP);
	text_clear(&request->body, KEEP);
	text_clear(&request->answer, KEEP);
	text_clear(&request->location, KEEP);
	empty.query = request->query;
	empty.body = request->body;
	empty.answer = request->answer;
	empty.location = request->location;
	*request = empty;
	loop->spare = request;
	loop->n_spare++;
}

void
request_free_spares(struct loop *loop)
{
	while (loop->spare != NULL) {
		struct request *next = loop->spare->next;

		request_destroy(loop->spare);
		loop->spare = next;
	}
}

void
request_body_free(struct request *request)
{
	room_give(&request_http(request)->bodies, request->counted);
	request->counted = 0;
	text_clear(&request->body, KEEP);
}

/* ---- What is answered --------------------------------------------------- */

void
request_reply(struct request *request, enum reply reply)
{
	request->reply = reply;
	request->stage = REQUEST_READY;
}

enum reply
request_no_memory(const struct request *request)
{
	return request->method == METHOD_POST ? REPLY_NO_MEMORY
					      : REPLY_UNREADABLE;
}

size_t
request_answer_reserve(const struct request *request)
{
	return request->method == METHOD_POST
		       ? 0
		       : request_http(request)->answers.size / ROOM_FOR_POSTS;
}

bool
request_answer_room(struct request *request, size_t n)
{
	size_t reserve = request_answer_reserve(request);
	size_t more;

	if (n <= KEEP || n - KEEP <= request->answer_counted)
		return true;
	more = n - KEEP - request->answer_counted;
	if (!room_take(&request_http(request)->answers, more, reserve))
		return false;
	request->answer_counted += more;
	return true;
}

void
request_json(struct request *request, unsigned status)
{
	if (request->answer.failed || request->location.failed ||
	    !request_answer_room(request, request->answer.len)) {
		request_reply(request, request_no_memory(request));
		return;
	}
	request->reply = REPLY_NONE;
	request->status = status;
	request->stage = REQUEST_READY;
}

/* ---- Waiting ------------------------------------------------------------ */

void
request_expect(struct request *request, request_errand *errand)
{
	request->outstanding = true;
	request->errand = errand;
	request->loop->n_waiting++;
}

void
request_unexpect(struct request *request)
{
	request->outstanding = false;
	request->loop->n_waiting--;
}

void
request_post(struct request *first, struct request *last)
{
	struct http *http = request_http(first);

	/* stop() waits until nobody is in here, for the loop may be done with
	 * the mail, and go, before the wake-up was written. */
	atomic_fetch_add(&http->posting, 1);
	loop_post(first->loop, first, last);
	atomic_fetch_sub(&http->posting, 1);
}

static void
request_resume(struct request *request)
{
	request->stage = REQUEST_READY;
	conn_phase_set(request->conn, CONN_REPLY);
	MHD_resume_connection(request->conn->mhd);
}

void
request_event_free(struct request *request)
{
	struct evh_ctx *ctx = request_http(request)->ctx;

	if (request->event != NULL)
		ctx->event_free(ctx, &request->event, 1);
	request->event = NULL;
}

void
request_settle(struct request *request)
{
	request_unexpect(request);
	if (request->late || request->conn == NULL) {
		request_event_free(request);
		if (request->conn == NULL)
			request_recycle(request);
		return;
	}
	if (request->errand != NULL)
		request->errand(request);
	/* A retry has got its event, and now waits for that. */
	if (!request->outstanding)
		request_resume(request);
}

void
request_late(struct request *request)
{
	if (request == NULL || request->stage != REQUEST_WAITING)
		return;
	request->late = true;
	/* Not `reply`: a callback may be writing that just now. */
	request_resume(request);
}

void
request_abandon(struct loop *loop)
{
	struct conn *conn = loop->lists[CONN_WORK].first;

	while (conn != NULL) {
		struct conn *next = conn->next;

		request_late(conn->request);
		conn = next;
	}
}
