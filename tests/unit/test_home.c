/*
 * test_home.c - where evhd finds its plugins and what it shares.
 */
#include "../harness/tempdir.h"
#include "conf_file.h"
#include "config.h"
#include "home.h"

static void
assert_home(const struct conf *conf, char *path, const char *expected)
{
	char full[256];

	assert_non_null(path);
	snprintf(full, sizeof(full), "%s/%s", conf->dir.path, expected);
	assert_string_equal(path, full);
	free(path);
}

static void
dir_make(const struct conf *conf, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", conf->dir.path, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void
a_build_tree_has_its_plugins_beside_evhd(void **state)
{
	struct conf *conf = *state;
	char exe[128];

	dir_make(conf, "plugins");
	dir_make(conf, "share");
	snprintf(exe, sizeof(exe), "%s/evhd", conf->dir.path);
	assert_home(conf, home_plugin_dir(exe), "plugins");
	assert_home(conf, home_share_dir(exe), "share");
}

static void
an_installation_has_them_in_lib_and_share(void **state)
{
	struct conf *conf = *state;
	char exe[128];

	dir_make(conf, "bin");
	dir_make(conf, "lib");
	dir_make(conf, "lib/evh");
	dir_make(conf, "lib/evh/plugins");
	snprintf(exe, sizeof(exe), "%s/bin/evhd", conf->dir.path);
	assert_home(conf, home_plugin_dir(exe), "lib/evh/plugins");
	assert_home(conf, home_share_dir(exe), "share/evh");
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, conf_setup, conf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_build_tree_has_its_plugins_beside_evhd),
		TEST(an_installation_has_them_in_lib_and_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
