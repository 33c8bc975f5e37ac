/*
 * trusted.c - who could have written a file, looked at from / down to it.
 */
#include "trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The group that a user has for himself alone. */
static bool
group_is_private(gid_t gid, uid_t uid)
{
	const struct passwd *user = getpwuid(uid);
	const struct group *group = getgrgid(gid);

	if (!user || !group || strcmp(user->pw_name, group->gr_name) != 0)
		return false;
	for (char **member = group->gr_mem; *member; member++)
		if (strcmp(*member, user->pw_name) != 0)
			return false;
	return true;
}

static bool
others_can_write(const struct stat *st)
{
	if (st->st_mode & S_IWOTH)
		return true;
	return (st->st_mode & S_IWGRP) && st->st_gid != 0 &&
	       !group_is_private(st->st_gid, st->st_uid);
}

static int
why(char **ret_why, int err, const char *what, const char *path,
    const struct stat *st)
{
	int n;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		n = asprintf(ret_why,
			     "%s %s belongs to user %u; it must belong to root "
			     "or to the user that runs evhd",
			     what, path, (unsigned)st->st_uid);
	else
		n = asprintf(ret_why,
			     "others can write %s %s (mode %04o); take that "
			     "away with chmod go-w",
			     what, path, (unsigned)(st->st_mode & 07777));
	return n < 0 ? -ENOMEM : err;
}

static int
why_errno(char **ret_why, int err)
{
	if (err == -ENOMEM)
		return err;
	*ret_why = strdup(strerror(-err));
	return *ret_why ? err : -ENOMEM;
}

static bool
owner_is_good(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* path is absolute and real; it is cut and mended on the way. */
static int
folders_check(char *path, char **ret_why)
{
	bool is_own = true; /* the file's own folder, the first one */
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		size_t at = (size_t)(slash - path);
		struct stat st;
		bool is_good;

		/* "/" itself keeps its slash. */
		path[at == 0 ? 1 : at] = '\0';
		if (stat(path, &st) < 0)
			return why_errno(ret_why, -errno);
		is_good = owner_is_good(&st) &&
			  (!others_can_write(&st) ||
			   (!is_own && (st.st_mode & S_ISVTX)));
		if (!is_good)
			return why(ret_why, -EPERM, "the folder", path, &st);
		if (at == 0)
			break;
		is_own = false;
	}
	return 0;
}

static int
file_check(int fd, const char *path, struct stat *ret_stat, char **ret_why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return why_errno(ret_why, -errno);
	if (!S_ISREG(st.st_mode)) {
		if (asprintf(ret_why, "%s is no regular file", path) < 0)
			return -ENOMEM;
		return -EPERM;
	}
	if (!owner_is_good(&st) || others_can_write(&st))
		return why(ret_why, -EPERM, "the file", path, &st);
	*ret_stat = st;
	return 0;
}

int
trusted_open(const char *path, char **ret_path, struct stat *ret_stat,
	     char **ret_why)
{
	char *real = realpath(path, NULL), *folders = NULL;
	int fd = -1, err;

	if (!real)
		return why_errno(ret_why, -errno);
	folders = strdup(real);
	err = folders ? folders_check(folders, ret_why) : -ENOMEM;
	if (err < 0)
		goto fail;
	/* O_NONBLOCK: a FIFO is refused below, not waited for. */
	fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	err = fd < 0 ? why_errno(ret_why, -errno)
		     : file_check(fd, real, ret_stat, ret_why);
	if (err < 0)
		goto fail;
	free(folders);
	*ret_path = real;
	return fd;

fail:
	if (fd >= 0)
		close(fd);
	free(folders);
	free(real);
	return err;
}
