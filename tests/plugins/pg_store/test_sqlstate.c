#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <regex.h>

#include "sqlstate.h"

#include <string.h>

static const struct {
	const char *sqlstate;
	enum sqlstate_policy policy;
} states[] = {
	{ "40001", SQLSTATE_AGAIN },  { "40P01", SQLSTATE_AGAIN },
	{ "55P03", SQLSTATE_AGAIN },  { "57014", SQLSTATE_AGAIN },
	{ "08000", SQLSTATE_AWAY },   { "08006", SQLSTATE_AWAY },
	{ "25006", SQLSTATE_AWAY },   { "26000", SQLSTATE_AWAY },
	{ "53100", SQLSTATE_AWAY },   { "53200", SQLSTATE_AWAY },
	{ "53300", SQLSTATE_AWAY },   { "55006", SQLSTATE_AWAY },
	{ "57P01", SQLSTATE_AWAY },   { "57P02", SQLSTATE_AWAY },
	{ "57P03", SQLSTATE_AWAY },   { "58030", SQLSTATE_AWAY },
	{ "XX000", SQLSTATE_AWAY },   { "XX001", SQLSTATE_AWAY },
	{ "22001", SQLSTATE_ROW },    { "22003", SQLSTATE_ROW },
	{ "22008", SQLSTATE_ROW },    { "22021", SQLSTATE_ROW },
	{ "22P02", SQLSTATE_ROW },    { "22P05", SQLSTATE_ROW },
	{ "22999", SQLSTATE_ROW },    { "21000", SQLSTATE_ROW },
	{ "23502", SQLSTATE_ROW },    { "23503", SQLSTATE_ROW },
	{ "23505", SQLSTATE_ROW },    { "23514", SQLSTATE_ROW },
	{ "54000", SQLSTATE_ROW },    { "P0001", SQLSTATE_ROW },
	{ "42P01", SQLSTATE_CONFIG }, { "42703", SQLSTATE_CONFIG },
	{ "42501", SQLSTATE_CONFIG }, { "28000", SQLSTATE_CONFIG },
	{ "28P01", SQLSTATE_CONFIG }, { "3D000", SQLSTATE_CONFIG },
	{ "3F000", SQLSTATE_CONFIG }, { "0A000", SQLSTATE_CONFIG },
};
#define N_STATES (sizeof(states) / sizeof(states[0]))

static void
each_state_has_the_policy_of_the_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_STATES; i++)
		if (sqlstate_policy(states[i].sqlstate) != states[i].policy)
			fail_msg("%s: %d, not %d", states[i].sqlstate,
				 sqlstate_policy(states[i].sqlstate),
				 states[i].policy);
}

static void
what_is_unknown_is_the_servers_trouble(void **state)
{
	static const char *const unknown[] = { NULL,	"",	"ZZ999",
					       "P0002", "2200", "220010",
					       "22",	"xx000" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(sqlstate_policy(unknown[i]), SQLSTATE_AWAY);
}

static void
each_row_error_has_a_sentence(void **state)
{
	(void)state;
	assert_string_equal(sqlstate_sentence("22P02"),
			    "data is no JSON to PostgreSQL");
	assert_string_equal(sqlstate_sentence("23514"),
			    "a check of the table refuses it");
	assert_string_equal(sqlstate_sentence("08006"),
			    "PostgreSQL refuses the row");
	assert_true(strlen(sqlstate_sentence(NULL)) > 0);
}

/* A statement that has to know them decides as we do. */
static void
the_pattern_matches_the_rows_own_errors_and_no_other(void **state)
{
	char pattern[SQLSTATE_PATTERN_MAX];
	regex_t regex;
	size_t i;

	(void)state;
	sqlstate_row_pattern(pattern);
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	for (i = 0; i < N_STATES; i++)
		if ((regexec(&regex, states[i].sqlstate, 0, NULL, 0) == 0) !=
		    (states[i].policy == SQLSTATE_ROW))
			fail_msg("%s and %s", states[i].sqlstate, pattern);
	regfree(&regex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_the_policy_of_the_table),
		cmocka_unit_test(what_is_unknown_is_the_servers_trouble),
		cmocka_unit_test(each_row_error_has_a_sentence),
		cmocka_unit_test(
			the_pattern_matches_the_rows_own_errors_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
