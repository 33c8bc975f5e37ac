/*
 * stderr_now.h - another descriptor in the place of standard error.
 */
#ifndef EVH_TESTS_STDERR_NOW_H
#define EVH_TESTS_STDERR_NOW_H

#include <stddef.h>

struct stderr_now {
	int saved, reader;
};

/* Puts `writer` in the place of standard error, so that it is the only one
 * who holds it. */
struct stderr_now stderr_swap(int reader, int writer);
/* Closes the log, and puts the old one back. */
void stderr_restore(struct stderr_now *now);
/* A pipe's end, of which `reader` is the other. */
struct stderr_now stderr_to_pipe(void);
/* What there is to read without waiting, ended by a NUL; its length. */
size_t stderr_read(int fd, char *ret, size_t size);

#endif
