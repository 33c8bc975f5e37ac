#include "bad_disk.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t place);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

/* Errors, 0: none.  The host's threads read what the test sets. */
static struct {
	atomic_int write, sync; /* the next one fails so */
	atomic_int syncs;	/* each fails so */
	atomic_bool is_full;
} disk;

ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t place)
{
	int code;

	if (disk.is_full) {
		errno = ENOSPC;
		return -1;
	}
	/* Half of it, as a disk that fills up does, then the error. */
	if (disk.write != 0 && len > 1)
		return __real_pwrite(fd, data, len / 2, place);
	code = atomic_exchange(&disk.write, 0);
	if (code == 0)
		return __real_pwrite(fd, data, len, place);
	errno = code;
	return -1;
}

int
__wrap_fdatasync(int fd)
{
	int code = atomic_exchange(&disk.sync, 0);

	if (code == 0)
		code = disk.syncs;
	if (code == 0)
		return __real_fdatasync(fd);
	errno = code;
	return -1;
}

void
bad_disk_mend(void)
{
	disk.write = disk.sync = disk.syncs = 0;
	disk.is_full = false;
}

void
bad_disk_fail_write(int code)
{
	disk.write = code;
}

void
bad_disk_fail_sync(int code)
{
	disk.sync = code;
}

void
bad_disk_fail_syncs(int code)
{
	disk.syncs = code;
}

void
bad_disk_fill(void)
{
	disk.is_full = true;
}
