/*
 * test_welcome.c - the README's example works, and is what the README shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stand.h"

#define FILE_MAX (64 * 1024)

/* A file of plugins/handlers, freed by the caller. */
static char *
source_read(const char *name)
{
	char path[1024];
	char *text = calloc(1, FILE_MAX);
	FILE *f;

	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/plugins/handlers/%s",
		 getenv("EVH_SOURCE_DIR"), name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, FILE_MAX - 1, f) > 0);
	assert_true(feof(f));
	fclose(f);
	return text;
}

static void
a_new_user_is_greeted(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "welcome",
		 SETTINGS("match", "user.created", "text", "Hello!"), 0);
	stand_emit(&st, "user.deleted", "{}");
	stand_await(&st, 1);
	assert_string_equal(st.out.headers, "");
	stand_emit(&st, "user.created", "{\"user_id\":123}");
	stand_await(&st, 2);
	assert_string_equal(st.out.headers, "greeting=Hello!;");
	stand_assert_ends(&st, 2, 0, 0);
	stand_down(&st);
}

static void
an_event_without_a_user_fails(void **state)
{
	struct stand st;

	(void)state;
	stand_up(&st, "welcome", NULL, 0);
	stand_emit(&st, "user.created", "{}");
	stand_await(&st, 1);
	stand_assert_ends(&st, 0, 0, 1);
	assert_non_null(strstr(st.failed.error, "nobody to greet"));
	stand_down(&st);
}

/* Paths are those of plugins/handlers. */
static void
assert_shown_in(const char *file)
{
	char *readme = source_read(file);
	char *code = source_read("welcome.c");
	char *block = strstr(readme, "```c\n/* welcome.c");
	size_t len = strlen(code);

	assert_non_null(block);
	block += strlen("```c\n");
	assert_true(strlen(block) > len);
	block[len] = '\0';
	assert_string_equal(block, code);
	assert_int_equal(strncmp(block + len + 1, "``\n", 3), 0);
	free(code);
	free(readme);
}

static void
both_readmes_show_exactly_this_file(void **state)
{
	(void)state;
	assert_shown_in("README.md");
	assert_shown_in("../../README.md");
}

static void
it_is_about_forty_lines_long(void **state)
{
	char *code = source_read("welcome.c");
	unsigned n = 0;

	(void)state;
	for (const char *p = code; (p = strchr(p, '\n')); p++)
		n++;
	assert_in_range(n, 30, 42);
	free(code);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_user_is_greeted),
		cmocka_unit_test(an_event_without_a_user_fails),
		cmocka_unit_test(both_readmes_show_exactly_this_file),
		cmocka_unit_test(it_is_about_forty_lines_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
