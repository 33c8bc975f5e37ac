/* Idempotency-Key: the id that follows from it, and what is no key. */
#include "client.h"
#include "idempotency_key.h"
#include "rig.h"

#include <uuid_text.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST   "Host: x\r\n"
#define EVENT  "{\"name\":\"user.created\",\"data\":{\"user_id\":123}}"
#define OTHER  "{\"name\":\"user.renamed\",\"data\":{\"user_id\":456}}"
#define A_ID   "800e308b-e7e5-5eb4-9552-2cb301a11393" /* of the key a */
#define STORED "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"
#define X50    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255   X50 X50 X50 X50 X50 "xxxxx"

static struct answer answer;

/* ---- The noun alone ----------------------------------------------------- */

/* By Python: uuid.uuid5(uuid.NAMESPACE_URL, "idempotency-key:" + key).  Written
 * down, because an id that changes with a version makes two events of one. */
static const struct {
	const char *key, *id;
} golden[] = {
	{ "a", A_ID },
	{ "A", "90baba5b-7646-514f-acfc-a34d2f349fdf" },
	{ "!", "a1cc425e-468c-5201-8bb0-1403263c5b9e" },
	{ "\"a\"", "bf096878-8b25-5a11-8dc2-1f77049f8294" },
	{ "8e03978e-40d5-43dd-bc93-6894a57f9324",
	  "860e5c9d-85c8-5bd9-9141-e7760894a7e7" },
	{ X255, "380b3f4a-e423-57cd-a313-8e3160add087" },
};

static void
a_key_has_the_id_that_is_written_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		unsigned char id[16];
		char text[UUID_TEXT_LEN + 1] = "";
		struct text detail = { 0 };

		assert_int_equal(idempotency_key_read(1, golden[i].key,
						      strlen(golden[i].key), id,
						      &detail),
				 0);
		uuid_write(id, text);
		assert_string_equal(text, golden[i].id);
		assert_int_equal(detail.len, 0);
	}
}

#define ITEM(type, msg, input, ctx)                                            \
	"{\"detail\":[{\"type\":\"" type "\",\"loc\":[\"header\","             \
	"\"idempotency-key\"],\"msg\":\"" msg "\",\"input\":" input            \
	",\"ctx\":" ctx "}]}"
#define TOO_SHORT(input)                                                       \
	ITEM("string_too_short", "String should have at least 1 character",    \
	     input, "{\"min_length\":1}")
#define TOO_LONG(input)                                                        \
	ITEM("string_too_long", "String should have at most 255 characters",   \
	     input, "{\"max_length\":255}")
#define NOT_VISIBLE(input)                                                     \
	ITEM("string_pattern_mismatch",                                        \
	     "String should match pattern '^[!-~]+$'", input,                  \
	     "{\"pattern\":\"^[!-~]+$\"}")
#define TWICE                                                                  \
	ITEM("value_error", "Value error, Idempotency-Key must come once",     \
	     "null", "{\"error\":{}}")

static const struct {
	const char *what;
	unsigned n;
	const char *value;
	size_t len;
	const char *detail;
} hostile[] = {
	{ "empty", 1, "", 0, TOO_SHORT("\"\"") },
	{ "256", 1, X255 "x", 256, TOO_LONG("\"" X255 "x\"") },
	{ "more than is shown", 1, X255 X255 X255 X255 X255, 1275,
	  TOO_LONG("null") },
	{ "a blank", 1, "a b", 3, NOT_VISIBLE("\"a b\"") },
	{ "a tab", 1, "a\tb", 3, NOT_VISIBLE("\"a\\tb\"") },
	{ "a NUL", 1, "a\0b", 3, NOT_VISIBLE("\"a\\u0000b\"") },
	{ "a line's end", 1, "a\n", 2, NOT_VISIBLE("\"a\\n\"") },
	{ "DEL", 1, "a\x7f", 2, NOT_VISIBLE("\"a\x7f\"") },
	{ "UTF-8", 1, "caf\xc3\xa9", 5, NOT_VISIBLE("\"caf\xc3\xa9\"") },
	{ "no UTF-8", 1, "\xff", 1, NOT_VISIBLE("\"\xef\xbf\xbd\"") },
	{ "a quote to break out by", 1, "\" x", 3, NOT_VISIBLE("\"\\\" x\"") },
	{ "two", 2, "a", 1, TWICE },
	{ "two, the last one empty", 2, "", 0, TWICE },
};

static void
what_is_no_key_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		unsigned char id[16] = "untouched";
		struct text detail = { 0 };

		print_message("%s\n", hostile[i].what);
		assert_int_equal(
			idempotency_key_read(hostile[i].n, hostile[i].value,
					     hostile[i].len, id, &detail),
			-EINVAL);
		assert_memory_equal(id, "untouched", 10);
		text_add(&detail, "", 1);
		assert_string_equal(detail.at, hostile[i].detail);
		text_fini(&detail);
	}
}

/* ---- Through the whole plugin ------------------------------------------- */

static int
set_up(void **state)
{
	static struct rig rig;
	static const char *const settings[] = { "key=id", NULL };

	rig_init(&rig);
	rig.has_store = true;
	rig_start(&rig, settings);
	*state = &rig;
	return 0;
}

static int
tear_down(void **state)
{
	rig_stop(*state);
	return 0;
}

/* A POST of this body with these header lines. */
static void
post(const struct rig *rig, const char *path, const char *headers,
     const char *body)
{
	char request[8192];

	snprintf(request, sizeof(request),
		 "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n%s",
		 path, headers, strlen(body), body);
	client_call(rig, request, &answer);
}

/* The last answer is a 201 for this id, and so is what the chain got. */
static void
expect_taken(const struct rig *rig, const char *id)
{
	char text[64], last[UUID_TEXT_LEN + 1] = "";

	assert_int_equal(answer.status, 201);
	snprintf(text, sizeof(text), "{\"id\":\"%s\",", id);
	assert_memory_equal(answer.body, text, strlen(text));
	snprintf(text, sizeof(text), "/api/v1/events/%s", id);
	assert_string_equal(answer_header(&answer, "Location"), text);
	uuid_write(rig->last_id, last);
	assert_string_equal(last, id);
	assert_string_equal(rig->last_key, id);
}

static void
a_repeat_gets_the_id_again_whatever_its_body_is(void **state)
{
	struct rig *rig = *state;

	post(rig, "/api/v1/events", "Idempotency-Key: a\r\n", EVENT);
	expect_taken(rig, A_ID);
	post(rig, "/api/v1/events", "Idempotency-Key: a\r\n", OTHER);
	expect_taken(rig, A_ID);
	assert_int_equal(rig->n_emitted, 2);
	/* It is the store that knows which came first. */
	assert_string_equal(rig->last_data, "{\"user_id\":456}");
}

static void
the_name_of_the_header_has_no_case_and_white_space_around_is_none(void **state)
{
	struct rig *rig = *state;

	post(rig, "/api/v1/events", "IDEMPOTENCY-KEY:a\r\n", EVENT);
	expect_taken(rig, A_ID);
	post(rig, "/api/v1/events", "idempotency-key: \t a \t \r\n", EVENT);
	expect_taken(rig, A_ID);
	post(rig, "/api/v1/events", "Idempotency-Key: " X255 "\r\n", EVENT);
	expect_taken(rig, golden[5].id);
}

static void
a_request_without_a_key_behind_one_with_it_has_an_id_of_its_own(void **state)
{
	static const char keyed[] =
		"POST /api/v1/events HTTP/1.1\r\n" HOST "Idempotency-Key: a\r\n"
		"Content-Length: 46\r\n\r\n" EVENT;
	static const char plain[] = "POST /api/v1/events HTTP/1.1\r\n" HOST
				    "Content-Length: 46\r\n\r\n" EVENT;
	struct rig *rig = *state;
	int fd = client_open(rig);

	client_str(fd, keyed);
	client_read(fd, &answer, false);
	expect_taken(rig, A_ID);
	client_str(fd, plain);
	client_read(fd, &answer, false);
	assert_int_equal(answer.status, 201);
	/* {"id":"019aad2c-6c1e-7: the version's place */
	assert_int_equal(answer.body[7 + 14], '7');
	assert_memory_not_equal(answer.body + 7, A_ID, UUID_TEXT_LEN);
	close(fd);
}

static void
a_503_is_repeated_under_the_same_id(void **state)
{
	struct rig *rig = *state;

	rig->result = EVH_RETRY;
	post(rig, "/api/v1/events", "Idempotency-Key: a\r\n", EVENT);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.body, "\"outcome\":\"unknown\""));
	assert_null(answer_header(&answer, "Location"));
	rig->chain = RIG_FULL;
	post(rig, "/api/v1/events", "Idempotency-Key: a\r\n", EVENT);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.body, "\"outcome\":\"refused\""));
	rig->chain = RIG_ANSWER;
	rig->result = EVH_OK;
	post(rig, "/api/v1/events", "Idempotency-Key: a\r\n", EVENT);
	expect_taken(rig, A_ID);
}

static void
what_is_no_key_gives_422_and_reaches_nobody(void **state)
{
	static const struct {
		const char *headers, *detail;
	} rows[] = {
		{ "Idempotency-Key:\r\n", TOO_SHORT("\"\"") },
		{ "Idempotency-Key: \t \r\n", TOO_SHORT("\"\"") },
		{ "Idempotency-Key: " X255 "x\r\n", TOO_LONG("\"" X255 "x\"") },
		{ "Idempotency-Key: a, b\r\n", NOT_VISIBLE("\"a, b\"") },
		{ "Idempotency-Key: caf\xc3\xa9\r\n",
		  NOT_VISIBLE("\"caf\xc3\xa9\"") },
		{ "Idempotency-Key: a\r\nIdempotency-Key: a\r\n", TWICE },
		{ "Idempotency-Key: a\r\nidempotency-key: b\r\n", TWICE },
		{ "Idempotency-Key: a\r\nIdempotency-Key:\r\n", TWICE },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		post(rig, "/api/v1/events", rows[i].headers, EVENT);
		assert_int_equal(answer.status, 422);
		assert_string_equal(answer.body, rows[i].detail);
		assert_string_equal(answer_header(&answer, "Content-Type"),
				    "application/json");
	}
	/* The gate has seen these before. */
	post(rig, "/api/v1/events", "Idempotency-Key: a\x01\r\n", EVENT);
	assert_int_equal(answer.status, 400);
	post(rig, "/api/v1/events", "Idempotency-Key: a\x7f\r\n", EVENT);
	assert_int_equal(answer.status, 400);
	post(rig, "/api/v1/events", "Idempotency-Key : a\r\n", EVENT);
	assert_int_equal(answer.status, 400);
	assert_int_equal(rig->n_made, 0);
}

static void
reads_and_retries_take_no_notice_of_it(void **state)
{
	struct rig *rig = *state;
	struct evh_row row = { .name = "user.created",
			       .data = { "{}", 2 },
			       .status = EVH_FAILED,
			       .attempts = 1,
			       .created_ns = 1000 };
	char last[UUID_TEXT_LEN + 1] = "";

	assert_int_equal(uuid_read(STORED, UUID_TEXT_LEN, row.id, NULL), 0);
	rig->rows = &row;
	rig->n_rows = 1;
	client_call(rig,
		    "GET /api/v1/events/" STORED " HTTP/1.1\r\n" HOST
		    "Idempotency-Key: a\r\nIdempotency-Key:\r\n\r\n",
		    &answer);
	assert_int_equal(answer.status, 200);
	client_call(rig,
		    "GET /api/v1/events HTTP/1.1\r\n" HOST
		    "Idempotency-Key:\r\n\r\n",
		    &answer);
	assert_int_equal(answer.status, 200);
	post(rig, "/api/v1/events/" STORED "/retry",
	     "Idempotency-Key: a\r\nIdempotency-Key:\r\n", "");
	assert_int_equal(answer.status, 202);
	uuid_write(rig->last_id, last);
	assert_string_equal(last, STORED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_has_the_id_that_is_written_down),
		cmocka_unit_test(what_is_no_key_is_said),
		TEST(a_repeat_gets_the_id_again_whatever_its_body_is),
		TEST(the_name_of_the_header_has_no_case_and_white_space_around_is_none),
		TEST(a_request_without_a_key_behind_one_with_it_has_an_id_of_its_own),
		TEST(a_503_is_repeated_under_the_same_id),
		TEST(what_is_no_key_gives_422_and_reaches_nobody),
		TEST(reads_and_retries_take_no_notice_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
