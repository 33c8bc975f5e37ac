#include "conf_file.h"

#include "../harness/tempdir.h"
#include "config.h"

int
conf_setup(void **state)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	assert_non_null(conf);
	tempdir_init(&conf->dir);
	unsetenv("EVH_T_NONE");
	assert_int_equal(setenv("EVH_T_SET", "set", 1), 0);
	assert_int_equal(setenv("EVH_T_EMPTY", "", 1), 0);
	*state = conf;
	return 0;
}

int
conf_teardown(void **state)
{
	struct conf *conf = *state;

	config_free(conf->config);
	problems_fini(&conf->problems);
	tempdir_fini(&conf->dir);
	free(conf);
	return 0;
}

struct config *
conf_parse(struct conf *conf, const char *text)
{
	const char *file = tempdir_write(&conf->dir, "a.conf", text);

	config_free(conf->config);
	problems_fini(&conf->problems);
	conf->config = config_new(file, &conf->problems);
	return conf->config;
}

void
conf_assert_fine(struct conf *conf, const char *text)
{
	assert_non_null(conf_parse(conf, text));
	if (conf->problems.n > 0)
		print_error("%s\n", conf->problems.list[0].text);
	assert_int_equal(conf->problems.n, 0);
}

void
conf_assert_problem(const struct conf *conf, size_t i, const char *where,
		    const char *text)
{
	char expected[256];

	assert_true(i < conf->problems.n);
	snprintf(expected, sizeof(expected), "%s/a.conf%s", conf->dir.path,
		 where);
	assert_string_equal(conf->problems.list[i].text, text);
	assert_string_equal(conf->problems.list[i].where, expected);
}

const struct config_setting *
conf_setting(const struct conf *conf, const char *name)
{
	const struct config_instance *in = config_instance(conf->config, "s");

	assert_non_null(in);
	for (unsigned i = 0; i < in->n_settings; i++)
		if (strcmp(in->settings[i].name, name) == 0)
			return &in->settings[i];
	return NULL;
}

void
conf_assert_value(const struct conf *conf, const char *name, const char *value)
{
	const struct config_setting *s = conf_setting(conf, name);

	assert_non_null(s);
	assert_int_equal(s->n_values, 1);
	assert_string_equal(s->values[0], value);
	assert_null(s->missing);
}
