/*
 * loader.h - plugins as shared objects: found, checked, opened, described.
 *
 * A plugin is a .so that exports one constant, `evh_plugin`.  Before any of
 * its code runs, its file must be one that nobody else could have written,
 * its `abi` must be ours, and its tables must make sense; each refusal is a
 * sentence of its own.  The descriptor is copied into one of the host's own
 * size, what the plugin does not know is zero, and its option table is
 * walked with the stride that the plugin was compiled with.
 */
#ifndef EVH_LOADER_H
#define EVH_LOADER_H

#include <evh/plugin.h>

#include <stdbool.h>

#include "problems.h"

struct loader_plugin {
	struct evh_plugin plugin;     /* the host's copy; .options and .commands
				       * point to the two below */
	struct evh_option *options;   /* ends with { 0 }; never NULL */
	struct evh_command *commands; /* ends with { 0 }; never NULL */
	char *file;		      /* absolute */
	unsigned n_options;
	unsigned n_commands;
};

struct loader; /* all that are open; code is never unloaded */

struct loader *loader_new(const char *plugin_dir);
void loader_free(struct loader *loader); /* frees tables, unloads nothing */

/*
 * Opens `name` (bare: in plugin_dir; with a slash: a path from conf_dir), or
 * gives the one that is open already.  Reports under `where`; NULL then.
 * Borrowed until loader_free(). [main]
 */
const struct loader_plugin *loader_open(struct loader *loader,
					const char *conf_dir, const char *name,
					const char *where,
					struct problems *problems);

/*
 * The check of a descriptor alone, for tests and for loader_open: 0 and a
 * copy in *ret (whose tables loader_plugin_fini() frees), or -EINVAL,
 * -ENOMEM and a problem.
 */
int loader_check(const struct evh_plugin *descriptor, const char *file,
		 const char *where, struct problems *problems,
		 struct loader_plugin *ret);
void loader_plugin_fini(struct loader_plugin *plugin);

/* Bare names of all plugins in plugin_dir, sorted, NULL-ended; freed by
 * loader_names_free().  NULL and -errno in *ret_err when it cannot be read. */
char **loader_names(const char *plugin_dir, int *ret_err);
void loader_names_free(char **names);

/* A small letter, then at most 31 small letters, digits and '_'. */
bool loader_name_is_good(const char *name);

/* "source", ...; NULL when it is none. */
const char *loader_kind_name(enum evh_kind kind);

#endif
