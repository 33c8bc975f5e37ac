#include "json.h"
#include "json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void
strings_are_decoded(void **state)
{
	static const struct {
		const char *text, *decoded;
		size_t len;
	} rows[] = {
		{ "\"\"", "", 0 },
		{ "\"abc\"", "abc", 3 },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
		{ "\"\\u0041\\u00e4\\u20AC\"", "A\xC3\xA4\xE2\x82\xAC", 6 },
		{ "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
		  "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF", 11 },
		{ "\"\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80", 4 },
		{ "\"\\ud800\\udc00\\uDBFF\\uDFFF\"",
		  "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8 },
		{ "\"a\\u0000b\"", "a\0b", 3 },
		{ "\"\xC3\xA4\xF0\x9F\x98\x80\"", "\xC3\xA4\xF0\x9F\x98\x80",
		  6 },
		{ "\"\\\\u0041\"", "\\u0041", 6 },
	};
	char decoded[32];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct json_span value = json_text_value(rows[i].text);

		memset(decoded, 'x', sizeof(decoded));
		assert_int_equal(json_decode(&value, decoded, sizeof(decoded)),
				 rows[i].len);
		assert_memory_equal(decoded, rows[i].decoded, rows[i].len + 1);
	}
}

static void
what_does_not_fit_is_cut_between_characters(void **state)
{
	struct json_span value = json_text_value("\"a\\u00e4\xE2\x82\xAC"
						 "b\"");
	static const char *const expected[] = {
		"",
		"a",
		"a",
		"a\xC3\xA4",
		"a\xC3\xA4",
		"a\xC3\xA4",
		"a\xC3\xA4\xE2\x82\xAC",
		("a\xC3\xA4\xE2\x82\xAC"
		 "b"),
	};
	char decoded[16];
	size_t size;

	(void)state;
	assert_int_equal(json_decode(&value, NULL, 0), 7);
	for (size = 1; size <= COUNT(expected); size++) {
		memset(decoded, 'x', sizeof(decoded));
		assert_int_equal(json_decode(&value, decoded, size), 7);
		assert_string_equal(decoded, expected[size - 1]);
		assert_int_equal(decoded[size], 'x');
	}
}

static void
a_string_without_escapes_is_decoded_as_any_other(void **state)
{
	static const char *const texts[] = { "\"\"", "\"a\"",
					     "\"user.created\"",
					     "\"a\xC3\xA4\xE2\x82\xAC!\"" };
	char one[32], other[32];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct json_span value = json_text_value(texts[i]);
		struct json_span doubted = value;

		assert_true(value.verbatim);
		doubted.verbatim = false;
		for (size_t size = 0; size < 20; size++) {
			memset(one, '#', sizeof(one));
			memset(other, '#', sizeof(other));
			assert_int_equal(json_decode(&value, one, size),
					 json_decode(&doubted, other, size));
			assert_memory_equal(one, other, sizeof(one));
		}
	}
}

static void
content_stands_in_the_text_unless_it_is_escaped(void **state)
{
	struct json_span plain = json_text_value("\"abc\"");
	struct json_span escaped = json_text_value("\"a\\u0062c\"");
	char room[4];
	size_t len;

	(void)state;
	assert_ptr_equal(json_content(&plain, room, 0, &len), plain.at + 1);
	assert_int_equal(len, 3);
	assert_false(escaped.verbatim);
	assert_ptr_equal(json_content(&escaped, room, sizeof(room), &len),
			 room);
	assert_int_equal(len, 3);
	assert_string_equal(room, "abc");
	assert_ptr_equal(json_content(&escaped, room, 3, &len), room);
	assert_int_equal(len, 3);
	assert_string_equal(room, "ab");
}

static void
text_is_quoted_and_what_is_no_utf8_replaced(void **state)
{
#define FFFD "\xEF\xBF\xBD"
	static const struct {
		const char *text;
		size_t len;
		const char *quoted;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "user.created", 12, "\"user.created\"" },
		{ "\"\\/", 3, "\"\\\"\\\\/\"" },
		{ "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
		{ "\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 9,
		  "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
		{ "a\xFF"
		  "b",
		  3, "\"a" FFFD "b\"" },
		{ "\x80\xBF", 2, "\"" FFFD FFFD "\"" },
		{ "\xC3", 1, "\"" FFFD "\"" },
		{ "\xC3\"", 2, "\"" FFFD "\\\"\"" },
		{ "\xE2\x82", 2, "\"" FFFD "\"" },
		{ "\xF0\x9F\x98z", 4, "\"" FFFD "z\"" },
		{ "\xC0\xAF", 2, "\"" FFFD FFFD "\"" },
		{ "\xED\xA0\x80", 3, "\"" FFFD FFFD FFFD "\"" },
		{ "\xF4\x90\x80\x80", 4, "\"" FFFD FFFD FFFD FFFD "\"" },
	};
	char quoted[64];
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		char *text = json_text_copy(rows[i].text, rows[i].len);

		n = json_quote(text, rows[i].len, quoted, sizeof(quoted));
		assert_int_equal(n, strlen(rows[i].quoted));
		assert_string_equal(quoted, rows[i].quoted);
		assert_int_equal(json_quote(text, rows[i].len, NULL, 0), n);
		free(text);
	}
	assert_int_equal(json_quote("abc", 3, quoted, 4), 5);
	assert_string_equal(quoted, "\"ab");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
		cmocka_unit_test(
			a_string_without_escapes_is_decoded_as_any_other),
		cmocka_unit_test(
			content_stands_in_the_text_unless_it_is_escaped),
		cmocka_unit_test(text_is_quoted_and_what_is_no_utf8_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
