#include "../harness/awkward.h"
#include "../harness/hostile_json.h"
#include "envelope.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MAX_BYTES    (1024 * 1024)
#define ID	     "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"

static const unsigned char id[16] = {
	0x01, 0x9a, 0xad, 0x2c, 0x6c, 0x1e, 0x7b, 0x3a,
	0x9d, 0x5e, 0x0f, 0x4c, 0x1b, 0x2a, 0x3d, 0x4e,
};

/* 2026-11-22T18:56:33.556543Z */
static const int64_t created_ns = INT64_C(1795373793556543000);

static struct evh_event
event_of(const char *name, const char *data, size_t len)
{
	struct evh_event ev = { .created_ns = created_ns, .name = name };

	memcpy(ev.id, id, sizeof(id));
	ev.data = (struct evh_bytes){ data, len };
	return ev;
}

static int
read_text(const char *text, struct envelope *ret, struct envelope_error *error)
{
	return envelope_read(text, strlen(text), MAX_BYTES, ret, error);
}

static void
assert_text(const struct evh_bytes *bytes, const char *expected)
{
	assert_int_equal(bytes->len, strlen(expected));
	assert_memory_equal(bytes->data, expected, bytes->len);
}

/* ---- Writing ------------------------------------------------------------- */

static void
an_event_is_written_in_the_promised_order(void **state)
{
	struct evh_event ev =
		event_of("user.created", "{\"user_id\": 1.0}", 16);
	char text[256];
	size_t n, size = envelope_size(&ev);

	(void)state;
	n = envelope_write(&ev, text, size);
	assert_in_range(size, n, n + 19);
	text[n] = '\0';
	assert_string_equal(text,
			    "{\"id\":\"" ID "\","
			    "\"name\":\"user.created\","
			    "\"data\":{\"user_id\": 1.0},"
			    "\"created_at\":\"2026-11-22T18:56:33.556543Z\"}");
}

static void
too_little_room_is_never_overrun(void **state)
{
	struct evh_event ev = event_of("a", "{}", 2);
	size_t size = envelope_size(&ev), len;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	len = envelope_write(&ev, text, size);
	free(text);
	assert_in_range(len, 1, size);
	for (size = 0; size < len; size++) {
		text = malloc(size + 1);
		assert_non_null(text);
		text[size] = '#';
		assert_int_equal(envelope_write(&ev, text, size), 0);
		assert_int_equal(text[size], '#');
		free(text);
	}
}

static void
no_data_is_written_as_an_empty_object(void **state)
{
	struct evh_event ev = event_of("a", NULL, 0);
	struct envelope_error error;
	struct envelope env;
	char text[256];
	size_t n = envelope_write(&ev, text, sizeof(text));

	(void)state;
	assert_int_equal(envelope_read(text, n, MAX_BYTES, &env, &error), 0);
	assert_text(&env.data, "{}");
}

static void
what_is_written_is_read_again(const char *name, const char *data, size_t len)
{
	struct evh_event ev = event_of(name, data, len);
	size_t n, size = envelope_size(&ev);
	struct envelope_error error;
	struct envelope env;
	char *text = malloc(size);

	assert_non_null(text);
	n = envelope_write(&ev, text, size);
	assert_in_range(n, 1, size);
	if (envelope_read(text, n, MAX_BYTES, &env, &error) != 0)
		fail_msg("%s: %s", name, error.text);
	assert_true(env.has_id);
	assert_memory_equal(env.id, id, sizeof(id));
	assert_true(env.has_created);
	assert_int_equal(env.created_ns, created_ns);
	assert_string_equal(env.name, name);
	/* A value's own white space stays; what is around it is not its own. */
	while (len > 0 && strchr(" \t\r\n", data[len - 1]) != NULL)
		len--;
	while (len > 0 && strchr(" \t\r\n", data[0]) != NULL)
		data++, len--;
	assert_int_equal(env.data.len, len);
	assert_memory_equal(env.data.data, data, len);
	assert_true((const char *)env.data.data > text &&
		    (const char *)env.data.data < text + n);
	free(text);
}

static void
awkward_data_comes_back_byte_for_byte(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_AWKWARD; i++)
		what_is_written_is_read_again("user.created", awkward[i].bytes,
					      awkward[i].len);
}

static void
awkward_names_come_back(void **state)
{
	static const char *const names[] = {
		"a",
		"\"",
		"\\",
		"\"\\\"",
		"/",
		"a b",
		"{}",
		"\xC2\x80",
		"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
		"\\u0041",
		"'; --",
		"\xEF\xBF\xBD",
		"\xE2\x80\xA8",
	};
	char longest[ENVELOPE_NAME_BYTES + 1] = "";
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++)
		what_is_written_is_read_again(names[i], "{}", 2);
	for (i = 0; i < ENVELOPE_NAME_MAX; i++)
		memcpy(longest + 4 * i, "\xF0\x9F\x98\x80", 5);
	what_is_written_is_read_again(longest, "{}", 2);
	memset(longest, '"', ENVELOPE_NAME_MAX);
	longest[ENVELOPE_NAME_MAX] = '\0';
	what_is_written_is_read_again(longest, "{}", 2);
}

/* ---- Reading, tolerantly ---------------------------------------------------
 */

static void
a_name_alone_is_enough(void **state)
{
	struct envelope_error error;
	struct envelope env;

	(void)state;
	assert_int_equal(read_text("{\"name\":\"a\"}", &env, &error), 0);
	assert_string_equal(env.name, "a");
	assert_false(env.has_id);
	assert_false(env.has_created);
	assert_text(&env.data, "{}");
}

static void
order_space_unknown_members_and_escapes_do_not_matter(void **state)
{
	struct envelope_error error;
	struct envelope env;

	(void)state;
	assert_int_equal(
		read_text(
			" {\n\"x\" : {\"name\":1,\"id\":2},"
			"\"created_at\":\"2026-11-22T19:56:33.556543+01:00\","
			"\"d\\u0061ta\" : [ 1.0 ] , \"created_at_\":5,"
			"\"NAME\":7,\"\\u006e\\u0061me\":"
			"\"\\u00e4\\uD83D\\uDE00\","
			"\"\":0,\"id\":\"019AAD2C-6C1E-7B3A-9D5E-0F4C1B2A3D4E\""
			"}\n",
			&env, &error),
		0);
	assert_true(env.has_id);
	assert_memory_equal(env.id, id, sizeof(id));
	assert_string_equal(env.name, "\xC3\xA4\xF0\x9F\x98\x80");
	assert_text(&env.data, "[ 1.0 ]");
	assert_true(env.has_created);
	assert_int_equal(env.created_ns, created_ns);
}

static void
a_member_that_only_begins_or_ends_like_one_is_unknown(void **state)
{
	struct envelope_error error;
	struct envelope env;

	(void)state;
	assert_int_equal(
		read_text("{\"name\":\"a\",\"names\":5,\"nam\":5,\"ids\":5,"
			  "\"i\":5,\"\":5,\"surname\":5,\"datas\":5,"
			  "\"created_at2\":\"2026-11-22T18:56:33Z\"}",
			  &env, &error),
		0);
	assert_string_equal(env.name, "a");
	assert_false(env.has_id);
	assert_false(env.has_created);
	assert_text(&env.data, "{}");
}

static void
data_may_be_any_value(void **state)
{
	static const char *const values[] = {
		"null",
		"true",
		"-0.0",
		"\"a\\u0000\"",
		"[]",
		"{}",
		"123456789012345678901234567890",
	};
	struct envelope_error error;
	struct envelope env;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text), "{\"data\":%s,\"name\":\"a\"}",
			 values[i]);
		assert_int_equal(read_text(text, &env, &error), 0);
		assert_text(&env.data, values[i]);
	}
}

static void
a_time_that_is_none_counts_as_missing(void **state)
{
	static const char *const values[] = {
		"null",
		"0",
		"\"\"",
		"\"yesterday\"",
		"{}",
		"\"2026-11-22T18:56:33\"",
		"\"2026-11-22T18:56:33Z\\u0000\"",
		("\"2026-11-22T18:56:33.00000000000000000000000000000000000"
		 "00000000000000000000000000000000000000000000000000Z\""),
	};
	struct envelope_error error;
	struct envelope env;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text),
			 "{\"name\":\"a\",\"created_at\":%s}", values[i]);
		assert_int_equal(read_text(text, &env, &error), 0);
		assert_false(env.has_created);
	}
}

/* ---- Poison -----------------------------------------------------------------
 */

static void
poison_is_told_in_a_sentence_and_changes_nothing(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "message is empty" },
		{ "x", "not JSON: invalid token at byte 0" },
		{ "{\"name\":\"a\",}",
		  "not JSON: string or '}' expected at byte 12" },
		{ "{\"name\":\"a\",\"name\":\"b\"}",
		  "not JSON: duplicate object key at byte 12" },
		{ "{\"name\":\"\xFF\"}", "not UTF-8 at byte 9" },
		{ "\xEF\xBB\xBF{\"name\":\"a\"}",
		  "not JSON: byte order mark at byte 0" },
		{ "[{\"name\":\"a\"}]", "not a JSON object" },
		{ "null", "not a JSON object" },
		{ "\"name\"", "not a JSON object" },
		{ "{}", "name is missing" },
		{ "{\"data\":{\"name\":\"a\"}}", "name is missing" },
		{ "{\"name\":null}", "name is not a string" },
		{ "{\"name\":1}", "name is not a string" },
		{ "{\"name\":[\"a\"]}", "name is not a string" },
		{ "{\"name\":\"\"}", "name is empty" },
		{ "{\"name\":\"a\\u0000b\"}", "name has a control character" },
		{ "{\"name\":\"a\\n\"}", "name has a control character" },
		{ "{\"name\":\"\x7F\"}", "name has a control character" },
		{ "{\"name\":\"a\",\"id\":null}", "id is not a string" },
		{ "{\"name\":\"a\",\"id\":5}", "id is not a string" },
		{ "{\"name\":\"a\",\"id\":\"\"}",
		  "id is not a UUID: invalid length: expected length 36, "
		  "found 0" },
		{ "{\"name\":\"a\",\"id\":\"" ID "0\"}",
		  "id is not a UUID: invalid length: expected length 36, "
		  "found 37" },
		{ "{\"name\":\"a\",\"id\":\"" ID "0123456789\"}",
		  "id is not a UUID: invalid length: expected length 36, "
		  "found 46" },
		{ "{\"name\":\"a\",\"id\":"
		  "\"019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4\\u0000\"}",
		  "id is not a UUID: invalid character: expected "
		  "[0-9a-fA-F], found 0x00 at 36" },
	};
	struct envelope env, untouched;
	struct envelope_error error;
	size_t i;

	(void)state;
	memset(&env, 0x55, sizeof(env));
	memset(&untouched, 0x55, sizeof(untouched));
	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(read_text(rows[i].text, &env, &error),
				 -EINVAL);
		assert_string_equal(error.text, rows[i].why);
		assert_memory_equal(&env, &untouched, sizeof(env));
	}
}

static void
the_first_mistake_in_the_text_is_told(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "{\"name\":5,\"id\":5}", "name is not a string" },
		{ "{\"id\":5,\"name\":5}", "id is not a string" },
		{ "{\"name\":\"\",\"id\":5}", "name is empty" },
		{ "{\"n\\u0061me\":\"\\u0001\",\"id\":5}",
		  "name has a control character" },
		{ "{\"\\u0069d\":5}", "id is not a string" },
		{ "{\"name\":5,\"id\":5", "not JSON: '}' expected near end "
					  "of file at byte 16" },
	};
	struct envelope_error error;
	struct envelope env;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(read_text(rows[i].text, &env, &error),
				 -EINVAL);
		assert_string_equal(error.text, rows[i].why);
	}
}

static void
a_message_beyond_the_limit_is_poison_and_at_it_is_not(void **state)
{
	static const char text[] = "{\"name\":\"a\"}";
	struct envelope_error error;
	struct envelope env;

	(void)state;
	assert_int_equal(envelope_read(text, 12, 12, &env, &error), 0);
	assert_int_equal(envelope_read(text, 12, 11, &env, &error), -EINVAL);
	assert_string_equal(error.text,
			    "message of 12 bytes is larger than 11");
}

static void
every_text_that_is_no_json_is_poison(void **state)
{
	struct envelope_error error;
	struct envelope env;
	size_t i;

	(void)state;
	for (i = 0; i < N_HOSTILE; i++)
		assert_int_equal(envelope_read(hostile[i].text, hostile[i].len,
					       MAX_BYTES, &env, &error),
				 -EINVAL);
}

static void
names_are_counted_in_code_points(void **state)
{
	char name[4 * 256 + 1] = "", text[6 * 256 + 32];
	struct envelope_error error;
	struct envelope env;
	size_t i, n;

	(void)state;
	for (i = 0; i < 256; i++) {
		memcpy(name + 4 * i, "\xF0\x9F\x98\x80", 5);
		n = 4 * (i + 1);
		assert_int_equal(envelope_name_check(name, n),
				 i < 255 ? ENVELOPE_NAME_OK
					 : ENVELOPE_NAME_TOO_LONG);
		snprintf(text, sizeof(text), "{\"name\":\"%s\"}", name);
		assert_int_equal(read_text(text, &env, &error),
				 i < 255 ? 0 : -EINVAL);
	}
	assert_string_equal(error.text, "name is longer than 255 characters");

	memset(name, 'a', 256);
	name[256] = '\0';
	snprintf(text, sizeof(text), "{\"name\":\"%s\"}", name);
	assert_int_equal(read_text(text, &env, &error), -EINVAL);
	assert_string_equal(error.text, "name is longer than 255 characters");
	name[255] = '\0';
	snprintf(text, sizeof(text), "{\"name\":\"%s\"}", name);
	assert_int_equal(read_text(text, &env, &error), 0);
}

static void
control_characters_are_those_below_0x20_and_delete(void **state)
{
	int c;

	(void)state;
	for (c = 0; c < 128; c++) {
		char name[3] = { 'a', (char)c, 'b' };

		assert_int_equal(envelope_name_check(name, sizeof(name)),
				 c < 0x20 || c == 0x7F ? ENVELOPE_NAME_CONTROL
						       : ENVELOPE_NAME_OK);
	}
	assert_int_equal(envelope_name_check("\xC2\x85", 2), ENVELOPE_NAME_OK);
	assert_int_equal(envelope_name_check("", 0), ENVELOPE_NAME_EMPTY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_written_in_the_promised_order),
		cmocka_unit_test(too_little_room_is_never_overrun),
		cmocka_unit_test(no_data_is_written_as_an_empty_object),
		cmocka_unit_test(awkward_data_comes_back_byte_for_byte),
		cmocka_unit_test(awkward_names_come_back),
		cmocka_unit_test(a_name_alone_is_enough),
		cmocka_unit_test(
			order_space_unknown_members_and_escapes_do_not_matter),
		cmocka_unit_test(
			a_member_that_only_begins_or_ends_like_one_is_unknown),
		cmocka_unit_test(data_may_be_any_value),
		cmocka_unit_test(a_time_that_is_none_counts_as_missing),
		cmocka_unit_test(
			poison_is_told_in_a_sentence_and_changes_nothing),
		cmocka_unit_test(the_first_mistake_in_the_text_is_told),
		cmocka_unit_test(
			a_message_beyond_the_limit_is_poison_and_at_it_is_not),
		cmocka_unit_test(every_text_that_is_no_json_is_poison),
		cmocka_unit_test(names_are_counted_in_code_points),
		cmocka_unit_test(
			control_characters_are_those_below_0x20_and_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
