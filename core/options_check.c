/*
 * options_check.c - the table is the schema.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "confmissing.h"
#include "loader.h"
#include "options.h"
#include "options_table.h"
#include "secret.h"
#include "value.h"

/* Everything that a check needs to know, beside the setting. */
struct check {
	struct options *options;
	const struct config_instance *in;
	const struct config *config;
	struct problems *problems;
	bool out_of_memory;
};

/* ---- Values ------------------------------------------------------------ */

/* 0 when the item was taken, -EINVAL and a problem, or -ENOMEM. */
static int
value_take(struct check *check, const struct option *option, const char *name,
	   const char *text, int64_t *ret_number)
{
	char *why = NULL;
	int err = value_check(option->row, text, ret_number, &why);

	if (err == -EINVAL && option->row->type == EVH_SECRET)
		problems_add(check->problems, check->in->where, "%s: %s", name,
			     why);
	else if (err == -EINVAL)
		problems_add(check->problems, check->in->where,
			     "%s = \"%s\": %s", name, text, why);
	else if (err == -ENOMEM)
		check->out_of_memory = true;
	free(why);
	return err;
}

static void
item_add(struct check *check, struct option *option, const char *key,
	 const char *text, size_t n)
{
	unsigned at = option->n_items;
	char **items = reallocarray(option->items, at + 1, sizeof(*items));
	char **keys;

	if (items)
		option->items = items;
	keys = reallocarray(option->keys, at + 1, sizeof(*keys));
	if (keys)
		option->keys = keys;
	if (!items || !keys) {
		check->out_of_memory = true;
		return;
	}
	items[at] = strndup(text, n);
	keys[at] = key ? strdup(key) : NULL;
	option->n_items++;
	if (!items[at] || (key && !keys[at]))
		check->out_of_memory = true;
}

static void
text_set(struct check *check, struct option *option, const char *text,
	 int64_t number)
{
	free(option->text);
	option->text = strdup(text);
	option->number = number;
	if (!option->text)
		check->out_of_memory = true;
}

static void
secret_take(struct check *check, struct option *option, const char *name,
	    const char *path)
{
	char *text = NULL, *why = NULL;
	int64_t number;
	int err;

	err = secret_read(check->config->dir, path, &text, &why);
	if (err == -ENOMEM)
		check->out_of_memory = true;
	else if (err < 0)
		problems_add(check->problems, check->in->where,
			     "%s = \"%s\": %s", name, path, why);
	else if (value_take(check, option, name, text, &number) == 0)
		text_set(check, option, text, 0);
	secret_free(text);
	free(why);
}

/* ---- Settings ----------------------------------------------------------- */

static void
instance_check(struct check *check, const char *name, const char *text)
{
	const struct config *config = check->config;
	const char **names;
	const char *nearest;
	unsigned n;

	if (strcmp(text, check->in->name) == 0) {
		problems_add(check->problems, check->in->where,
			     "%s = \"%s\": an instance cannot name itself",
			     name, text);
		return;
	}
	if (config_instance(config, text))
		return;
	names = calloc(config->n_instances + 1, sizeof(*names));
	if (!names) {
		check->out_of_memory = true;
		return;
	}
	for (n = 0; n < config->n_instances; n++)
		names[n] = config->instances[n].name;
	nearest = problems_nearest(text, names);
	problems_add(check->problems, check->in->where,
		     "%s = \"%s\": there is no instance of that name%s%s%s",
		     name, text, nearest ? "; did you mean \"" : "",
		     nearest ? nearest : "", nearest ? "\"?" : "");
	free(names);
}

static void
list_take(struct check *check, struct option *option,
	  const struct config_setting *setting)
{
	for (unsigned i = 0; i < setting->n_values; i++) {
		const char *text = setting->values[i];
		int64_t number;

		/* Empty counts as missing, in a list as well. */
		if (*text == '\0')
			continue;
		option->is_given = true;
		if (value_take(check, option, setting->name, text, &number) ==
		    0)
			item_add(check, option, NULL, text, strlen(text));
	}
}

/* The setting of an option that has one value, under its own name or, for a
 * secret, under NAME_file, or of one key of a map. */
static void
single_take(struct check *check, struct option *option, const char *key,
	    bool is_file, const struct config_setting *setting)
{
	const char *name = setting->name, *text;
	int64_t number = 0;

	if (setting->n_values != 1) {
		problems_add(check->problems, check->in->where,
			     "%s takes one value, not a list of %u", name,
			     setting->n_values);
		option->is_given = true;
		return;
	}
	text = setting->values[0];
	if (option->row->type == EVH_MAP) {
		option->is_given = true;
		if (value_take(check, option, name, text, &number) == 0)
			item_add(check, option, key, text, strlen(text));
		return;
	}
	if (*text == '\0')
		return; /* empty counts as missing */
	if (option->is_given) {
		problems_add(check->problems, check->in->where,
			     "%s and %s_file are both given; one is enough",
			     option->row->name, option->row->name);
		return;
	}
	option->is_given = true;
	if (is_file) {
		secret_take(check, option, name, text);
		return;
	}
	if (value_take(check, option, name, text, &number) < 0)
		return;
	if (option->row->type == EVH_INSTANCE)
		instance_check(check, name, text);
	text_set(check, option, text, number);
}

static void
unknown_report(struct check *check, const char *name)
{
	const struct options *options = check->options;
	const char *nearest = NULL, **names;

	if (strcmp(name, "isolate") == 0) {
		problems_add(check->problems, check->in->where,
			     "isolate: only a handler can run in a process of "
			     "its own");
		return;
	}
	names = calloc(options->n + 1, sizeof(*names));
	if (names) {
		for (unsigned i = 0; i < options->n; i++)
			names[i] = options->list[i].row->name;
		nearest = problems_nearest(name, names);
	}
	free(names);
	if (nearest)
		problems_add(check->problems, check->in->where,
			     "unknown option \"%s\"; did you mean \"%s\"?",
			     name, nearest);
	else
		problems_add(check->problems, check->in->where,
			     "unknown option \"%s\"; `evhd describe %s -c %s` "
			     "lists what there is",
			     name, check->in->plugin, check->config->file);
}

/* "rdkafka.linger.ms" -> the map rdkafka, "linger.ms"; "password_file" -> the
 * secret password. */
static struct option *
option_of_setting(const struct options *options, const char *name,
		  const char **ret_key, bool *ret_is_file)
{
	struct option *option = option_of(options, name);
	const char *dot = strchr(name, '.');
	size_t n = strlen(name);

	*ret_key = NULL;
	*ret_is_file = false;
	if (option)
		return option;
	if (n > 5 && strcmp(name + n - 5, "_file") == 0) {
		option = option_find(options, name, n - 5);
		if (option && option->row->type == EVH_SECRET) {
			*ret_is_file = true;
			return option;
		}
	}
	if (!dot || dot == name || dot[1] == '\0')
		return NULL;
	option = option_find(options, name, (size_t)(dot - name));
	if (!option || option->row->type != EVH_MAP)
		return NULL;
	*ret_key = dot + 1;
	return option;
}

static void
setting_take(struct check *check, const struct config_setting *setting)
{
	const char *key;
	bool is_file;
	struct option *option = option_of_setting(check->options, setting->name,
						  &key, &is_file);

	if (!option) {
		unknown_report(check, setting->name);
		return;
	}
	if (setting->missing) {
		/* Whoever wants it to be empty writes ${NAME:-}. */
		confmissing_report(setting->missing, setting->name,
				   check->in->where, check->problems);
		option->is_given = true;
		return;
	}
	if (option->row->type == EVH_MAP && !key) {
		problems_add(check->problems, check->in->where,
			     "%s is a map; write %s.KEY = \"VALUE\"",
			     setting->name, setting->name);
		option->is_given = true;
		return;
	}
	if (option->row->type == EVH_LIST)
		list_take(check, option, setting);
	else
		single_take(check, option, key, is_file, setting);
}

/* ---- Defaults ------------------------------------------------------------ */

static void
list_default(struct check *check, struct option *option)
{
	const char *s = option->row->def, *item;
	size_t n;

	while ((item = value_item_next(&s, &n)))
		item_add(check, option, NULL, item, n);
}

static void
default_take(struct check *check, struct option *option)
{
	const struct evh_option *row = option->row;
	int64_t number = 0;

	if (!row->def) {
		problems_add(check->problems, check->in->where,
			     "%s is missing%s%s%s", row->name,
			     row->help ? " (" : "", row->help ? row->help : "",
			     row->help ? ")" : "");
		return;
	}
	if (row->type == EVH_LIST) {
		list_default(check, option);
		return;
	}
	if (row->type == EVH_MAP)
		return;
	/* An empty default stands for "none", whatever `values` says. */
	if (*row->def &&
	    value_take(check, option, row->name, row->def, &number) < 0)
		return;
	if (row->type == EVH_INSTANCE && *row->def)
		instance_check(check, row->name, row->def);
	text_set(check, option, row->def, number);
}

/* ---- The whole ----------------------------------------------------------- */

static size_t
rows_count(const struct evh_option *rows)
{
	size_t n = 0;

	while (rows[n].name)
		n++;
	return n;
}

static void
rows_add(struct options *options, const struct evh_option *rows)
{
	for (; rows->name; rows++)
		options->list[options->n++].row = rows;
}

struct options *
options_new(const struct loader_plugin *plugin,
	    const struct config_instance *in, const struct config *config,
	    struct problems *problems)
{
	struct check check = { .in = in,
			       .config = config,
			       .problems = problems };
	size_t n_before = problems->n_errors;
	struct options *options = calloc(1, sizeof(*options));

	if (options) {
		options->has_missed = calloc(1, sizeof(*options->has_missed));
		options->list =
			calloc(plugin->n_options +
				       rows_count(options_handler_words()) + 1,
			       sizeof(*options->list));
	}
	if (!options || !options->list || !options->has_missed) {
		options_free(options);
		problems_add(problems, in->where, "out of memory");
		return NULL;
	}
	check.options = options;
	rows_add(options, plugin->options);
	if (in->kind == EVH_HANDLER)
		rows_add(options, options_handler_words());

	for (unsigned i = 0; i < in->n_settings; i++)
		setting_take(&check, &in->settings[i]);
	for (unsigned i = 0; i < options->n; i++)
		if (!options->list[i].is_given)
			default_take(&check, &options->list[i]);
	if (check.out_of_memory)
		problems_add(problems, in->where, "out of memory");
	if (problems->n_errors > n_before) {
		options_free(options);
		return NULL;
	}
	return options;
}
