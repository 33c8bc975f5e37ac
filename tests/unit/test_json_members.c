/*
 * test_json_members.c - the members that are kept while a text is checked are
 * those that a walk finds.
 */
#include "../harness/awkward.h"
#include "../harness/mutation.h"
#include "json.h"
#include "json_text.h"
#include "json_walk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A string that says it has no escapes is read the same without that. */
static void
assert_verbatim_is_true(const struct json_span *span)
{
	struct json_span doubted = *span;

	doubted.verbatim = false;
	if (!span->verbatim)
		return;
	assert_int_equal(span->type, JSON_SPAN_STRING);
	assert_null(memchr(span->at, '\\', span->len));
	assert_int_equal(json_decode(&doubted, NULL, 0), span->len - 2);
}

static void
assert_same(const struct json_span *kept, const struct json_span *walked)
{
	assert_ptr_equal(kept->at, walked->at);
	assert_int_equal(kept->len, walked->len);
	assert_int_equal(kept->type, walked->type);
	assert_verbatim_is_true(kept);
	assert_verbatim_is_true(walked);
}

/* Of a copy of its exact size.  True when it is JSON, and its members kept. */
static bool
holds(const char *bytes, size_t len)
{
	struct json_span value = { 0 }, key[2], member[2];
	struct json_members members = { 0 };
	char *text = json_text_copy(bytes, len);
	size_t cursor = 0, walk = 0;
	int r = json_members_read(text, len, &members, NULL);

	if (r == 0) {
		value = json_walk_whole(text, len);
		assert_same(&members.value, &value);
		while (json_member(&value, &walk, &key[1], &member[1])) {
			assert_true(json_members_next(&members, &cursor,
						      &key[0], &member[0]));
			assert_same(&key[0], &key[1]);
			assert_same(&member[0], &member[1]);
		}
		assert_false(json_members_next(&members, &cursor, &key[0],
					       &member[0]));
	}
	free(text);
	return r == 0 && members.are_kept;
}

static void
members_of_every_shape_are_those_of_a_walk(void **state)
{
	static const struct {
		const char *text;
		bool are_kept;
	} rows[] = {
		{ "{}", true },
		{ " {\t} \r\n", true },
		{ "{\"\":\"\"}", true },
		{ "{\"a\":{\"a\":{\"a\":[{\"a\":1}]}},\"b\":[[]],\"c\":{}}",
		  true },
		{ " {\n\"a\" : 1 ,\t\"b\" :\r\"x\" , \"c\":[ 1 , 2 ] } ",
		  true },
		{ "{\"a\":\"\\\"}\",\"b\":\"x\",\"c\":\"\\\\\"}", true },
		{ "{\"a\":true,\"b\":false,\"c\":null,\"d\":-1.5e3}", true },
		{ "{\"a\":{\"x\":{}},\"b\":{\"x\":{},\"y\":0}}", true },
		{ "{\"\xC3\xA4\":\"\xE2\x82\xAC\"}", true },
		{ "{\"\\u0061\":1,\"b\":2}", false },
		{ "{\"a\":1e100,\"b\" : \"x\"}", false },
		{ "{ \"a\" : \"\\uD83D\\uDE00\" }", false },
		{ "{\"a\":{\"\\n\":1},\"b\":2}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (holds(rows[i].text, strlen(rows[i].text)) !=
		    rows[i].are_kept)
			fail_msg("%s", rows[i].text);
}

static void
what_is_no_object_has_a_type_and_no_members(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
	} rows[] = {
		{ " [{\"a\":1}] ", JSON_SPAN_ARRAY },
		{ "\"{\"", JSON_SPAN_STRING },
		{ "-0.5", JSON_SPAN_NUMBER },
		{ "true", JSON_SPAN_TRUE },
		{ "false", JSON_SPAN_FALSE },
		{ " null", JSON_SPAN_NULL },
		{ "[{\"\\u0061\":1}]", JSON_SPAN_ARRAY },
		{ "\"\\uD83D\\uDE00\"", JSON_SPAN_STRING },
	};
	struct json_members members;
	struct json_span key, value;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t cursor = 0, len = strlen(rows[i].text);

		assert_int_equal(
			json_members_read(rows[i].text, len, &members, NULL),
			0);
		assert_int_equal(members.value.type, rows[i].type);
		assert_false(
			json_members_next(&members, &cursor, &key, &value));
		holds(rows[i].text, len);
	}
}

/* An object of n members. */
static size_t
many_write(char *ret, size_t size, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(ret + len, size - len, "%c\"%d\":%d",
					i ? ',' : '{', i, i * i);
	len += (size_t)snprintf(ret + len, size - len, "}");
	assert_true(len < size);
	return len;
}

static void
thirty_two_members_are_kept_and_of_more_none_is_lost(void **state)
{
	char text[1024];

	(void)state;
	for (int n = 1; n < 70; n++)
		assert_int_equal(holds(text, many_write(text, sizeof(text), n)),
				 n <= JSON_MEMBERS_KEPT);
	assert_int_equal(JSON_MEMBERS_KEPT, 32);
}

static void
members_are_those_of_a_walk_however_a_text_is_mutated(void **state)
{
	uint64_t seed = 20261203;
	size_t n_kept = 0, rounds = 100000;

	(void)state;
	for (size_t i = 0; i < N_AWKWARD; i++)
		holds(awkward[i].bytes, awkward[i].len);
	for (size_t i = 0; i < rounds; i++) {
		size_t pick = random_below(&seed, N_AWKWARD);
		size_t len = awkward[pick].len;
		char text[1024];

		len = len < 900 ? len : 900;
		memcpy(text, awkward[pick].bytes, len);
		for (uint32_t n = random_below(&seed, 3); n > 0; n--)
			len = mutate(&seed, text, len, sizeof(text));
		n_kept += holds(text, len);
	}
	/* Neither all nor none: the loop has tried both ways. */
	assert_in_range(n_kept, rounds / 50, rounds * 9 / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_of_every_shape_are_those_of_a_walk),
		cmocka_unit_test(what_is_no_object_has_a_type_and_no_members),
		cmocka_unit_test(
			thirty_two_members_are_kept_and_of_more_none_is_lost),
		cmocka_unit_test(
			members_are_those_of_a_walk_however_a_text_is_mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
