/*
 * wordsearch.h - who offers a word of the command line that is not evhd's own.
 *
 * `evhd migrate` is a command of the plugin pg_store, and runs on an instance
 * of it.  Which one is found in the configuration; and without one it is said
 * what is missing.  What these functions find wrong they tell on standard
 * error.
 */
#ifndef EVH_WORDSEARCH_H
#define EVH_WORDSEARCH_H

#include "config.h"
#include "loader.h"

/* The plugin's command of this name, or NULL. */
const struct evh_command *wordsearch_command(const struct loader_plugin *plugin,
					     const char *word);

/*
 * Which instance of the file has the word, if none was told.  The other
 * sections need not be right, so nothing of them is reported.  0 and a
 * malloced name, or an exit code. [main]
 */
int wordsearch_instance(const char *word, const struct config *config,
			char **ret_name);

/* No file was given: says that it is needed, or what the word should have
 * been.  An exit code. [main] */
int wordsearch_without_file(const char *word);

#endif
