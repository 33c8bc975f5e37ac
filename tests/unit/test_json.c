/*
 * test_json.c - what is JSON, and that nothing breaks what checks it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../harness/awkward.h"
#include "../harness/hostile_json.h"
#include "../harness/mutation.h"
#include "json.h"
#include "json_text.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void
assert_span(const struct json_span *span, const char *expected)
{
	assert_int_equal(span->len, strlen(expected));
	assert_memory_equal(span->at, expected, span->len);
}

/* ---- What is JSON -------------------------------------------------------- */

static void
every_hostile_text_gets_its_verdict(void **state)
{
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < N_HOSTILE; i++) {
		const struct hostile *h = &hostile[i];
		char *text = json_text_copy(h->text, h->len);
		enum hostile_verdict verdict = HOSTILE_TAKEN;
		struct json_span value = { .at = NULL };
		struct json_error error = { .position = 0 };
		int r = json_check(text, h->len, &value, &error);

		if (r < 0)
			verdict = error.not_utf8 ? HOSTILE_NOT_UTF8
						 : HOSTILE_REFUSED;
		if (r != (h->verdict == HOSTILE_TAKEN ? 0 : -EINVAL) ||
		    verdict != h->verdict) {
			print_error("%.60s: %d, not %d (%s)\n", h->text,
				    verdict, h->verdict, error.text);
			wrong++;
		}
		if (r < 0) {
			assert_null(value.at);
			assert_true(error.position <= h->len);
			assert_true(error.text[0] != '\0');
			assert_null(strstr(error.text, " near '"));
		}
		free(text);
	}
	assert_int_equal(wrong, 0);
	assert_true(N_HOSTILE >= 200);
}

static void
awkward_objects_are_taken_as_they_are(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_AWKWARD; i++) {
		const struct awkward *a = &awkward[i];
		char *text = json_text_copy(a->bytes, a->len);
		char body[4096], *data;
		struct json_span value;
		int n;

		if (json_check(text, a->len, &value, NULL) != 0)
			fail_msg("refused: %s", a->name);
		assert_int_equal(value.type, JSON_SPAN_OBJECT);

		/* And one level deeper, as the member of a body. */
		n = snprintf(body, sizeof(body), "{\"data\":%s}", a->bytes);
		assert_true(n > 0 && (size_t)n < sizeof(body));
		if (json_check(body, (size_t)n, &value, NULL) != 0)
			fail_msg("refused in a body: %s", a->name);
		assert_true(json_find(&value, "data", &value));
		data = strchr(a->bytes, '{');
		assert_non_null(data);
		assert_memory_equal(value.at, data, value.len);
		assert_int_equal(value.at[value.len - 1], '}');
		free(text);
	}
}

static void
depth_64_is_taken_and_65_names_its_place(void **state)
{
	char text[130];
	struct json_span value;
	struct json_error error;

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	assert_int_equal(json_check(text, 128, &value, &error), 0);
	assert_int_equal(value.len, 128);

	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(json_check(text, 130, &value, &error), -EINVAL);
	assert_int_equal(error.position, 64);
	assert_string_equal(error.text, "nested deeper than 64");
}

static void
mistakes_are_placed_at_the_byte_and_told_without_input(void **state)
{
	static const struct {
		const char *text;
		size_t position;
		const char *why;
	} rows[] = {
		{ "", 0, "empty" },
		{ "  ", 2, "unexpected token near end of file" },
		{ "{\"a\":}", 5, "unexpected token" },
		{ "{\"a\":1,}", 7, "string or '}' expected" },
		{ "{\"a\":1", 6, "'}' expected near end of file" },
		{ "{\"a\" 1}", 5, "':' expected" },
		{ "{a:1}", 1, "string or '}' expected" },
		{ "[1,,2]", 3, "unexpected token" },
		{ "[1 2]", 3, "']' expected" },
		{ "[\"abc", 5, "premature end of input" },
		{ "1 2", 2, "end of file expected" },
		{ "{} x", 3, "end of file expected" },
		{ "[nul]", 1, "invalid token" },
		{ "[ abcdefghijklmnopqrstuvwxyz]", 2, "invalid token" },
		{ "[01]", 1, "invalid token" },
		{ "[1e400]", 1, "real number overflow" },
		{ "[\"a\tb\"]", 3, "control character 0x9" },
		{ "[\"a\nb\"]", 3, "unexpected newline" },
		{ "[\"a\\xb\"]", 4, "invalid escape" },
		{ "[\"x\",\"\\uD800\"]", 5, "invalid Unicode '\\uD800'" },
		{ "{\"a\":1, \"\\u0061\":2}", 8, "duplicate object key" },
		{ "{\"\\u0000\":2}", 1,
		  "NUL byte in object key not supported" },
		{ "\xEF\xBB\xBF{}", 0, "byte order mark" },
		{ "[\"\xC3\xA4\xE4\"]", 4, "invalid UTF-8" },
		{ "{\xC3\xA4}", 1, "string or '}' expected" },
	};
	struct json_span value;
	struct json_error error;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(json_check(rows[i].text, strlen(rows[i].text),
					    &value, &error),
				 -EINVAL);
		assert_string_equal(error.text, rows[i].why);
		assert_int_equal(error.position, rows[i].position);
	}
	assert_int_equal(json_check("[1\0]", 4, &value, &error), -EINVAL);
	assert_string_equal(error.text, "NUL byte");
	assert_int_equal(error.position, 2);
}

static void
the_value_comes_without_the_space_around_it(void **state)
{
	static const struct {
		const char *text, *value;
		enum json_type type;
	} rows[] = {
		{ " {\"a\" : 1 } \n", "{\"a\" : 1 }", JSON_SPAN_OBJECT },
		{ "\t[ ] ", "[ ]", JSON_SPAN_ARRAY },
		{ " \" a \" ", "\" a \"", JSON_SPAN_STRING },
		{ "\r\n-1.5e3 ", "-1.5e3", JSON_SPAN_NUMBER },
		{ "0", "0", JSON_SPAN_NUMBER },
		{ " true ", "true", JSON_SPAN_TRUE },
		{ " false ", "false", JSON_SPAN_FALSE },
		{ " null ", "null", JSON_SPAN_NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct json_span value = json_text_value(rows[i].text);

		assert_int_equal(value.type, rows[i].type);
		assert_span(&value, rows[i].value);
	}
}

/* ---- Memory and threads -------------------------------------------------- */

/* Allocations left before one fails; the hooks of jansson take no argument. */
static size_t allocations_left;

static void *
failing_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

/* Tokens stay below 16 bytes: jansson 2.14 does not notice when its buffer
 * for a longer one cannot grow. */
static void
memory_that_runs_out_is_never_the_texts_fault(void **state)
{
	/* An escape in a name: jansson is asked. */
	static const char text[] = "{\"a\":[1,\"two\",{\"b\":null}],\"c\":"
				   "\"d\",\"\\u0065\":{\"f\":\"\"}}";
	struct json_span value;
	size_t n;
	int r = -ENOMEM;

	(void)state;
	/* The hash seed is made now, not on the way. */
	json_text_value("{\"\\u0065\":0}");
	for (n = 0; r < 0 && n < 1000; n++) {
		allocations_left = n;
		json_set_alloc_funcs(failing_malloc, free);
		r = json_check(text, sizeof(text) - 1, &value, NULL);
		json_set_alloc_funcs(malloc, free);
		assert_true(r == 0 || r == -ENOMEM);
	}
	assert_int_equal(r, 0);
	assert_true(n > 10);
}

static void *
check_often(void *arg)
{
	struct json_span value;
	size_t i, *n_taken = arg;

	for (i = 0; i < N_AWKWARD; i++)
		if (json_check(awkward[i].bytes, awkward[i].len, &value,
			       NULL) == 0)
			++*n_taken;
	return NULL;
}

/* Runs first, while nobody has made the hash seed yet. */
static void
threads_check_at_once(void **state)
{
	pthread_t threads[4];
	size_t n_taken[4] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_often,
						&n_taken[i]),
				 0);
	for (i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < COUNT(threads); i++)
		assert_int_equal(n_taken[i], N_AWKWARD);
}

/* ---- Mutations ----------------------------------------------------------- */

static void
assert_spans_are_json(const struct json_span *span)
{
	struct json_span key, value, again;
	size_t cursor = 0, n = 0;
	char name[256];

	assert_int_equal(json_check(span->at, span->len, &again, NULL), 0);
	assert_ptr_equal(again.at, span->at);
	assert_int_equal(again.len, span->len);
	assert_int_equal(again.type, span->type);
	while (json_member(span, &cursor, &key, &value)) {
		assert_true(++n <= span->len);
		assert_int_equal(key.type, JSON_SPAN_STRING);
		assert_int_equal(json_check(key.at, key.len, &again, NULL), 0);
		assert_spans_are_json(&value);
		if (json_decode(&key, name, sizeof(name)) < sizeof(name)) {
			assert_true(json_find(span, name, &again));
			assert_ptr_equal(again.at, value.at);
		}
	}
	/* What jansson counts is what the walk has seen. */
	if (span->type == JSON_SPAN_OBJECT) {
		json_t *tree = json_loadb(
			span->at, span->len,
			JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);

		assert_non_null(tree);
		assert_int_equal(json_object_size(tree), n);
		json_decref(tree);
	}
}

static void
mutated_texts_break_nothing(void **state)
{
	uint64_t seed = 20261122;
	size_t i, taken = 0, rounds = 20000;

	(void)state;
	for (i = 0; i < rounds; i++) {
		size_t pick = random_below(&seed, N_AWKWARD + N_HOSTILE);
		const char *from = pick < N_AWKWARD
					   ? awkward[pick].bytes
					   : hostile[pick - N_AWKWARD].text;
		size_t len = pick < N_AWKWARD ? awkward[pick].len
					      : hostile[pick - N_AWKWARD].len;
		struct json_span value;
		struct json_error error;
		char buffer[1024], *text;
		uint32_t n = 1 + random_below(&seed, 3);

		len = len < 900 ? len : 900;
		memcpy(buffer, from, len);
		while (n-- > 0)
			len = mutate(&seed, buffer, len, sizeof(buffer));
		text = json_text_copy(buffer, len);
		if (json_check(text, len, &value, &error) == 0) {
			taken++;
			assert_spans_are_json(&value);
		} else {
			assert_true(error.position <= len);
		}
		free(text);
	}
	/* Neither all nor none: the loop has tried both ways. */
	assert_in_range(taken, rounds / 20, rounds / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_check_at_once),
		cmocka_unit_test(every_hostile_text_gets_its_verdict),
		cmocka_unit_test(awkward_objects_are_taken_as_they_are),
		cmocka_unit_test(depth_64_is_taken_and_65_names_its_place),
		cmocka_unit_test(
			mistakes_are_placed_at_the_byte_and_told_without_input),
		cmocka_unit_test(the_value_comes_without_the_space_around_it),
		cmocka_unit_test(memory_that_runs_out_is_never_the_texts_fault),
		cmocka_unit_test(mutated_texts_break_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
