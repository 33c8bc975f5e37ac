#include "api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shape.h"
#include "world.h"

struct http_answer
api_post(int port, const char *body)
{
	return http_call(port, "POST", API_EVENTS, body, strlen(body), NULL);
}

struct http_answer
api_get(int port, const char *path)
{
	return http_call(port, "GET", path, NULL, 0, NULL);
}

struct http_answer
api_event(int port, const char *id)
{
	char path[API_PATH_MAX];

	snprintf(path, sizeof(path), API_EVENTS "/%.400s", id);
	return api_get(port, path);
}

struct http_answer
api_retry(int port, const char *id)
{
	char path[API_PATH_MAX];

	snprintf(path, sizeof(path), API_EVENTS "/%.400s/retry", id);
	return http_call(port, "POST", path, "", 0, NULL);
}

static struct http_answer
event_post(int port, const char *name, const char *data)
{
	size_t size = strlen(name) + strlen(data) + 32;
	char *body = malloc(size);
	struct http_answer answer;

	assert_non_null(body);
	snprintf(body, size, "{\"name\":\"%s\",\"data\":%s}", name, data);
	answer = api_post(port, body);
	free(body);
	return answer;
}

static void
id_take(struct http_answer *answer, const char *name, char ret_id[API_ID_MAX])
{
	if (answer->status != 201)
		fail_msg("%ld for %s: %s", answer->status, name, answer->body);
	if (sscanf(answer->body, "{\"id\":\"%36[0-9a-f-]\"", ret_id) != 1)
		fail_msg("no id in %s", answer->body);
	http_answer_fini(answer);
}

void
api_make(int port, const char *name, const char *data, char ret_id[API_ID_MAX])
{
	struct http_answer answer = event_post(port, name, data);

	id_take(&answer, name, ret_id);
}

bool
api_try(int port, const char *name, const char *data, char ret_id[API_ID_MAX])
{
	struct http_answer answer = event_post(port, name, data);

	if (answer.status == 503 &&
	    strstr(answer.body, ",\"outcome\":\"refused\"}")) {
		http_answer_fini(&answer);
		return false;
	}
	id_take(&answer, name, ret_id);
	return true;
}

bool
api_is_healthy(void *arg)
{
	struct http_answer a = api_get(*(int *)arg, "/health");
	bool is = a.status == 200 &&
		  strcmp(a.body, "{\"status\":\"healthy\"}") == 0;

	http_answer_fini(&a);
	return is;
}

struct awaited {
	int port;
	const char *id, *status;
};

static bool
has_status(void *arg)
{
	struct awaited *a = arg;
	struct http_answer answer = api_event(a->port, a->id);
	char member[64];
	bool has;

	snprintf(member, sizeof(member), "\"status\":\"%s\",\"created_at\"",
		 a->status);
	has = answer.status == 200 && strstr(answer.body, member) != NULL;
	http_answer_fini(&answer);
	return has;
}

void
api_await(int port, const char *id, const char *status, int timeout_ms)
{
	struct awaited a = { port, id, status };
	char what[128];

	snprintf(what, sizeof(what), "event %s is %s", id, status);
	world_await(has_status, &a, timeout_ms, what);
}

static void
expect_json(const struct http_answer *answer, long status)
{
	char type[64];

	if (answer->status != status)
		fail_msg("%ld came, not %ld: %s", answer->status, status,
			 answer->body ? answer->body : "");
	assert_string_equal(
		http_answer_header(answer, "Content-Type", type, sizeof(type)),
		"application/json");
}

void
api_expect(struct http_answer answer, long status, const char *body)
{
	expect_json(&answer, status);
	assert_string_equal(answer.body, body);
	http_answer_fini(&answer);
}

void
api_expect_shape(struct http_answer answer, long status, const char *shape)
{
	expect_json(&answer, status);
	shape_check(answer.body, shape, NULL);
	http_answer_fini(&answer);
}
