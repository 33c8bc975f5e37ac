/*
 * trusted.h - a file that nobody else could have written.
 *
 * The rule, on the file's real path (no symbolic links in it):
 *
 *   - the file is a regular one that belongs to root or to evhd's user, and
 *     nobody else may write it;
 *   - so does, and is, the folder that it stands in;
 *   - so are all the folders above, but that others may write one which is
 *     sticky (/tmp), since they cannot replace in it what is not theirs.
 *
 * A group may write where it is the owner's private one (same name, no other
 * member), as umask 0002 makes it on Ubuntu.
 */
#ifndef EVH_TRUSTED_H
#define EVH_TRUSTED_H

#include <sys/stat.h>

/*
 * Opens such a file for reading: a descriptor (close-on-exec), its absolute
 * real path in *ret_path (malloced) and what it is in *ret_stat.  Or -errno,
 * and in *ret_why a malloced sentence, but for -ENOMEM; -ENOENT when it is not
 * there, -EPERM when the rule is broken.
 */
int trusted_open(const char *path, char **ret_path, struct stat *ret_stat,
		 char **ret_why);

#endif
