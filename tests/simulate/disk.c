#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "chance.h"
#include "disk_file.h"
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
	unsigned listing; /* how far disk_list_next() is */
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

bool
disk_file_is_ours(int fd)
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

int
disk_file_open(const char *name, int flags)
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

ssize_t
disk_file_write(int fd, const void *data, size_t n, size_t place)
{
	struct node *node;
	size_t fit;

	come_by();
	node = node_of(fd);
	fit = room_for(node, n, place);
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

int
disk_file_sync(int fd)
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

int
disk_file_lock(int fd)
{
	for (unsigned i = 0; i < FDS_MAX; i++)
		if (disk.fds[i].is_open && disk.fds[i].has_lock)
			return refuse(EWOULDBLOCK);
	disk.fds[fd - FD_FIRST].has_lock = true;
	return 0;
}

void
disk_file_close(int fd)
{
	(void)node_of(fd);
	disk.fds[fd - FD_FIRST].is_open = false;
}

size_t
disk_file_size(int fd)
{
	return node_of(fd)->len;
}

int
disk_file_cut(int fd, size_t len)
{
	struct node *node;

	come_by();
	node = node_of(fd);
	if (fails())
		return refuse(EIO);
	if (len < node->len) {
		node->len = len;
		node->was_cut = true;
	}
	return 0;
}

size_t
disk_file_read(int fd, void *ret, size_t n, size_t place)
{
	const struct node *node = node_of(fd);

	if (place >= node->len)
		return 0;
	if (n > node->len - place)
		n = node->len - place;
	memcpy(ret, node->bytes + place, n);
	return n;
}

int
disk_file_delete(const char *name)
{
	struct node *node;

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

void
disk_list_begin(void)
{
	disk.listing = 0;
}

const char *
disk_list_next(void)
{
	while (disk.listing < disk.now.n) {
		const struct node *node = &disk.now.nodes[disk.listing++];

		if (node->is_listed)
			return node->name;
	}
	return NULL;
}
