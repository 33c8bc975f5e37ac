/*
 * problems.h - the mistakes found in a configuration.
 *
 * Whoever reads a part of it (the file, an option table, a plugin) adds what
 * is wrong and goes on, so that a user sees every mistake at once instead of
 * one a run.  Each is one sentence that says what is wrong and what would be
 * right.  A warning does not keep evhd from running.
 */
#ifndef EVH_PROBLEMS_H
#define EVH_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

struct problem {
	bool is_warning;
	char *where; /* "conf/api.conf:12: sink \"kafka\"", or "" */
	char *text;
};

/* Zero it to begin with an empty list. */
struct problems {
	struct problem *list;
	size_t n;
	size_t n_errors;
	bool out_of_memory; /* some are missing: it counts as an error */
};

/* Both copy what they are given. */
void problems_add(struct problems *p, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void problems_warn(struct problems *p, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void problems_fini(struct problems *p);

/* The word of the NULL-ended list that a typist most likely meant, or NULL. */
const char *problems_nearest(const char *word, const char *const *words);

#endif
