/*
 * config.c - sections of settings made into instances and pipelines.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conffile.h"
#include "confmissing.h"
#include "pipeline.h"
#include "words.h"

enum {
	MAX_NAME = 64,
};

static const char *const keywords[] = { "ingest", "source",  "handler",	 "sink",
					"store",  "service", "pipeline", NULL };

static const struct {
	const char *keyword;
	enum evh_kind kind;
} kinds[] = {
	{ "ingest", EVH_SOURCE },   { "source", EVH_SOURCE },
	{ "handler", EVH_HANDLER }, { "sink", EVH_SINK },
	{ "store", EVH_SINK },	    { "service", EVH_SERVICE },
};

#define GLOBAL(member)                                                         \
	.name = #member, .offset = offsetof(struct config, member)
#define PIPELINE(member)                                                       \
	.name = #member, .offset = offsetof(struct config_pipeline, member)

static const struct word global_words[] = {
	{ GLOBAL(plugin_dir), .type = WORD_STR },
	{ GLOBAL(debug), .type = WORD_BOOL },
	{ GLOBAL(log_level), .type = WORD_STR },
	{ GLOBAL(log_format), .type = WORD_STR },
	{ GLOBAL(log_file), .type = WORD_STR },
	{ GLOBAL(state_dir), .type = WORD_STR },
	{ .name = "shutdown_timeout",
	  .type = WORD_MSEC,
	  .offset = offsetof(struct config, shutdown_timeout_ms),
	  .min = 0,
	  .max = 3600000 },
	{ 0 },
};

static const struct word pipeline_words[] = {
	{ PIPELINE(chain), .type = WORD_LIST },
	{ PIPELINE(optional), .type = WORD_LIST },
	{ PIPELINE(on_fail), .type = WORD_LIST },
	{ PIPELINE(on_drop), .type = WORD_LIST },
	{ PIPELINE(match), .type = WORD_LIST },
	{ PIPELINE(otherwise), .type = WORD_BOOL },
	{ PIPELINE(workers), .type = WORD_COUNT, .min = 0,
	  .max = PIPELINE_MAX_WORKERS },
	{ PIPELINE(in_flight), .type = WORD_COUNT, .min = 1, .max = 10000000 },
	{ PIPELINE(in_flight_size), .type = WORD_SIZE, .min = 1024,
	  .max = (uint64_t)1 << 40 },
	{ PIPELINE(attempts), .type = WORD_COUNT, .min = 1, .max = 1000000 },
	{ .name = "backoff",
	  .type = WORD_MSEC,
	  .offset = offsetof(struct config_pipeline, backoff_ms),
	  .min = 1,
	  .max = 3600000 },
	{ .name = "backoff_max",
	  .type = WORD_MSEC,
	  .offset = offsetof(struct config_pipeline, backoff_max_ms),
	  .min = 1,
	  .max = 86400000 },
	{ .name = "deadline",
	  .type = WORD_MSEC,
	  .offset = offsetof(struct config_pipeline, deadline_ms),
	  .min = 0,
	  .max = 86400000 },
	{ .name = "spool",
	  .type = WORD_BOOL,
	  .offset = offsetof(struct config_pipeline, has_spool) },
	{ .name = "spool.dir",
	  .type = WORD_STR,
	  .offset = offsetof(struct config_pipeline, spool_dir) },
	{ .name = "spool.when",
	  .type = WORD_STR,
	  .offset = offsetof(struct config_pipeline, spool_when) },
	{ .name = "spool.max_size",
	  .type = WORD_SIZE,
	  .offset = offsetof(struct config_pipeline, spool_max_size),
	  .min = (uint64_t)1 << 20,
	  .max = (uint64_t)1 << 50 },
	{ 0 },
};

/* ---- Sections ---------------------------------------------------------- */

static bool
name_is_good(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t n = strlen(name);

	return n > 0 && n <= MAX_NAME && strspn(name, allowed) == n;
}

static void
name_check(const char *name, char *const *missing, const char *where,
	   struct problems *problems)
{
	if (missing)
		confmissing_report(missing, "the name", where, problems);
	else if (!name_is_good(name))
		problems_add(problems, where,
			     "a name is 1 to %d letters, digits, '_', '-' and "
			     "'.'",
			     MAX_NAME);
}

/* Moves the section into the config, where it is owned. */
static int
instance_add(struct config *config, struct confsection *section,
	     enum evh_kind kind, const char *keyword, struct problems *problems)
{
	struct config_instance *in = &config->instances[config->n_instances];
	const struct config_instance *other;

	if (asprintf(&in->where, "%s: %s \"%s\"", config->file, keyword,
		     section->title) < 0) {
		in->where = NULL;
		return -ENOMEM;
	}
	name_check(section->title, section->missing, in->where, problems);
	other = config_instance(config, section->title);
	if (other)
		problems_add(problems, in->where,
			     "the name is taken by the %s \"%s\"; an "
			     "instance's name is its own in the whole file",
			     other->keyword, other->name);
	in->keyword = keyword;
	in->kind = kind;
	in->name = section->title;
	section->title = NULL;
	config->n_instances++;
	in->settings = section->settings;
	in->n_settings = section->n_settings;
	section->settings = NULL;
	section->n_settings = 0;
	return 0;
}

/* `plugin` is the host's own word: it leaves the settings. */
static void
plugin_take(struct config_instance *in, struct problems *problems)
{
	static const struct word word = { .name = "plugin", .type = WORD_STR };

	size_t n_before = problems->n_errors;

	for (unsigned i = 0; i < in->n_settings; i++) {
		struct config_setting plugin = in->settings[i];

		if (strcmp(plugin.name, "plugin") != 0)
			continue;
		in->n_settings--;
		memmove(&in->settings[i], &in->settings[i + 1],
			(in->n_settings - i) * sizeof(*in->settings));
		words_set_one(&word, &in->plugin, &plugin, in->where, problems);
		for (unsigned j = 0; j < plugin.n_values; j++)
			free(plugin.values[j]);
		free(plugin.values);
		free(plugin.name);
		confmissing_free(plugin.missing);
		break;
	}
	if (!in->plugin && problems->n_errors == n_before)
		problems_add(problems, in->where,
			     "there is no plugin; write plugin = \"NAME\"");
}

static void
one_of_check(const char *name, const char *value, const char *const *values,
	     const char *list, const char *where, struct problems *problems)
{
	const char *nearest;

	for (size_t i = 0; values[i]; i++)
		if (strcmp(values[i], value) == 0)
			return;
	nearest = problems_nearest(value, values);
	problems_add(problems, where, "%s = \"%s\": this must be %s%s%s%s",
		     name, value, list, nearest ? "; did you mean \"" : "",
		     nearest ? nearest : "", nearest ? "\"?" : "");
}

/* The values of `spool` that no table checks. */
static int
spool_set(const struct config *config, struct config_pipeline *p,
	  struct problems *problems)
{
	static const char *const whens[] = { "outage", "always", NULL };
	char *absolute;

	if (!p->spool_when)
		p->spool_when = strdup("outage");
	if (!p->spool_when)
		return -ENOMEM;
	one_of_check("spool.when", p->spool_when, whens, "outage or always",
		     p->where, problems);
	if (p->has_spool && !p->spool_dir)
		problems_add(problems, p->where,
			     "the spool has no folder; write spool { dir = "
			     "\"/var/lib/evh/spool\" }");
	if (!p->spool_dir || *p->spool_dir == '/')
		return 0;
	if (asprintf(&absolute, "%s/%s", config->dir, p->spool_dir) < 0)
		return -ENOMEM;
	free(p->spool_dir);
	p->spool_dir = absolute;
	return 0;
}

static int
pipeline_add(struct config *config, struct confsection *section,
	     struct problems *problems)
{
	struct config_pipeline *p = &config->pipelines[config->n_pipelines++];

	*p = (struct config_pipeline){
		.in_flight = 10000,
		.in_flight_size = (uint64_t)64 << 20,
		.attempts = 3,
		.backoff_ms = 100,
		.backoff_max_ms = 10000,
		.spool_max_size = (uint64_t)1 << 30,
	};
	p->name = section->title;
	section->title = NULL;
	if (asprintf(&p->where, "%s: pipeline \"%s\"", config->file, p->name) <
	    0) {
		p->where = NULL;
		return -ENOMEM;
	}
	name_check(p->name, section->missing, p->where, problems);
	for (const struct word *word = pipeline_words; word->name; word++)
		if (word->type == WORD_LIST) {
			char **empty = calloc(1, sizeof(*empty));

			if (!empty)
				return -ENOMEM;
			*(char ***)((char *)p + word->offset) = empty;
		}
	words_set(pipeline_words, p, section->settings, section->n_settings,
		  p->where, problems);
	if (p->backoff_ms > p->backoff_max_ms)
		problems_add(problems, p->where,
			     "backoff is %u ms, longer than backoff_max, "
			     "which is %u ms",
			     p->backoff_ms, p->backoff_max_ms);
	return spool_set(config, p, problems);
}

static int
section_add(struct config *config, struct confsection *section,
	    struct problems *problems)
{
	const char *nearest = problems_nearest(section->keyword, keywords);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int err;

		if (strcmp(kinds[i].keyword, section->keyword) != 0)
			continue;
		err = instance_add(config, section, kinds[i].kind,
				   kinds[i].keyword, problems);
		if (err == 0)
			plugin_take(&config->instances[config->n_instances - 1],
				    problems);
		return err;
	}
	if (strcmp(section->keyword, "pipeline") == 0)
		return pipeline_add(config, section, problems);

	if (nearest)
		problems_add(problems, config->file,
			     "unknown section %s \"%s\"; did you mean \"%s\"?",
			     section->keyword, section->title, nearest);
	else
		problems_add(problems, config->file,
			     "unknown section %s \"%s\"; the sections are "
			     "ingest, source, handler, sink, store, service "
			     "and pipeline",
			     section->keyword, section->title);
	return 0;
}

/* ---- The whole -------------------------------------------------------- */

/* The folder of the file, absolute; NULL when out of memory. */
static char *
dir_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir, *absolute;

	dir = slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
	if (!dir)
		return NULL;
	absolute = realpath(dir, NULL);
	if (!absolute && errno != ENOMEM)
		return dir; /* reading the file will say what is wrong */
	free(dir);
	return absolute;
}

static int
environment_set(const struct config *config)
{
	char *share = config_default_share_dir();
	int err = 0;

	if (!share)
		return -ENOMEM;
	if (setenv("EVH_CONF_DIR", config->dir, 1) < 0 ||
	    setenv("EVH_SHARE_DIR", share, 1) < 0)
		err = -errno;
	free(share);
	return err;
}

/* A path from the file's folder, made absolute. */
static int
path_set(const struct config *config, char **path)
{
	char *absolute;

	if (!*path || **path == '/')
		return 0;
	if (asprintf(&absolute, "%s/%s", config->dir, *path) < 0)
		return -ENOMEM;
	free(*path);
	*path = absolute;
	return 0;
}

static int
globals_set(struct config *config, struct confsection *outside,
	    struct problems *problems)
{
	static const char *const levels[] = { "debug", "info", "warn", "error",
					      NULL };
	static const char *const formats[] = { "logfmt", "json", NULL };

	words_set(global_words, config, outside->settings, outside->n_settings,
		  config->file, problems);
	one_of_check("log_level", config->log_level, levels,
		     "debug, info, warn or error", config->file, problems);
	one_of_check("log_format", config->log_format, formats,
		     "logfmt or json", config->file, problems);
	if (path_set(config, &config->plugin_dir) < 0 ||
	    path_set(config, &config->state_dir) < 0)
		return -ENOMEM;
	return 0;
}

static int
config_fill(struct config *config, struct confsections *sections,
	    struct problems *problems)
{
	int err;

	config->instances =
		calloc(sections->n_sections, sizeof(*config->instances));
	config->pipelines =
		calloc(sections->n_sections, sizeof(*config->pipelines));
	if (!config->instances || !config->pipelines)
		return -ENOMEM;
	err = globals_set(config, &sections->sections[0], problems);
	for (unsigned i = 1; i < sections->n_sections && err == 0; i++)
		err = section_add(config, &sections->sections[i], problems);
	return err;
}

struct config *
config_new(const char *file, struct problems *problems)
{
	struct config *config = calloc(1, sizeof(*config));
	struct confsections *sections = NULL;

	if (!config)
		goto no_memory;
	config->shutdown_timeout_ms = 30000;
	config->file = strdup(file);
	config->dir = dir_of(file);
	config->plugin_dir = config_default_plugin_dir();
	config->log_level = strdup("info");
	config->log_format = strdup("logfmt");
	if (!config->file || !config->dir || !config->plugin_dir ||
	    !config->log_level || !config->log_format ||
	    environment_set(config) < 0)
		goto no_memory;

	sections = conffile_read(file, keywords, problems);
	if (!sections) {
		config_free(config);
		return NULL;
	}
	if (config_fill(config, sections, problems) < 0)
		goto no_memory;
	confsections_free(sections);
	return config;

no_memory:
	problems_add(problems, file, "out of memory");
	confsections_free(sections);
	config_free(config);
	return NULL;
}

const struct config_instance *
config_instance(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->n_instances; i++)
		if (strcmp(config->instances[i].name, name) == 0)
			return &config->instances[i];
	return NULL;
}

bool
config_list_has(char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}
