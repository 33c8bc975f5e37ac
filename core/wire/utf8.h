/*
 * utf8.h - UTF-8 as Unicode defines it (table 3-7 of the standard): no
 * overlong forms, no surrogates, nothing beyond U+10FFFF.
 */
#ifndef EVH_UTF8_H
#define EVH_UTF8_H

#include <stddef.h>

/*
 * The sequence that text begins with (len >= 1): its length, 1 to 4; or, where
 * it is none, minus the number of bytes that one U+FFFD stands for, 1 to 3.
 * [any]
 */
int utf8_next(const char *text, size_t len);

/* How many bytes from the start are UTF-8: len when all are. [any] */
size_t utf8_prefix(const char *text, size_t len);

#endif
