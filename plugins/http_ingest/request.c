#include "request.h"

#include "conn.h"
#include "create.h"
#include "head.h"
#include "http.h"
#include "loop.h"
#include "refusal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a request keeps of its buffers for the next one. */
#define KEEP	   ((size_t)16 << 10)
#define SPARES_MAX 2048
/* A told length is believed up to here; beyond, the buffer grows as it comes,
 * so that announcing a megabyte costs nothing. */
#define RESERVE_MAX ((size_t)64 << 10)

static int64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct http *
request_http(const struct request *request)
{
	return request->loop->http;
}

static struct request *
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

/* Neither libmicrohttpd nor a callback knows it any more. */
static void
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

bool
request_answer_room(struct request *request, size_t n)
{
	size_t more;

	if (n <= KEEP || n - KEEP <= request->answer_counted)
		return true;
	more = n - KEEP - request->answer_counted;
	if (!room_take(&request_http(request)->answers, more))
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

static enum MHD_Result
request_queue(struct request *request)
{
	struct conn *conn = request->conn;
	const char *location =
		request->location.len > 0 ? request->location.at : NULL;
	bool close = request->close || http_is_draining(request_http(request));

	request->close = close;
	/* The client may have sent more behind this request. */
	conn->linger |= close;
	if (request->reply != REPLY_NONE)
		request->sent = reply_fixed(request->loop->replies, conn->mhd,
					    request->reply, close);
	else if (request->status == 307)
		request->sent = reply_redirect(conn->mhd, location, close);
	else
		request->sent = reply_json(conn->mhd, request->status,
					   &request->answer, location, close);
	request->stage = REQUEST_ANSWERED;
	conn_phase_set(conn, CONN_REPLY);
	return request->sent != 0 ? MHD_YES : MHD_NO;
}

/* ---- Waiting ------------------------------------------------------------ */

void
request_expect(struct request *request, enum request_errand errand)
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

static void
run_errand(struct request *request)
{
	switch (request->errand) {
	case ERRAND_EVENT:
		create_settle(request);
		break;
	case ERRAND_RETRY:
		create_again(request);
		break;
	case ERRAND_ANSWER:
		break;
	}
}

void
request_settle(struct request *request)
{
	request_unexpect(request);
	if (request->late || request->conn == NULL) {
		create_forget(request);
		if (request->conn == NULL)
			request_recycle(request);
		return;
	}
	run_errand(request);
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

/* The answer of one whose callback has not come. */
static enum MHD_Result
queue_late(struct request *request)
{
	const struct http *http = request_http(request);
	enum reply reply =
		request->route == ROUTE_EVENTS && request->method != METHOD_POST
			? REPLY_STORE_LATE
			: REPLY_LATE;

	if (request->route == ROUTE_EVENT)
		reply = REPLY_STORE_LATE;
	request->close |= http_is_draining(http);
	request->conn->linger |= request->close;
	request->sent = reply_fixed(request->loop->replies, request->conn->mhd,
				    reply, request->close);
	request->stage = REQUEST_ANSWERED;
	return request->sent != 0 ? MHD_YES : MHD_NO;
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

/* ---- The body ----------------------------------------------------------- */

static enum MHD_Result
refuse_body(struct request *request, enum reply reply)
{
	/* In the middle of a body the library queues no answer. */
	request->sent = 0;
	refusal_send(request->conn, reply);
	return MHD_NO;
}

static enum MHD_Result
take_body(struct request *request, const char *bytes, size_t n)
{
	struct http *http = request_http(request);

	request->received += n;
	if (request->received > http->set.max_body)
		return refuse_body(request, REPLY_TOO_LARGE);
	if (request->discard)
		return MHD_YES;
	if (!room_take(&http->bodies, n))
		return refuse_body(request, REPLY_NO_MEMORY);
	request->counted += n;
	if (request->body.cap == 0)
		text_reserve(&request->body, request->length < RESERVE_MAX
						     ? (size_t)request->length
						     : RESERVE_MAX);
	text_add(&request->body, bytes, n);
	if (request->body.failed)
		return refuse_body(request, REPLY_NO_MEMORY);
	return MHD_YES;
}

/* ---- libmicrohttpd's callbacks ------------------------------------------ */

void *
request_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct conn *conn = conn_of(mhd);
	struct request *request;
	const char *query;

	if (conn == NULL || conn->ended)
		return NULL;
	request = request_new(cls);
	if (request == NULL)
		return NULL;
	request->conn = conn;
	conn->request = request;
	if (conn->phase == CONN_IDLE)
		conn_phase_set(conn, CONN_HEAD);
	if (target == NULL)
		return request;
	request->target_len = strlen(target);
	query = memchr(target, '?', request->target_len);
	if (query != NULL)
		text_str(&request->query, query + 1);
	return request;
}

/* The request is whole: what it asks for is done, or begun. */
static void
request_whole(struct request *request)
{
	request->conn->consumed += request->received;
	head_dispatch(request);
	if (!request->outstanding)
		return;
	/* The callback may have come already: it lies in the mailbox then,
	 * which nobody but this thread empties. */
	request->stage = REQUEST_WAITING;
	conn_phase_set(request->conn, CONN_WORK);
	MHD_suspend_connection(request->conn->mhd);
}

static void
take_head(struct request *request, const char *target, const char *method,
	  const char *version)
{
	if (head_check(request, target, method, version) == HEAD_BODY) {
		request->stage = REQUEST_READING;
		conn_phase_set(request->conn, CONN_BODY);
	}
}

enum MHD_Result
request_access(void *cls, struct MHD_Connection *mhd, const char *target,
	       const char *method, const char *version, const char *body,
	       size_t *body_len, void **con_cls)
{
	struct request *request = *con_cls;
	struct loop *loop = cls;

	if (request == NULL)
		return reply_fixed(loop->replies, mhd, REPLY_NO_MEMORY, true) !=
				       0
			       ? MHD_YES
			       : MHD_NO;
	if (request->stage == REQUEST_HEAD) {
		take_head(request, target, method, version);
		/* What the library is given in the first call ends the
		 * connection; in the second, which comes behind the body or
		 * at once, it need not. */
		if (!request->close)
			return MHD_YES;
	} else if (request->stage == REQUEST_READING) {
		if (*body_len > 0) {
			size_t n = *body_len;

			*body_len = 0;
			return take_body(request, body, n);
		}
		request_whole(request);
	} else if (request->late && request->stage == REQUEST_READY) {
		return queue_late(request);
	}
	return request->stage == REQUEST_READY ? request_queue(request)
					       : MHD_YES;
}

void
request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
		  enum MHD_RequestTerminationCode code)
{
	struct request *request = *con_cls;
	struct loop *loop = cls;
	struct conn *conn;

	(void)mhd;
	(void)code;
	if (request == NULL)
		return;
	*con_cls = NULL;
	conn = request->conn;
	conn->request = NULL;
	request->conn = NULL;
	/* A head that went wrong leaves the phase as it is: whether anybody
	 * has answered it is seen when the connection is closed. */
	if (request->sent != 0 && request->close)
		conn->ended = true;
	if (request->stage != REQUEST_HEAD)
		conn_phase_set(conn, CONN_IDLE);
	if (request->sent != 0)
		meters_request(&loop->http->meters, request->route,
			       request->method, request->sent,
			       clock_ns() - request->began_ns);
	if (!request->outstanding)
		request_recycle(request);
}
