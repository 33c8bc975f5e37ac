/*
 * options_table.h - what the settings of an instance came to, row by row.
 *
 * For options.c, which answers from it, and options_check.c, which fills it.
 */
#ifndef EVH_OPTIONS_TABLE_H
#define EVH_OPTIONS_TABLE_H

#include <evh/plugin.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What one row of the table came to. */
struct option {
	const struct evh_option *row;
	bool is_given;
	char *text; /* NULL for LIST and MAP */
	int64_t number;
	char **items; /* of LIST and MAP, and a MAP's keys beside them */
	char **keys;
	unsigned n_items;
};

struct options {
	struct option *list;
	unsigned n;
	atomic_bool *has_missed; /* of its own: options are const to all */
};

/* The option whose name these n bytes are; NULL when there is none. [any] */
struct option *option_find(const struct options *options, const char *name,
			   size_t n);
/* The same by the whole name. [any] */
struct option *option_of(const struct options *options, const char *name);

#endif
