#include "health.h"

#include "http.h"
#include "query.h"
#include "request.h"

#include <json.h>

#include <string.h>

#define WHY_DRAINING "stopping"

/* A member of the host's object, in the text of its braces or brackets; empty
 * when it is not there. */
static struct json_span
inside_of(const struct health *health, const char *member)
{
	struct json_span whole, span;

	if (health->state == NULL ||
	    json_check(health->state, health->state_len, &whole, NULL) < 0 ||
	    whole.type != JSON_SPAN_OBJECT ||
	    !json_find(&whole, member, &span) ||
	    (span.type != JSON_SPAN_OBJECT && span.type != JSON_SPAN_ARRAY))
		return (struct json_span){ .at = "", .len = 0 };
	span.at++;
	span.len -= 2;
	return span;
}

static void
add_checks(struct text *text, const struct health *health)
{
	struct json_span checks = inside_of(health, "checks");

	text_str(text, ",\"checks\":{");
	if (health->draining) {
		text_quoted(text, health->name, strlen(health->name));
		text_str(text, ":\"" WHY_DRAINING "\"");
		if (checks.len > 0)
			text_str(text, ",");
	}
	text_add(text, checks.at, checks.len);
	text_str(text, "}");
}

unsigned
health_write(struct text *text, const struct health *health)
{
	bool well = health->ready && !health->draining;

	if (well && inside_of(health, "checks").len == 0) {
		text_str(text, "{\"status\":\"healthy\"}");
		return 200;
	}
	text_str(text, well ? "{\"status\":\"degraded\""
			    : "{\"status\":\"unhealthy\"");
	add_checks(text, health);
	text_str(text, "}");
	return well ? 200 : 503;
}

static void
add_reasons(struct text *text, const struct health *health)
{
	struct json_span reasons = inside_of(health, "reasons");

	text_str(text, ",\"reasons\":[");
	if (health->draining) {
		struct text why = { 0 };

		text_str(&why, health->name);
		text_str(&why, ": " WHY_DRAINING);
		text_quoted(text, why.at, why.len);
		text_fini(&why);
		if (reasons.len > 0)
			text_str(text, ",");
	}
	text_add(text, reasons.at, reasons.len);
	text_str(text, "]");
}

unsigned
health_write_ready(struct text *text, const struct health *health, bool verbose)
{
	bool ready = health->ready && !health->draining;
	static const char *const members[] = { "instances", "pipelines" };

	text_str(text,
		 ready ? "{\"status\":\"ready\"" : "{\"status\":\"not ready\"");
	if (!ready || verbose)
		add_reasons(text, health);
	if (verbose)
		add_checks(text, health);
	for (size_t i = 0; verbose && i < 2; i++) {
		struct json_span span = inside_of(health, members[i]);

		text_str(text, ",\"");
		text_str(text, members[i]);
		text_str(text, "\":[");
		text_add(text, span.at, span.len);
		text_str(text, "]");
	}
	text_str(text, "}");
	return ready ? 200 : 503;
}

static void
put(void *arg, const char *text, size_t len)
{
	text_add(arg, text, len);
}

/* Fills *ret; its state lives in *state, which the caller frees. */
static void
ask(const struct http *http, struct text *state, struct health *ret)
{
	*ret = (struct health){ .ready = true,
				.draining = http_is_draining(http),
				.name = http->ctx->name };
	if (http->host == NULL)
		return;
	ret->ready = http->host->state(http->host->self, put, state) >= 0;
	if (!state->failed) {
		ret->state = state->at;
		ret->state_len = state->len;
	}
}

void
health_answer(struct request *request)
{
	struct text state = { 0 };
	struct health health;

	ask(request_http(request), &state, &health);
	request_json(request, health_write(&request->answer, &health));
	text_fini(&state);
}

void
health_ready(struct request *request)
{
	struct text state = { 0 };
	struct health health;
	bool verbose =
		query_has(request->query.at, request->query.len, "verbose");

	ask(request_http(request), &state, &health);
	request_json(request,
		     health_write_ready(&request->answer, &health, verbose));
	text_fini(&state);
}
