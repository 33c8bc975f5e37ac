/*
 * options.c - what a plugin asks of its options.
 */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "options_table.h"
#include "secret.h"

struct option *
option_find(const struct options *options, const char *name, size_t n)
{
	for (unsigned i = 0; i < options->n; i++) {
		const char *row = options->list[i].row->name;

		if (strlen(row) == n && memcmp(row, name, n) == 0)
			return &options->list[i];
	}
	return NULL;
}

struct option *
option_of(const struct options *options, const char *name)
{
	return option_find(options, name, strlen(name));
}

void
options_free(struct options *options)
{
	if (!options)
		return;
	for (unsigned i = 0; i < options->n; i++) {
		struct option *option = &options->list[i];

		if (option->row->type == EVH_SECRET)
			secret_free(option->text);
		else
			free(option->text);
		for (unsigned j = 0; j < option->n_items; j++) {
			free(option->items[j]);
			free(option->keys[j]);
		}
		free(option->items);
		free(option->keys);
	}
	free(options->list);
	free(options->has_missed);
	free(options);
}

const char *
options_str(const struct options *options, const char *name)
{
	const struct option *option = option_of(options, name);

	if (!option || !option->text)
		return NULL;
	if (option->row->type == EVH_INSTANCE && !*option->text)
		return NULL;
	return option->text;
}

int64_t
options_int(const struct options *options, const char *name)
{
	const struct option *option = option_of(options, name);

	return option ? option->number : 0;
}

const char *
options_at(const struct options *options, const char *name, unsigned i,
	   const char **ret_key)
{
	const struct option *option = option_of(options, name);

	if (!option || i >= option->n_items)
		return NULL;
	if (ret_key)
		*ret_key = option->keys[i];
	return option->items[i];
}

bool
options_miss(const struct options *options, const char *name)
{
	return !option_of(options, name) &&
	       !atomic_exchange(options->has_missed, true);
}

static const struct option *
instance_option(const struct options *options, unsigned i)
{
	for (unsigned j = 0; j < options->n; j++) {
		const struct option *option = &options->list[j];

		if (option->row->type == EVH_INSTANCE && option->text &&
		    *option->text && i-- == 0)
			return option;
	}
	return NULL;
}

const char *
options_instance(const struct options *options, unsigned i)
{
	const struct option *option = instance_option(options, i);

	return option ? option->text : NULL;
}

const struct evh_option *
options_instance_row(const struct options *options, unsigned i)
{
	const struct option *option = instance_option(options, i);

	return option ? option->row : NULL;
}
