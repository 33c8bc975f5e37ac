#include "reads.h"

#include "create.h"
#include "event_body.h"
#include "event_view.h"
#include "http.h"
#include "query.h"
#include "request.h"

#include <envelope.h>
#include <json.h>

#include <errno.h>
#include <string.h>

/* The part of all room for answers, beside the one that is for others, that is
 * left when the store is asked. */
#define ROOM_TO_ASK 8

static enum reply
reply_unread(const struct request *request, int rc)
{
	if (request->route == ROUTE_RETRY)
		return REPLY_RETRY_STORE;
	switch (rc) {
	case -ETIMEDOUT:
		return REPLY_STORE_LATE;
	case -EMSGSIZE:
		return REPLY_PAGE_TOO_LARGE;
	default:
		return REPLY_STORE_AWAY;
	}
}

/* The outcome of a callback, for the loop; on a thread of the store's. */
static void
choose(struct request *request, enum reply reply, unsigned status)
{
	if (request->answer.failed)
		reply = request_no_memory(request);
	request->reply = reply;
	request->status = status;
	request_post(request, request);
}

static void
one_read(void *arg, int rc, const struct evh_row *rows, size_t n, int64_t total)
{
	struct request *request = arg;

	(void)total;
	if (rc < 0) {
		choose(request, reply_unread(request, rc), 0);
	} else if (n == 0) {
		choose(request, REPLY_NO_EVENT, 0);
	} else if (!request_answer_room(request,
					event_view_page_max(rows, 1))) {
		choose(request, REPLY_UNREADABLE, 0);
	} else {
		event_view_row(&request->answer, &rows[0]);
		choose(request, REPLY_NONE, 200);
	}
}

static void
page_read(void *arg, int rc, const struct evh_row *rows, size_t n,
	  int64_t total)
{
	struct request *request = arg;
	size_t max = event_view_page_max(rows, n);

	if (rc < 0) {
		choose(request, reply_unread(request, rc), 0);
		return;
	}
	if (!request_answer_room(request, max)) {
		choose(request,
		       max > request_http(request)->answers.size -
					       request_answer_reserve(request)
			       ? REPLY_PAGE_TOO_LARGE
			       : REPLY_UNREADABLE,
		       0);
		return;
	}
	event_view_page(&request->answer, rows, n, total, request->limit,
			request->offset);
	choose(request, REPLY_NONE, 200);
}

/* Makes what the store kept an event again.  The row's bytes are gone when
 * this returns, so that is done here; it is emitted by the loop, which knows
 * whether anybody still waits.  No store keeps the key: it is found anew. */
static enum reply
event_again(struct request *request, const struct evh_row *row,
	    const struct json_span *data)
{
	const struct http *http = request_http(request);
	struct evh_spec spec = { .id = request->id,
				 .created_ns = row->created_ns,
				 .name = row->name,
				 .data = row->data,
				 .status = EVH_PENDING,
				 .attempts = row->attempts,
				 .cookie = (uintptr_t)request };
	struct text key = { 0 };

	event_body_key((struct evh_bytes){ row->name, strlen(row->name) }, data,
		       request->id, http->set.key, &key);
	spec.key = (struct evh_bytes){ key.at, key.len };
	request->attempts = row->attempts;
	if (!key.failed && key.len <= EVENT_BODY_KEY_MAX)
		request->event = http->ctx->event_new(http->ctx, &spec, NULL);
	text_fini(&key);
	if (request->event != NULL)
		return REPLY_NONE;
	return spec.key.len > EVENT_BODY_KEY_MAX ? REPLY_KEY_TOO_LONG
						 : REPLY_NO_MEMORY;
}

/* Is it one that can be tried again, as whoever reads it there would say? */
static enum reply
row_again(struct request *request, const struct evh_row *row)
{
	struct json_span data;
	int rc;

	if (row->status != EVH_FAILED)
		return REPLY_NOT_FAILED;
	if (row->raw || envelope_name_check(row->name, strlen(row->name)) !=
				ENVELOPE_NAME_OK)
		return REPLY_NO_BYTES;
	rc = json_check(row->data.data, row->data.len, &data, NULL);
	if (rc == -ENOMEM)
		return REPLY_NO_MEMORY;
	if (rc < 0 || data.type != JSON_SPAN_OBJECT)
		return REPLY_NO_BYTES;
	return event_again(request, row, &data);
}

static void
failed_read(void *arg, int rc, const struct evh_row *rows, size_t n,
	    int64_t total)
{
	struct request *request = arg;

	(void)total;
	if (rc < 0)
		choose(request, reply_unread(request, rc), 0);
	else if (n == 0)
		choose(request, REPLY_NO_EVENT, 0);
	else
		choose(request, row_again(request, rows), 202);
}

/* What get() and find() return when they will not call back. */
static void
check_asked(struct request *request, int rc)
{
	if (rc >= 0)
		return;
	request_unexpect(request);
	request_reply(request, reply_unread(request, rc));
}

/* NULL, and an answer, when it is not to be asked: what comes of that would
 * find little room for its answer, or none. */
static const struct evh_store *
store_of(struct request *request)
{
	struct http *http = request_http(request);

	if (http->store == NULL)
		request_reply(request, REPLY_NO_STORE);
	else if (request->route != ROUTE_RETRY &&
		 !room_has(&http->answers,
			   http->answers.size / ROOM_TO_ASK +
				   request_answer_reserve(request)))
		request_reply(request, request_no_memory(request));
	else
		return http->store;
	return NULL;
}

static void
read_event(struct request *request, request_errand *errand, evh_rows *fn)
{
	const struct evh_store *store = store_of(request);

	if (store == NULL)
		return;
	request_expect(request, errand);
	check_asked(request, store->get(store->self, request->id, fn, request));
}

void
reads_one(struct request *request)
{
	read_event(request, NULL, one_read);
}

void
reads_retry(struct request *request)
{
	read_event(request, create_again, failed_read);
}

void
reads_list(struct request *request)
{
	const struct evh_store *store;
	struct query query;
	struct evh_query q = { .want_total = 1 };
	int rc = query_read(request->query.at, request->query.len, &query,
			    &request->answer);

	if (rc == -EINVAL) {
		request_json(request, 422);
		return;
	}
	if (rc < 0) {
		request_reply(request, REPLY_NO_MEMORY);
		return;
	}
	store = store_of(request);
	if (store == NULL)
		return;
	q.status = query.status;
	q.name = query.has_name ? query.name : NULL;
	q.limit = request->limit = query.limit;
	q.offset = request->offset = query.offset;
	request_expect(request, NULL);
	check_asked(request, store->find(store->self, &q, page_read, request));
}
