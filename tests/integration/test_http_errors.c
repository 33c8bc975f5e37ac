/*
 * What is answered to mistakes: the 422 table byte for byte, and the sentences
 * of the other refusals of a request that was whole.
 */
#include "api.h"
#include "hostile_json.h"
#include "service.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DETAIL(items) "{\"detail\":[" items "]}"
#define ITEM(type, loc, msg, input)                                            \
	"{\"type\":\"" type "\",\"loc\":[" loc "],\"msg\":\"" msg              \
	"\",\"input\":" input "}"
#define ITEM_CTX(type, loc, msg, input, ctx)                                   \
	"{\"type\":\"" type "\",\"loc\":[" loc "],\"msg\":\"" msg              \
	"\",\"input\":" input ",\"ctx\":" ctx "}"

#define BODY	      "\"body\""
#define BODY_NAME     "\"body\",\"name\""
#define BODY_DATA     "\"body\",\"data\""
#define REQUIRED      "Field required"
#define CONTROL_CHARS "Value error, name must not contain control characters"
#define NO_OBJECT                                                              \
	"Input should be a valid dictionary or object to extract fields from"

static struct daemon strict; /* an API with extra = "forbid" */

static int
port_of(void **state)
{
	const struct service *s = *state;

	return s->api.api_port;
}

struct row {
	const char *body, *answer;
};

static void
check_rows(int port, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		api_expect(api_post(port, rows[i].body), 422, rows[i].answer);
}

#define CHECK(port, rows)                                                      \
	check_rows(port, rows, sizeof(rows) / sizeof((rows)[0]))

static void
a_body_that_is_no_object_is_refused_as_a_whole(void **state)
{
	static const struct row rows[] = {
		{ "", DETAIL(ITEM("missing", BODY, REQUIRED, "null")) },
		{ "null", DETAIL(ITEM("missing", BODY, REQUIRED, "null")) },
		{ " null\n", DETAIL(ITEM("missing", BODY, REQUIRED, "null")) },
		{ "[]", DETAIL(ITEM("model_attributes_type", BODY, NO_OBJECT,
				    "[]")) },
		{ " [1, 2] ", DETAIL(ITEM("model_attributes_type", BODY,
					  NO_OBJECT, "[1, 2]")) },
		{ "\"x\"", DETAIL(ITEM("model_attributes_type", BODY, NO_OBJECT,
				       "\"x\"")) },
		{ "1.0", DETAIL(ITEM("model_attributes_type", BODY, NO_OBJECT,
				     "1.0")) },
		{ "true", DETAIL(ITEM("model_attributes_type", BODY, NO_OBJECT,
				      "true")) },
	};

	CHECK(port_of(state), rows);
}

static void
each_field_has_its_mistakes(void **state)
{
	static const struct row rows[] = {
		{ "{\"name\":\"a\"}",
		  DETAIL(ITEM("missing", BODY_DATA, REQUIRED,
			      "{\"name\":\"a\"}")) },
		{ "{\"data\":{}}", DETAIL(ITEM("missing", BODY_NAME, REQUIRED,
					       "{\"data\":{}}")) },
		{ "{\"name\":1,\"data\":{}}",
		  DETAIL(ITEM("string_type", BODY_NAME,
			      "Input should be a valid string", "1")) },
		{ "{\"name\":null,\"data\":{}}",
		  DETAIL(ITEM("string_type", BODY_NAME,
			      "Input should be a valid string", "null")) },
		{ "{\"name\":\"\",\"data\":{}}",
		  DETAIL(ITEM_CTX("string_too_short", BODY_NAME,
				  "String should have at least 1 character",
				  "\"\"", "{\"min_length\":1}")) },
		{ "{\"name\":\"a\\nb\",\"data\":{}}",
		  DETAIL(ITEM_CTX("value_error", BODY_NAME, CONTROL_CHARS,
				  "\"a\\nb\"", "{\"error\":{}}")) },
		{ "{\"name\":\"a\\u0000\",\"data\":{}}",
		  DETAIL(ITEM_CTX("value_error", BODY_NAME, CONTROL_CHARS,
				  "\"a\\u0000\"", "{\"error\":{}}")) },
		{ "{\"name\":\"\x7F\",\"data\":{}}",
		  DETAIL(ITEM_CTX("value_error", BODY_NAME, CONTROL_CHARS,
				  "\"\x7F\"", "{\"error\":{}}")) },
		{ "{\"name\":\"a\",\"data\":[]}",
		  DETAIL(ITEM("dict_type", BODY_DATA,
			      "Input should be a valid dictionary", "[]")) },
		{ "{\"name\":\"a\",\"data\":null}",
		  DETAIL(ITEM("dict_type", BODY_DATA,
			      "Input should be a valid dictionary", "null")) },
		{ "{\"name\":\"a\",\"data\":\"{}\"}",
		  DETAIL(ITEM("dict_type", BODY_DATA,
			      "Input should be a valid dictionary",
			      "\"{}\"")) },
	};

	CHECK(port_of(state), rows);
}

static void
every_mistake_is_told_at_once_name_before_data(void **state)
{
	static const struct row rows[] = {
		{ "{}",
		  DETAIL(ITEM("missing", BODY_NAME, REQUIRED, "{}") "," ITEM(
			  "missing", BODY_DATA, REQUIRED, "{}")) },
		{ "{\"data\":7,\"name\":[ ]}",
		  DETAIL(ITEM(
			  "string_type", BODY_NAME,
			  "Input should be a valid string",
			  "[ ]") "," ITEM("dict_type", BODY_DATA,
					  "Input should be a valid dictionary",
					  "7")) },
	};

	CHECK(port_of(state), rows);
}

static void
unknown_members_are_refused_by_name_where_that_is_said(void **state)
{
	static const struct row rows[] = {
		{ "{\"x\":1,\"name\":\"a\",\"data\":{},\"\\u0079\":\"z\"}",
		  DETAIL(ITEM("extra_forbidden", "\"body\",\"x\"",
			      "Extra inputs are not permitted",
			      "1") "," ITEM("extra_forbidden",
					    "\"body\",\"\\u0079\"",
					    "Extra inputs are not permitted",
					    "\"z\"")) },
		{ "{\"b\":null,\"data\":0,\"a\":{}}",
		  DETAIL(ITEM("missing", BODY_NAME, REQUIRED, "{\"b\":null,\"data\":0,\"a\":{}}") "," ITEM(
			  "dict_type", BODY_DATA,
			  "Input should be a valid dictionary",
			  "0") "," ITEM("extra_forbidden", "\"body\",\"b\"",
					"Extra inputs are not permitted",
					"null") "," ITEM("extra_forbidden",
							 "\"body\",\"a\"",
							 "Extra inputs are not "
							 "permitted",
							 "{}")) },
	};
	struct http_answer a;

	(void)state;
	CHECK(strict.api_port, rows);
	a = api_post(strict.api_port, "{\"name\":\"a\",\"data\":{\"x\":1}}");
	assert_int_equal(a.status, 201);
	http_answer_fini(&a);
}

static void
a_name_of_256_characters_is_too_long(void **state)
{
	char name[256 * 4 + 1] = "", body[2048], answer[2048];

	/* Characters, not bytes; and 256 of four bytes are shown no more. */
	for (size_t i = 0; i < 256; i++)
		memcpy(name + i, "a", 2);
	snprintf(body, sizeof(body), "{\"name\":\"%s\",\"data\":{}}", name);
	snprintf(answer, sizeof(answer),
		 DETAIL(ITEM_CTX("string_too_long", BODY_NAME,
				 "String should have at most 255 characters",
				 "\"%s\"", "{\"max_length\":255}")),
		 name);
	api_expect(api_post(port_of(state), body), 422, answer);
	for (size_t i = 0; i < 256; i++)
		memcpy(name + 4 * i, "\xF0\x9F\x98\x80", 5);
	snprintf(body, sizeof(body), "{\"name\":\"%s\",\"data\":{}}", name);
	api_expect(api_post(port_of(state), body), 422,
		   DETAIL(ITEM_CTX("string_too_long", BODY_NAME,
				   "String should have at most 255 characters",
				   "null", "{\"max_length\":255}")));
}

static void
an_input_is_shown_up_to_1_kib(void **state)
{
	char text[1200], body[2048], answer[2048];

	for (size_t len = 1022; len <= 1023; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		snprintf(body, sizeof(body), "{\"name\":\"a\",\"data\":\"%s\"}",
			 text);
		snprintf(answer, sizeof(answer),
			 DETAIL(ITEM("dict_type", BODY_DATA,
				     "Input should be a valid dictionary",
				     "%s%s%s")),
			 len == 1022 ? "\"" : "", len == 1022 ? text : "null",
			 len == 1022 ? "\"" : "");
		api_expect(api_post(port_of(state), body), 422, answer);
	}
}

static void
what_is_not_json_is_told_with_the_byte_where_it_ends(void **state)
{
	static const struct {
		const char *body;
		int byte;
	} rows[] = {
		{ "{\"name\":x}", 8 },
		{ "{\"name\": \"a\",}", 13 },
		{ "{", 1 },
		{ "{\"name\":\"a\",\"data\":{}} x", 23 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char shape[512];

		snprintf(shape, sizeof(shape),
			 DETAIL(ITEM_CTX("json_invalid", "\"body\",%d",
					 "JSON decode error", "{}",
					 "{\"error\":\"<text>\"}")),
			 rows[i].byte);
		api_expect_shape(api_post(port_of(state), rows[i].body), 422,
				 shape);
	}
}

/* The text as a member's value, deep inside a body that is right: refused as
 * no JSON, or as no UTF-8. */
static void
post_hostile(int port, const struct hostile *row)
{
	static const char before[] = "{\"name\":\"hostile\",\"data\":{\"x\":";
	static const char none[] = "{\"detail\":\"There was an error parsing "
				   "the body\"}";
	char *body = malloc(sizeof(before) + row->len + 2);
	char *end;
	struct http_answer a;

	assert_non_null(body);
	end = mempcpy(body, before, sizeof(before) - 1);
	end = mempcpy(end, row->text, row->len);
	end = mempcpy(end, "}}", 2);
	a = http_call(port, "POST", API_EVENTS, body, (size_t)(end - body),
		      NULL);
	if (row->verdict == HOSTILE_NOT_UTF8) {
		api_expect(a, 400, none);
	} else if (a.status != 422 ||
		   !strstr(a.body, "\"type\":\"json_invalid\"")) {
		fail_msg("%ld for %.*s: %s", a.status, (int)row->len, row->text,
			 a.body);
	} else {
		http_answer_fini(&a);
	}
	free(body);
}

static void
hostile_json_is_refused_by_its_kind(void **state)
{
	struct service *s = *state;
	int64_t before = topic_count(&s->w);

	for (size_t i = 0; i < N_HOSTILE; i++) {
		const struct hostile *row = &hostile[i];

		if (row->verdict != HOSTILE_TAKEN)
			post_hostile(s->api.api_port, row);
	}
	assert_int_equal(topic_count(&s->w), before);
}

static void
the_whole_body_is_judged_by_the_same_rules(void **state)
{
	struct service *s = *state;
	int64_t before = topic_count(&s->w);

	for (size_t i = 0; i < N_HOSTILE; i++) {
		const struct hostile *row = &hostile[i];
		long want = row->verdict == HOSTILE_NOT_UTF8 ? 400 : 422;
		struct http_answer a =
			http_call(s->api.api_port, "POST", API_EVENTS,
				  row->text, row->len, NULL);
		bool as_json = strstr(a.body, "\"json_invalid\"") != NULL;

		if (a.status != want ||
		    (row->len > 0 &&
		     as_json != (row->verdict == HOSTILE_REFUSED)))
			fail_msg("%ld for row %zu, %.*s: %s", a.status, i,
				 (int)row->len, row->text, a.body);
		http_answer_fini(&a);
	}
	assert_int_equal(topic_count(&s->w), before);
}

static void
other_content_types_and_encodings_are_415(void **state)
{
	static const char body[] = "{\"name\":\"a\",\"data\":{}}";
	static const char *const types[] = {
		"Content-Type: text/plain",
		"Content-Type: text/json",
		"Content-Type: application/x-www-form-urlencoded",
		"Content-Type: application/jsonx",
		"Content-Type: application/+json",
		"Content-Type: application/json; charset=latin-1",
		"Content-Type: application/json; charset=utf-16",
		"Content-Type: json",
	};
	static const char *const codings[] = {
		"Content-Encoding: gzip",
		"Content-Encoding: identity, gzip",
		"Content-Encoding: zstd",
		"Content-Encoding: br",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		api_expect(http_call(port_of(state), "POST", API_EVENTS, body,
				     strlen(body), types[i]),
			   415,
			   "{\"detail\":\"Content-Type must be "
			   "application/json in UTF-8\"}");
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		api_expect(http_call(port_of(state), "POST", API_EVENTS, body,
				     strlen(body), codings[i]),
			   415,
			   "{\"detail\":\"Content-Encoding is not "
			   "supported\"}");
}

static void
an_id_that_is_no_uuid_is_told_with_the_reason(void **state)
{
	static const char *const ids[] = {
		"x",
		"019aad2c6c1e7b3a9d5e0f4c1b2a3d4e",
		"019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4",
		"019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e0",
		"019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4g",
		"019aad2c_6c1e-7b3a-9d5e-0f4c1b2a3d4e",
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char shape[512];

		snprintf(
			shape, sizeof(shape),
			DETAIL(ITEM_CTX("uuid_parsing", "\"path\",\"event_id\"",
					"Input should be a valid UUID, "
					"<text>",
					"\"%s\"", "{\"error\":\"<text>\"}")),
			ids[i]);
		api_expect_shape(api_event(port_of(state), ids[i]), 422, shape);
		api_expect_shape(api_retry(port_of(state), ids[i]), 422, shape);
	}
}

static void
no_refused_body_has_become_an_event(void **state)
{
	struct service *s = *state;
	int64_t n = topic_count(&s->w);
	struct http_answer a =
		api_post(s->api.api_port, "{\"name\":\"a\",\"data\":{}}");

	/* One by extra = "forbid" above, and this one. */
	assert_int_equal(n, 1);
	assert_int_equal(a.status, 201);
	assert_int_equal(topic_count(&s->w), 2);
	http_answer_fini(&a);
}

static int
setup(void **state)
{
	int rc = service_setup_api(state);

	service_api(*state, &strict, "strict",
		    (const char *const[]){ "plugin = \"http_ingest\"",
					   "plugin = \"http_ingest\"\n"
					   "\textra = \"forbid\"",
					   NULL });
	return rc;
}

static int
teardown(void **state)
{
	assert_int_equal(daemon_stop(&strict, SERVICE_STOP_MS), 0);
	return service_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_body_that_is_no_object_is_refused_as_a_whole),
		cmocka_unit_test(each_field_has_its_mistakes),
		cmocka_unit_test(
			every_mistake_is_told_at_once_name_before_data),
		cmocka_unit_test(
			unknown_members_are_refused_by_name_where_that_is_said),
		cmocka_unit_test(a_name_of_256_characters_is_too_long),
		cmocka_unit_test(an_input_is_shown_up_to_1_kib),
		cmocka_unit_test(
			what_is_not_json_is_told_with_the_byte_where_it_ends),
		cmocka_unit_test(hostile_json_is_refused_by_its_kind),
		cmocka_unit_test(the_whole_body_is_judged_by_the_same_rules),
		cmocka_unit_test(other_content_types_and_encodings_are_415),
		cmocka_unit_test(an_id_that_is_no_uuid_is_told_with_the_reason),
		cmocka_unit_test(no_refused_body_has_become_an_event),
	};

	return cmocka_run_group_tests_name("http_errors", tests, setup,
					   teardown);
}
