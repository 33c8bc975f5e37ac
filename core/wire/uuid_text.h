/*
 * uuid_text.h - event ids: made, written and read (RFC 9562).
 */
#ifndef EVH_UUID_TEXT_H
#define EVH_UUID_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_LEN 36

/*
 * A UUIDv7 whose 48 bits of milliseconds are those of unix_ns; within one
 * thread and millisecond they ascend (a counter in rand_a and the top of
 * rand_b; RFC 9562 section 6.2, method 1); the rest is random, from
 * getrandom(2) in blocks.  Ascending ids keep the table's index hot.  What it
 * remembers is the thread's own, and no secret: a process that forks makes
 * ids in one of the two only.  Times before 1970 count as 1970. [any]
 */
void uuid_v7(int64_t unix_ns, unsigned char ret[16]);

/* UUIDv5 in the URL namespace, and in the namespace of another id. [any] */
void uuid_v5_url(const char *name, size_t len, unsigned char ret[16]);
void uuid_v5(const unsigned char space[16], const char *name, size_t len,
	     unsigned char ret[16]);

/* 36 characters in lower case; no NUL is written. [any] */
void uuid_write(const unsigned char id[16], char ret[UUID_TEXT_LEN]);
/*
 * Exactly 36 characters, hyphens in place, either case.  0, or -EINVAL and,
 * where ret_why is not NULL, a sentence's tail that says why ("invalid length:
 * expected length 36, found 3"), in ASCII, the thread's until it asks again.
 * [any]
 */
int uuid_read(const char *text, size_t len, unsigned char ret[16],
	      const char **ret_why);

#endif
