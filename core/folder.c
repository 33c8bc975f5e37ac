#include "folder.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
folder_fault(const char *path, const char *others)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? "there is no such folder; make it, "
					 "for evhd's user alone"
				       : strerror(errno);
	if (!S_ISDIR(st.st_mode))
		return "it is no folder";
	if (st.st_mode & S_IWOTH)
		return others;
	if (access(path, R_OK | W_OK | X_OK) < 0)
		return "evhd's user may not read and write in it";
	return NULL;
}
