/* The gate alone, without a parser before it. */
#include "gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FIELD(n, v)                                                            \
	{                                                                      \
		n, v, sizeof(n) - 1, sizeof(v) - 1                             \
	}
#define HOST FIELD("Host", "x")

struct row {
	const char *what, *method, *target, *version;
	struct gate_field fields[3];
	enum gate_verdict verdict;
};

static const struct row rows[] = {
	{ "plain", "GET", "/", "HTTP/1.1", { HOST }, GATE_PASS },
	{ "1.0 without Host", "GET", "/", "HTTP/1.0", { { 0 } }, GATE_PASS },
	{ "1.9", "GET", "/", "HTTP/1.9", { HOST }, GATE_PASS },
	{ "2.0", "GET", "/", "HTTP/2.0", { HOST }, GATE_VERSION },
	{ "0.9", "GET", "/", "HTTP/0.9", { HOST }, GATE_VERSION },
	{ "no version", "GET", "/", "", { HOST }, GATE_MALFORMED },
	{ "half a version", "GET", "/", "HTTP/1.", { HOST }, GATE_MALFORMED },
	{ "version of letters",
	  "GET",
	  "/",
	  "HTTP/1.x",
	  { HOST },
	  GATE_MALFORMED },
	{ "method of other bytes",
	  "G@T",
	  "/",
	  "HTTP/1.1",
	  { HOST },
	  GATE_MALFORMED },
	{ "no method", "", "/", "HTTP/1.1", { HOST }, GATE_MALFORMED },
	{ "no target", "GET", "", "HTTP/1.1", { HOST }, GATE_MALFORMED },
	{ "blank in the target",
	  "GET",
	  "/a b",
	  "HTTP/1.1",
	  { HOST },
	  GATE_MALFORMED },
	{ "UTF-8 in the target",
	  "GET",
	  "/\xc3\xa9",
	  "HTTP/1.1",
	  { HOST },
	  GATE_MALFORMED },
	{ "star", "OPTIONS", "*", "HTTP/1.1", { HOST }, GATE_PASS },
	{ "star and more",
	  "OPTIONS",
	  "*/",
	  "HTTP/1.1",
	  { HOST },
	  GATE_MALFORMED },
	{ "no Host", "GET", "/", "HTTP/1.1", { { 0 } }, GATE_MALFORMED },
	{ "two Hosts", "GET", "/", "HTTP/1.1", { HOST, HOST }, GATE_MALFORMED },
	{ "two Hosts in 1.0",
	  "GET",
	  "/",
	  "HTTP/1.0",
	  { HOST, HOST },
	  GATE_MALFORMED },
	{ "empty Host",
	  "GET",
	  "/",
	  "HTTP/1.1",
	  { FIELD("Host", "") },
	  GATE_PASS },
	{ "v6 Host",
	  "GET",
	  "/",
	  "HTTP/1.1",
	  { FIELD("Host", "[::1]:80") },
	  GATE_PASS },
	{ "two names in Host",
	  "GET",
	  "/",
	  "HTTP/1.1",
	  { FIELD("Host", "a, b") },
	  GATE_MALFORMED },
	{ "name with blank",
	  "GET",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("a b", "") },
	  GATE_MALFORMED },
	{ "control in a value",
	  "GET",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("a", "\x1f") },
	  GATE_MALFORMED },
	{ "tab in a value",
	  "GET",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("a", "b\tc") },
	  GATE_PASS },
	{ "NUL in a value",
	  "GET",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("a", "b\0c") },
	  GATE_MALFORMED },
	{ "length",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Content-Length", "3") },
	  GATE_PASS },
	{ "length in a list",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Content-Length", "3,3") },
	  GATE_MALFORMED },
	{ "two lengths",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Content-Length", "3"), FIELD("content-length", "3") },
	  GATE_MALFORMED },
	{ "length and more in the name",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Content-Length2", "3") },
	  GATE_MALFORMED },
	{ "coding and more in the name",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Transfer-Encodingchunked", "") },
	  GATE_MALFORMED },
	{ "coding",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Transfer-Encoding", "Chunked") },
	  GATE_PASS },
	{ "coding and length",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Transfer-Encoding", "chunked"),
	    FIELD("Content-Length", "3") },
	  GATE_MALFORMED },
	{ "coding in 1.0",
	  "POST",
	  "/",
	  "HTTP/1.0",
	  { HOST, FIELD("Transfer-Encoding", "chunked") },
	  GATE_MALFORMED },
	{ "vertical tab after a coding",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Transfer-Encoding", "chunked\x0b") },
	  GATE_MALFORMED },
	{ "100-continue",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Expect", "100-Continue") },
	  GATE_PASS },
	{ "other expectation",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Expect", "1") },
	  GATE_EXPECT },
	{ "other expectation in 1.0",
	  "POST",
	  "/",
	  "HTTP/1.0",
	  { HOST, FIELD("Expect", "1") },
	  GATE_PASS },
	{ "malformed comes before unexpected",
	  "POST",
	  "/",
	  "HTTP/1.1",
	  { HOST, FIELD("Expect", "1"), FIELD("b c", "") },
	  GATE_MALFORMED },
};

static void
each_head_has_its_verdict(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct gate_head head = { .method = row->method,
					  .target = row->target,
					  .version = row->version,
					  .fields = row->fields };
		struct gate_facts facts;
		enum gate_verdict verdict;

		while (head.n_fields < 3 &&
		       row->fields[head.n_fields].name_len > 0)
			head.n_fields++;
		verdict = gate_check(&head, &facts);
		if (verdict != row->verdict) {
			print_error("%s: %d instead of %d\n", row->what,
				    (int)verdict, (int)row->verdict);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static struct gate_facts
facts_of(const char *name, const char *value)
{
	struct gate_field fields[] = {
		HOST,
		{ name, value, strlen(name), strlen(value) },
	};
	struct gate_head head = { "POST", "/", "HTTP/1.1", fields, 2 };
	struct gate_facts facts = { 0 };

	assert_int_equal(gate_check(&head, &facts), GATE_PASS);
	return facts;
}

static void
an_empty_name_is_malformed(void **state)
{
	struct gate_field fields[] = { HOST, { "", "a", 0, 1 } };
	struct gate_head head = { "GET", "/", "HTTP/1.1", fields, 2 };
	struct gate_facts facts;

	(void)state;
	assert_int_equal(gate_check(&head, &facts), GATE_MALFORMED);
}

static void
a_length_is_told_and_saturates(void **state)
{
	(void)state;
	assert_false(facts_of("a", "b").has_length);
	assert_true(facts_of("Content-Length", "0").has_length);
	assert_int_equal(facts_of("Content-Length", " 042 ").length, 42);
	assert_true(facts_of("Content-Length", "18446744073709551616").length ==
		    UINT64_MAX);
	assert_true(
		facts_of("Content-Length", "99999999999999999999999").length ==
		UINT64_MAX);
}

static void
a_media_type_is_json_or_not(void **state)
{
	static const struct {
		const char *value;
		bool json;
	} types[] = {
		{ "application/json", true },
		{ "Application/JSON", true },
		{ "application/json;charset=utf-8", true },
		{ "application/json ; charset=\"UTF-8\"", true },
		{ "application/json; charset=utf8", true },
		{ "application/json;", true },
		{ "application/json; v=1", true },
		{ "application/cloudevents+json", true },
		{ "application/problem+JSON; charset=utf-8", true },
		{ "application/json; charset=latin1", false },
		{ "application/json; charset=utf-8; charset=latin1", false },
		{ "application/json charset=utf-8", false },
		{ "application/json, text/plain", false },
		{ "application/jsonx", false },
		{ "application/+json", false },
		{ "application/", false },
		{ "text/json", false },
		{ "text/plain", false },
		{ "application/x-www-form-urlencoded", false },
		{ "", false },
	};

	(void)state;
	assert_true(facts_of("a", "b").media_json);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (facts_of("Content-Type", types[i].value).media_json !=
		    types[i].json)
			fail_msg("%s", types[i].value);
}

static void
only_identity_is_a_plain_coding(void **state)
{
	(void)state;
	assert_true(facts_of("a", "b").coding_plain);
	assert_true(facts_of("Content-Encoding", "Identity").coding_plain);
	assert_false(facts_of("Content-Encoding", "gzip").coding_plain);
	assert_false(facts_of("Content-Encoding", "identity, br").coding_plain);
}

static void
connection_close_is_found_in_a_list(void **state)
{
	(void)state;
	assert_true(facts_of("Connection", "close").wants_close);
	assert_true(facts_of("connection", "te , CLOSE").wants_close);
	assert_false(facts_of("Connection", "keep-alive").wants_close);
	assert_false(facts_of("Connection", "closed").wants_close);
}

/* As the parser leaves it: each line's end overwritten by NULs. */
static bool
layout_of(const char *bytes, size_t len, size_t target_len)
{
	static char copy[256];
	struct gate_field field = { 0 };
	struct gate_head head = { .fields = &field, .n_fields = 1 };
	struct gate_layout layout = { .head = &head,
				      .target_len = target_len,
				      .head_size = len };
	char *host;

	memset(copy, 'Z', sizeof(copy));
	memcpy(copy, bytes, len);
	head.method = copy;
	head.target = copy + 4;
	head.version = copy + 4 + target_len + 1;
	host = memmem(copy, len, "Host", 4);
	field.name = host;
	field.name_len = 4;
	field.value = host + 6;
	field.value_len = strlen(field.value);
	return gate_layout_check(&layout);
}

static void
what_was_skipped_shows_in_the_layout(void **state)
{
	(void)state;
#define LAYOUT(bytes, n) layout_of(bytes, sizeof(bytes) - 1, n)
	assert_true(LAYOUT("GET\0/a\0HTTP/1.1\0\0Host\0 x\0\0\0\0", 2));
	/* A bare line feed leaves one NUL. */
	assert_false(LAYOUT("GET\0/a\0HTTP/1.1\0Host\0 x\0\0\0\0", 2));
	assert_false(LAYOUT("GET\0/a\0HTTP/1.1\0\0Host\0 x\0\0\0", 2));
	assert_false(LAYOUT("GET\0/a\0HTTP/1.1\0\0Host\0 x\0\0\0\0\0", 2));
	/* A NUL within a value cuts it short. */
	assert_false(LAYOUT("GET\0/a\0HTTP/1.1\0\0Host\0 x\0y\0\0\0\0", 2));
#undef LAYOUT
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_head_has_its_verdict),
		cmocka_unit_test(an_empty_name_is_malformed),
		cmocka_unit_test(a_length_is_told_and_saturates),
		cmocka_unit_test(a_media_type_is_json_or_not),
		cmocka_unit_test(only_identity_is_a_plain_coding),
		cmocka_unit_test(connection_close_is_found_in_a_list),
		cmocka_unit_test(what_was_skipped_shows_in_the_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
