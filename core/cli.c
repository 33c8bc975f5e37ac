/*
 * cli.c - the words of the command line, each a function with an exit code.
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "arguments.h"
#include "catalogue.h"
#include "dlq.h"
#include "host.h"
#include "listing.h"
#include "log.h"
#include "setup.h"
#include "wordsearch.h"

static const char help_text[] =
	"evhd moves events through pipelines of plugins.\n"
	"\n"
	"  evhd -c FILE                    run\n"
	"  evhd check -c FILE              every mistake in FILE, all at once\n"
	"  evhd plugins [-c FILE]          the plugins that there are\n"
	"  evhd describe PLUGIN [-c FILE]  a plugin's options\n"
	"  evhd WORD -c FILE ...           a word of a plugin's own, like\n"
	"                                  migrate\n"
	"  evhd dlq -c FILE ...            dead letters: list, show, retry,\n"
	"                                  discard, stats; evhd dlq --help\n"
	"  evhd version, evhd help\n"
	"\n"
	"  -c, --config FILE    the configuration\n"
	"  --env-file FILE      instead of .env in the working directory\n"
	"  --on INSTANCE        which instance has the word, if several do\n"
	"                       (also --instance)\n"
	"  --json               check, plugins, describe: for programs\n"
	"\n"
	"Exit codes: 0 done, 64 command line, 65 data, 69 no server, 70 a "
	"fault,\n"
	"71 the system, 78 configuration or plugins.\n";

static int
usage(const char *sentence)
{
	fprintf(stderr, "evhd: %s\n", sentence);
	return EX_USAGE;
}

static int
exit_of(int err)
{
	if (err == 0)
		return EX_OK;
	fprintf(stderr, "evhd: %s\n", strerror(-err));
	return EX_OSERR;
}

/* From here on evhd logs as the configuration says.  0 or an exit code. */
static int
log_start(const struct config *config)
{
	enum evh_level level =
		config->debug ? EVH_DEBUG : log_level_from(config->log_level);
	int err = log_open(level, log_format_from(config->log_format),
			   config->log_file);

	return err < 0 ? EX_OSERR : EX_OK; /* which log_open() has told */
}

/* ---- evhd -c FILE, evhd check -------------------------------------------- */

static int
cli_run(const struct arguments *a, bool *ret_abandon)
{
	struct problems problems = { 0 };
	struct setup *setup;
	int rc = EX_CONFIG;

	setup = setup_new(a->config_file, a->env_file, NULL, &problems);
	listing_problems(&problems);
	if (setup && problems.n_errors == 0) {
		rc = log_start(setup->config);
		if (rc == EX_OK)
			rc = host_run(setup, ret_abandon);
		if (*ret_abandon)
			return rc; /* threads run on, with all of it */
		log_close();
	}
	problems_fini(&problems);
	setup_free(setup);
	return rc;
}

static int
cli_check(const struct arguments *a)
{
	struct problems problems = { 0 };
	struct setup *setup;
	int rc, err = 0;

	if (!a->config_file)
		return usage("which file? evhd check -c FILE");
	setup = setup_new(a->config_file, a->env_file, NULL, &problems);
	if (setup && problems.n_errors == 0)
		host_check(setup, &problems);
	if (a->json)
		err = listing_check(a->config_file, &problems);
	else
		listing_problems(&problems);
	if (!a->json && problems.n_errors == 0)
		printf("%s: ok\n", a->config_file);
	rc = problems.n_errors > 0 ? EX_CONFIG : exit_of(err);
	problems_fini(&problems);
	setup_free(setup);
	return rc;
}

/* ---- evhd plugins -------------------------------------------------------- */

/* The configuration for its plugin_dir and its paths only; *ret NULL when none
 * is asked for.  0 or an exit code. */
static int
config_open(const struct arguments *a, struct config **ret)
{
	struct problems problems = { 0 };

	*ret = NULL;
	if (!a->config_file)
		return EX_OK;
	config_env_read(a->env_file, &problems);
	*ret = config_new(a->config_file, &problems);
	if (!*ret)
		listing_problems(&problems);
	problems_fini(&problems);
	return *ret ? EX_OK : EX_CONFIG;
}

static int
cli_plugins(const struct arguments *a)
{
	struct catalogue catalogue = { 0 };
	struct config *config;
	char *dir, **names = NULL;
	int err = -ENOMEM, rc = config_open(a, &config);

	if (rc != EX_OK)
		return rc;
	dir = config ? strdup(config->plugin_dir) : config_default_plugin_dir();
	if (dir)
		names = loader_names(dir, &err);
	if (dir && !names && err != -ENOMEM) {
		fprintf(stderr, "evhd: plugin_dir %s: %s\n", dir,
			strerror(-err));
		rc = EX_CONFIG;
		goto out;
	}
	err = -ENOMEM;
	if (names)
		err = catalogue_init(&catalogue, dir, names, config);
	if (err == 0) {
		err = listing_plugins(catalogue.list, catalogue.n, a->json);
		catalogue_fini(&catalogue);
	}
	rc = exit_of(err);
out:
	loader_names_free(names);
	config_free(config);
	free(dir);
	return rc;
}

/* ---- evhd describe --------------------------------------------------------
 */

/* The plugin of an instance may be named by the instance. */
static const char *
plugin_name(const struct config *config, const char *name)
{
	const struct config_instance *in;

	in = config ? config_instance(config, name) : NULL;
	return in && in->plugin ? in->plugin : name;
}

static int
cli_describe(const struct arguments *a)
{
	struct problems problems = { 0 };
	const struct loader_plugin *plugin = NULL;
	struct loader *loader = NULL;
	struct config *config;
	char *dir;
	int rc;

	if (a->n_args != 2)
		return usage("which plugin? evhd describe PLUGIN");
	rc = config_open(a, &config);
	if (rc != EX_OK)
		return rc;
	dir = config ? strdup(config->plugin_dir) : config_default_plugin_dir();
	loader = dir ? loader_new(dir) : NULL;
	if (loader)
		plugin = loader_open(loader, config ? config->dir : ".",
				     plugin_name(config, a->args[1]), "",
				     &problems);
	listing_problems(&problems);
	if (plugin)
		rc = exit_of(listing_describe(plugin, a->json));
	else
		rc = loader ? EX_CONFIG : exit_of(-ENOMEM);
	problems_fini(&problems);
	loader_free(loader);
	config_free(config);
	free(dir);
	return rc;
}

/* ---- evhd WORD -------------------------------------------------------------
 */

static int
instance_choose(const struct arguments *a, char **ret_name)
{
	struct config *config;
	int rc;

	if (a->instance) {
		*ret_name = strdup(a->instance);
		return *ret_name ? EX_OK : exit_of(-ENOMEM);
	}
	rc = config_open(a, &config);
	if (rc == EX_OK)
		rc = wordsearch_instance(a->word, config, ret_name);
	config_free(config);
	return rc;
}

static int
command_run(const struct arguments *a, struct setup *setup, const char *name)
{
	const struct config_instance *in = config_instance(setup->config, name);
	unsigned i = (unsigned)(in - setup->config->instances);
	const struct evh_command *command =
		wordsearch_command(setup->plugins[i], a->word);
	int rc;

	if (!command) {
		fprintf(stderr, "evhd: \"%s\" has no word \"%s\"\n", name,
			a->word);
		return EX_USAGE;
	}
	rc = log_start(setup->config);
	if (rc == EX_OK)
		rc = host_command(setup, i, command, a->n_args, a->args);
	log_close();
	return rc;
}

static int
cli_command(const struct arguments *a)
{
	struct problems problems = { 0 };
	struct setup *setup;
	char *name = NULL;
	int rc;

	if (!a->config_file)
		return wordsearch_without_file(a->word);
	rc = instance_choose(a, &name);
	if (rc != EX_OK)
		return rc;
	setup = setup_new(a->config_file, a->env_file, name, &problems);
	listing_problems(&problems);
	rc = EX_CONFIG;
	if (setup && problems.n_errors == 0)
		rc = command_run(a, setup, name);
	problems_fini(&problems);
	setup_free(setup);
	free(name);
	return rc;
}

/* ---- Which one ------------------------------------------------------------
 */

static int
cli_version(void)
{
	printf("evhd %s (ABI %d)\n", EVH_VERSION, EVH_ABI);
	return fflush(stdout) == EOF ? EX_OSERR : EX_OK;
}

static int
cli_help(void)
{
	fputs(help_text, stdout);
	return fflush(stdout) == EOF ? EX_OSERR : EX_OK;
}

/* `evhd dlq --help` asks for all of its options. */
static int
cli_dlq(const struct arguments *a, bool *ret_abandon)
{
	for (int i = 1; i < a->n_args; i++)
		if (strcmp(a->args[i], "--help") == 0 ||
		    strcmp(a->args[i], "-h") == 0) {
			fputs(dlq_help, stdout);
			return fflush(stdout) == EOF ? EX_OSERR : EX_OK;
		}
	return dlq_main(a, ret_abandon);
}

static int
cli_dispatch(const struct arguments *a, bool *ret_abandon)
{
	if (a->version)
		return cli_version();
	if (a->help)
		return cli_help();
	if (!a->word && a->config_file)
		return cli_run(a, ret_abandon);
	if (!a->word) {
		fputs(help_text, stderr);
		return EX_USAGE;
	}
	if (strcmp(a->word, "describe") == 0)
		return cli_describe(a);
	if (strcmp(a->word, "dlq") == 0)
		return cli_dlq(a, ret_abandon);
	if (!arguments_is_own_word(a->word))
		return cli_command(a);
	if (a->n_args > 1) {
		fprintf(stderr, "evhd: %s takes no \"%s\"\n", a->word,
			a->args[1]);
		return EX_USAGE;
	}
	if (strcmp(a->word, "check") == 0)
		return cli_check(a);
	if (strcmp(a->word, "plugins") == 0)
		return cli_plugins(a);
	if (strcmp(a->word, "version") == 0)
		return cli_version();
	return cli_help();
}

int
cli_main(int argc, char **argv, bool *ret_abandon)
{
	struct arguments arguments;
	int rc = arguments_parse(argc, argv, &arguments);

	if (rc != 0)
		return rc;
	*ret_abandon = false;
	rc = cli_dispatch(&arguments, ret_abandon);
	arguments_fini(&arguments);
	return rc;
}
