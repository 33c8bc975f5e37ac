/*
 * tempdir.h - a folder of a test's own, with files in it.
 */
#ifndef EVH_TEMPDIR_H
#define EVH_TEMPDIR_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tempdir {
	char path[64];
};

static inline void
tempdir_init(struct tempdir *dir)
{
	snprintf(dir->path, sizeof(dir->path), "/tmp/evh-test.XXXXXX");
	assert_non_null(mkdtemp(dir->path));
}

static inline int
tempdir_remove_one(const char *path, const struct stat *st, int flag,
		   struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
tempdir_fini(struct tempdir *dir)
{
	assert_int_equal(
		nftw(dir->path, tempdir_remove_one, 8, FTW_DEPTH | FTW_PHYS),
		0);
}

/* The file's path, in a buffer that the next call uses again. */
static inline const char *
tempdir_write(const struct tempdir *dir, const char *name, const char *text)
{
	static char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	return path;
}

#endif
