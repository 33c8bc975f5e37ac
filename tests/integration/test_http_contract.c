/*
 * What each call of the API answers: status, members in their order, ids and
 * times, and what becomes of an event in the topic and in the table.  There is
 * no consumer: what is pending stays so.
 */
#include "api.h"
#include "service.h"
#include "shape.h"
#include "table.h"
#include "topic.h"
#include "wire.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#define PARTITIONS 6
#define ANSWER_MS  60000
#define QUIET_MS   300

#define USER "{\"name\":\"user.created\",\"data\":{\"user_id\":123}}"

static const char created[] =
	"{\"id\":\"<id>\",\"name\":\"user.created\",\"data\":{\"user_id\":123},"
	"\"status\":\"pending\",\"created_at\":\"<time>\","
	"\"processed_at\":null}";

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

static int64_t
wall_ms(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static void
post_answers_201_with_the_event_its_location_and_its_type(void **state)
{
	struct http_answer a = api_post(port_of(state), USER);
	char location[API_PATH_MAX], expected[API_PATH_MAX], type[64];
	struct shape shape;

	assert_int_equal(a.status, 201);
	shape_check(a.body, created, &shape);
	snprintf(expected, sizeof(expected), API_EVENTS "/%s", shape.got[0]);
	assert_string_equal(
		http_answer_header(&a, "Location", location, sizeof(location)),
		expected);
	assert_string_equal(
		http_answer_header(&a, "Content-Type", type, sizeof(type)),
		"application/json");
	http_answer_fini(&a);
}

static void
an_id_has_the_milliseconds_of_its_created_at(void **state)
{
	for (int i = 0; i < 20; i++) {
		int64_t before_ms = wall_ms();
		struct http_answer a = api_post(port_of(state), USER);
		struct shape shape;
		int64_t ms;

		shape_check(a.body, created, &shape);
		ms = shape_time_ms(shape.got[1]);
		assert_int_equal(shape_id_ms(shape.got[0]), ms);
		assert_in_range(ms, before_ms, wall_ms());
		http_answer_fini(&a);
	}
}

static void
members_in_any_order_and_others_beside_them_make_the_same_answer(void **state)
{
	struct http_answer a = api_post(
		port_of(state),
		" { \"x\": [1, {\"name\": 2}], \"data\":{\"user_id\":123} ,"
		"\"id\":\"y\", \"n\\u0061me\" : \"user.\\u0063reated\"}\n");

	api_expect_shape(a, 201, created);
}

/* Of the message that is the newest of its partition, the one with this id. */
static char *
message_of(const struct world *w, const char *id, char **ret_key,
	   char **ret_headers, int64_t *ret_time_ms)
{
	for (int i = 0; i < PARTITIONS; i++) {
		size_t len;
		char *value = topic_last(w, i, &len, ret_key, ret_headers,
					 ret_time_ms);

		if (!value)
			continue;
		if (strstr(value, id))
			return value;
		free(value);
		free(*ret_key);
		free(*ret_headers);
	}
	fail_msg("no partition ends with event %s", id);
	return NULL;
}

static void
answer_message_and_row_have_one_id_and_one_created_at(void **state)
{
	struct service *s = *state;
	struct http_answer a = api_post(port_of(state), USER);
	char expected[1024], sql[512];
	char *value, *key, *headers, *row;
	struct shape shape;
	int64_t time_ms;

	shape_check(a.body, created, &shape);
	value = message_of(&s->w, shape.got[0], &key, &headers, &time_ms);
	snprintf(expected, sizeof(expected),
		 "{\"id\":\"%s\",\"name\":\"user.created\","
		 "\"data\":{\"user_id\":123},\"created_at\":\"%s\"}",
		 shape.got[0], shape.got[1]);
	assert_string_equal(value, expected);
	snprintf(expected, sizeof(expected),
		 "evh-id=%s\ncontent-type=application/json\n", shape.got[0]);
	assert_string_equal(headers, expected);
	assert_string_equal(key, "");
	assert_int_equal(time_ms, shape_time_ms(shape.got[1]));
	snprintf(sql, sizeof(sql),
		 "SELECT concat_ws(' ', to_char(created_at AT TIME ZONE 'UTC',"
		 " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), name, data, status,"
		 " attempts, kafka_offset IS NULL) FROM events WHERE id = '%s'",
		 shape.got[0]);
	row = table_ask(&s->w, sql);
	snprintf(expected, sizeof(expected),
		 "%s user.created {\"user_id\":123} pending 0 t", shape.got[1]);
	assert_string_equal(row, expected);
	free(row);
	free(value);
	free(key);
	free(headers);
	http_answer_fini(&a);
}

static void
the_sink_makes_the_topic_with_six_partitions(void **state)
{
	struct service *s = *state;

	assert_int_equal(topic_partitions(&s->w), PARTITIONS);
}

static void
each_event_is_found_straight_after_its_201(void **state)
{
	for (int i = 0; i < 100; i++) {
		struct http_answer a = api_post(port_of(state), USER);
		char expected[1024];
		struct shape shape;

		shape_check(a.body, created, &shape);
		snprintf(expected, sizeof(expected),
			 "%.*s,\"attempts\":0,\"error\":null}", (int)a.len - 1,
			 a.body);
		api_expect(api_event(port_of(state), shape.got[0]), 200,
			   expected);
		http_answer_fini(&a);
	}
}

static void
an_id_is_found_in_either_case(void **state)
{
	char id[API_ID_MAX];
	char expected[512];

	api_make(port_of(state), "case", "{}", id);
	snprintf(expected, sizeof(expected),
		 "{\"id\":\"%s\",\"name\":\"case\",\"data\":{},"
		 "\"status\":\"pending\",\"created_at\":\"<time>\","
		 "\"processed_at\":null,\"attempts\":0,\"error\":null}",
		 id);
	for (char *p = id; *p; p++)
		if (*p >= 'a' && *p <= 'f')
			*p = (char)(*p - 'a' + 'A');
	api_expect_shape(api_event(port_of(state), id), 200, expected);
}

static void
an_unknown_event_is_404(void **state)
{
	api_expect(api_event(port_of(state),
			     "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"),
		   404, "{\"detail\":\"Event not found\"}");
	api_expect(api_retry(port_of(state),
			     "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"),
		   404, "{\"detail\":\"Event not found\"}");
}

static void
a_pending_event_cannot_be_retried(void **state)
{
	char id[API_ID_MAX];

	api_make(port_of(state), "young", "{}", id);
	api_expect(api_retry(port_of(state), id), 409,
		   "{\"detail\":\"Event has not failed\"}");
}

/* A name that is taken, as JSON and as it is. */
static void
name_comes_back(int port, const char *quoted, const char *name)
{
	size_t size = strlen(quoted) + 32;
	char *body = malloc(size);
	struct http_answer a;
	const char *shown;
	json_t *json;

	assert_non_null(body);
	snprintf(body, size, "{\"name\":\"%s\",\"data\":{}}", quoted);
	a = api_post(port, body);
	if (a.status != 201)
		fail_msg("%ld for %s: %s", a.status, body, a.body);
	json = json_loads(a.body, 0, NULL);
	shown = json_string_value(json_object_get(json, "name"));
	if (!shown || strcmp(shown, name) != 0)
		fail_msg("%s came back as %s", body, a.body);
	json_decref(json);
	json = json_loads(a.body, 0, NULL);
	http_answer_fini(&a);
	a = api_event(port, json_string_value(json_object_get(json, "id")));
	json_decref(json);
	json = json_loads(a.body, 0, NULL);
	shown = json_string_value(json_object_get(json, "name"));
	if (!shown || strcmp(shown, name) != 0)
		fail_msg("%s is kept as %s", body, a.body);
	json_decref(json);
	http_answer_fini(&a);
	free(body);
}

static void
names_of_1_to_255_characters_come_back_as_they_were(void **state)
{
	static const char *const names[][2] = {
		{ "a", "a" },
		{ " ", " " },
		{ "\\u00e4\\\"\\\\\\/", "\xC3\xA4\"\\/" },
		{ "\\uD83D\\uDE00", "\xF0\x9F\x98\x80" },
		{ "\xC2\x80\xC2\x9F\xEF\xBF\xBE",
		  "\xC2\x80\xC2\x9F\xEF\xBF\xBE" },
		{ "'; DROP TABLE events; --", "'; DROP TABLE events; --" },
		{ "%s%n\\\\x00", "%s%n\\x00" },
	};
	char longest[255 * 4 + 1] = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		name_comes_back(port_of(state), names[i][0], names[i][1]);
	for (size_t i = 0; i < 255; i++)
		memcpy(longest + 4 * i, "\xF0\x9F\x98\x80", 5);
	name_comes_back(port_of(state), longest, longest);
}

static void
content_types_that_are_json_in_utf8_are_taken(void **state)
{
	static const char *const types[] = {
		"Content-Type: application/json",
		"Content-Type: APPLICATION/JSON",
		"Content-Type: application/json; charset=utf-8",
		"Content-Type: application/json;charset=\"UTF-8\"",
		"Content-Type: application/cloudevents+json",
		"Content-Type: application/vnd.x.y+json ; charset=UTF-8",
		"Content-Type:", /* libcurl then sends none */
		"Content-Encoding: identity",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		api_expect_shape(http_call(port_of(state), "POST", API_EVENTS,
					   USER, strlen(USER), types[i]),
				 201, created);
}

static void
parameters_are_ignored_where_none_are_known(void **state)
{
	int port = port_of(state);
	char id[API_ID_MAX];
	char path[API_PATH_MAX];
	struct http_answer a;

	api_expect_shape(http_call(port, "POST", API_EVENTS "?limit=x&y", USER,
				   strlen(USER), NULL),
			 201, created);
	api_make(port, "p", "{}", id);
	snprintf(path, sizeof(path), API_EVENTS "/%s?limit=0&%%", id);
	a = api_get(port, path);
	assert_int_equal(a.status, 200);
	http_answer_fini(&a);
	api_expect(api_get(port, "/livez?x=1"), 200, "{\"status\":\"alive\"}");
}

static void
a_connection_is_kept_from_call_to_call(void **state)
{
	struct wire wire;

	wire_open(&wire, port_of(state));
	for (int i = 0; i < 5; i++) {
		char request[512];

		snprintf(request, sizeof(request),
			 "POST " API_EVENTS " HTTP/1.1\r\nHost: x\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(USER), USER);
		assert_true(wire_say(&wire, request));
		api_expect_shape(wire_answer(&wire, ANSWER_MS), 201, created);
		assert_true(wire_say(&wire, "GET /livez HTTP/1.1\r\n"
					    "Host: x\r\n\r\n"));
		api_expect(wire_answer(&wire, ANSWER_MS), 200,
			   "{\"status\":\"alive\"}");
	}
	assert_false(wire_closes(&wire, QUIET_MS));
	wire_close(&wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			post_answers_201_with_the_event_its_location_and_its_type),
		cmocka_unit_test(an_id_has_the_milliseconds_of_its_created_at),
		cmocka_unit_test(
			members_in_any_order_and_others_beside_them_make_the_same_answer),
		cmocka_unit_test(
			answer_message_and_row_have_one_id_and_one_created_at),
		cmocka_unit_test(the_sink_makes_the_topic_with_six_partitions),
		cmocka_unit_test(each_event_is_found_straight_after_its_201),
		cmocka_unit_test(an_id_is_found_in_either_case),
		cmocka_unit_test(an_unknown_event_is_404),
		cmocka_unit_test(a_pending_event_cannot_be_retried),
		cmocka_unit_test(
			names_of_1_to_255_characters_come_back_as_they_were),
		cmocka_unit_test(content_types_that_are_json_in_utf8_are_taken),
		cmocka_unit_test(parameters_are_ignored_where_none_are_known),
		cmocka_unit_test(a_connection_is_kept_from_call_to_call),
	};

	return cmocka_run_group_tests_name("http_contract", tests,
					   service_setup_api, service_teardown);
}
