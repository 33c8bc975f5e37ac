/* What a configuration holds: given up as a whole, or but for a part. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "confsections.h"

static void
list_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static void
instance_fini(struct config_instance *in)
{
	config_settings_free(in->settings, in->n_settings);
	free(in->name);
	free(in->plugin);
	free(in->where);
}

static void
pipeline_fini(struct config_pipeline *p)
{
	list_free(p->chain);
	list_free(p->optional);
	list_free(p->on_fail);
	list_free(p->on_drop);
	list_free(p->match);
	free(p->spool_dir);
	free(p->spool_when);
	free(p->name);
	free(p->where);
}

static bool
is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* A spool is the service's alone, which may be running. */
static void
spool_leave_out(struct config_pipeline *p)
{
	free(p->spool_dir);
	p->spool_dir = NULL;
	p->has_spool = false;
}

void
config_reduce(struct config *config, const char *const *instances,
	      const char *pipeline)
{
	unsigned n = 0;

	for (unsigned i = 0; i < config->n_instances; i++)
		if (is_listed(instances, config->instances[i].name))
			config->instances[n++] = config->instances[i];
		else
			instance_fini(&config->instances[i]);
	config->n_instances = n;
	n = 0;
	for (unsigned i = 0; i < config->n_pipelines; i++)
		if (pipeline &&
		    strcmp(config->pipelines[i].name, pipeline) == 0) {
			spool_leave_out(&config->pipelines[i]);
			config->pipelines[n++] = config->pipelines[i];
		} else {
			pipeline_fini(&config->pipelines[i]);
		}
	config->n_pipelines = n;
}

void
config_clear(struct config *config, const char *instance)
{
	for (unsigned i = 0; i < config->n_instances; i++) {
		struct config_instance *in = &config->instances[i];

		if (strcmp(in->name, instance) != 0)
			continue;
		config_settings_free(in->settings, in->n_settings);
		in->settings = NULL;
		in->n_settings = 0;
	}
}

void
config_free(struct config *config)
{
	if (!config)
		return;
	for (unsigned i = 0; i < config->n_instances; i++)
		instance_fini(&config->instances[i]);
	for (unsigned i = 0; i < config->n_pipelines; i++)
		pipeline_fini(&config->pipelines[i]);
	free(config->instances);
	free(config->pipelines);
	free(config->file);
	free(config->dir);
	free(config->plugin_dir);
	free(config->log_level);
	free(config->log_format);
	free(config->log_file);
	free(config->state_dir);
	free(config);
}
