/*
 * test_json_find.c - members and pointers, found in a text that was checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "json.h"
#include "json_text.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void
assert_span(const struct json_span *span, const char *expected)
{
	assert_int_equal(span->len, strlen(expected));
	assert_memory_equal(span->at, expected, span->len);
}

static void
members_come_in_text_order(void **state)
{
	struct json_span object = json_text_value(
		" { \"b\" : [1, {\"x\":\"}\"}] ,\"a\":\"\\\"},\", \"\":{ } }");
	static const char *const expected[][2] = {
		{ "\"b\"", "[1, {\"x\":\"}\"}]" },
		{ "\"a\"", "\"\\\"},\"" },
		{ "\"\"", "{ }" },
	};
	struct json_span key, value;
	size_t i, cursor = 0;

	(void)state;
	for (i = 0; i < COUNT(expected); i++) {
		assert_true(json_member(&object, &cursor, &key, &value));
		assert_span(&key, expected[i][0]);
		assert_span(&value, expected[i][1]);
	}
	assert_false(json_member(&object, &cursor, &key, &value));
	assert_false(json_member(&object, &cursor, &key, &value));
}

static void
what_has_no_members_has_none(void **state)
{
	static const char *const texts[] = { "{}",    "{ }",  "[1]", "[]",
					     "\"{\"", "null", "0" };
	struct json_span object, key, value;
	size_t i, cursor;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		object = json_text_value(texts[i]);
		cursor = 0;
		assert_false(json_member(&object, &cursor, &key, &value));
	}
}

static void
members_are_found_by_their_decoded_name(void **state)
{
	struct json_span object = json_text_value(
		"{\"\\u0061b\":1,\"\\u00e4\":2,\"\\uD83D\\uDE00\":3,\"a/~\":4,"
		"\"q\\\"\":5,\"\":6,\"abc\":7,\"n\":{\"deep\":8}}");
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "ab", "1" },
		{ "\xC3\xA4", "2" },
		{ "\xF0\x9F\x98\x80", "3" },
		{ "a/~", "4" },
		{ "q\"", "5" },
		{ "", "6" },
		{ "abc", "7" },
	};
	static const char *const absent[] = { "a",  "abcd",	"deep",
					      "AB", "\\u0061b", "a/~0" };
	struct json_span value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(json_find(&object, rows[i].name, &value));
		assert_span(&value, rows[i].value);
	}
	for (i = 0; i < COUNT(absent); i++)
		assert_false(json_find(&object, absent[i], &value));
}

static void
pointers_are_those_of_rfc_6901(void **state)
{
	/* The document of section 5, and more. */
	struct json_span root = json_text_value(
		"{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,"
		"\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,"
		"\"m~n\":8,\"~1\":9,\"u\":{\"01\":[[10,[11]]],\"-\":12},"
		"\"e\":[]}");
	static const struct {
		const char *pointer, *value;
	} rows[] = {
		{ "/foo", "[\"bar\",\"baz\"]" },
		{ "/foo/0", "\"bar\"" },
		{ "/foo/1", "\"baz\"" },
		{ "/", "0" },
		{ "/a~1b", "1" },
		{ "/c%d", "2" },
		{ "/e^f", "3" },
		{ "/g|h", "4" },
		{ "/i\\j", "5" },
		{ "/k\"l", "6" },
		{ "/ ", "7" },
		{ "/m~0n", "8" },
		{ "/~01", "9" },
		{ "/u/01/0/1/0", "11" },
		{ "/u/-", "12" },
	};
	static const char *const absent[] = {
		"foo",
		"/foo/2",
		"/foo/-",
		"/foo/00",
		"/foo/01",
		"/foo/+1",
		"/foo/",
		"/foo/ 1",
		"/foo/1x",
		"/foo/4294967296",
		"/foo/18446744073709551616",
		"/foo/0/0",
		"/bar",
		"/a/b",
		"/m~n",
		"/m~2n",
		"/m~",
		"//",
		"/e/0",
		"/u/01/0/1/0/0",
	};
	struct json_span value;
	size_t i;

	(void)state;
	assert_true(json_pointer(&root, "", &value));
	assert_ptr_equal(value.at, root.at);
	for (i = 0; i < COUNT(rows); i++) {
		if (!json_pointer(&root, rows[i].pointer, &value))
			fail_msg("not found: %s", rows[i].pointer);
		assert_span(&value, rows[i].value);
	}
	value.at = NULL;
	for (i = 0; i < COUNT(absent); i++)
		if (json_pointer(&root, absent[i], &value))
			fail_msg("found: %s", absent[i]);
	assert_null(value.at);
}

static void
a_pointer_escapes_only_what_must_be(void **state)
{
	static const char *const good[] = { "/", "/a", "/~0", "/a~1b/~0~1",
					    "/a b" };
	static const char *const bad[] = { "",	   "a",	   "a/b", "/~",
					   "/a~2", "/~0~", "/~/0" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!json_pointer_is_good(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (json_pointer_is_good(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_in_text_order),
		cmocka_unit_test(what_has_no_members_has_none),
		cmocka_unit_test(members_are_found_by_their_decoded_name),
		cmocka_unit_test(pointers_are_those_of_rfc_6901),
		cmocka_unit_test(a_pointer_escapes_only_what_must_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
