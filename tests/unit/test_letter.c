/*
 * test_letter.c - what a dead letter's error says, and which letters fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "letter.h"

static const char error[] =
	"{\"stage\":\"events\",\"type\":\"store\",\"message\":\"a \\\"row\\\" "
	"was refused\",\"sqlstate\":\"22P05\",\"replays\":2}";

static void
an_error_is_read_member_by_member(void **state)
{
	struct letter_error e;

	(void)state;
	letter_error_read(error, &e);
	assert_string_equal(e.stage, "events");
	assert_string_equal(e.type, "store");
	assert_string_equal(e.sqlstate, "22P05");
	assert_string_equal(e.message, "a \"row\" was refused");
	assert_int_equal(e.replays, 2);
}

static void
what_is_no_error_says_nothing(void **state)
{
	static const char *const none[] = { NULL,
					    "",
					    "nonsense",
					    "[1]",
					    "{}",
					    "{\"stage\":1,\"replays\":-1}",
					    "{\"replays\":1.5}",
					    "{\"replays\":\"3\"}",
					    "{\"replays\":99999999999}" };
	struct letter_error e;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		letter_error_read(none[i], &e);
		assert_string_equal(e.stage, "");
		assert_string_equal(e.type, "");
		assert_string_equal(e.message, "");
		assert_int_equal(e.replays, 0);
	}
}

static void
a_letter_fits_when_every_condition_holds(void **state)
{
	const struct evh_letter letter = { .name = "user.created",
					   .error = error,
					   .failed_ns = 1000 };
	const struct evh_dead_query fits[] = {
		{ .limit = 0 },
		{ .name = "user.*" },
		{ .stage = "events", .type = "store", .sqlstate = "22P05" },
		{ .text = "row\" was" },
		{ .since_ns = 1000, .before_ns = 1001 },
	};
	const struct evh_dead_query others[] = {
		{ .name = "user" },
		{ .name = "order.*" },
		{ .stage = "event" },
		{ .stage = "events", .type = "handler" },
		{ .sqlstate = "22P06" },
		{ .text = "column" },
		{ .since_ns = 1001 },
		{ .before_ns = 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++)
		if (!letter_fits(&fits[i], &letter))
			fail_msg("query %zu does not fit", i);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (letter_fits(&others[i], &letter))
			fail_msg("other query %zu fits", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_read_member_by_member),
		cmocka_unit_test(what_is_no_error_says_nothing),
		cmocka_unit_test(a_letter_fits_when_every_condition_holds),
	};

	return cmocka_run_group_tests_name("letter", tests, NULL, NULL);
}
