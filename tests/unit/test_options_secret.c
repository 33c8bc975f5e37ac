/*
 * test_options_secret.c - secrets that stand in files.
 */
#include "../harness/tempdir.h"
#include "loader.h"
#include "option_section.h"
#include "options.h"

static void
secret_write(const struct section *s, const char *text, mode_t mode)
{
	assert_int_equal(chmod(tempdir_write(&s->dir, "secret", text), mode),
			 0);
}

static void
a_secret_may_stand_in_a_file(void **state)
{
	struct section *s = *state;
	const struct options *o;

	secret_write(s, "hunter2\n", 0640);
	o = section_read_sink(s, "topic = t password_file = secret");
	assert_non_null(o);
	assert_string_equal(options_str(o, "password"), "hunter2");
}

static void
one_newline_at_the_end_is_trimmed(void **state)
{
	struct section *s = *state;
	const struct options *o;

	secret_write(s, " a \n\n", 0600);
	o = section_read_sink(s, "topic = t password_file = \"./secret\"");
	assert_non_null(o);
	assert_string_equal(options_str(o, "password"), " a \n");
}

static void
a_secret_that_others_can_read_is_refused(void **state)
{
	struct section *s = *state;

	secret_write(s, "hunter2\n", 0644);
	section_assert_refused(
		s, "password_file = secret",
		"password_file = \"secret\": others can read or write "
		"the file (mode 0644); its mode must be 0640 at most");
	secret_write(s, "hunter2\n", 0660);
	section_assert_refused(
		s, "password_file = secret",
		"password_file = \"secret\": others can read or write "
		"the file (mode 0660); its mode must be 0640 at most");
}

static void
a_secret_of_another_user_is_refused(void **state)
{
	struct section *s = *state;
	char path[128];

	if (geteuid() != 0) {
		print_message("only root can give a file away\n");
		skip();
	}
	secret_write(s, "hunter2\n", 0600);
	snprintf(path, sizeof(path), "%s/secret", s->dir.path);
	assert_int_equal(chown(path, 12345, 0), 0);
	section_assert_refused(
		s, "password_file = secret",
		"password_file = \"secret\": the file belongs to user "
		"12345; it must belong to root or to the user that "
		"runs evhd");
}

static void
a_secret_must_be_there_and_have_something_in_it(void **state)
{
	struct section *s = *state;

	section_assert_refused(s, "password_file = nowhere",
			       "password_file = \"nowhere\": No such file or "
			       "directory");
	secret_write(s, "\n", 0600);
	section_assert_refused(s, "password_file = secret",
			       "password_file = \"secret\": the file is empty");
}

static void
a_secret_is_given_once(void **state)
{
	struct section *s = *state;

	secret_write(s, "a", 0600);
	section_assert_refused(
		s, "password = b password_file = secret",
		"password and password_file are both given; one is "
		"enough");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, section_setup, section_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_secret_may_stand_in_a_file),
		TEST(one_newline_at_the_end_is_trimmed),
		TEST(a_secret_that_others_can_read_is_refused),
		TEST(a_secret_of_another_user_is_refused),
		TEST(a_secret_must_be_there_and_have_something_in_it),
		TEST(a_secret_is_given_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
