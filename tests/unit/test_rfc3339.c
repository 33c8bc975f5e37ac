#include "rfc3339.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define S	     INT64_C(1000000000)

static void
times_are_written_with_six_decimals(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ 999, "1970-01-01T00:00:00.000000Z" },
		{ 1000, "1970-01-01T00:00:00.000001Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ -1000, "1969-12-31T23:59:59.999999Z" },
		{ -S, "1969-12-31T23:59:59.000000Z" },
		{ 1795373793 * S + 556543210, "2026-11-22T18:56:33.556543Z" },
		{ 951782399 * S + 999999999, "2000-02-28T23:59:59.999999Z" },
		{ 951782400 * S, "2000-02-29T00:00:00.000000Z" },
		{ 951868800 * S, "2000-03-01T00:00:00.000000Z" },
		{ 4107542399 * S, "2100-02-28T23:59:59.000000Z" },
		{ 4107542400 * S, "2100-03-01T00:00:00.000000Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224Z" },
	};
	char text[RFC3339_LEN + 1];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		memset(text, 0, sizeof(text));
		rfc3339_write(rows[i].ns, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void
every_day_is_the_c_librarys_and_reads_back(void **state)
{
	char text[RFC3339_LEN + 1], expected[RFC3339_LEN + 1];
	struct tm tm;
	time_t day;
	int64_t ns;

	(void)state;
	memset(text, 0, sizeof(text));
	/* 1700 to 2240, each day at another time. */
	for (day = -98600; day < 98600; day++) {
		time_t seconds = day * 86400 + (day * 7919 % 86400);

		assert_non_null(gmtime_r(&seconds, &tm));
		strftime(expected, sizeof(expected),
			 "%Y-%m-%dT%H:%M:%S.123456Z", &tm);
		rfc3339_write(seconds * S + 123456000, text);
		assert_string_equal(text, expected);
		assert_int_equal(rfc3339_read(text, RFC3339_LEN, &ns), 0);
		assert_int_equal(ns, seconds * S + 123456000);
	}
}

static void
any_rfc_3339_time_is_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1970-01-01 00:00:00Z", 0 },
		{ "1970-01-01T00:00:00+00:00", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T19:00:00-05:00", 0 },
		{ "1970-01-01T23:59:00+23:59", 0 },
		{ "1970-01-01T05:45:00+05:45", 0 },
		{ "1970-01-01T00:00:00.1Z", 100000000 },
		{ "1970-01-01T00:00:00.12Z", 120000000 },
		{ "1970-01-01T00:00:00.123456789Z", 123456789 },
		{ "1970-01-01T00:00:00.1234567899999Z", 123456789 },
		{ "1970-01-01T00:00:00.000000001Z", 1 },
		{ "1969-12-31T23:59:59.999999999Z", -1 },
		{ "1985-04-12T23:20:50.52Z", 482196050 * S + 520000000 },
		{ "1996-12-19T16:39:57-08:00", 851042397 * S },
		{ "1990-12-31T23:59:60Z", 662688000 * S },
		{ "1990-12-31T15:59:60-08:00", 662688000 * S },
		{ "1937-01-01T12:00:27.87+00:20", -1041337173 * S + 870000000 },
		{ "2000-02-29T00:00:00Z", 951782400 * S },
		{ "2262-04-11T23:47:16.854775807Z", INT64_MAX },
	};
	int64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (rfc3339_read(rows[i].text, strlen(rows[i].text), &ns) != 0)
			fail_msg("refused: %s", rows[i].text);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"2026",
		"2026-11-22",
		"2026-11-22T18:56:33",
		"2026-11-22T18:56Z",
		"2026-11-22T18:56:33.Z",
		"2026-11-22T18:56:33,5Z",
		"2026-11-22T18:56:33.5",
		"2026-11-22T18:56:33.5ZZ",
		"2026-11-22T18:56:33.5Z ",
		" 2026-11-22T18:56:33.5Z",
		"2026-11-22T18:56:33+0100",
		"2026-11-22T18:56:33+01",
		"2026-11-22T18:56:33+24:00",
		"2026-11-22T18:56:33+01:60",
		"2026-11-22T18:56:33-",
		"2026-11-22T24:00:00Z",
		"2026-11-22T18:60:00Z",
		"2026-11-22T18:56:61Z",
		"2026-11-22T18:56:60Z", /* no leap second in mid-day */
		"2026-11-22T23:59:60+01:00",
		"2026-00-22T18:56:33Z",
		"2026-13-22T18:56:33Z",
		"2026-11-00T18:56:33Z",
		"2026-11-31T18:56:33Z",
		"2026-02-29T18:56:33Z",
		"1900-02-29T18:56:33Z",
		"26-11-22T18:56:33Z",
		"12026-11-22T18:56:33Z",
		"2026/11/22T18:56:33Z",
		"2026-11-22_18:56:33Z",
		"2026-11-22T18.56.33Z",
		"2026-1-22T18:56:33Z",
		"+026-11-22T18:56:33Z",
		"1677-09-20T00:00:00Z",
		"2262-04-11T23:47:16.854775808Z",
		"2262-04-12T00:00:00Z",
		"0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z",
		"1795373793",
	};
	int64_t ns = 42;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		if (rfc3339_read(rows[i], strlen(rows[i]), &ns) != -EINVAL)
			fail_msg("taken: %s", rows[i]);
	assert_int_equal(ns, 42);
}

static void
every_cut_text_is_refused(void **state)
{
	static const char text[] = "2026-11-22T18:56:33.556543+01:00";
	char copy[sizeof(text)];
	int64_t ns;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(text) - 1; len++) {
		/* What lies behind the end must not be read. */
		memset(copy, '0', sizeof(copy));
		memcpy(copy, text, len);
		assert_int_equal(rfc3339_read(copy, len, &ns), -EINVAL);
	}
	assert_int_equal(rfc3339_read(text, sizeof(text) - 1, &ns), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_with_six_decimals),
		cmocka_unit_test(every_day_is_the_c_librarys_and_reads_back),
		cmocka_unit_test(any_rfc_3339_time_is_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(every_cut_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
