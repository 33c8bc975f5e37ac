/*
 * test_dotenv.c - `.env` files, line by line.
 */
#include "../harness/tempdir.h"

#include <errno.h>

#include "config.h"

static const char *const names[] = { "EVH_T_A", "EVH_T_B", "EVH_T_C",
				     "EVH_T_D", "EVH_T_E", NULL };

struct env {
	struct tempdir dir;
	struct problems problems;
	char *cwd;
};

static int
env_setup(void **state)
{
	struct env *env = calloc(1, sizeof(*env));

	assert_non_null(env);
	tempdir_init(&env->dir);
	env->cwd = getcwd(NULL, 0);
	assert_non_null(env->cwd);
	for (size_t i = 0; names[i]; i++)
		unsetenv(names[i]);
	*state = env;
	return 0;
}

static int
env_teardown(void **state)
{
	struct env *env = *state;

	assert_int_equal(chdir(env->cwd), 0);
	free(env->cwd);
	tempdir_fini(&env->dir);
	problems_fini(&env->problems);
	free(env);
	return 0;
}

static int
read_it(struct env *env, const char *text)
{
	return config_env_read(tempdir_write(&env->dir, "env", text),
			       &env->problems);
}

static void
plain_lines_are_set(void **state)
{
	struct env *env = *state;

	assert_int_equal(read_it(env, "EVH_T_A=one\n"
				      "# EVH_T_B=no\n"
				      "\n"
				      "   \n"
				      "export EVH_T_C=three\n"
				      "export\tEVH_T_D=four\r\n"
				      "EVH_T_E=no newline at the end"),
			 0);
	assert_string_equal(getenv("EVH_T_A"), "one");
	assert_null(getenv("EVH_T_B"));
	assert_string_equal(getenv("EVH_T_C"), "three");
	assert_string_equal(getenv("EVH_T_D"), "four");
	assert_string_equal(getenv("EVH_T_E"), "no newline at the end");
	assert_int_equal(env->problems.n, 0);
}

static void
quotes_keep_blanks_and_hashes(void **state)
{
	struct env *env = *state;

	assert_int_equal(read_it(env, "EVH_T_A=\" a # b \" # comment\n"
				      "EVH_T_B='it is \"so\"'\n"
				      "EVH_T_C=\n"
				      "EVH_T_D=a#b # comment\n"
				      "EVH_T_E=''\n"),
			 0);
	assert_string_equal(getenv("EVH_T_A"), " a # b ");
	assert_string_equal(getenv("EVH_T_B"), "it is \"so\"");
	assert_string_equal(getenv("EVH_T_C"), "");
	assert_string_equal(getenv("EVH_T_D"), "a#b");
	assert_string_equal(getenv("EVH_T_E"), "");
}

static void
nothing_is_expanded(void **state)
{
	struct env *env = *state;

	assert_int_equal(read_it(env, "EVH_T_A=$HOME ${HOME} `id` \\n\n"
				      "EVH_T_B=\"$HOME\\n\"\n"),
			 0);
	assert_string_equal(getenv("EVH_T_A"), "$HOME ${HOME} `id` \\n");
	assert_string_equal(getenv("EVH_T_B"), "$HOME\\n");
}

static void
the_environment_wins(void **state)
{
	struct env *env = *state;

	assert_int_equal(setenv("EVH_T_A", "real", 1), 0);
	assert_int_equal(read_it(env, "EVH_T_A=file\n"), 0);
	assert_string_equal(getenv("EVH_T_A"), "real");
}

static void
an_empty_variable_counts_as_missing(void **state)
{
	struct env *env = *state;

	assert_int_equal(setenv("EVH_T_A", "", 1), 0);
	assert_int_equal(read_it(env, "EVH_T_A=file\n"), 0);
	assert_string_equal(getenv("EVH_T_A"), "file");
}

static void
of_two_lines_the_last_counts(void **state)
{
	struct env *env = *state;

	assert_int_equal(read_it(env, "EVH_T_A=1\nEVH_T_A=2\n"), 0);
	assert_string_equal(getenv("EVH_T_A"), "2");
}

static void
bad_lines_are_named_and_the_good_ones_are_set(void **state)
{
	struct env *env = *state;
	char where[128];

	assert_int_equal(read_it(env, "EVH_T_A=1\n"
				      "just words\n"
				      "EVH_T_B='open\n"
				      "EVH_T_C=\"a\" b\n"
				      "1EVH=x\n"
				      "=x\n"
				      "EVH_T_D=4\n"),
			 -EINVAL);
	assert_int_equal(env->problems.n_errors, 5);
	snprintf(where, sizeof(where), "%s/env:2", env->dir.path);
	assert_string_equal(env->problems.list[0].where, where);
	assert_string_equal(
		env->problems.list[0].text,
		"this is no KEY=value, no comment and no empty line");
	assert_string_equal(env->problems.list[1].text,
			    "the closing quote is missing");
	assert_string_equal(env->problems.list[2].text,
			    "something follows the closing quote");
	snprintf(where, sizeof(where), "%s/env:6", env->dir.path);
	assert_string_equal(env->problems.list[4].where, where);
	assert_string_equal(getenv("EVH_T_A"), "1");
	assert_string_equal(getenv("EVH_T_D"), "4");
}

static void
a_file_that_was_named_must_be_there(void **state)
{
	struct env *env = *state;

	assert_int_equal(config_env_read("/nonexistent/env", &env->problems),
			 -ENOENT);
	assert_int_equal(env->problems.n_errors, 1);
	assert_string_equal(env->problems.list[0].where, "/nonexistent/env");
	assert_string_equal(env->problems.list[0].text,
			    "cannot be read: No such file or directory");
}

static void
dot_env_is_read_where_there_is_one(void **state)
{
	struct env *env = *state;

	assert_int_equal(chdir(env->dir.path), 0);
	assert_int_equal(config_env_read(NULL, &env->problems), 0);
	tempdir_write(&env->dir, ".env", "EVH_T_A=here\n");
	assert_int_equal(config_env_read(NULL, &env->problems), 0);
	assert_string_equal(getenv("EVH_T_A"), "here");
	assert_int_equal(env->problems.n, 0);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)
	const struct CMUnitTest tests[] = {
		TEST(plain_lines_are_set),
		TEST(quotes_keep_blanks_and_hashes),
		TEST(nothing_is_expanded),
		TEST(the_environment_wins),
		TEST(an_empty_variable_counts_as_missing),
		TEST(of_two_lines_the_last_counts),
		TEST(bad_lines_are_named_and_the_good_ones_are_set),
		TEST(a_file_that_was_named_must_be_there),
		TEST(dot_env_is_read_where_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
