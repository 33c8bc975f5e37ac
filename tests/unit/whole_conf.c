#include "whole_conf.h"

#include "../harness/tempdir.h"
#include "setup.h"

int
whole_setup(void **state)
{
	struct whole *whole = calloc(1, sizeof(*whole));

	assert_non_null(whole);
	tempdir_init(&whole->dir);
	unsetenv("EVH_T_NONE");
	*state = whole;
	return 0;
}

int
whole_teardown(void **state)
{
	struct whole *whole = *state;

	setup_free(whole->setup);
	problems_fini(&whole->problems);
	tempdir_fini(&whole->dir);
	free(whole);
	return 0;
}

struct setup *
whole_read_only(struct whole *whole, const char *only, const char *text)
{
	char full[4096];
	const char *build = getenv("EVH_BUILD_DIR");

	assert_non_null(build);
	setup_free(whole->setup);
	problems_fini(&whole->problems);
	snprintf(full, sizeof(full), "plugin_dir = \"%s/fixtures/plain\"\n%s",
		 build, text);
	/* No .env of whoever runs the test. */
	tempdir_write(&whole->dir, "env", "");
	{
		char env[128];

		snprintf(env, sizeof(env), "%s/env", whole->dir.path);
		whole->setup =
			setup_new(tempdir_write(&whole->dir, "a.conf", full),
				  env, only, &whole->problems);
	}
	return whole->setup;
}

struct setup *
whole_read(struct whole *whole, const char *text)
{
	return whole_read_only(whole, NULL, text);
}

/* The text's one problem, its place's end, and its sentence. */
static void
assert_one(struct whole *whole, bool is_warning, const char *text,
	   const char *where, const char *sentence)
{
	char expected[256];

	assert_non_null(whole_read(whole, text));
	if (whole->problems.n != 1)
		for (size_t i = 0; i < whole->problems.n; i++)
			print_error("%s: %s\n", whole->problems.list[i].where,
				    whole->problems.list[i].text);
	assert_int_equal(whole->problems.n, 1);
	assert_string_equal(whole->problems.list[0].text, sentence);
	snprintf(expected, sizeof(expected), "%s/a.conf: %s", whole->dir.path,
		 where);
	assert_string_equal(whole->problems.list[0].where, expected);
	assert_int_equal(whole->problems.list[0].is_warning, is_warning);
	assert_int_equal(whole->problems.n_errors, is_warning ? 0 : 1);
}

void
whole_assert_error(struct whole *whole, const char *text, const char *where,
		   const char *sentence)
{
	assert_one(whole, false, text, where, sentence);
}

void
whole_assert_warning(struct whole *whole, const char *text, const char *where,
		     const char *sentence)
{
	assert_one(whole, true, text, where, sentence);
}

void
whole_assert_fine(struct whole *whole, const char *text)
{
	assert_non_null(whole_read(whole, text));
	if (whole->problems.n > 0)
		print_error("%s\n", whole->problems.list[0].text);
	assert_int_equal(whole->problems.n, 0);
}
