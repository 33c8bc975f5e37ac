#include "disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chance.h"
#include "failure.h"
#include "folder.h"
#include "strand.h"

#define FDS_MAX	    32u
#define FD_FIRST    1000000
#define NODE_FOLDER FOLDER_NODES /* an open folder's, instead of a file's */

static struct {
	struct chance *chance;
	struct disk_mood mood;
	struct folder now;
	struct folder later; /* what the next process finds */
	bool is_dead, has_kept;
	struct {
		bool is_open, has_lock;
		unsigned node;
	} fds[FDS_MAX];
	unsigned listing; /* how far readdir() is */
} disk;

/* ---- Its life ----------------------------------------------------------- */

void
disk_begin(struct chance *chance)
{
	disk_end();
	disk.chance = chance;
}

void
disk_end(void)
{
	folder_empty(&disk.now);
	folder_empty(&disk.later);
	memset(disk.fds, 0, sizeof(disk.fds));
	disk.mood = (struct disk_mood){ .room = SIZE_MAX };
	disk.is_dead = disk.has_kept = false;
}

void
disk_set_mood(const struct disk_mood *mood)
{
	disk.mood = *mood;
}

void
disk_kill(void)
{
	bool tears = chance_of(disk.chance, 60);

	if (disk.is_dead)
		return;
	trace("the process dies%s", tears ? ", and the machine" : "");
	folder_copy(&disk.later, &disk.now);
	if (tears)
		folder_tear(&disk.later, disk.chance);
	disk.is_dead = true;
}

bool
disk_is_dead(void)
{
	return disk.is_dead;
}

void
disk_restart(void)
{
	for (unsigned i = 0; i < FDS_MAX; i++)
		if (disk.fds[i].is_open)
			failure("a file of the spool is left open");
	if (disk.is_dead) {
		folder_empty(&disk.now);
		disk.now = disk.later;
		disk.later.n = 0;
		disk.is_dead = false;
	}
	for (unsigned i = 0; i < disk.now.n; i++)
		disk.now.nodes[i].is_spoiled = false;
}

bool
disk_is_sure_of(const void *bytes, size_t n)
{
	for (unsigned i = 0; i < disk.now.n; i++) {
		const struct node *node = &disk.now.nodes[i];

		if (node->is_sure && node->n_sure >= n &&
		    memmem(node->sure, node->n_sure, bytes, n) != NULL)
			return true;
	}
	return false;
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && strcmp(name + n - m, suffix) == 0;
}

size_t
disk_used(const char *suffix)
{
	size_t n = 0;

	for (unsigned i = 0; i < disk.now.n; i++)
		if (disk.now.nodes[i].is_listed &&
		    ends_with(disk.now.nodes[i].name, suffix))
			n += disk.now.nodes[i].len;
	return n;
}

bool
disk_has_kept_a_file(void)
{
	return disk.has_kept;
}

/* ---- What fails --------------------------------------------------------- */

/* The process may die here; another thread may go on here. */
static void
come_by(void)
{
	strand_point();
	if (!disk.is_dead && chance_below(disk.chance, 1000) < disk.mood.kills)
		disk_kill();
}

static bool
fails(void)
{
	return !disk.is_dead && chance_of(disk.chance, disk.mood.fails);
}

static int
refuse(int code)
{
	trace("the disk says %s", strerror(code));
	errno = code;
	return -1;
}

/* ---- Files -------------------------------------------------------------- */

static bool
is_ours(int fd)
{
	return fd >= FD_FIRST && fd < FD_FIRST + (int)FDS_MAX;
}

static struct node *
node_of(int fd)
{
	unsigned i = (unsigned)(fd - FD_FIRST);

	if (!disk.fds[i].is_open)
		failure("a file of the spool is used, and closed");
	return disk.fds[i].node == NODE_FOLDER
		       ? NULL
		       : &disk.now.nodes[disk.fds[i].node];
}

static int
fd_new(unsigned node)
{
	for (unsigned i = 0; i < FDS_MAX; i++)
		if (!disk.fds[i].is_open) {
			disk.fds[i].is_open = true;
			disk.fds[i].has_lock = false;
			disk.fds[i].node = node;
			return FD_FIRST + (int)i;
		}
	failure("the spool has too many files open");
}

static bool
is_open(unsigned node)
{
	for (unsigned i = 0; i < FDS_MAX; i++)
		if (disk.fds[i].is_open && disk.fds[i].node == node)
			return true;
	return false;
}

static int
open_ours(const char *name, int flags)
{
	struct node *node;

	come_by();
	if (strcmp(name, ".") == 0)
		return fd_new(NODE_FOLDER);
	node = folder_find(&disk.now, name);
	if (node == NULL && !(flags & O_CREAT))
		return refuse(ENOENT);
	if (node != NULL && flags & O_EXCL)
		return refuse(EEXIST);
	if (node == NULL) {
		if (fails())
			return refuse(EIO);
		trace("%s is made", name);
		node = folder_add(&disk.now, name, is_open);
		folder_list(&disk.now, node, true);
	}
	return fd_new((unsigned)(node - disk.now.nodes));
}

/* So much of it fits. */
static size_t
room_for(const struct node *node, size_t n, size_t place)
{
	size_t used = disk_used("");
	size_t left = used < disk.mood.room ? disk.mood.room - used : 0;

	if (disk.is_dead || place + n <= node->len)
		return n;
	if (place + n - node->len <= left)
		return n;
	if (node->len + left <= place)
		return 0;
	return node->len + left - place;
}

/* A segment whose bytes nobody can be sure of. */
static void
spoil(struct node *node)
{
	node->is_spoiled = ends_with(node->name, ".spool");
}

static ssize_t
write_ours(struct node *node, const void *data, size_t n, size_t place)
{
	size_t fit = room_for(node, n, place);

	if (node->is_spoiled)
		failure("%s is written again, after what had failed",
			node->name);
	if (fails()) {
		if (chance_of(disk.chance, 30))
			return refuse(EINTR);
		spoil(node);
		return refuse(EIO);
	}
	if (fit == 0) {
		spoil(node);
		return refuse(ENOSPC);
	}
	if (fit > 1 && !disk.is_dead &&
	    chance_of(disk.chance, disk.mood.shorts))
		fit = chance_between(disk.chance, 1, (unsigned)fit);
	node_write(node, data, chance_below(disk.chance, (unsigned)fit + 1),
		   place);
	come_by();
	node_write(node, data, fit, place);
	return (ssize_t)fit;
}

static int
sync_ours(int fd)
{
	struct node *node;

	come_by();
	node = node_of(fd);
	if (fails()) {
		if (node == NULL)
			return refuse(EIO);
		node_sync_some(node, disk.chance);
		spoil(node);
		return refuse(EIO);
	}
	if (node == NULL)
		folder_sync(&disk.now);
	else
		node_sync(node);
	come_by();
	return 0;
}

static int
lock_ours(int fd)
{
	for (unsigned i = 0; i < FDS_MAX; i++)
		if (disk.fds[i].is_open && disk.fds[i].has_lock)
			return refuse(EWOULDBLOCK);
	disk.fds[fd - FD_FIRST].has_lock = true;
	return 0;
}

/* ---- The calls ---------------------------------------------------------- */

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
		return open_ours(".", flags);
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

	if (is_ours(dir))
		return open_ours(name, flags);
	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return __real_openat(dir, name, flags, mode);
}

int
__wrap___openat_2(int dir, const char *name, int flags)
{
	return is_ours(dir) ? open_ours(name, flags)
			    : __real___openat_2(dir, name, flags);
}

int
__wrap_close(int fd)
{
	if (!is_ours(fd))
		return __real_close(fd);
	(void)node_of(fd);
	disk.fds[fd - FD_FIRST].is_open = false;
	return 0;
}

int
__wrap_fstat(int fd, struct stat *ret)
{
	if (!is_ours(fd))
		return __real_fstat(fd, ret);
	*ret = (struct stat){ .st_size = (off_t)node_of(fd)->len };
	return 0;
}

int
__wrap_fsync(int fd)
{
	return is_ours(fd) ? sync_ours(fd) : __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	return is_ours(fd) ? sync_ours(fd) : __real_fdatasync(fd);
}

int
__wrap_ftruncate(int fd, off_t len)
{
	struct node *node;

	if (!is_ours(fd))
		return __real_ftruncate(fd, len);
	come_by();
	node = node_of(fd);
	if (fails())
		return refuse(EIO);
	if ((size_t)len < node->len) {
		node->len = (size_t)len;
		node->was_cut = true;
	}
	return 0;
}

ssize_t
__wrap_pread(int fd, void *ret, size_t n, off_t place)
{
	const struct node *node;

	if (!is_ours(fd))
		return __real_pread(fd, ret, n, place);
	node = node_of(fd);
	if ((size_t)place >= node->len)
		return 0;
	if (n > node->len - (size_t)place)
		n = node->len - (size_t)place;
	memcpy(ret, node->bytes + place, n);
	return (ssize_t)n;
}

ssize_t
__wrap_pwrite(int fd, const void *data, size_t n, off_t place)
{
	if (!is_ours(fd))
		return __real_pwrite(fd, data, n, place);
	come_by();
	return write_ours(node_of(fd), data, n, (size_t)place);
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	struct node *node;

	if (!is_ours(dir))
		return __real_unlinkat(dir, name, flags);
	come_by();
	node = folder_find(&disk.now, name);
	if (node == NULL)
		return refuse(ENOENT);
	if (fails()) {
		disk.has_kept = true;
		return refuse(EIO);
	}
	trace("%s is deleted", name);
	folder_list(&disk.now, node, false);
	return 0;
}

int
__wrap_flock(int fd, int operation)
{
	return is_ours(fd) ? lock_ours(fd) : __real_flock(fd, operation);
}

/* One listing at a time: its place is in `disk`, and its DIR is that. */
DIR *
__wrap_fdopendir(int fd)
{
	if (!is_ours(fd))
		return __real_fdopendir(fd);
	(void)__wrap_close(fd);
	disk.listing = 0;
	return (DIR *)&disk;
}

struct dirent *
__wrap_readdir(DIR *dir)
{
	static struct dirent entry;

	if ((void *)dir != (void *)&disk)
		return __real_readdir(dir);
	while (disk.listing < disk.now.n) {
		const struct node *node = &disk.now.nodes[disk.listing++];

		if (!node->is_listed)
			continue;
		memcpy(entry.d_name, node->name, sizeof(node->name));
		return &entry;
	}
	return NULL;
}

int
__wrap_closedir(DIR *dir)
{
	return (void *)dir == (void *)&disk ? 0 : __real_closedir(dir);
}
/* NOLINTEND(bugprone-reserved-identifier) */
