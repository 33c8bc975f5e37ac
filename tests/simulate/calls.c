/*
 * The file calls, as the linker puts them in the place of the system's: what is
 * about DISK_FOLDER goes to disk_file.h, all else to the system.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "disk_file.h"

/* The linker's --wrap gives these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __real___openat_2(int dir, const char *name, int flags);
int __wrap___openat_2(int dir, const char *name, int flags);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_fstat(int fd, struct stat *ret);
int __wrap_fstat(int fd, struct stat *ret);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
ssize_t __real_pread(int fd, void *ret, size_t n, off_t place);
ssize_t __wrap_pread(int fd, void *ret, size_t n, off_t place);
ssize_t __real_pwrite(int fd, const void *data, size_t n, off_t place);
ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t place);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);
int __real_closedir(DIR *dir);
int __wrap_closedir(DIR *dir);

static mode_t
mode_of(int flags, va_list args)
{
	return flags & O_CREAT ? va_arg(args, mode_t) : 0;
}

int
__wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	if (strcmp(path, DISK_FOLDER) == 0)
		return disk_file_open(".", flags);
	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return __real_open(path, flags, mode);
}

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	if (disk_file_is_ours(dir))
		return disk_file_open(name, flags);
	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return __real_openat(dir, name, flags, mode);
}

int
__wrap___openat_2(int dir, const char *name, int flags)
{
	return disk_file_is_ours(dir) ? disk_file_open(name, flags)
				      : __real___openat_2(dir, name, flags);
}

int
__wrap_close(int fd)
{
	if (!disk_file_is_ours(fd))
		return __real_close(fd);
	disk_file_close(fd);
	return 0;
}

int
__wrap_fstat(int fd, struct stat *ret)
{
	if (!disk_file_is_ours(fd))
		return __real_fstat(fd, ret);
	*ret = (struct stat){ .st_size = (off_t)disk_file_size(fd) };
	return 0;
}

int
__wrap_fsync(int fd)
{
	return disk_file_is_ours(fd) ? disk_file_sync(fd) : __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	return disk_file_is_ours(fd) ? disk_file_sync(fd)
				     : __real_fdatasync(fd);
}

int
__wrap_ftruncate(int fd, off_t len)
{
	return disk_file_is_ours(fd) ? disk_file_cut(fd, (size_t)len)
				     : __real_ftruncate(fd, len);
}

ssize_t
__wrap_pread(int fd, void *ret, size_t n, off_t place)
{
	if (!disk_file_is_ours(fd))
		return __real_pread(fd, ret, n, place);
	return (ssize_t)disk_file_read(fd, ret, n, (size_t)place);
}

ssize_t
__wrap_pwrite(int fd, const void *data, size_t n, off_t place)
{
	if (!disk_file_is_ours(fd))
		return __real_pwrite(fd, data, n, place);
	return disk_file_write(fd, data, n, (size_t)place);
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	return disk_file_is_ours(dir) ? disk_file_delete(name)
				      : __real_unlinkat(dir, name, flags);
}

int
__wrap_flock(int fd, int operation)
{
	return disk_file_is_ours(fd) ? disk_file_lock(fd)
				     : __real_flock(fd, operation);
}

/* There is one listing at a time, and this is its DIR. */
static char the_listing;

DIR *
__wrap_fdopendir(int fd)
{
	if (!disk_file_is_ours(fd))
		return __real_fdopendir(fd);
	disk_file_close(fd);
	disk_list_begin();
	return (DIR *)&the_listing;
}

struct dirent *
__wrap_readdir(DIR *dir)
{
	static struct dirent entry;
	const char *name;

	if ((void *)dir != (void *)&the_listing)
		return __real_readdir(dir);
	name = disk_list_next();
	if (name == NULL)
		return NULL;
	snprintf(entry.d_name, sizeof(entry.d_name), "%s", name);
	return &entry;
}

int
__wrap_closedir(DIR *dir)
{
	return (void *)dir == (void *)&the_listing ? 0 : __real_closedir(dir);
}
/* NOLINTEND(bugprone-reserved-identifier) */
