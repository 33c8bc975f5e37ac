/*
 * arguments.c - options taken out, the rest left in order.
 */
#include "arguments.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "problems.h"

static const char *const own_words[] = {
	"check", "describe", "dlq", "help", "plugins", "version", NULL,
};

static const char *const option_names[] = {
	"--config", "--env-file", "--on",      "--instance",
	"--json",   "--help",	  "--version", NULL,
};

const char *const *
arguments_own_words(void)
{
	return own_words;
}

bool
arguments_is_own_word(const char *word)
{
	for (size_t i = 0; own_words[i]; i++)
		if (strcmp(own_words[i], word) == 0)
			return true;
	return false;
}

/* Then what follows is for the word to understand: a plugin's, or dlq. */
static bool
word_has_options(const struct arguments *a)
{
	return a->word &&
	       (!arguments_is_own_word(a->word) || strcmp(a->word, "dlq") == 0);
}

/* Where an option's value goes; NULL when it has none. */
static const char **
value_of(struct arguments *a, const char *name, size_t n)
{
	static const struct {
		const char *name;
		size_t offset;
	} values[] = {
		{ "-c", offsetof(struct arguments, config_file) },
		{ "--config", offsetof(struct arguments, config_file) },
		{ "--env-file", offsetof(struct arguments, env_file) },
		{ "--on", offsetof(struct arguments, instance) },
		{ "--instance", offsetof(struct arguments, instance) },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (strlen(values[i].name) == n &&
		    memcmp(values[i].name, name, n) == 0)
			return (const char **)((char *)a + values[i].offset);
	return NULL;
}

static bool *
flag_of(struct arguments *a, const char *name)
{
	if (strcmp(name, "--json") == 0)
		return &a->json;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return &a->help;
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return &a->version;
	return NULL;
}

static int
unknown_option(const char *name)
{
	const char *nearest = problems_nearest(name, option_names);

	if (nearest)
		fprintf(stderr, "evhd: unknown option %s; did you mean %s?\n",
			name, nearest);
	else
		fprintf(stderr,
			"evhd: unknown option %s; `evhd --help` lists them\n",
			name);
	return EX_USAGE;
}

/*
 * argv[i], when it is an option with a value: how many of argv it takes, 0
 * when it is none, -1 when its value is missing.
 */
static int
value_take(struct arguments *a, int argc, char **argv, int i)
{
	const char *arg = argv[i], *equals = strchr(arg, '=');
	size_t n =
		equals && arg[1] == '-' ? (size_t)(equals - arg) : strlen(arg);
	const char **value = value_of(a, arg, n);

	if (value && arg[n] == '=') {
		*value = arg + n + 1;
		return 1;
	}
	if (value) {
		if (i + 1 == argc)
			return -1;
		*value = argv[i + 1];
		return 2;
	}
	if (strncmp(arg, "-c", 2) == 0 && !word_has_options(a)) {
		a->config_file = arg + 2;
		return 1;
	}
	return 0;
}

/* As value_take(), or -EX_USAGE once the mistake is told. */
static int
argument_take(struct arguments *a, int argc, char **argv, int i)
{
	bool has_options = word_has_options(a);
	int n = 0;
	bool *flag;

	if (argv[i][0] == '-')
		n = value_take(a, argc, argv, i);
	if (n < 0) {
		fprintf(stderr, "evhd: the option %s needs a value\n", argv[i]);
		return -EX_USAGE;
	}
	if (n > 0)
		return n;
	flag = has_options ? NULL : flag_of(a, argv[i]);
	if (flag) {
		*flag = true;
		return 1;
	}
	if (argv[i][0] == '-' && argv[i][1] && !has_options)
		return -unknown_option(argv[i]);
	if (!a->word)
		a->word = argv[i];
	a->args[a->n_args++] = argv[i];
	return 1;
}

int
arguments_parse(int argc, char **argv, struct arguments *ret)
{
	struct arguments a = { 0 };

	a.args = calloc((size_t)argc + 1, sizeof(*a.args));
	if (!a.args) {
		fprintf(stderr, "evhd: out of memory\n");
		return EX_OSERR;
	}
	for (int i = 1; i < argc;) {
		int n = argument_take(&a, argc, argv, i);

		if (n < 0) {
			free(a.args);
			return -n;
		}
		i += n;
	}
	*ret = a;
	return 0;
}

void
arguments_fini(struct arguments *arguments)
{
	free(arguments->args);
	*arguments = (struct arguments){ 0 };
}
