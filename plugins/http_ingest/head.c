#include "head.h"

#include "conn.h"
#include "create.h"
#include "detail.h"
#include "gate.h"
#include "health.h"
#include "http.h"
#include "idempotency_key.h"
#include "loop.h"
#include "reads.h"
#include "request.h"

#include <uuid_text.h>

#include <string.h>

struct fields {
	struct gate_field *at;
	size_t n;
	bool too_many;
};

static enum MHD_Result
collect(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
	const char *value, size_t value_len)
{
	struct fields *fields = cls;

	(void)kind;
	if (fields->n == LOOP_FIELDS_MAX) {
		fields->too_many = true;
		return MHD_NO;
	}
	fields->at[fields->n++] = (struct gate_field){
		.name = name,
		.name_len = name_len,
		.value = value != NULL ? value : "",
		.value_len = value_len,
	};
	return MHD_YES;
}

static size_t
head_size(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info != NULL ? info->header_size : 0;
}

/* How slices lie in memory is known of this one version; with another, what
 * only the layout shows is that version's own business. */
static bool
layout_is_known(void)
{
	return strcmp(MHD_get_version(), "0.9.75") == 0;
}

static enum head_next
answer(struct request *request, enum reply reply, bool close)
{
	request->close |= close;
	request->conn->linger |= close;
	request_reply(request, reply);
	return HEAD_ANSWERED;
}

/* 0, or the answer to a head that may not pass. */
static enum reply
pass_gate(struct request *request, const struct gate_head *head,
	  struct gate_facts *ret_facts)
{
	size_t size = head_size(request->conn->mhd);
	const struct gate_layout layout = { .head = head,
					    .target_len = request->target_len,
					    .head_size = size };

	request->conn->consumed += size;
	switch (gate_check(head, ret_facts)) {
	case GATE_PASS:
		break;
	case GATE_MALFORMED:
		return REPLY_MALFORMED;
	case GATE_VERSION:
		return REPLY_VERSION;
	case GATE_EXPECT:
		return REPLY_EXPECT;
	}
	if (size > request_http(request)->set.max_headers)
		return REPLY_HEADERS_TOO_LARGE;
	if (layout_is_known() && !gate_layout_check(&layout))
		return REPLY_MALFORMED;
	return REPLY_NONE;
}

static enum head_next
redirect(struct request *request, const char *target, bool close)
{
	struct text *location = &request->location;

	text_add(location, target, strlen(target) - 1);
	if (request->query.len > 0) {
		text_str(location, "?");
		text_add(location, request->query.at, request->query.len);
	}
	text_add(location, "", 1);
	request_json(request, 307);
	request->close |= close;
	request->conn->linger |= close;
	return HEAD_ANSWERED;
}

/* The id in the path; false, and a 422, when it is none. */
static bool
read_id(struct request *request, const struct route_match *match)
{
	struct detail_item item = { .type = "uuid_parsing",
				    .place = "path",
				    .where = { "\"event_id\"", 10 } };
	const char *why = "";
	struct text msg = { 0 }, input = { 0 }, ctx = { 0 };

	if (uuid_read(match->id, match->id_len, request->id, &why) == 0)
		return true;
	text_str(&msg, "Input should be a valid UUID, ");
	text_str(&msg, why);
	text_add(&msg, "", 1);
	text_quoted(&input, match->id, match->id_len);
	text_str(&ctx, "{\"error\":");
	text_quoted(&ctx, why, strlen(why));
	text_add(&ctx, "}", 2); /* with its NUL */
	if (msg.failed || input.failed || ctx.failed) {
		request->answer.failed = true;
	} else {
		item.msg = msg.at;
		item.input = (struct evh_bytes){ input.at, input.len };
		item.ctx = ctx.at;
		detail_begin(&request->answer);
		detail_add(&request->answer, &item);
		detail_end(&request->answer);
	}
	text_fini(&msg);
	text_fini(&input);
	text_fini(&ctx);
	request_json(request, 422);
	return false;
}

static bool
is_create(const struct request *request)
{
	return request->route == ROUTE_EVENTS && request->method == METHOD_POST;
}

/* What names the event: its id in the path, or the client's key for it; false,
 * and a 422, when it is none.  Elsewhere the key means nothing. */
static bool
read_name(struct request *request, const struct route_match *match,
	  const struct gate_facts *facts)
{
	if (match->id != NULL)
		return read_id(request, match);
	if (!is_create(request) || facts->n_keys == 0)
		return true;
	request->keyed =
		idempotency_key_read(facts->n_keys, facts->key, facts->key_len,
				     request->id, &request->answer) == 0;
	if (!request->keyed)
		request_json(request, 422);
	return request->keyed;
}

/* Whether the body that the head announces is one that is read. */
static enum reply
check_body(const struct request *request, const struct gate_facts *facts)
{
	const struct http *http = request_http(request);

	if (is_create(request)) {
		if (!facts->has_length && !facts->chunked)
			return REPLY_NO_LENGTH;
		if (!facts->media_json)
			return REPLY_MEDIA;
		if (!facts->coding_plain)
			return REPLY_CODING;
	}
	if (facts->length > http->set.max_body)
		return REPLY_TOO_LARGE;
	if (!room_has(&http->bodies, facts->length))
		return request_no_memory(request);
	return REPLY_NONE;
}

static enum head_next
follow_route(struct request *request, const char *target,
	     const struct gate_facts *facts)
{
	struct route_match match = route_find(target, strlen(target));
	bool has_body = facts->chunked || facts->length > 0;
	enum reply refused;

	request->route = match.route;
	if (match.route == ROUTE_UNKNOWN)
		return answer(request, REPLY_NOT_FOUND, has_body);
	if (match.slash)
		return redirect(request, target, has_body);
	if (!route_allows(match.route, request->method))
		return answer(request, reply_method(match.route), has_body);
	if (request->method == METHOD_OPTIONS)
		return answer(request, reply_options(match.route), has_body);
	refused = check_body(request, facts);
	if (refused != REPLY_NONE)
		return answer(request, refused,
			      has_body || refused == REPLY_NO_LENGTH);
	if (!read_name(request, &match, facts)) {
		request->close |= has_body;
		request->conn->linger |= has_body;
		return HEAD_ANSWERED;
	}
	request->discard = !is_create(request);
	request->length = facts->length;
	return HEAD_BODY;
}

enum head_next
head_check(struct request *request, const char *target, const char *method,
	   const char *version)
{
	struct fields fields = { .at = request->loop->fields };
	struct gate_head head = { .method = method,
				  .target = target,
				  .version = version,
				  .fields = request->loop->fields };
	struct gate_facts facts = { 0 };
	enum reply refused;

	request->method = route_method(method);
	MHD_get_connection_values_n(request->conn->mhd, MHD_HEADER_KIND,
				    collect, &fields);
	if (fields.too_many)
		return answer(request, REPLY_HEADERS_TOO_LARGE, true);
	head.n_fields = fields.n;
	refused = pass_gate(request, &head, &facts);
	/* Without all of its query it would be another question. */
	if (refused == REPLY_NONE && request->query.failed)
		refused = request_no_memory(request);
	if (refused != REPLY_NONE)
		return answer(request, refused, true);
	/* HTTP/1.0 is answered and closed; so is what comes in chunks, whose
	 * end two parsers may see in two places. */
	request->close = facts.http10 || facts.chunked || facts.wants_close;
	request->chunked = facts.chunked;
	return follow_route(request, target, &facts);
}

/* Whether what it asks for is told by others, later. */
static bool
has_to_wait(const struct request *request)
{
	return request->route == ROUTE_EVENTS ||
	       request->route == ROUTE_EVENT || request->route == ROUTE_RETRY;
}

void
head_dispatch(struct request *request)
{
	if (request->loop->closing && has_to_wait(request)) {
		request_reply(request, REPLY_DRAINING);
		return;
	}
	switch (request->route) {
	case ROUTE_EVENTS:
		if (request->method == METHOD_POST)
			create_event(request);
		else
			reads_list(request);
		break;
	case ROUTE_EVENT:
		reads_one(request);
		break;
	case ROUTE_RETRY:
		reads_retry(request);
		break;
	case ROUTE_HEALTH:
		health_answer(request);
		break;
	case ROUTE_LIVEZ:
		request_reply(request, REPLY_ALIVE);
		break;
	case ROUTE_READYZ:
		health_ready(request);
		break;
	case ROUTE_UNKNOWN:
	case ROUTE_ANY:
	case N_ROUTES:
		request_reply(request, REPLY_NOT_FOUND);
		break;
	}
}
