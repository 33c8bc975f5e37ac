/*
 * wordsearch.c - plugins asked for a word, those of a file or all of them.
 */
#include "wordsearch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "arguments.h"

/* What there is of a word. */
struct search {
	const char *word;
	const char *found[2]; /* instances, or plugins, that offer it */
	unsigned n_found;
	const char *words[64]; /* all there are, for "did you mean" */
	unsigned n_words;
};

static int
no_memory(void)
{
	fprintf(stderr, "evhd: %s\n", strerror(ENOMEM));
	return EX_OSERR;
}

const struct evh_command *
wordsearch_command(const struct loader_plugin *plugin, const char *word)
{
	for (const struct evh_command *c = plugin->commands; c->name; c++)
		if (strcmp(c->name, word) == 0)
			return c;
	return NULL;
}

static void
search_plugin(struct search *search, const char *who,
	      const struct loader_plugin *plugin)
{
	for (const struct evh_command *c = plugin->commands; c->name; c++)
		if (search->n_words < 63)
			search->words[search->n_words++] = c->name;
	if (!wordsearch_command(plugin, search->word))
		return;
	if (search->n_found < 2)
		search->found[search->n_found] = who;
	search->n_found++;
}

static void
search_init(struct search *search, const char *word)
{
	const char *const *own = arguments_own_words();

	*search = (struct search){ .word = word };
	while (own[search->n_words]) {
		search->words[search->n_words] = own[search->n_words];
		search->n_words++;
	}
}

/* rest: what to say of a word that nothing is near to. */
static int
unknown_report(const struct search *search, const char *rest)
{
	const char *nearest = problems_nearest(search->word, search->words);

	if (nearest)
		fprintf(stderr,
			"evhd: unknown word \"%s\"; did you mean \"%s\"?\n",
			search->word, nearest);
	else
		fprintf(stderr, "evhd: unknown word \"%s\"%s\n", search->word,
			rest);
	return EX_USAGE;
}

/* A broken plugin has no words; NULL. */
static const struct loader_plugin *
plugin_open(struct loader *loader, const char *conf_dir, const char *name)
{
	struct problems problems = { 0 };
	const struct loader_plugin *plugin =
		loader_open(loader, conf_dir, name, "", &problems);

	problems_fini(&problems);
	return plugin;
}

/* ---- In a file ------------------------------------------------------------
 */

static int
instance_tell(const struct search *search, char **ret_name)
{
	if (search->n_found == 0)
		return unknown_report(
			search,
			": neither evhd nor a plugin of the file has it");
	if (search->n_found > 1) {
		fprintf(stderr,
			"evhd: \"%s\" is offered by \"%s\" and \"%s\"; say "
			"which with --on INSTANCE\n",
			search->word, search->found[0], search->found[1]);
		return EX_USAGE;
	}
	*ret_name = strdup(search->found[0]);
	return *ret_name ? EX_OK : no_memory();
}

int
wordsearch_instance(const char *word, const struct config *config,
		    char **ret_name)
{
	struct loader *loader = loader_new(config->plugin_dir);
	struct search search;
	int rc;

	if (!loader)
		return no_memory();
	search_init(&search, word);
	for (unsigned i = 0; i < config->n_instances; i++) {
		const struct config_instance *in = &config->instances[i];
		const struct loader_plugin *plugin = NULL;

		if (in->plugin)
			plugin = plugin_open(loader, config->dir, in->plugin);
		if (plugin)
			search_plugin(&search, in->name, plugin);
	}
	rc = instance_tell(&search, ret_name);
	loader_free(loader);
	return rc;
}

/* ---- Without one ----------------------------------------------------------
 */

static int
plugins_tell(const struct search *search)
{
	if (search->n_found == 0)
		return unknown_report(search,
				      "; a plugin's word needs -c FILE");
	fprintf(stderr,
		"evhd: \"%s\", a word of the plugin %s, needs a "
		"configuration: evhd %s -c FILE ...\n",
		search->word, search->found[0], search->word);
	return EX_USAGE;
}

int
wordsearch_without_file(const char *word)
{
	char *dir = config_default_plugin_dir();
	struct loader *loader = dir ? loader_new(dir) : NULL;
	struct search search;
	char **names;
	int err, rc;

	if (!loader) {
		free(dir);
		return no_memory();
	}
	search_init(&search, word);
	/* A folder that cannot be read has no words in it. */
	names = loader_names(dir, &err);
	for (char **name = names; name && *name; name++) {
		const struct loader_plugin *plugin =
			plugin_open(loader, ".", *name);

		if (plugin)
			search_plugin(&search, *name, plugin);
	}
	rc = plugins_tell(&search);
	loader_names_free(names);
	loader_free(loader);
	free(dir);
	return rc;
}
