/*
 * failure.h - a schedule that broke an invariant ends the process.
 *
 * What was wrong goes where the parent finds it, together with what the
 * schedule did until then if that was traced; the state is no use after that,
 * so nothing is tidied up.
 */
#ifndef SIMULATE_FAILURE_H
#define SIMULATE_FAILURE_H

#include <stdbool.h>

#define FAILURE_EXIT	 3
#define FAILURE_TEXT_MAX 512

/* Where failure() writes its sentence: FAILURE_TEXT_MAX bytes. */
void failure_init(char *ret_text, bool is_traced);

_Noreturn void failure(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* One line of the trace, with the time; nothing unless traced. */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool trace_is_on(void);

#endif
