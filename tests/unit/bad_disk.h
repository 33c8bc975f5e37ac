/*
 * bad_disk.h - a disk that fails when a test says so.
 *
 * The linker puts it in the place of pwrite() and fdatasync() of the host; see
 * CMakeLists.txt for the tests that have it.
 */
#ifndef EVH_TESTS_BAD_DISK_H
#define EVH_TESTS_BAD_DISK_H

#include <sys/types.h>

/* The real one, for a test that spoils a file itself. */
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t place);

/* It is a good one again. */
void bad_disk_mend(void);
/* The next write fails, once, behind some of its bytes. */
void bad_disk_fail_write(int code);
/* The next sync fails, once. */
void bad_disk_fail_sync(int code);
/* Each sync fails. */
void bad_disk_fail_syncs(int code);
/* Each write finds no room, also in place, as where a change is written
 * elsewhere. */
void bad_disk_fill(void);

#endif
