/*
 * allocs.c - preloaded into a process, counts its allocations in a file that
 * others can read meanwhile.
 *
 *   EVH_ALLOCS=FILE LD_PRELOAD=allocs.so evhd ...
 *
 * FILE becomes three 64-bit numbers in the machine's order: calls that gave
 * memory, calls of free(), bytes asked for.  od -An -tu8 FILE shows them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct counts {
	atomic_uint_least64_t n_given, n_freed, bytes;
};

/* glibc's own, under the names that need no dlsym(), which allocates. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

/* What came before the file was there counts into the void. */
static struct counts before;
static struct counts *counts = &before;

__attribute__((constructor)) static void
allocs_open(void)
{
	const char *path = getenv("EVH_ALLOCS");
	void *at;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*counts)) == 0) {
		at = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);
		if (at != MAP_FAILED)
			counts = at;
	}
	close(fd);
}

static void
count(size_t size)
{
	atomic_fetch_add_explicit(&counts->n_given, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts->bytes, size, memory_order_relaxed);
}

__attribute__((visibility("default"))) void *
malloc(size_t size)
{
	count(size);
	return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *
calloc(size_t n, size_t size)
{
	count(n * size);
	return __libc_calloc(n, size);
}

__attribute__((visibility("default"))) void *
realloc(void *old, size_t size)
{
	count(size);
	return __libc_realloc(old, size);
}

__attribute__((visibility("default"))) void *
aligned_alloc(size_t alignment, size_t size)
{
	count(size);
	return __libc_memalign(alignment, size);
}

__attribute__((visibility("default"))) int
posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *memory = aligned_alloc(alignment, size);

	if (!memory)
		return ENOMEM;
	*ret = memory;
	return 0;
}

__attribute__((visibility("default"))) void
free(void *memory)
{
	if (memory)
		atomic_fetch_add_explicit(&counts->n_freed, 1,
					  memory_order_relaxed);
	__libc_free(memory);
}
