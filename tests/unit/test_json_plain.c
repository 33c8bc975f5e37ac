#include "../harness/awkward.h"
#include "../harness/hostile_json.h"
#include "../harness/mutation.h"
#include "json.h"
#include "json_plain.h"
#include "json_text.h"
#include "utf8.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Of a copy of its exact size, so that a read beyond the text is seen. */
static bool
is_plain(const char *text, size_t len)
{
	char *copy = json_text_copy(text, len);
	struct json_members members;
	bool plain;

	plain = json_plain_read(copy, len, &members);
	free(copy);
	return plain;
}

/* The judge, by the rules of json.h. */
static bool
is_json(const char *text, size_t len)
{
	json_t *tree;

	if (utf8_prefix(text, len) < len || memchr(text, '\0', len) != NULL)
		return false;
	tree = json_loadb(text, len,
			  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL |
				  JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY,
			  NULL);
	json_decref(tree);
	return tree != NULL;
}

static void
ordinary_texts_are_plain(void **state)
{
	static const char *const texts[] = {
		"{\"name\":\"user.created\",\"data\":{\"user_id\":123}}",
		" { \"a\" : [ 1 , -2.5e+3 , true , false , null ] } \r\n\t",
		"{}",
		"[]",
		"[{},[],\"\",{\"\":0}]",
		"0",
		"-0",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD7ff\\uffff\\u0000\"",
		"\"gr\xC3\xBC\xC3\x9F dich, \xF0\x9F\x98\x80\"",
		"{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
		"{\"a\":1,\"A\":1,\"aa\":1}",
		"1234567890123456789012345678901234567e99",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (!is_plain(texts[i], strlen(texts[i])))
			fail_msg("not plain: %s", texts[i]);
}

static void
what_is_refused_is_never_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_HOSTILE; i++)
		if (hostile[i].verdict != HOSTILE_TAKEN &&
		    is_plain(hostile[i].text, hostile[i].len))
			fail_msg("plain: %.60s", hostile[i].text);
}

/* Each is JSON, but for a reason that has to be looked into; or it is not. */
static void
what_takes_a_second_look_is_not_plain(void **state)
{
	static const char *const texts[] = {
		"{\"\\u0061\":1}", /* a name with an escape */
		"{\"a\":1,\"b\":2,\"a\":3}",
		"\"\\uD83D\\uDE00\"", /* a pair of surrogates */
		"\"\\uDE00\"",
		"1e100", /* perhaps beyond a double */
		"12345678901234567890123456789012345678901",
		"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", /* depth 17 */
	};
	char many[400] = "{";
	size_t len = 1;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (is_plain(texts[i], strlen(texts[i])))
			fail_msg("plain: %s", texts[i]);
	for (int i = 0; i < 33; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len,
					"\"%d\":0%s", i, i < 32 ? "," : "}");
	assert_true(len < sizeof(many) && is_json(many, len));
	assert_false(is_plain(many, len));
}

/* Every control character, quote and backslash at every place in a word. */
static void
a_mark_is_found_wherever_it_stands(void **state)
{
	char text[24];

	(void)state;
	for (size_t at = 1; at < sizeof(text) - 1; at++) {
		for (int c = 0; c < 256; c++) {
			memset(text, 'x', sizeof(text));
			text[0] = text[sizeof(text) - 1] = '"';
			text[at] = (char)c;
			if (is_plain(text, sizeof(text)) !=
			    is_json(text, sizeof(text)))
				fail_msg("byte %d at %zu", c, at);
		}
	}
}

/* A string of n bytes, one of any value, and up to nine before the text's end:
 * at each place of a word, and of what is left behind the last one. */
static void
a_mark_is_found_at_every_distance_from_the_end(void **state)
{
	static const char tail[] = "\"xxxxxx\"";
	char text[64];

	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		for (size_t rest = 0; rest < sizeof(tail); rest++) {
			for (int c = 0; c < 256; c++) {
				size_t len = n + 2 + rest;

				memset(text, 'x', sizeof(text));
				text[0] = '"';
				text[n + 1] = (char)c;
				memcpy(text + n + 2,
				       tail + sizeof(tail) - 1 - rest, rest);
				if (is_plain(text, len) != is_json(text, len))
					fail_msg("%d behind %zu, before %zu", c,
						 n, rest);
			}
		}
	}
}

/* A byte beside a mark may look like one: of two the first one counts. */
static void
neighbours_of_a_mark_do_not_hide_it(void **state)
{
	static const unsigned char edges[] = { 0x00, 0x1F, 0x20, 0x21,
					       0x22, 0x23, 0x5B, 0x5C,
					       0x5D, 0x7F, 0x80, 0xFF };
	char text[] = "[\"xxxxxx..xx\",\"xxxxxxx\"]";
	char *pair = strchr(text, '.');

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t i = 0; i < COUNT(edges); i++) {
			pair[0] = (char)c;
			pair[1] = (char)edges[i];
			if (is_plain(text, sizeof(text) - 1) !=
			    is_json(text, sizeof(text) - 1))
				fail_msg("%d %d", c, edges[i]);
		}
	}
}

/* Before and behind a quote, where the rest of a word is not the string's. */
static void
what_is_no_utf8_is_not_plain_at_any_place(void **state)
{
	static const char *const parts[] = { "\xC3\xA4", "\xE2\x82\xAC", "\xC3",
					     "\xE2\x82", "\xA4",	 "\x80",
					     "\xFF",	 "\xED\xA0\x80" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		for (int before = 0; before < 18; before++) {
			for (int behind = 0; behind < 10; behind++) {
				int len = snprintf(text, sizeof(text),
						   "[\"%.*s%s%.*s\",\"y\"]",
						   before, "xxxxxxxxxxxxxxxxxx",
						   parts[i], behind,
						   "xxxxxxxxxx");

				assert_int_equal(is_plain(text, (size_t)len),
						 i < 2);
			}
		}
	}
}

static void
no_end_of_a_text_is_plain_by_itself(void **state)
{
	static const char text[] = "{\"ab\":[1.5e-10,\"\\u00e9\\n\",true,null],"
				   "\"c\":{\"d\":false}}";

	(void)state;
	assert_true(is_plain(text, sizeof(text) - 1));
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_false(is_plain(text, len));
}

static void
what_is_plain_is_json_however_it_is_mutated(void **state)
{
	uint64_t seed = 20261127;
	size_t n_plain = 0, rounds = 200000;

	(void)state;
	for (size_t i = 0; i < rounds; i++) {
		size_t pick = random_below(&seed, N_AWKWARD + N_HOSTILE);
		const char *from = pick < N_AWKWARD
					   ? awkward[pick].bytes
					   : hostile[pick - N_AWKWARD].text;
		size_t len = pick < N_AWKWARD ? awkward[pick].len
					      : hostile[pick - N_AWKWARD].len;
		uint32_t n = 1 + random_below(&seed, 3);
		char text[1024];

		len = len < 900 ? len : 900;
		memcpy(text, from, len);
		while (n-- > 0)
			len = mutate(&seed, text, len, sizeof(text));
		if (!is_plain(text, len))
			continue;
		n_plain++;
		if (!is_json(text, len))
			fail_msg("round %zu: %.*s", i, (int)len, text);
	}
	/* Neither all nor none: the loop has tried both ways. */
	assert_in_range(n_plain, rounds / 50, rounds / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_texts_are_plain),
		cmocka_unit_test(what_is_refused_is_never_plain),
		cmocka_unit_test(what_takes_a_second_look_is_not_plain),
		cmocka_unit_test(a_mark_is_found_wherever_it_stands),
		cmocka_unit_test(
			a_mark_is_found_at_every_distance_from_the_end),
		cmocka_unit_test(neighbours_of_a_mark_do_not_hide_it),
		cmocka_unit_test(what_is_no_utf8_is_not_plain_at_any_place),
		cmocka_unit_test(no_end_of_a_text_is_plain_by_itself),
		cmocka_unit_test(what_is_plain_is_json_however_it_is_mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
