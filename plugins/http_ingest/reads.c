#include "reads.h"

#include "event_view.h"
#include "http.h"
#include "query.h"
#include "request.h"

#include <envelope.h>

#include <errno.h>
#include <string.h>

static enum reply
reply_unread(const struct request *request, int rc)
{
	if (request->route == ROUTE_RETRY)
		return REPLY_RETRY_STORE;
	return rc == -ETIMEDOUT ? REPLY_STORE_LATE : REPLY_STORE_AWAY;
}

/* The outcome of a callback, for the loop; on a thread of the store's. */
static void
choose(struct request *request, enum reply reply, unsigned status)
{
	if (request->answer.failed)
		reply = REPLY_NO_MEMORY;
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

	if (rc < 0) {
		choose(request, reply_unread(request, rc), 0);
		return;
	}
	event_view_page(&request->answer, rows, n, total, request->limit,
			request->offset);
	choose(request, REPLY_NONE, 200);
}

/* The row's bytes are gone when this returns, so the event is made here; it
 * is emitted by the loop, which knows whether anybody still waits. */
static void
event_again(struct request *request, const struct evh_row *row)
{
	struct evh_ctx *ctx = request_http(request)->ctx;
	const struct evh_spec spec = { .id = request->id,
				       .created_ns = row->created_ns,
				       .name = row->name,
				       .data = row->data,
				       .key = row->key,
				       .status = EVH_PENDING,
				       .attempts = row->attempts,
				       .cookie = (uintptr_t)request };

	request->attempts = row->attempts;
	request->event = ctx->event_new(ctx, &spec, NULL);
}

static void
failed_read(void *arg, int rc, const struct evh_row *rows, size_t n,
	    int64_t total)
{
	struct request *request = arg;
	enum reply reply = REPLY_NONE;

	(void)total;
	if (rc < 0)
		reply = reply_unread(request, rc);
	else if (n == 0)
		reply = REPLY_NO_EVENT;
	else if (rows->status != EVH_FAILED)
		reply = REPLY_NOT_FAILED;
	else if (rows->raw ||
		 envelope_name_check(rows->name, strlen(rows->name)) !=
			 ENVELOPE_NAME_OK)
		reply = REPLY_NO_BYTES;
	if (reply == REPLY_NONE) {
		event_again(request, rows);
		if (request->event == NULL)
			reply = REPLY_NO_MEMORY;
	}
	choose(request, reply, 202);
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

static const struct evh_store *
store_of(struct request *request)
{
	const struct evh_store *store = request_http(request)->store;

	if (store == NULL)
		request_reply(request, REPLY_NO_STORE);
	return store;
}

static void
read_event(struct request *request, enum request_errand errand, evh_rows *fn)
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
	read_event(request, ERRAND_ANSWER, one_read);
}

void
reads_retry(struct request *request)
{
	read_event(request, ERRAND_RETRY, failed_read);
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
	request_expect(request, ERRAND_ANSWER);
	check_asked(request, store->find(store->self, &q, page_read, request));
}
