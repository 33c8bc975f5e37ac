/* The 422 table: each mistake, and several at once, byte for byte. */
#include "event_body.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DETAIL(items) "{\"detail\":[" items "]}"
#define MISSING(loc, input)                                                    \
	"{\"type\":\"missing\",\"loc\":[" loc "],\"msg\":\"Field required\","  \
	"\"input\":" input "}"
#define NAME_TYPE(input)                                                       \
	"{\"type\":\"string_type\",\"loc\":[\"body\",\"name\"],"               \
	"\"msg\":\"Input should be a valid string\",\"input\":" input "}"
#define DATA_TYPE(input)                                                       \
	"{\"type\":\"dict_type\",\"loc\":[\"body\",\"data\"],"                 \
	"\"msg\":\"Input should be a valid dictionary\",\"input\":" input "}"
#define NO_OBJECT(input)                                                       \
	"{\"type\":\"model_attributes_type\",\"loc\":[\"body\"],"              \
	"\"msg\":\"Input should be a valid dictionary or object to extract "   \
	"fields from\",\"input\":" input "}"
#define EXTRA(name, input)                                                     \
	"{\"type\":\"extra_forbidden\",\"loc\":[\"body\"," name "],"           \
	"\"msg\":\"Extra inputs are not permitted\",\"input\":" input "}"

static void
expect(const char *body, bool forbid, const char *detail)
{
	struct event_body event;
	struct text text = { 0 };
	int rc = event_body_check(body, strlen(body), forbid, &event, &text);

	assert_int_equal(rc, detail != NULL ? -EINVAL : 0);
	text_add(&text, "", 1);
	assert_string_equal(text.at, detail != NULL ? detail : "");
	text_fini(&text);
}

static void
each_mistake_has_its_item(void **state)
{
	(void)state;
	expect("", false, DETAIL(MISSING("\"body\"", "null")));
	expect(" null ", false, DETAIL(MISSING("\"body\"", "null")));
	expect("[1, 2]", false, DETAIL(NO_OBJECT("[1, 2]")));
	expect("\"x\"", false, DETAIL(NO_OBJECT("\"x\"")));
	expect("{\"name\":\"a\"}", false,
	       DETAIL(MISSING("\"body\",\"data\"", "{\"name\":\"a\"}")));
	expect("{\"data\":{}}", false,
	       DETAIL(MISSING("\"body\",\"name\"", "{\"data\":{}}")));
	expect("{\"name\":1.0,\"data\":{}}", false, DETAIL(NAME_TYPE("1.0")));
	expect("{\"name\":null,\"data\":{}}", false, DETAIL(NAME_TYPE("null")));
	expect("{\"name\":\"a\",\"data\":[]}", false, DETAIL(DATA_TYPE("[]")));
	expect("{\"name\":\"a\",\"data\":null}", false,
	       DETAIL(DATA_TYPE("null")));
	expect("{\"name\":\"\",\"data\":{}}", false,
	       DETAIL("{\"type\":\"string_too_short\",\"loc\":[\"body\","
		      "\"name\"],\"msg\":\"String should have at least 1 "
		      "character\",\"input\":\"\",\"ctx\":{\"min_length\":1}"
		      "}"));
	expect("{\"name\":\"a\\u0000b\",\"data\":{}}", false,
	       DETAIL("{\"type\":\"value_error\",\"loc\":[\"body\",\"name\"],"
		      "\"msg\":\"Value error, name must not contain control "
		      "characters\",\"input\":\"a\\u0000b\","
		      "\"ctx\":{\"error\":{}}}"));
}

static void
every_mistake_is_told_at_once(void **state)
{
	(void)state;
	expect("{}", false,
	       DETAIL(MISSING("\"body\",\"name\"",
			      "{}") "," MISSING("\"body\",\"data\"", "{}")));
	expect("{\"z\":1,\"data\":[],\"a\\n\":{},\"name\":2}", true,
	       DETAIL(NAME_TYPE("2") "," DATA_TYPE("[]") "," EXTRA(
		       "\"z\"", "1") "," EXTRA("\"a\\n\"", "{}")));
}

static void
other_members_are_skipped_unless_forbidden(void **state)
{
	static const char body[] = "{\"id\":1,\"name\":\"a\",\"data\":{}}";

	(void)state;
	expect(body, false, NULL);
	expect(body, true, DETAIL(EXTRA("\"id\"", "1")));
}

static void
what_is_no_json_is_told_with_its_place(void **state)
{
	struct event_body event;
	struct text text = { 0 };

	(void)state;
	assert_int_equal(
		event_body_check("{\"name\":x}", 10, false, &event, &text),
		-EINVAL);
	text_add(&text, "", 1);
	assert_non_null(strstr(text.at,
			       "{\"detail\":[{\"type\":\"json_invalid\","
			       "\"loc\":[\"body\",8],"
			       "\"msg\":\"JSON decode error\","
			       "\"input\":{},\"ctx\":{\"error\":\""));
	text_fini(&text);
	assert_int_equal(event_body_check("{\"name\":\"\xff\"}", 12, false,
					  &event, &text),
			 -EILSEQ);
	text_fini(&text);
}

static char *
long_name(unsigned n, const char *letter)
{
	size_t size = n * strlen(letter) + 64;
	char *body = malloc(size);
	size_t len = (size_t)snprintf(body, size, "{\"name\":\"");

	for (unsigned i = 0; i < n; i++)
		len += (size_t)snprintf(body + len, size - len, "%s", letter);
	snprintf(body + len, size - len, "\",\"data\":{}}");
	return body;
}

static void
a_name_has_at_most_255_code_points(void **state)
{
	static const char *const letters[] = { "a", "\xc3\xa9",
					       "\xf0\x9f\x98\x80" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct event_body event;
		struct text text = { 0 };
		char *fits = long_name(255, letters[i]);
		char *longer = long_name(256, letters[i]);

		assert_int_equal(event_body_check(fits, strlen(fits), false,
						  &event, &text),
				 0);
		assert_int_equal(event.name_len, 255 * strlen(letters[i]));
		assert_int_equal(event_body_check(longer, strlen(longer), false,
						  &event, &text),
				 -EINVAL);
		text_add(&text, "", 1);
		assert_non_null(strstr(text.at, "string_too_long"));
		text_fini(&text);
		free(fits);
		free(longer);
	}
}

static void
an_input_beyond_1_kib_is_null(void **state)
{
	char *body = long_name(1100, "a");
	struct event_body event;
	struct text text = { 0 };

	(void)state;
	assert_int_equal(
		event_body_check(body, strlen(body), false, &event, &text),
		-EINVAL);
	text_add(&text, "", 1);
	assert_non_null(strstr(text.at, "\"input\":null,\"ctx\""));
	text_fini(&text);
	free(body);
}

static void
data_is_the_bytes_that_came(void **state)
{
	static const char body[] =
		"{ \"name\" : \"caf\\u00e9\" , \"data\" : { \"b\": 1.0,\t\"a\":"
		" 123456789012345678901234567890, \"n\":\"\\u0000\" } } ";
	static const char data[] =
		"{ \"b\": 1.0,\t\"a\": 123456789012345678901234567890, "
		"\"n\":\"\\u0000\" }";
	struct event_body event;
	struct text text = { 0 };

	(void)state;
	assert_int_equal(
		event_body_check(body, sizeof(body) - 1, false, &event, &text),
		0);
	assert_string_equal(event.name, "caf\xc3\xa9");
	assert_int_equal(event.data.len, sizeof(data) - 1);
	assert_memory_equal(event.data.at, data, sizeof(data) - 1);
	text_fini(&text);
}

static void
expect_key(const char *rule, const char *key)
{
	static const char body[] =
		"{\"name\":\"n\",\"data\":{\"u\":{\"id\":\"a\\u0062\"},"
		"\"n\":1.50,\"l\":[7]}}";
	static const unsigned char id[16] = { 1 };
	struct event_body event;
	struct text text = { 0 };

	assert_int_equal(
		event_body_check(body, sizeof(body) - 1, false, &event, &text),
		0);
	event_body_key((struct evh_bytes){ event.name, event.name_len },
		       &event.data, id, rule, &text);
	text_add(&text, "", 1);
	assert_string_equal(text.at, key);
	text_fini(&text);
}

static void
the_key_follows_its_rule(void **state)
{
	(void)state;
	expect_key("none", "");
	expect_key("id", "01000000-0000-0000-0000-000000000000");
	expect_key("name", "n");
	expect_key("/u/id", "ab");
	expect_key("/n", "1.50");
	expect_key("/l/0", "7");
	expect_key("/nowhere", "");
	assert_true(event_body_key_rule("/a"));
	assert_false(event_body_key_rule("a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_has_its_item),
		cmocka_unit_test(every_mistake_is_told_at_once),
		cmocka_unit_test(other_members_are_skipped_unless_forbidden),
		cmocka_unit_test(what_is_no_json_is_told_with_its_place),
		cmocka_unit_test(a_name_has_at_most_255_code_points),
		cmocka_unit_test(an_input_beyond_1_kib_is_null),
		cmocka_unit_test(data_is_the_bytes_that_came),
		cmocka_unit_test(the_key_follows_its_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
