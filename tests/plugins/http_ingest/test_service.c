/* The calls and their answers, one by one, through the whole plugin. */
#include "client.h"
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST	  "Host: x\r\n"
#define ID	  "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define EVENT	  "{\"name\":\"user.created\",\"data\":{\"user_id\":123}}"

static struct answer answer;

static int
set_up(void **state)
{
	static struct rig rig;

	rig_init(&rig);
	rig.has_store = true;
	rig_start(&rig, NULL);
	*state = &rig;
	return 0;
}

static int
tear_down(void **state)
{
	rig_stop(*state);
	return 0;
}

static void
expect(struct rig *rig, const char *request, int status, const char *body)
{
	client_call(rig, request, &answer);
	assert_int_equal(answer.status, status);
	assert_string_equal(answer.body, body);
}

static void
expect_header(const char *name, const char *value)
{
	const char *is = answer_header(&answer, name);

	if (value == NULL) {
		assert_null(is);
		return;
	}
	assert_non_null(is);
	assert_string_equal(is, value);
}

/* ---- POST --------------------------------------------------------------- */

static void
a_post_gives_201_and_the_event(void **state)
{
	struct rig *rig = *state;
	char pattern[512], id[37], created[28];

	client_post(rig, EVENT, &answer);
	assert_int_equal(answer.status, 201);
	assert_int_equal(sscanf(answer.body,
				"{\"id\":\"%36[0-9a-f-]\",\"name\":"
				"\"user.created\",\"data\":{\"user_id\":123},"
				"\"status\":\"pending\",\"created_at\":\"%27["
				"0-9TZ:.-]\"",
				id, created),
			 2);
	snprintf(pattern, sizeof(pattern),
		 "{\"id\":\"%s\",\"name\":\"user.created\","
		 "\"data\":{\"user_id\":123},\"status\":\"pending\","
		 "\"created_at\":\"%s\",\"processed_at\":null}",
		 id, created);
	assert_string_equal(answer.body, pattern);
	snprintf(pattern, sizeof(pattern), "/api/v1/events/%s", id);
	expect_header("Location", pattern);
	expect_header("Content-Type", "application/json");
	assert_int_equal(id[14], '7');
	assert_int_equal(created[26], 'Z');
	/* What the chain got is what the client was told. */
	assert_string_equal(rig->last_name, "user.created");
	assert_string_equal(rig->last_data, "{\"user_id\":123}");
	assert_int_equal(rig->last.status, EVH_PENDING);
	assert_int_equal(rig->last.created_ns % 1000, 0);
	assert_int_equal((uint64_t)rig->last_id[0] << 40 |
				 (uint64_t)rig->last_id[1] << 32 |
				 (uint64_t)rig->last_id[2] << 24 |
				 (uint64_t)rig->last_id[3] << 16 |
				 (uint64_t)rig->last_id[4] << 8 |
				 rig->last_id[5],
			 rig->last.created_ns / 1000000);
}

static void
done_may_come_before_emit_returns(void **state)
{
	struct rig *rig = *state;

	rig->chain = RIG_INLINE;
	client_post(rig, EVENT, &answer);
	assert_int_equal(answer.status, 201);
}

static void
an_event_dropped_on_purpose_is_taken(void **state)
{
	struct rig *rig = *state;

	rig->result = EVH_DROP;
	client_post(rig, EVENT, &answer);
	assert_int_equal(answer.status, 201);
}

static void
post_503(struct rig *rig, const char *after, const char *outcome)
{
	char tail[64];

	snprintf(tail, sizeof(tail), "\"outcome\":\"%s\"}", outcome);
	client_post(rig, EVENT, &answer);
	assert_int_equal(answer.status, 503);
	expect_header("Retry-After", after);
	expect_header("Location", NULL);
	assert_memory_equal(answer.body, "{\"detail\":\"", 11);
	assert_string_equal(answer.body + answer.body_len - strlen(tail), tail);
}

static void
a_full_window_gives_503_refused(void **state)
{
	struct rig *rig = *state;

	rig->chain = RIG_FULL;
	post_503(rig, "1", "refused");
}

static void
a_broker_that_is_away_gives_503_refused_in_5(void **state)
{
	struct rig *rig = *state;

	rig->chain = RIG_FULL;
	rig->ready = false;
	post_503(rig, "5", "refused");
}

static void
a_host_that_stops_gives_503_refused(void **state)
{
	struct rig *rig = *state;

	rig->chain = RIG_STOPPED;
	post_503(rig, "1", "refused");
}

static void
an_undelivered_event_gives_503_unknown(void **state)
{
	struct rig *rig = *state;

	rig->result = EVH_RETRY;
	post_503(rig, "1", "unknown");
	rig->ready = false;
	post_503(rig, "5", "unknown");
}

static void
an_event_that_nobody_keeps_gives_500_unknown(void **state)
{
	struct rig *rig = *state;

	rig->result = EVH_FAIL;
	client_post(rig, EVENT, &answer);
	assert_int_equal(answer.status, 500);
	assert_string_equal(answer.body,
			    "{\"detail\":\"The event could not be kept\","
			    "\"outcome\":\"unknown\"}");
	expect_header("Retry-After", NULL); /* it would end the same way */
}

static void
a_wrong_body_gives_422_and_reaches_nobody(void **state)
{
	struct rig *rig = *state;

	client_post(rig, "{\"name\":\"\"}", &answer);
	assert_int_equal(answer.status, 422);
	assert_memory_equal(answer.body, "{\"detail\":[{\"type\":", 19);
	expect_header("Connection", NULL);
	client_post(rig, "\xff", &answer);
	assert_int_equal(answer.status, 400);
	assert_string_equal(answer.body, "{\"detail\":\"There was an error "
					 "parsing the body\"}");
	assert_int_equal(rig->n_made, 0);
}

static void
what_can_be_seen_in_the_head_is_refused_before_the_body(void **state)
{
#define POST(headers) "POST /api/v1/events HTTP/1.1\r\n" HOST headers "\r\n"
	expect(*state,
	       POST("Content-Type: text/plain\r\nContent-Length: 9999\r\n"),
	       415,
	       "{\"detail\":\"Content-Type must be application/json in "
	       "UTF-8\"}");
	assert_true(answer.closed);
	expect(*state,
	       POST("Content-Encoding: gzip\r\nContent-Length: 9999\r\n"), 415,
	       "{\"detail\":\"Content-Encoding is not supported\"}");
	expect(*state, POST("Content-Length: 983041\r\n"), 413,
	       "{\"detail\":\"The body is larger than max_body = 960 KiB\"}");
	assert_true(answer.closed);
	expect(*state,
	       POST("Expect: 100-continue\r\nContent-Length: 983041\r\n"), 413,
	       "{\"detail\":\"The body is larger than max_body = 960 KiB\"}");
#undef POST
}

static void
the_client_hears_100_before_it_sends(void **state)
{
	int fd = client_open(*state);
	char line[26] = "";

	client_str(fd, "POST /api/v1/events HTTP/1.1\r\n" HOST
		       "Expect: 100-continue\r\nContent-Length: 46\r\n\r\n");
	assert_int_equal(read(fd, line, 25), 25);
	assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
	client_str(fd, EVENT);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 201);
	close(fd);
}

static void
the_largest_body_is_taken_and_one_byte_more_is_not(void **state)
{
	const size_t max = 960 << 10;
	struct rig *rig = *state;

	for (size_t more = 0; more < 2; more++) {
		static char request[(960 << 10) + 512];
		size_t head = (size_t)snprintf(
			request, sizeof(request),
			"POST /api/v1/events HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
			max + more);
		int fd = client_open(rig);

		memset(request + head, ' ', max + more);
		memcpy(request + head, EVENT, strlen(EVENT));
		client_send(fd, request, head + max + more);
		client_str(fd, "\r\n0\r\n\r\n");
		client_read(fd, &answer, false);
		assert_int_equal(answer.status, more ? 413 : 201);
		close(fd);
	}
}

/* ---- Paths and methods -------------------------------------------------- */

static void
an_unknown_path_gives_404(void **state)
{
	expect(*state, GET("/nowhere"), 404, "{\"detail\":\"Not Found\"}");
	expect(*state, GET("/livez%20"), 404, "{\"detail\":\"Not Found\"}");
	expect(*state, GET("/%6civez"), 404, "{\"detail\":\"Not Found\"}");
	expect(*state, GET("/livez%00b"), 404, "{\"detail\":\"Not Found\"}");
	expect(*state, GET("/LIVEZ"), 404, "{\"detail\":\"Not Found\"}");
	expect_header("Connection", NULL);
}

static void
another_method_gives_405_and_what_is_allowed(void **state)
{
	expect(*state, "DELETE /api/v1/events HTTP/1.1\r\n" HOST "\r\n", 405,
	       "{\"detail\":\"Method Not Allowed\"}");
	expect_header("Allow", "GET, HEAD, POST, OPTIONS");
	expect(*state,
	       "GET /api/v1/events/" ID "/retry HTTP/1.1\r\n" HOST "\r\n", 405,
	       "{\"detail\":\"Method Not Allowed\"}");
	expect_header("Allow", "POST, OPTIONS");
	expect_header("Connection", NULL);
}

static void
options_gives_204_and_what_is_allowed(void **state)
{
	expect(*state, "OPTIONS /api/v1/events/" ID " HTTP/1.1\r\n" HOST "\r\n",
	       204, "");
	expect_header("Allow", "GET, HEAD, OPTIONS");
	expect(*state, "OPTIONS /nowhere HTTP/1.1\r\n" HOST "\r\n", 404,
	       "{\"detail\":\"Not Found\"}");
}

static void
a_trailing_slash_gets_307_to_the_path_without_it(void **state)
{
	expect(*state, GET("/api/v1/events/?limit=5&x=%2f"), 307, "");
	expect_header("Location", "/api/v1/events?limit=5&x=%2f");
	expect(*state, GET("/nowhere/"), 404, "{\"detail\":\"Not Found\"}");
	expect(*state, GET("//health/"), 404, "{\"detail\":\"Not Found\"}");
}

static void
head_is_get_without_the_body(void **state)
{
	client_call(*state, "HEAD /livez HTTP/1.1\r\n" HOST "\r\n", &answer);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_header(&answer, "Content-Length"), "18");
	assert_int_equal(answer.body_len, 0);
}

/* ---- Health ------------------------------------------------------------- */

#define NOT_READY                                                              \
	"{\"status\":\"not ready\",\"reasons\":[\"kafka: no broker\"],"        \
	"\"checks\":{\"kafka\":\"no broker\"},\"instances\":[{\"name\":"       \
	"\"kafka\"}],\"pipelines\":[]}"
#define DEGRADED                                                               \
	"{\"status\":\"ready\",\"reasons\":[],\"checks\":{\"events\":"         \
	"\"away\"},\"instances\":[],\"pipelines\":[]}"

static void
health_says_how_it_is(void **state)
{
	struct rig *rig = *state;

	expect(rig, GET("/health"), 200, "{\"status\":\"healthy\"}");
	rig->state = DEGRADED;
	expect(rig, GET("/health"), 200,
	       "{\"status\":\"degraded\",\"checks\":{\"events\":\"away\"}}");
	rig->state = NOT_READY;
	rig->ready = false;
	expect(rig, GET("/health"), 503,
	       "{\"status\":\"unhealthy\",\"checks\":{\"kafka\":"
	       "\"no broker\"}}");
}

static void
readyz_gives_the_reasons(void **state)
{
	struct rig *rig = *state;

	expect(rig, GET("/readyz"), 200, "{\"status\":\"ready\"}");
	expect(rig, GET("/readyz?verbose"), 200,
	       "{\"status\":\"ready\",\"reasons\":[],\"checks\":{},"
	       "\"instances\":[],\"pipelines\":[]}");
	rig->state = NOT_READY;
	rig->ready = false;
	expect(rig, GET("/readyz"), 503,
	       "{\"status\":\"not ready\",\"reasons\":[\"kafka: no "
	       "broker\"]}");
	expect(rig, GET("/livez"), 200, "{\"status\":\"alive\"}");
}

static void
a_handle_is_asked_for_once(void **state)
{
	struct rig *rig = *state;
	unsigned n;

	client_post(rig, EVENT, &answer);
	assert_true(rig_counted(rig, 1,
				"1 http_requests route=/api/v1/events,"
				"method=POST,code=201\n"));
	client_post(rig, EVENT, &answer);
	assert_true(rig_counted(rig, 2, "2 http_connections -\n"));
	n = rig->n_metrics;
	client_post(rig, EVENT, &answer);
	assert_true(rig_counted(rig, 3,
				"3 http_request_seconds "
				"route=/api/v1/events\n"));
	assert_int_equal(n, rig->n_metrics);
	client_call(rig, "GET /livez HTTP/3.0\r\n\r\n", &answer);
	assert_true(rig_counted(rig, 4,
				"1 http_requests route=unknown,"
				"method=other,code=505\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_post_gives_201_and_the_event),
		TEST(done_may_come_before_emit_returns),
		TEST(an_event_dropped_on_purpose_is_taken),
		TEST(a_full_window_gives_503_refused),
		TEST(a_broker_that_is_away_gives_503_refused_in_5),
		TEST(a_host_that_stops_gives_503_refused),
		TEST(an_undelivered_event_gives_503_unknown),
		TEST(an_event_that_nobody_keeps_gives_500_unknown),
		TEST(a_wrong_body_gives_422_and_reaches_nobody),
		TEST(what_can_be_seen_in_the_head_is_refused_before_the_body),
		TEST(the_client_hears_100_before_it_sends),
		TEST(the_largest_body_is_taken_and_one_byte_more_is_not),
		TEST(an_unknown_path_gives_404),
		TEST(another_method_gives_405_and_what_is_allowed),
		TEST(options_gives_204_and_what_is_allowed),
		TEST(a_trailing_slash_gets_307_to_the_path_without_it),
		TEST(head_is_get_without_the_body),
		TEST(health_says_how_it_is),
		TEST(readyz_gives_the_reasons),
		TEST(a_handle_is_asked_for_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
