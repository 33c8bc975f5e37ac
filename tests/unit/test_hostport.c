/*
 * test_hostport.c - addresses in options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_1_to_65535_and_hosts_are_not_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
