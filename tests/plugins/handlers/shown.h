/*
 * shown.h - an example of a README, and the file that it has to be.
 */
#ifndef EVH_TEST_SHOWN_H
#define EVH_TEST_SHOWN_H

/* That the README has this file of plugins/handlers in it, byte for byte, as a
 * block of C.  Paths are from plugins/handlers. */
void shown_assert(const char *readme, const char *file);

/* That the file has from min to max lines. */
void shown_assert_lines(const char *file, unsigned min, unsigned max);

#endif
