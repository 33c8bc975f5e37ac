/*
 * test_hostport.c - addresses in options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "hostport.h"

static void
ports_are_1_to_65535_and_hosts_are_not_empty(void **state)
{
	static const struct {
		const char *form, *text;
		bool is_good;
	} rows[] = {
		{ "HOST:PORT", "0.0.0.0:8000", true },
		{ "HOST:PORT", "[::1]:8000", true },
		{ "HOST:PORT", "localhost:65535", true },
		{ "HOST:PORT", "localhost:65536", false },
		{ "HOST:PORT", "localhost:0", false },
		{ "HOST:PORT", "localhost:", false },
		{ "HOST:PORT", "localhost", false },
		{ "HOST:PORT", ":8000", false },
		{ "HOST:PORT", "localhost:80x", false },
		{ "HOST:PORT", "localhost:-1", false },
		{ "HOST:PORT", "localhost:1-2", false },
		{ "HOST:PORT", "[::1]", false },
		{ "HOST:PORT", "", false },
		{ "HOST:FIRST-LAST", "127.0.0.1:9901-9932", true },
		{ "HOST:FIRST-LAST", "127.0.0.1:9901", true },
		{ "HOST:FIRST-LAST", "127.0.0.1:9932-9901", false },
		{ "HOST:FIRST-LAST", "127.0.0.1:9901-70000", false },
		{ "HOST:FIRST-LAST", "127.0.0.1:-9932", false },
		{ "HOST:PORT,...", "a:1,b:65535", true },
		{ "HOST:PORT,...", "a,b:2", true },
		{ "HOST:PORT,...", "SSL://a:9093", true },
		{ "HOST:PORT,...", "SSL://a", true },
		{ "HOST:PORT,...", "a:70000", false },
		{ "HOST:PORT,...", "a:1,,b:2", false },
		{ "HOST:PORT,...", "a:1,", false },
		{ "HOST:PORT,...", ":9092", false },
		{ "HOST:PORT,...", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (hostport_is_good(rows[i].form, rows[i].text) !=
		    rows[i].is_good)
			fail_msg("%s as %s", rows[i].text, rows[i].form);
}

static void
a_range_is_read(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned first, last;
	} rows[] = {
		{ "127.0.0.1:9901-9932", "127.0.0.1", 9901, 9932 },
		{ "127.0.0.1:9901", "127.0.0.1", 9901, 9901 },
		{ "127.0.0.1:0", "127.0.0.1", 0, 0 },
		{ "localhost:1-65535", "localhost", 1, 65535 },
		{ "[::1]:80-80", "::1", 80, 80 },
		{ ":9901", "", 9901, 9901 },
		{ "my-host:9901-9902", "my-host", 9901, 9902 },
	};
	struct hostport range;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			hostport_split(rows[i].text, true, &range, &why), 0);
		assert_string_equal(range.host, rows[i].host);
		assert_int_equal(range.first, rows[i].first);
		assert_int_equal(range.last, rows[i].last);
	}
}

static void
a_malformed_range_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "there is no port" },
		{ "127.0.0.1", "there is no port" },
		{ "127.0.0.1:", "the port is no number" },
		{ "127.0.0.1:x", "the port is no number" },
		{ "127.0.0.1: 80", "the port is no number" },
		{ "127.0.0.1:-5", "the port is no number" },
		{ "127.0.0.1:+5", "the port is no number" },
		{ "127.0.0.1:65536", "the port is no number" },
		{ "127.0.0.1:99999999999999999999", "the port is no number" },
		{ "127.0.0.1:80x", "there is something behind" },
		{ "127.0.0.1:80-", "the last port is no number" },
		{ "127.0.0.1:80-70000", "the last port is no number" },
		{ "127.0.0.1:81-80", "the first port is" },
		{ "127.0.0.1:0-80", "the first port is" },
		{ "127.0.0.1:80-90-95", "there is something behind" },
		{ "::1:80", "an IPv6 address wants brackets" },
		{ "[::1]", "an IPv6 address wants brackets" },
	};
	struct hostport range = { .host = "untouched" };
	const char *why;
	char longest[400];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			hostport_split(rows[i].text, true, &range, &why),
			-EINVAL);
		if (!strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].text, why);
	}
	memset(longest, 'h', sizeof(longest));
	memcpy(longest + sizeof(longest) - 4, ":80", 4);
	assert_int_equal(hostport_split(longest, true, &range, &why), -EINVAL);
	assert_string_equal(why, "the host is too long");
	assert_string_equal(range.host, "untouched");
}

static void
a_range_is_refused_where_one_port_is_wanted(void **state)
{
	struct hostport one = { .host = "untouched" };
	const char *why;

	(void)state;
	assert_int_equal(hostport_split("a:80-81", false, &one, &why), -EINVAL);
	assert_non_null(strstr(why, "there is something behind"));
	assert_string_equal(one.host, "untouched");
	assert_int_equal(hostport_split("a:80", false, &one, &why), 0);
	assert_int_equal(one.first, 80);
	assert_int_equal(one.last, 80);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_1_to_65535_and_hosts_are_not_empty),
		cmocka_unit_test(a_range_is_read),
		cmocka_unit_test(a_malformed_range_is_refused_with_a_reason),
		cmocka_unit_test(a_range_is_refused_where_one_port_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
