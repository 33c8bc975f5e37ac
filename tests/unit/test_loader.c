/*
 * test_loader.c - descriptors in memory, names, and what a folder holds.
 * (tests/abi/test_broken.c loads shared objects.)
 */
#include "../harness/tempdir.h"

#include <errno.h>

#include "loader.h"

static int
loader_create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ctx;
	return 0;
}

static int
loader_submit(void *self, struct evh_event *const *evs, int n)
{
	(void)self;
	(void)evs;
	return n;
}

static const struct evh_option options[] = {
	{ .name = "topic", .type = EVH_STR },
	{ 0 },
};

/* A good one, for a test to break. */
static struct evh_plugin
good(void)
{
	return (struct evh_plugin){
		EVH_PLUGIN_HEAD,	 .kind = EVH_SINK,
		.threads = EVH_PARALLEL, .name = "good",
		.options = options,	 .create = loader_create,
		.submit = loader_submit,
	};
}

static int
check(const struct evh_plugin *descriptor, struct problems *problems,
      struct loader_plugin *ret)
{
	problems_fini(problems);
	return loader_check(descriptor, "/x/good.so", "a.conf", problems, ret);
}

static void
what_is_checked_is_copied(void **state)
{
	struct problems problems = { 0 };
	struct evh_plugin descriptor = good();
	struct loader_plugin copy;

	(void)state;
	assert_int_equal(check(&descriptor, &problems, &copy), 0);
	assert_int_equal(problems.n, 0);
	assert_string_equal(copy.file, "/x/good.so");
	assert_string_equal(copy.plugin.version, "");
	assert_string_equal(copy.plugin.summary, "");
	assert_ptr_not_equal(copy.plugin.options, options);
	assert_string_equal(copy.options[0].name, "topic");
	assert_int_equal(copy.n_options, 1);
	assert_int_equal(copy.n_commands, 0);
	assert_non_null(copy.commands);
	assert_null(copy.commands[0].name);
	loader_plugin_fini(&copy);
}

static void
no_tables_are_empty_tables(void **state)
{
	struct problems problems = { 0 };
	struct evh_plugin descriptor = good();
	struct loader_plugin copy;

	(void)state;
	/* Sizes of tables that are not there do not matter. */
	descriptor.options = NULL;
	descriptor.option_size = 0;
	descriptor.command_size = 3;
	assert_int_equal(check(&descriptor, &problems, &copy), 0);
	assert_int_equal(copy.n_options, 0);
	assert_null(copy.options[0].name);
	loader_plugin_fini(&copy);
}

static void
a_refusal_leaves_the_copy_alone_and_names_the_file(void **state)
{
	struct problems problems = { 0 };
	struct evh_plugin descriptor = good();
	struct loader_plugin copy = { .n_options = 77 };

	(void)state;
	descriptor.abi = 0;
	assert_int_equal(check(&descriptor, &problems, &copy), -EINVAL);
	assert_int_equal(copy.n_options, 77);
	assert_string_equal(problems.list[0].where, "a.conf");
	assert_string_equal(problems.list[0].text,
			    "/x/good.so: it says no ABI: its evh_plugin must "
			    "begin with EVH_PLUGIN_HEAD; this evhd has ABI "
			    "1");
	problems_fini(&problems);
}

static void
nothing_behind_a_wrong_abi_is_read(void **state)
{
	struct problems problems = { 0 };
	struct evh_plugin descriptor = good();
	struct loader_plugin copy;

	(void)state;
	descriptor.abi = 2;
	descriptor.name = (const char *)1;
	descriptor.options = (const struct evh_option *)1;
	assert_int_equal(check(&descriptor, &problems, &copy), -EINVAL);
	assert_int_equal(problems.n, 1);
	problems_fini(&problems);
}

static void
all_that_is_wrong_is_told_at_once(void **state)
{
	static const struct evh_option bad[] = {
		{ .name = "plugin", .type = EVH_STR, .def = "" },
		{ .name = "x", .type = (enum evh_type)0, .def = "" },
		{ 0 },
	};
	struct problems problems = { 0 };
	struct evh_plugin descriptor = good();
	struct loader_plugin copy;

	(void)state;
	descriptor.name = NULL;
	descriptor.create = NULL;
	descriptor.submit = NULL;
	descriptor.threads = (enum evh_threads)3;
	descriptor.options = bad;
	assert_int_equal(check(&descriptor, &problems, &copy), -EINVAL);
	assert_int_equal(problems.n_errors, 6);
	assert_string_equal(problems.list[1].text,
			    "/x/good.so: its threads are 3; this evhd knows 1 "
			    "(EVH_SERIAL) and 2 (EVH_PARALLEL)");
	problems_fini(&problems);
}

static void
names_are_small_letters_digits_and_underscores(void **state)
{
	(void)state;
	assert_true(loader_name_is_good("a"));
	assert_true(loader_name_is_good("kafka_sink2"));
	assert_true(loader_name_is_good("abcdefghijklmnopqrstuvwxyz012345"));
	assert_false(loader_name_is_good("abcdefghijklmnopqrstuvwxyz0123456"));
	assert_false(loader_name_is_good(""));
	assert_false(loader_name_is_good("2a"));
	assert_false(loader_name_is_good("_a"));
	assert_false(loader_name_is_good("Kafka"));
	assert_false(loader_name_is_good("a.so"));
	assert_false(loader_name_is_good("a/b"));
	assert_false(loader_name_is_good("../a"));
}

static void
a_bare_name_never_leaves_plugin_dir(void **state)
{
	static const char *const names[] = { "..", "libc.so.6", "a.so", "",
					     "a b" };
	struct problems problems = { 0 };
	struct loader *loader = loader_new("/nonexistent");

	(void)state;
	assert_non_null(loader);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char expected[256];

		problems_fini(&problems);
		assert_null(loader_open(loader, "/tmp", names[i], "here",
					&problems));
		snprintf(expected, sizeof(expected),
			 "plugin \"%s\": a name has small letters, digits and "
			 "'_' only; a path has a '/' in it, as in \"./%s\"",
			 names[i], names[i]);
		assert_string_equal(problems.list[0].text, expected);
	}
	problems_fini(&problems);
	assert_null(loader_open(loader, "/tmp", "fine", "here", &problems));
	assert_string_equal(problems.list[0].text,
			    "plugin \"fine\": there is none in /nonexistent");
	problems_fini(&problems);
	assert_null(loader_open(loader, "/tmp", "./evh-no/x.so", "here",
				&problems));
	assert_string_equal(problems.list[0].text,
			    "plugin \"./evh-no/x.so\": there is no "
			    "/tmp/./evh-no/x.so");
	problems_fini(&problems);
	loader_free(loader);
}

static void
a_folder_lists_its_plugins_sorted(void **state)
{
	struct tempdir dir;
	char **names;
	int err = 0;

	(void)state;
	tempdir_init(&dir);
	tempdir_write(&dir, "zeta.so", "");
	tempdir_write(&dir, "alpha.so", "");
	tempdir_write(&dir, "README", "");
	tempdir_write(&dir, "libx.so.1", "");
	tempdir_write(&dir, "Odd.so", "");
	tempdir_write(&dir, ".so", "");
	names = loader_names(dir.path, &err);
	assert_non_null(names);
	assert_string_equal(names[0], "alpha");
	assert_string_equal(names[1], "zeta");
	assert_null(names[2]);
	loader_names_free(names);
	tempdir_fini(&dir);
	assert_null(loader_names("/nonexistent", &err));
	assert_int_equal(err, -ENOENT);
}

static void
kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(loader_kind_name(EVH_SOURCE), "source");
	assert_string_equal(loader_kind_name(EVH_SERVICE), "service");
	assert_null(loader_kind_name((enum evh_kind)0));
	assert_null(loader_kind_name((enum evh_kind)5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_checked_is_copied),
		cmocka_unit_test(no_tables_are_empty_tables),
		cmocka_unit_test(
			a_refusal_leaves_the_copy_alone_and_names_the_file),
		cmocka_unit_test(nothing_behind_a_wrong_abi_is_read),
		cmocka_unit_test(all_that_is_wrong_is_told_at_once),
		cmocka_unit_test(
			names_are_small_letters_digits_and_underscores),
		cmocka_unit_test(a_bare_name_never_leaves_plugin_dir),
		cmocka_unit_test(a_folder_lists_its_plugins_sorted),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
