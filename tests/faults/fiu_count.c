/*
 * fiu_count.c - counts the calls that libfiu makes fail: preloaded before
 * libfiu, it stands between it and whoever asks it.
 *
 *   EVH_FIU_COUNT=FILE LD_PRELOAD="fiu_count.so ..." evhd ...
 *
 * FILE holds eight bytes, the count, as the machine writes an integer; several
 * processes may share it, and none needs to end well for it to be right.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT_EXPORT __attribute__((visibility("default")))

typedef int fail_ask(const char *name);

static _Atomic uint64_t *count; /* the file, mapped; NULL: there is none */

__attribute__((constructor)) static void
count_open(void)
{
	const char *path = getenv("EVH_FIU_COUNT");
	/* Not by open(), which may be what is to fail. */
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path,
				     O_RDWR | O_CLOEXEC)
		      : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	close(fd);
	if (map != MAP_FAILED)
		count = map;
}

/* libfiu's own, which its wrappers of the C library's functions ask: not 0 when
 * this call is to fail. */
COUNT_EXPORT int fiu_fail(const char *name);

COUNT_EXPORT int
fiu_fail(const char *name)
{
	fail_ask *next = (fail_ask *)(uintptr_t)dlsym(RTLD_NEXT, "fiu_fail");
	int failnum = next ? next(name) : 0;

	if (failnum != 0 && count)
		atomic_fetch_add(count, 1);
	return failnum;
}
