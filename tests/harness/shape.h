/*
 * shape.h - a text compared byte for byte with an expected one that has holes.
 *
 *   {"id":"<id>","created_at":"<time>","n":<n>,"why":"<text>"}
 *
 * <id> is a UUIDv7 in lower case, <uuid> any UUID in lower case, <time> a time
 * in UTC with six decimals, <n> an integer, <text> whatever comes before
 * the literal that follows.  What stood in the holes is given back.
 */
#ifndef EVH_TEST_SHAPE_H
#define EVH_TEST_SHAPE_H

#include <stdint.h>

#define SHAPE_HOLES 16
#define SHAPE_MAX   256

struct shape {
	int n;
	char got[SHAPE_HOLES][SHAPE_MAX]; /* each hole's text, in order */
};

/* Fails the test, showing both and where they part.  ret may be NULL. */
void shape_check(const char *text, const char *expected, struct shape *ret);

/* A UUIDv7's milliseconds, and a time's, since 1970. */
int64_t shape_id_ms(const char *id);
int64_t shape_time_ms(const char *time);

#endif
