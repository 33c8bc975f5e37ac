/*
 * listing.h - plugins told to people (columns) and to programs (JSON).
 */
#ifndef EVH_LISTING_H
#define EVH_LISTING_H

#include <stdbool.h>

#include "loader.h"
#include "problems.h"

/* One plugin of a list: loaded, or the reasons why it was not. */
struct listed {
	const char *name;
	const struct loader_plugin *plugin; /* NULL: broken */
	const struct problems *problems;
};

/* To standard output; 0, or -errno. */
int listing_plugins(const struct listed *list, size_t n, bool json);
int listing_describe(const struct loader_plugin *plugin, bool json);

/* Each on a line of standard error, `evhd: WHERE: text`. */
void listing_problems(const struct problems *problems);
/* `file` is fine, or what is wrong with it, as JSON to standard output. */
int listing_check(const char *file, const struct problems *problems);

#endif
