/*
 * setup.c - file, plugins and options brought together.
 */
#include "setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chains.h"
#include "marks_check.h"
#include "spool_check.h"

/* ---- One instance ------------------------------------------------------- */

static void
kind_check(const struct config_instance *in, const struct loader_plugin *plugin,
	   struct problems *problems)
{
	static const char *const keywords[] = {
		[EVH_SOURCE] = "source or ingest",
		[EVH_HANDLER] = "handler",
		[EVH_SINK] = "sink or store",
		[EVH_SERVICE] = "service",
	};

	if (in->kind != plugin->plugin.kind)
		problems_add(problems, in->where,
			     "the plugin %s is a %s, so its section is called "
			     "%s, not %s",
			     plugin->plugin.name,
			     loader_kind_name(plugin->plugin.kind),
			     keywords[plugin->plugin.kind], in->keyword);
}

static void
instance_set(struct setup *setup, unsigned i, struct problems *problems)
{
	struct config *config = setup->config;
	const struct config_instance *in = &config->instances[i];

	if (!in->plugin)
		return; /* config.c has said so */
	setup->plugins[i] = loader_open(setup->loader, config->dir, in->plugin,
					in->where, problems);
	if (!setup->plugins[i])
		return;
	kind_check(in, setup->plugins[i], problems);
	setup->options[i] =
		options_new(setup->plugins[i], in, config, problems);
}

/* ---- Who starts before whom --------------------------------------------- */

static unsigned
instance_index(const struct config *config, const char *name)
{
	const struct config_instance *in = config_instance(config, name);

	return in ? (unsigned)(in - config->instances) : config->n_instances;
}

/* The first that `i` names and that is not placed yet, or n_instances. */
static unsigned
awaited(const struct setup *setup, const bool *is_placed, unsigned i)
{
	const struct config *config = setup->config;
	const char *name;

	for (unsigned j = 0; setup->options[i] &&
			     (name = options_instance(setup->options[i], j));
	     j++) {
		unsigned other = instance_index(config, name);

		if (other < config->n_instances && !is_placed[other])
			return other;
	}
	return config->n_instances;
}

/* Services, sinks, handlers, sources. */
static unsigned
rank_of(const struct config_instance *in)
{
	return (unsigned)(EVH_SERVICE - in->kind);
}

/* The next to start: it waits for nobody, and is of the earliest kind. */
static unsigned
next_find(const struct setup *setup, const bool *is_placed)
{
	const struct config *config = setup->config;
	unsigned best = config->n_instances;

	for (unsigned i = 0; i < config->n_instances; i++) {
		if (is_placed[i] ||
		    awaited(setup, is_placed, i) < config->n_instances)
			continue;
		if (best == config->n_instances ||
		    rank_of(&config->instances[i]) <
			    rank_of(&config->instances[best]))
			best = i;
	}
	return best;
}

/*
 * Everybody who is left waits for somebody who is left: following that long
 * enough ends up in a circle, and once around it names it.
 */
static void
cycle_report(const struct setup *setup, const bool *is_placed,
	     struct problems *problems)
{
	const struct config *config = setup->config;
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	unsigned at = 0, first;

	while (is_placed[at])
		at++;
	for (unsigned i = 0; i < config->n_instances; i++)
		at = awaited(setup, is_placed, at);
	first = at;
	if (!out) {
		problems_add(problems, config->file, "out of memory");
		return;
	}
	do {
		fprintf(out, "\"%s\" names ", config->instances[at].name);
		at = awaited(setup, is_placed, at);
	} while (at != first);
	fprintf(out, "\"%s\"", config->instances[first].name);
	if (fclose(out) == 0)
		problems_add(problems, config->instances[first].where,
			     "instances name each other in a circle, so none "
			     "can start first: %s",
			     text);
	else
		problems_add(problems, config->file, "out of memory");
	free(text);
}

static void
order_set(struct setup *setup, struct problems *problems)
{
	const struct config *config = setup->config;
	bool *is_placed = calloc(config->n_instances + 1, sizeof(*is_placed));

	if (!is_placed) {
		problems_add(problems, config->file, "out of memory");
		return;
	}
	for (unsigned n = 0; n < config->n_instances; n++) {
		unsigned i = next_find(setup, is_placed);

		if (i == config->n_instances) {
			cycle_report(setup, is_placed, problems);
			break;
		}
		is_placed[i] = true;
		setup->order[n] = i;
	}
	free(is_placed);
}

/* ---- The whole ---------------------------------------------------------- */

static bool
some_option_names(const struct setup *setup, const char *name)
{
	const char *named;

	for (unsigned i = 0; i < setup->config->n_instances; i++)
		for (unsigned j = 0;
		     setup->options[i] &&
		     (named = options_instance(setup->options[i], j));
		     j++)
			if (strcmp(named, name) == 0)
				return true;
	return false;
}

static void
idle_check(const struct setup *setup, struct problems *problems)
{
	const struct config *config = setup->config;

	if (config->n_pipelines == 0)
		problems_warn(problems, config->file,
			      "there is no pipeline, so no event can pass");
	for (unsigned i = 0; i < config->n_instances; i++) {
		const struct config_instance *in = &config->instances[i];

		if ((in->kind == EVH_HANDLER || in->kind == EVH_SINK) &&
		    !chains_name(config, in->name) &&
		    !some_option_names(setup, in->name))
			problems_warn(problems, in->where,
				      "no pipeline and no option names it: it "
				      "has nothing to do");
	}
}

/* The host's words of a handler's section that only make sense together, or in
 * a pipeline with threads of its own. */
static void
timeout_check(const struct setup *setup, unsigned i, struct problems *problems)
{
	const struct config *config = setup->config;
	const struct config_instance *in = &config->instances[i];
	const struct options *options = setup->options[i];
	bool is_isolated;

	if (in->kind != EVH_HANDLER || !options)
		return;
	is_isolated = strcmp(options_str(options, "isolate"), "process") == 0;
	if (strcmp(options_str(options, "on_timeout"), "wait") != 0) {
		if (is_isolated)
			problems_add(problems, in->where,
				     "on_timeout ends evhd, and isolate has a "
				     "process that is ended instead: leave one "
				     "of them out");
		else if (options_int(options, "timeout") == 0)
			problems_add(problems, in->where,
				     "on_timeout is given and timeout is not; "
				     "without one nothing is late");
		else if (!config->state_dir)
			problems_add(problems, in->where,
				     "on_timeout = \"abort\" needs state_dir, "
				     "where the ends of evhd are counted: "
				     "without it, evhd ends at the same event "
				     "again and again");
	}
	if (is_isolated || options_int(options, "timeout") == 0)
		return;
	for (unsigned j = 0; j < config->n_pipelines; j++)
		if (config->pipelines[j].workers == 0 &&
		    chains_has(&config->pipelines[j], in->name))
			problems_add(problems, in->where,
				     "it has a timeout, and the pipeline "
				     "\"%s\" has workers = 0: whoever emits "
				     "would wait for it all the same; give "
				     "the pipeline workers",
				     config->pipelines[j].name);
}

/* What says something only beside another word. */
static void
isolate_check(const struct setup *setup, unsigned i, struct problems *problems)
{
	const struct config_instance *in = &setup->config->instances[i];
	const struct options *options = setup->options[i];

	if (in->kind == EVH_HANDLER && options &&
	    options_int(options, "isolate_processes") > 0 &&
	    strcmp(options_str(options, "isolate"), "process") != 0)
		problems_warn(problems, in->where,
			      "isolate_processes is given and isolate is not: "
			      "it runs in evhd itself; write isolate = "
			      "\"process\", or leave isolate_processes out");
}

/* A source that answers clients has an option of this name, as http_ingest. */
static void
deadline_check(const struct setup *setup, const struct config_pipeline *p,
	       struct problems *problems)
{
	const struct config *config = setup->config;
	unsigned i = p->chain[0] ? instance_index(config, p->chain[0])
				 : config->n_instances;
	int64_t answer_ms;

	if (i == config->n_instances || !setup->options[i])
		return;
	answer_ms = options_int(setup->options[i], "answer_timeout");
	if (answer_ms > 0 && p->deadline_ms > answer_ms)
		problems_warn(problems, p->where,
			      "its deadline, %u ms, is beyond the "
			      "answer_timeout of \"%s\", %lld ms: clients are "
			      "answered before it is over, and do not hear "
			      "what became of their events",
			      p->deadline_ms, p->chain[0],
			      (long long)answer_ms);
}

/* What of a file is looked at: all of it, one instance, or a part. */
struct scope {
	const char *only;
	const struct setup_part *part;
};

static bool
scope_has_instance(const struct scope *scope, const char *name)
{
	const char *const *names;

	if (scope->only)
		return strcmp(scope->only, name) == 0;
	if (!scope->part)
		return true;
	if (scope->part->replaced && strcmp(scope->part->replaced, name) == 0)
		return false;
	for (names = scope->part->instances; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool
scope_has_pipeline(const struct scope *scope, const char *name)
{
	if (scope->only)
		return false;
	return !scope->part || (scope->part->pipeline &&
				strcmp(scope->part->pipeline, name) == 0);
}

/* Whether the place is a section's that is looked at, or none's. */
static bool
scope_has(const struct scope *scope, const struct config *config,
	  const char *where)
{
	for (unsigned i = 0; i < config->n_instances; i++)
		if (strcmp(config->instances[i].where, where) == 0)
			return scope_has_instance(scope,
						  config->instances[i].name);
	for (unsigned i = 0; i < config->n_pipelines; i++)
		if (strcmp(config->pipelines[i].where, where) == 0)
			return scope_has_pipeline(scope,
						  config->pipelines[i].name);
	return true;
}

/* Reads the file; what is wrong in other sections is left out. */
static struct config *
config_of(const char *file, const struct scope *scope,
	  struct problems *problems)
{
	struct problems all = { 0 };
	struct config *config = config_new(file, &all);

	for (size_t i = 0; i < all.n; i++) {
		const struct problem *problem = &all.list[i];

		if (config && !scope_has(scope, config, problem->where))
			continue;
		if (problem->is_warning)
			problems_warn(problems, problem->where, "%s",
				      problem->text);
		else
			problems_add(problems, problem->where, "%s",
				     problem->text);
	}
	if (all.out_of_memory)
		problems_add(problems, file, "out of memory");
	problems_fini(&all);
	return config;
}

/* Plugins and options of those that the scope has, and their order. */
static int
setup_fill(struct setup *setup, const struct scope *scope,
	   struct problems *problems)
{
	struct config *config = setup->config;
	unsigned n = config->n_instances;

	setup->loader = loader_new(config->plugin_dir);
	setup->plugins = calloc(n + 1, sizeof(*setup->plugins));
	setup->options = calloc(n + 1, sizeof(*setup->options));
	setup->order = calloc(n + 1, sizeof(*setup->order));
	if (!setup->loader || !setup->plugins || !setup->options ||
	    !setup->order)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		if (scope_has_instance(scope, config->instances[i].name))
			instance_set(setup, i, problems);
	return 0;
}

static struct setup *
setup_fail(struct setup *setup, const char *file, struct problems *problems)
{
	problems_add(problems, file, "out of memory");
	setup_free(setup);
	return NULL;
}

struct setup *
setup_new(const char *file, const char *env_file, const char *only,
	  struct problems *problems)
{
	const struct scope scope = { .only = only };
	struct setup *setup;

	config_env_read(env_file, problems);
	setup = calloc(1, sizeof(*setup));
	if (!setup)
		return setup_fail(setup, file, problems);
	setup->config = config_of(file, &scope, problems);
	if (!setup->config) {
		setup_free(setup);
		return NULL;
	}
	if (only && !config_instance(setup->config, only))
		problems_add(problems, file, "there is no instance \"%s\"",
			     only);
	if (setup_fill(setup, &scope, problems) < 0)
		return setup_fail(setup, file, problems);
	if (!only) {
		chains_check(setup->config, problems);
		spool_check(setup->config, problems);
		marks_check(setup->config, problems);
		idle_check(setup, problems);
		for (unsigned i = 0; i < setup->config->n_instances; i++)
			timeout_check(setup, i, problems);
		for (unsigned i = 0; i < setup->config->n_instances; i++)
			isolate_check(setup, i, problems);
		for (unsigned i = 0; i < setup->config->n_pipelines; i++)
			deadline_check(setup, &setup->config->pipelines[i],
				       problems);
	}
	order_set(setup, problems);
	return setup;
}

static void
stand_in_set(struct setup *setup, const struct setup_part *part,
	     struct problems *problems)
{
	const struct config *config = setup->config;
	unsigned i = instance_index(config, part->replaced);

	if (i == config->n_instances)
		return;
	setup->plugins[i] = part->stand_in;
	setup->options[i] = options_new(part->stand_in, &config->instances[i],
					config, problems);
}

struct setup *
setup_new_part(const char *file, const struct setup_part *part,
	       struct problems *problems)
{
	const struct scope scope = { .part = part };
	struct setup *setup = calloc(1, sizeof(*setup));

	if (!setup)
		return setup_fail(setup, file, problems);
	setup->config = config_of(file, &scope, problems);
	if (!setup->config) {
		setup_free(setup);
		return NULL;
	}
	config_reduce(setup->config, part->instances, part->pipeline);
	if (part->replaced)
		config_clear(setup->config, part->replaced);
	if (setup_fill(setup, &scope, problems) < 0)
		return setup_fail(setup, file, problems);
	if (part->replaced)
		stand_in_set(setup, part, problems);
	if (part->pipeline)
		chains_check(setup->config, problems);
	order_set(setup, problems);
	return setup;
}

void
setup_free(struct setup *setup)
{
	if (!setup)
		return;
	for (unsigned i = 0; setup->options && i < setup->config->n_instances;
	     i++)
		options_free(setup->options[i]);
	free(setup->options);
	free(setup->plugins);
	free(setup->order);
	loader_free(setup->loader);
	config_free(setup->config);
	free(setup);
}
