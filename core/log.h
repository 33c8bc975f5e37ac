/*
 * log.h - what evhd says, one line an entry, to standard error or a file.
 *
 * logfmt or JSON: time, level, instance, msg, and where they apply pipeline,
 * event, topic, partition, offset, attempt, code.  An entry is written by one
 * write(2), so lines of several threads never mix; what a disk refuses is
 * dropped, and counted, for a log must not stop the service.  Payloads and
 * secrets are never logged.
 */
#ifndef EVH_LOG_H
#define EVH_LOG_H

#include <evh/plugin.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_format { LOG_LOGFMT = 1, LOG_JSON };

/* Facts beside the sentence; zero and NULL are not written. */
struct log_facts {
	const char *instance;
	const char *pipeline;
	const struct evh_event *event; /* id; topic, partition, offset; attempt */
	const char *code;              /* SQLSTATE, "timeout", ... */
};

/*
 * Before it is opened, entries go to standard error as logfmt, at info.
 * file NULL is standard error.  0, or -errno of open(2). [main]
 */
int log_open(enum evh_level level, enum log_format format, const char *file);
int log_reopen(void); /* SIGHUP: the same file anew. [main] */
void log_close(void);

bool log_wants(enum evh_level level); /* [any] */
void log_write(enum evh_level level, const struct log_facts *facts,
	       const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void log_vwrite(enum evh_level level, const struct log_facts *facts,
		const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

/* How many entries of this level were written, for log_lines_total. */
uint64_t log_count(enum evh_level level);

/* "debug" ... -> level; "logfmt", "json" -> format; 0 when unknown. */
enum evh_level log_level_from(const char *name);
enum log_format log_format_from(const char *name);

#endif
