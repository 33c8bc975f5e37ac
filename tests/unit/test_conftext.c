/*
 * test_conftext.c - a configuration's text when memory is short: a variable
 * that cannot be looked up is not one that is unset.
 */
#include "conftext.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_short;

/* The C library's, for all that is linked here. */
char *
strndup(const char *text, size_t most)
{
	size_t len = strnlen(text, most);
	char *ret = is_short ? NULL : malloc(len + 1);

	if (!ret) {
		errno = ENOMEM;
		return NULL;
	}
	memcpy(ret, text, len);
	ret[len] = '\0';
	return ret;
}

static void
a_variable_that_is_set_never_becomes_its_default(void **state)
{
	const char *text = "port = \"${EVH_TEST_PORT:-1}\"\n";
	char *prepared;
	int open;

	(void)state;
	assert_int_equal(setenv("EVH_TEST_PORT", "2", 1), 0);
	prepared = conftext_prepare(text, &open);
	assert_string_equal(prepared, text);
	free(prepared);
	is_short = true;
	prepared = conftext_prepare(text, &open);
	is_short = false;
	assert_null(prepared);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_variable_that_is_set_never_becomes_its_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
