/*
 * log.h - what evhd says, one line an entry, to standard error or a file.
 *
 * logfmt or JSON: time, level, instance, msg, and where they apply pipeline,
 * event, topic, partition, offset, attempt, sqlstate or err.  An entry is
 * written by one write(2) and at most PIPE_BUF (4096) bytes long, the message
 * cut to fit, so lines of several threads and processes never mix; what a disk,
 * a full pipe or a reader that is gone refuses is lost, and counted, for a log
 * must not stop the service.  Payloads and secrets are never logged.
 *
 * There is one log a process, without an object to pass: everybody may write
 * to it at any time.
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
	const struct evh_event
		*event;	  /* id; topic, partition, offset; attempt */
	const char *code; /* an SQLSTATE: `sqlstate`; "timeout", ...: `err` */
};

/*
 * Before it is opened, and after log_close(), entries go to standard error as
 * logfmt, at info.  file NULL is standard error; one that is closed becomes
 * /dev/null.  Ignores SIGPIPE, which a reader's end would send.  0, or -errno
 * of open(2), which it has logged. [main]
 */
int log_open(enum evh_level level, enum log_format format, const char *file);
/* SIGHUP: the same file anew.  0; or -errno, logged, and the old one goes on.
 * [main] */
int log_reopen(void);
void log_close(void); /* [main] */

/* From now on entries go to `taker` and nowhere else, for a process that is not
 * to write a log of its own; NULL: no more.  [main], while there is no other
 * thread; it is called on [any]. */
typedef void log_taker(void *arg, enum evh_level level,
		       const struct log_facts *facts, const char *msg);
void log_divert(log_taker *taker, void *arg);

bool log_wants(enum evh_level level); /* [any] */
/* facts: borrowed, or NULL.  Never waits for a reader; errno stays. [any] */
void log_write(enum evh_level level, const struct log_facts *facts,
	       const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void log_vwrite(enum evh_level level, const struct log_facts *facts,
		const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

/* How many entries of this level were written, for log_lines_total; and how
 * many of all levels were lost. [any] */
uint64_t log_count(enum evh_level level);
uint64_t log_count_lost(void);

/* "debug" ... -> level; "logfmt", "json" -> format; 0 when unknown. */
enum evh_level log_level_from(const char *name);
enum log_format log_format_from(const char *name);

#endif
