/*
 * alloc_fail.c - the N-th allocation of one process fails: preloaded, it counts
 * those that evhd, its plugins and libjansson ask for.
 *
 *   EVH_ALLOC_FAIL=N LD_PRELOAD=alloc_fail.so evhd ...
 *
 * librdkafka's are not counted: it aborts where one fails, by its own decision.
 * Nor are libpq's: it asks thousands of times while it hashes one password.
 * Says on standard error which one failed, and at the end how many there were.
 * Where glibc allocates for its caller (strdup(), asprintf(), ...) that one
 * counts as asking.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALLOC_EXPORT __attribute__((visibility("default")))
#define KNOWN	     4096 /* callers */
#define CALLER	     __builtin_return_address(0)

/* glibc's own, under names that nobody shadows. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static unsigned long fails_at; /* 0: none does */
static atomic_ulong n_asked;

__attribute__((constructor)) static void
alloc_open(void)
{
	const char *text = getenv("EVH_ALLOC_FAIL");

	fails_at = text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((destructor)) static void
alloc_tell(void)
{
	dprintf(STDERR_FILENO, "alloc_fail: there were %lu allocations\n",
		atomic_load(&n_asked));
}

static bool
is_counted(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;

	return strcmp(name, "evhd") == 0 || strstr(file, "/plugins/") ||
	       strncmp(name, "libjansson.", 11) == 0;
}

/* The same of the caller.  To look it up takes long, so what was found stays:
 * the address, moved by a bit that says it. */
static bool
is_counted_at(const void *caller)
{
	static _Atomic uintptr_t known[KNOWN];
	uintptr_t at = (uintptr_t)caller << 1;
	_Atomic uintptr_t *slot = &known[(at >> 1) % KNOWN];
	uintptr_t found = atomic_load(slot);
	Dl_info info;

	if ((found & ~(uintptr_t)1) == at)
		return found & 1;
	if (!dladdr(caller, &info) || !info.dli_fname)
		return false;
	found = at | is_counted(info.dli_fname);
	atomic_store(slot, found);
	return found & 1;
}

/* Whether this one fails; then errno is set. */
static bool
fails(const void *caller)
{
	Dl_info info;

	if (!fails_at || !is_counted_at(caller) ||
	    atomic_fetch_add(&n_asked, 1) + 1 != fails_at)
		return false;
	(void)dladdr(caller, &info);
	dprintf(STDERR_FILENO, "alloc_fail: number %lu, in %s+%#lx, fails\n",
		fails_at, info.dli_fname,
		(unsigned long)((uintptr_t)caller - (uintptr_t)info.dli_fbase));
	errno = ENOMEM;
	return true;
}

ALLOC_EXPORT void *
malloc(size_t size)
{
	return fails(CALLER) ? NULL : __libc_malloc(size);
}

ALLOC_EXPORT void *
calloc(size_t n, size_t size)
{
	return fails(CALLER) ? NULL : __libc_calloc(n, size);
}

ALLOC_EXPORT void *
realloc(void *old, size_t size)
{
	return fails(CALLER) ? NULL : __libc_realloc(old, size);
}

ALLOC_EXPORT void *
reallocarray(void *old, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails(CALLER) ? NULL : __libc_realloc(old, all);
}

ALLOC_EXPORT void *
aligned_alloc(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}

static char *
copy(const char *text, size_t len)
{
	char *ret = __libc_malloc(len + 1);

	if (!ret)
		return NULL;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return ret;
}

ALLOC_EXPORT char *
strdup(const char *text)
{
	return fails(CALLER) ? NULL : copy(text, strlen(text));
}

ALLOC_EXPORT char *
strndup(const char *text, size_t most)
{
	return fails(CALLER) ? NULL : copy(text, strnlen(text, most));
}

static int __attribute__((format(printf, 2, 0)))
print(char **ret, const char *fmt, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	*ret = len < 0 ? NULL : __libc_malloc((size_t)len + 1);
	return *ret ? vsnprintf(*ret, (size_t)len + 1, fmt, args) : -1;
}

/* What asprintf() is where sources are fortified. */
ALLOC_EXPORT __attribute__((format(printf, 3, 4))) int
__asprintf_chk(char **ret, int flag, const char *fmt, ...)
{
	va_list args;
	int len;

	(void)flag;
	if (fails(CALLER))
		return -1;
	va_start(args, fmt);
	len = print(ret, fmt, args);
	va_end(args);
	return len;
}

ALLOC_EXPORT __attribute__((format(printf, 3, 0))) int
__vasprintf_chk(char **ret, int flag, const char *fmt, va_list args)
{
	(void)flag;
	return fails(CALLER) ? -1 : print(ret, fmt, args);
}
