#include "access.h"

#include "conn.h"
#include "head.h"
#include "http.h"
#include "loop.h"
#include "refusal.h"
#include "request.h"

#include <string.h>

/* A told length is believed up to here; beyond, the buffer grows as it comes,
 * so that announcing a megabyte costs nothing. */
#define RESERVE_MAX ((size_t)64 << 10)

/* ---- Answers ------------------------------------------------------------ */

static enum MHD_Result
queue_answer(struct request *request)
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
	if (!room_take(&http->bodies, n, 0))
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

/* ---- The callbacks ------------------------------------------------------- */

void *
access_target(void *cls, const char *target, struct MHD_Connection *mhd)
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
take_whole(struct request *request)
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
access_request(void *cls, struct MHD_Connection *mhd, const char *target,
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
		take_whole(request);
	} else if (request->late && request->stage == REQUEST_READY) {
		return queue_late(request);
	}
	return request->stage == REQUEST_READY ? queue_answer(request)
					       : MHD_YES;
}

void
access_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
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
			       request_age_ns(request));
	if (!request->outstanding)
		request_recycle(request);
}
