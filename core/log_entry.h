/*
 * log_entry.h - one entry of the log as one line of text.
 *
 * Members in the order of log.h.  A text is quoted as a JSON string, in logfmt
 * only where it must be; bytes that are no UTF-8 become U+FFFD, and no line
 * break gets through.  Facts are cut at 256 bytes as written, the message at
 * what they leave, with an ellipsis.
 */
#ifndef EVH_LOG_ENTRY_H
#define EVH_LOG_ENTRY_H

#include <limits.h>

#include "log.h"

/* The kernel writes as much to a pipe in one piece, or not at all. */
#define LOG_ENTRY_SIZE PIPE_BUF

extern const char *const log_entry_levels[EVH_ERROR + 1];

/*
 * Writes the entry, of now, with its line's end (no NUL), and returns its
 * length.  All is borrowed; level is one of the four. [any]
 */
size_t log_entry_format(enum log_format format, enum evh_level level,
			const struct log_facts *facts, const char *msg,
			char ret[LOG_ENTRY_SIZE]);

#endif
