/*
 * test_set.c - headers and keys that a configuration gives.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stand.h"

/* The key that an event of this data comes out with. */
static void
assert_key(const char *rule, const char *data, const char *key)
{
	struct stand st;

	stand_up(&st, "set", SETTINGS("key", rule), 0);
	stand_emit(&st, "user.created", data);
	stand_await(&st, 1);
	assert_int_equal(st.out.el.n_seen, 1);
	assert_string_equal(st.out.key, key);
	stand_down(&st);
}

static void
headers_are_added(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "set", SETTINGS("header.team", "red", "header.x-a", "b"),
		 0);
	stand_emit(&st, "a", "{}");
	stand_await(&st, 1);
	assert_string_equal(st.out.headers, "team=red;x-a=b;");
	assert_string_equal(st.out.key, "");
	stand_down(&st);
}

static void
an_empty_header_is_taken_away(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "set", SETTINGS("header.team", ""), 0);
	stand_emit_header(&st, "team", "red");
	stand_await(&st, 1);
	assert_string_equal(st.out.headers, "");
	stand_down(&st);
}

static void
a_key_is_the_name_a_text_or_a_field(void **state)
{
	(void)state;
	assert_key("name", "{}", "user.created");
	assert_key("=all of them", "{}", "all of them");
	assert_key("/user/id", "{\"user\":{\"id\":123}}", "123");
	assert_key("/user/id", "{\"user\":{\"id\":\"a\\u00e4\"}}", "a\xC3\xA4");
	assert_key("/user", "{\"user\": {\"id\": 1}}", "{\"id\": 1}");
}

static void
a_key_is_the_id(void **state)
{
	static const unsigned char id[16] = { 0x01, 0x9a };
	struct evh_spec spec = { .id = id, .name = "a", .data = { "{}", 2 } };
	struct stand st;

	(void)state;
	stand_up(&st, "set", SETTINGS("key", "id"), 0);
	assert_int_equal(rig_emit_spec(&st.src, &spec), 1);
	stand_await(&st, 1);
	assert_string_equal(st.out.key, "019a0000-0000-0000-0000-000000000000");
	stand_down(&st);
}

static void
a_field_that_is_not_there_leaves_the_key(void **state)
{
	struct evh_spec spec = { .name = "a",
				 .data = { "{}", 2 },
				 .key = { "as it was", 9 } };
	struct stand st;

	(void)state;
	stand_up(&st, "set", SETTINGS("key", "/user/id"), 0);
	assert_int_equal(rig_emit_spec(&st.src, &spec), 1);
	stand_await(&st, 1);
	assert_string_equal(st.out.key, "as it was");
	stand_down(&st);
}

static void
data_that_is_no_json_fails(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "set", SETTINGS("key", "/user/id"), 0);
	stand_emit(&st, "a", "}");
	stand_await(&st, 1);
	assert_int_equal(st.failed.el.n_seen, 1);
	assert_non_null(strstr(st.failed.error, "cannot be set"));
	stand_down(&st);
}

static void
a_rule_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(stand_try("set", SETTINGS("key", "nmae")), -EINVAL);
	assert_int_equal(stand_try("set", SETTINGS("key", "/a~")), -EINVAL);
	assert_int_equal(stand_try("set", SETTINGS("key", "=")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_added),
		cmocka_unit_test(an_empty_header_is_taken_away),
		cmocka_unit_test(a_key_is_the_name_a_text_or_a_field),
		cmocka_unit_test(a_key_is_the_id),
		cmocka_unit_test(a_field_that_is_not_there_leaves_the_key),
		cmocka_unit_test(data_that_is_no_json_fails),
		cmocka_unit_test(a_rule_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
