/*
 * conffile.h - the text of a configuration, as sections of settings.
 *
 * The one place, with conftree.h, that knows libconfuse.  It reads titled
 * sections and settings of any name, with one value or a list of them, and
 * judges none of them:
 *
 *     debug = true
 *     include("more.conf")
 *     sink "kafka" {
 *         brokers = "${HOST}:${PORT:-9092}"
 *         topics = { "a", "b" }
 *     }
 *
 * libconfuse has to be told which settings are lists and which words begin a
 * section, and stops at the first that surprises it.  So it is asked again,
 * told a little more each time, until it has read the whole file: nobody needs
 * to know a plugin's options to read its section.
 *
 * Empty counts as missing: of a variable that is set and empty the default is
 * taken.  One that is missing and has no default leaves its name behind.
 * libconfuse keeps its lexer in globals, so that this is for [main] alone, and
 * keeps the file that it is reading in one, too.
 */
#ifndef EVH_CONFFILE_H
#define EVH_CONFFILE_H

#include "confsections.h"
#include "problems.h"

/*
 * Reads `file`, whose sections are called by these keywords (NULL-ended);
 * sections of other words are read, too.  NULL, and problems with file and
 * line, when it cannot be read, or is no such text.  Free with
 * confsections_free().
 */
struct confsections *conffile_read(const char *file,
				   const char *const *keywords,
				   struct problems *problems);

#endif
