#include "option_section.h"

#include "../harness/tempdir.h"
#include "loader.h"
#include "options.h"

/* A plugin with one option of each type, in a config with two instances. */
static const struct evh_option section_table[] = {
	{ .name = "topic", .type = EVH_STR, .help = "where to" },
	{ .name = "mode",
	  .type = EVH_STR,
	  .def = "fast",
	  .values = "fast|safe" },
	{ .name = "port",
	  .type = EVH_INT,
	  .def = "5432",
	  .values = "1..65535" },
	{ .name = "loops",
	  .type = EVH_INT,
	  .def = "auto",
	  .values = "auto|1..64" },
	{ .name = "create", .type = EVH_BOOL, .def = "yes" },
	{ .name = "size", .type = EVH_SIZE, .def = "1M", .values = "1K..1G" },
	{ .name = "wait", .type = EVH_MSEC, .def = "30s", .values = "1ms..5m" },
	{ .name = "password", .type = EVH_SECRET, .def = "" },
	{ .name = "names", .type = EVH_LIST, .def = "user.*, order.*" },
	{ .name = "levels", .type = EVH_LIST, .def = "", .values = "a|b" },
	{ .name = "rdkafka", .type = EVH_MAP, .def = "" },
	{ .name = "store", .type = EVH_INSTANCE, .def = "" },
	{ 0 },
};

int
section_setup(void **state)
{
	struct section *s = calloc(1, sizeof(*s));
	size_t n = sizeof(section_table) / sizeof(*section_table);

	assert_non_null(s);
	tempdir_init(&s->dir);
	unsetenv("EVH_T_NONE");
	s->plugin.options = calloc(n, sizeof(*section_table));
	assert_non_null(s->plugin.options);
	memcpy(s->plugin.options, section_table, sizeof(section_table));
	s->plugin.n_options = (unsigned)n - 1;
	s->plugin.plugin.options = s->plugin.options;
	*state = s;
	return 0;
}

int
section_teardown(void **state)
{
	struct section *s = *state;

	options_free(s->options);
	config_free(s->config);
	problems_fini(&s->problems);
	free(s->plugin.options);
	tempdir_fini(&s->dir);
	free(s);
	return 0;
}

struct options *
section_read(struct section *s, const char *keyword, const char *settings)
{
	char text[1024];

	options_free(s->options);
	s->options = NULL;
	config_free(s->config);
	problems_fini(&s->problems);
	snprintf(text, sizeof(text),
		 "store \"events\" { plugin = q }\n"
		 "%s \"x\" {\n  plugin = p\n%s\n}\n",
		 keyword, settings);
	s->config = config_new(tempdir_write(&s->dir, "a.conf", text),
			       &s->problems);
	assert_non_null(s->config);
	assert_int_equal(s->problems.n, 0);
	s->options = options_new(&s->plugin, config_instance(s->config, "x"),
				 s->config, &s->problems);
	assert_true((s->options == NULL) == (s->problems.n_errors > 0));
	return s->options;
}

struct options *
section_read_sink(struct section *s, const char *settings)
{
	return section_read(s, "sink", settings);
}

void
section_assert_refused(struct section *s, const char *setting,
		       const char *sentence)
{
	char text[512], where[256];

	snprintf(text, sizeof(text), "topic = t\n%s", setting);
	assert_null(section_read_sink(s, text));
	assert_int_equal(s->problems.n_errors, 1);
	assert_string_equal(s->problems.list[0].text, sentence);
	snprintf(where, sizeof(where), "%s/a.conf: sink \"x\"", s->dir.path);
	assert_string_equal(s->problems.list[0].where, where);
}
