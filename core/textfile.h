/*
 * textfile.h - a small text file read whole: a configuration, a .env, a
 * secret.
 */
#ifndef EVH_TEXTFILE_H
#define EVH_TEXTFILE_H

#include <stddef.h>

struct stat;

/*
 * *ret_text is malloced, ends in a NUL and holds no other; ret_stat, unless
 * NULL, is of the very file that was read.  0, or -errno: -EFBIG when it is
 * longer than max bytes, -EILSEQ when it holds a NUL, -EISDIR, -ENOENT ...
 */
int textfile_read(const char *file, size_t max, char **ret_text,
		  struct stat *ret_stat);

#endif
