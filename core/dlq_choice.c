#include "dlq_choice.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "dlq_text.h"
#include "event_key.h"
#include "listing.h"
#include "loader.h"

static bool
has_name(const struct dlq_choice *choice, const char *name)
{
	for (unsigned i = 0; i < choice->n_names; i++)
		if (strcmp(choice->names[i], name) == 0)
			return true;
	return false;
}

static void
name_add(struct dlq_choice *choice, const char *name)
{
	if (choice->n_names < DLQ_NAMES_MAX && !has_name(choice, name))
		choice->names[choice->n_names++] = name;
}

static void
names_add(struct dlq_choice *choice, char *const *names)
{
	for (; names && *names; names++)
		name_add(choice, *names);
}

/* ---- The keeper -----------------------------------------------------------
 */

static bool
stands_in_on_fail(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->n_pipelines; i++)
		for (char **at = config->pipelines[i].on_fail; *at; at++)
			if (strcmp(*at, name) == 0)
				return true;
	return false;
}

/* Sinks of one sort; the first two, and how many there are. */
struct keepers {
	const char *found[2];
	unsigned n;
};

static void
keepers_add(struct keepers *keepers, const char *name)
{
	if (keepers->n < 2)
		keepers->found[keepers->n] = name;
	keepers->n++;
}

static int
keeper_choose(struct dlq_choice *choice, const char *from)
{
	const struct config *config = choice->config;
	struct keepers dead = { .n = 0 }, stores = { .n = 0 };
	const struct keepers *k;

	for (unsigned i = 0; i < config->n_instances; i++) {
		const struct config_instance *in = &config->instances[i];

		if (in->kind == EVH_SINK && stands_in_on_fail(config, in->name))
			keepers_add(&dead, in->name);
		if (strcmp(in->keyword, "store") == 0)
			keepers_add(&stores, in->name);
	}
	if (from) {
		const struct config_instance *in =
			config_instance(config, from);

		if (!in)
			return dlq_text_refuse(
				"there is no instance \"%s\" in %s", from,
				config->file);
		if (in->kind != EVH_SINK)
			return dlq_text_refuse(
				"\"%s\" keeps no dead letters: it is a %s",
				from, in->keyword);
		choice->from = in->name;
		return EX_OK;
	}
	k = dead.n > 0 ? &dead : &stores;
	if (k->n == 0)
		return dlq_text_refuse(
			"nobody in %s keeps dead letters: no sink stands "
			"in an on_fail, and there is no store",
			config->file);
	if (k->n > 1)
		return dlq_text_refuse(
			"\"%s\" and \"%s\" keep dead letters; say whose "
			"with --from INSTANCE",
			k->found[0], k->found[1]);
	choice->from = k->found[0];
	return EX_OK;
}

/* ---- The pipeline ---------------------------------------------------------
 */

static const struct config_instance *
head_of(const struct config *config, const struct config_pipeline *p)
{
	return p->chain[0] ? config_instance(config, p->chain[0]) : NULL;
}

static bool
is_ingests(const struct config *config, const struct config_pipeline *p)
{
	const struct config_instance *head = head_of(config, p);

	return head && strcmp(head->keyword, "ingest") == 0;
}

static int
pipeline_find(const struct dlq_choice *choice, const char *name,
	      const struct config_pipeline **ret)
{
	const struct config *config = choice->config;
	const struct config_pipeline *found = NULL;

	for (unsigned i = 0; i < config->n_pipelines; i++) {
		const struct config_pipeline *p = &config->pipelines[i];

		if (name ? strcmp(p->name, name) != 0 : !is_ingests(config, p))
			continue;
		if (found)
			return dlq_text_refuse(
				"an ingest heads \"%s\" and \"%s\"; say "
				"which with --pipeline NAME",
				found->name, p->name);
		found = p;
	}
	if (!found && name)
		return dlq_text_refuse("there is no pipeline \"%s\" in %s",
				       name, config->file);
	if (!found)
		return dlq_text_refuse(
			"no ingest heads a pipeline of %s, so nothing "
			"says where a retry goes: take the API's file, "
			"or --pipeline NAME to run its handlers here",
			config->file);
	*ret = found;
	return EX_OK;
}

/* The rule by which the head gives its events keys. */
static const char *
key_rule_of(const struct config_instance *head)
{
	for (unsigned i = 0; i < head->n_settings; i++) {
		const struct config_setting *setting = &head->settings[i];

		if (strcmp(setting->name, "key") == 0 && !setting->missing &&
		    setting->n_values == 1 &&
		    event_key_rule(setting->values[0]))
			return setting->values[0];
	}
	return "none";
}

static int
pipeline_choose(struct dlq_choice *choice, const char *name)
{
	const struct config_instance *head;
	int rc = pipeline_find(choice, name, &choice->pipeline);

	if (rc != EX_OK)
		return rc;
	head = head_of(choice->config, choice->pipeline);
	if (!head || head->kind != EVH_SOURCE)
		return dlq_text_refuse(
			"the pipeline \"%s\" has no source in front",
			choice->pipeline->name);
	choice->head = head->name;
	choice->is_ingest = is_ingests(choice->config, choice->pipeline);
	choice->key_rule = key_rule_of(head);
	names_add(choice, choice->pipeline->chain);
	names_add(choice, choice->pipeline->on_fail);
	names_add(choice, choice->pipeline->on_drop);
	return EX_OK;
}

/* ---- Whom these name ------------------------------------------------------
 */

static void
named_add(struct dlq_choice *choice, const struct loader_plugin *plugin,
	  const struct config_instance *in)
{
	for (unsigned i = 0; i < in->n_settings; i++) {
		const struct config_setting *setting = &in->settings[i];

		for (const struct evh_option *o = plugin->options; o->name; o++)
			if (o->type == EVH_INSTANCE && setting->n_values == 1 &&
			    strcmp(o->name, setting->name) == 0 &&
			    setting->values[0][0])
				name_add(choice, setting->values[0]);
	}
}

/* The list grows while it is gone through. */
static void
named_all(struct dlq_choice *choice)
{
	const struct config *config = choice->config;
	struct loader *loader = loader_new(config->plugin_dir);

	if (!loader)
		return; /* who checks the part finds that somebody is missing */
	for (unsigned i = 0; i < choice->n_names; i++) {
		const struct config_instance *in =
			config_instance(config, choice->names[i]);
		const struct loader_plugin *plugin = NULL;
		struct problems problems = { 0 };

		if (in && in->plugin &&
		    (!choice->head || strcmp(in->name, choice->head) != 0))
			plugin = loader_open(loader, config->dir, in->plugin,
					     in->where, &problems);
		if (plugin)
			named_add(choice, plugin, in);
		problems_fini(&problems);
	}
	loader_free(loader);
}

int
dlq_choice_make(const char *file, const char *env_file,
		const struct dlq_words *words, struct dlq_choice *ret)
{
	struct problems problems = { 0 };
	int rc;

	*ret = (struct dlq_choice){ .key_rule = "none" };
	config_env_read(env_file, &problems);
	ret->config = config_new(file, &problems);
	if (!ret->config)
		listing_problems(&problems);
	problems_fini(&problems);
	if (!ret->config)
		return EX_CONFIG;
	rc = keeper_choose(ret, words->from);
	if (rc != EX_OK)
		return rc;
	name_add(ret, ret->from);
	if (words->verb == DLQ_RETRY)
		rc = pipeline_choose(ret, words->pipeline);
	if (rc == EX_OK)
		named_all(ret);
	return rc;
}

void
dlq_choice_fini(struct dlq_choice *choice)
{
	config_free(choice->config);
	choice->config = NULL;
}
