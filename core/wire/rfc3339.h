/*
 * rfc3339.h - points in time as text: UTC, `Z`, always six decimals when
 * written ("2026-11-22T18:56:33.556543Z", 27 characters); any RFC 3339
 * date-time when read.
 */
#ifndef EVH_RFC3339_H
#define EVH_RFC3339_H

#include <stddef.h>
#include <stdint.h>

#define RFC3339_LEN 27

/* Nanoseconds below the microsecond are cut.  No NUL is written. [any] */
void rfc3339_write(int64_t unix_ns, char ret[RFC3339_LEN]);
/*
 * With any offset and 0 to 9 decimals (more are cut); a leap second is the
 * next one's beginning.  0; or -EINVAL, also for the years that 64 bits of
 * nanoseconds do not hold (before 1678, after 2261). [any]
 */
int rfc3339_read(const char *text, size_t len, int64_t *ret_unix_ns);

#endif
