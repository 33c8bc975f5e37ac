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
#include "strand.h"
#include "virtual.h"

#define NODES_MAX   128u
#define CHANGES_MAX 32u
#define FDS_MAX	    32u
#define FD_FIRST    1000000
#define NODE_FOLDER NODES_MAX /* an open folder's, instead of a file's */

/* A file, which may have no name any more. */
struct node {
	char name[32];
	bool is_listed;	 /* in the folder, as processes see it, */
	bool is_sure;	 /* and as the disk has it */
	bool is_spoiled; /* a write or an fsync of it has failed */
	bool was_cut;	 /* by ftruncate(), since its last fsync() */
	unsigned char *bytes;
	size_t len, room;
	unsigned char *sure; /* what the disk has */
	size_t n_sure, sure_room;
	size_t dirty, dirty_end; /* written since; the same: nothing was */
};

/* In the folder, since it was synced. */
struct change {
	unsigned node;
	bool is_listed;
};

struct folder {
	struct node nodes[NODES_MAX];
	unsigned n;
	struct change changes[CHANGES_MAX];
	unsigned n_changes;
};

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

/* ---- Memory, which is never short here ---------------------------------- */

static void
bytes_grow(unsigned char **bytes, size_t *room, size_t n)
{
	unsigned char *grown;

	if (n <= *room)
		return;
	n *= 2;
	grown = virtual_alloc(n);
	if (*room > 0)
		memcpy(grown, *bytes, *room);
	virtual_free(*bytes);
	*bytes = grown;
	*room = n;
}

static void
bytes_copy(unsigned char **to, size_t *room, const unsigned char *from,
	   size_t n)
{
	*to = NULL;
	*room = 0;
	bytes_grow(to, room, n);
	if (n > 0)
		memcpy(*to, from, n);
}

static void
folder_empty(struct folder *folder)
{
	for (unsigned i = 0; i < folder->n; i++) {
		virtual_free(folder->nodes[i].bytes);
		virtual_free(folder->nodes[i].sure);
	}
	folder->n = 0;
	folder->n_changes = 0;
}

static void
folder_copy(struct folder *to, const struct folder *from)
{
	memcpy(to->changes, from->changes, sizeof(to->changes));
	to->n_changes = from->n_changes;
	to->n = from->n;
	for (unsigned i = 0; i < from->n; i++) {
		const struct node *node = &from->nodes[i];
		struct node *copy = &to->nodes[i];

		*copy = *node;
		bytes_copy(&copy->bytes, &copy->room, node->bytes, node->len);
		bytes_copy(&copy->sure, &copy->sure_room, node->sure,
			   node->n_sure);
	}
}

/* ---- What is on the disk ------------------------------------------------ */

static void
make_sure(struct node *node, size_t from, size_t to)
{
	if (from >= to)
		return;
	bytes_grow(&node->sure, &node->sure_room, to);
	if (node->n_sure < from) /* a hole */
		memset(node->sure + node->n_sure, 0, from - node->n_sure);
	memcpy(node->sure + from, node->bytes + from, to - from);
	if (node->n_sure < to)
		node->n_sure = to;
}

static void
make_all_sure(struct node *node)
{
	make_sure(node, node->dirty,
		  node->dirty_end < node->len ? node->dirty_end : node->len);
	if (node->n_sure > node->len)
		node->n_sure = node->len;
	node->dirty = node->dirty_end = 0;
	node->was_cut = false;
}

/* A beginning of what is dirty; its length, perhaps, before the bytes. */
static void
make_some_sure(struct node *node)
{
	size_t end = node->dirty_end < node->len ? node->dirty_end : node->len;
	size_t n = end > node->dirty ? end - node->dirty : 0;

	make_sure(node, node->dirty,
		  node->dirty + chance_below(disk.chance, (unsigned)n + 1));
	if (node->n_sure < end && chance_of(disk.chance, 30)) {
		bytes_grow(&node->sure, &node->sure_room, end);
		memset(node->sure + node->n_sure, 0, end - node->n_sure);
		node->n_sure = end;
	}
	if (node->was_cut && node->n_sure > node->len &&
	    chance_of(disk.chance, 50))
		node->n_sure = node->len;
}

static void
changes_make_sure(struct folder *folder, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		folder->nodes[folder->changes[i].node].is_sure =
			folder->changes[i].is_listed;
	folder->n_changes -= n;
	memmove(folder->changes, folder->changes + n,
		folder->n_changes * sizeof(folder->changes[0]));
}

static void
change_add(struct node *node, bool is_listed)
{
	struct folder *now = &disk.now;

	/* A journal is written now and then by itself. */
	if (now->n_changes == CHANGES_MAX)
		changes_make_sure(now, 1);
	node->is_listed = is_listed;
	now->changes[now->n_changes++] =
		(struct change){ (unsigned)(node - now->nodes), is_listed };
}

/* The machine has lost its power. */
static void
folder_tear(struct folder *folder)
{
	changes_make_sure(folder,
			  chance_below(disk.chance, folder->n_changes + 1));
	folder->n_changes = 0;
	for (unsigned i = 0; i < folder->n; i++) {
		struct node *node = &folder->nodes[i];

		node->is_listed = node->is_sure;
		if (!node->is_sure)
			continue;
		make_some_sure(node);
		virtual_free(node->bytes);
		bytes_copy(&node->bytes, &node->room, node->sure,
			   node->n_sure);
		node->len = node->n_sure;
		node->dirty = node->dirty_end = 0;
		node->was_cut = false;
	}
}

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
		folder_tear(&disk.later);
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
node_is_needed(unsigned node)
{
	if (disk.now.nodes[node].is_listed || disk.now.nodes[node].is_sure)
		return true;
	for (unsigned i = 0; i < FDS_MAX; i++)
		if (disk.fds[i].is_open && disk.fds[i].node == node)
			return true;
	for (unsigned i = 0; i < disk.now.n_changes; i++)
		if (disk.now.changes[i].node == node)
			return true;
	return false;
}

static struct node *
node_new(const char *name)
{
	struct folder *now = &disk.now;
	unsigned i = 0;

	while (i < now->n && node_is_needed(i))
		i++;
	if (i == NODES_MAX)
		failure("the simulated disk has no room for one more file");
	if (i == now->n) {
		now->n++;
	} else {
		virtual_free(now->nodes[i].bytes);
		virtual_free(now->nodes[i].sure);
	}
	now->nodes[i] = (struct node){ 0 };
	strncpy(now->nodes[i].name, name, sizeof(now->nodes[i].name) - 1);
	return &now->nodes[i];
}

static struct node *
node_find(const char *name)
{
	for (unsigned i = 0; i < disk.now.n; i++)
		if (disk.now.nodes[i].is_listed &&
		    strcmp(disk.now.nodes[i].name, name) == 0)
			return &disk.now.nodes[i];
	return NULL;
}

static int
open_ours(const char *name, int flags)
{
	struct node *node;

	come_by();
	if (strcmp(name, ".") == 0)
		return fd_new(NODE_FOLDER);
	node = node_find(name);
	if (node == NULL && !(flags & O_CREAT))
		return refuse(ENOENT);
	if (node != NULL && flags & O_EXCL)
		return refuse(EEXIST);
	if (node == NULL) {
		if (fails())
			return refuse(EIO);
		trace("%s is made", name);
		node = node_new(name);
		change_add(node, true);
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

static void
put(struct node *node, const void *data, size_t n, size_t place)
{
	if (n == 0)
		return;
	bytes_grow(&node->bytes, &node->room, place + n);
	if (node->len < place)
		memset(node->bytes + node->len, 0, place - node->len);
	memcpy(node->bytes + place, data, n);
	if (node->len < place + n)
		node->len = place + n;
	if (node->dirty == node->dirty_end) {
		node->dirty = place;
		node->dirty_end = place + n;
		return;
	}
	if (place < node->dirty)
		node->dirty = place;
	if (place + n > node->dirty_end)
		node->dirty_end = place + n;
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
	put(node, data, chance_below(disk.chance, (unsigned)fit + 1), place);
	come_by();
	put(node, data, fit, place);
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
		make_some_sure(node);
		/* The rest is clean from now on, and nowhere. */
		node->dirty = node->dirty_end = 0;
		spoil(node);
		return refuse(EIO);
	}
	if (node == NULL)
		changes_make_sure(&disk.now, disk.now.n_changes);
	else
		make_all_sure(node);
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
	node = node_find(name);
	if (node == NULL)
		return refuse(ENOENT);
	if (fails()) {
		disk.has_kept = true;
		return refuse(EIO);
	}
	trace("%s is deleted", name);
	change_add(node, false);
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
