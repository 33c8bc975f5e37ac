#include "spool_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "log.h"
#include "spool_record.h"
#include "spool_segment.h"

/* A position: magic, number, CRC-32C.  In blocks of their own. */
#define SLOT_SIZE	 20
#define SLOT_PLACE(slot) ((slot)*4096)

static const unsigned char magic[8] = "EVHSPOSN";

/* ---- Whose it is -------------------------------------------------------- */

static int
lock_refused(const struct spool_dir *dir, int rc)
{
	char text[32] = { 0 };

	if (rc != -EWOULDBLOCK) {
		log_write(EVH_ERROR, NULL, "spool %s: it cannot be locked: %s",
			  dir->path, strerror(-rc));
		return rc;
	}
	if (pread(dir->lock_fd, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	log_write(EVH_ERROR, NULL,
		  "spool %s: another evhd (process %s) has it; two cannot "
		  "share one",
		  dir->path, text);
	return -EAGAIN;
}

static int
lock_take(struct spool_dir *dir)
{
	char text[32];
	int n;

	dir->lock_fd = openat(dir->fd, "lock",
			      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dir->lock_fd < 0)
		return lock_refused(dir, -errno);
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return lock_refused(dir, -errno);
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	/* Only for the sentence above. */
	if (ftruncate(dir->lock_fd, 0) < 0 ||
	    pwrite(dir->lock_fd, text, (size_t)n, 0) < n)
		log_write(EVH_WARN, NULL, "spool %s: its lock says no process",
			  dir->path);
	return 0;
}

/* ---- What is in it ------------------------------------------------------ */

static int
number_compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static int
numbers_add(uint64_t **numbers, unsigned *n, uint64_t number)
{
	uint64_t *grown = reallocarray(*numbers, *n + 1, sizeof(**numbers));

	if (!grown)
		return -ENOMEM;
	grown[(*n)++] = number;
	*numbers = grown;
	return 0;
}

int
spool_dir_list(const struct spool_dir *dir, uint64_t **ret, unsigned *ret_n)
{
	uint64_t *numbers = NULL;
	const struct dirent *entry;
	unsigned n = 0;
	int rc = 0;
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *open_dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!open_dir) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (rc == 0 && (errno = 0, entry = readdir(open_dir))) {
		uint64_t number = spool_segment_number(entry->d_name);

		if (number > 0)
			rc = numbers_add(&numbers, &n, number);
	}
	if (rc == 0 && errno != 0)
		rc = -errno;
	closedir(open_dir);
	if (rc < 0) {
		free(numbers);
		return rc;
	}
	if (n > 0)
		qsort(numbers, n, sizeof(*numbers), number_compare);
	*ret = numbers;
	*ret_n = n;
	return 0;
}

void
spool_dir_unlink(const struct spool_dir *dir, uint64_t number)
{
	char name[SPOOL_SEGMENT_NAME_MAX];

	spool_segment_name(name, number);
	if (unlinkat(dir->fd, name, 0) < 0)
		log_write(EVH_WARN, NULL, "spool %s: %s cannot be deleted: %s",
			  dir->path, name, strerror(errno));
}

/* ---- Up to where -------------------------------------------------------- */

/* The number in this slot; 0: none that can be read. */
static uint64_t
slot_read(const struct spool_dir *dir, unsigned slot)
{
	unsigned char text[SLOT_SIZE];

	if (pread(dir->position_fd, text, sizeof(text), SLOT_PLACE(slot)) !=
		    (ssize_t)sizeof(text) ||
	    memcmp(text, magic, sizeof(magic)) != 0 ||
	    spool_get_u32(text + 16) != crc32c(0, text, 16))
		return 0;
	return spool_get_u64(text + 8);
}

static int
slot_write(const struct spool_dir *dir, unsigned slot, uint64_t number)
{
	unsigned char text[SLOT_SIZE];

	memcpy(text, magic, sizeof(magic));
	spool_put_u64(text + 8, number);
	spool_put_u32(text + 16, crc32c(0, text, 16));
	return spool_segment_write(dir->position_fd, text, sizeof(text),
				   SLOT_PLACE(slot));
}

/* Both slots are there from the beginning, so that no later change needs room
 * on a disk that is full. */
static int
position_make(struct spool_dir *dir)
{
	int rc = slot_write(dir, 0, 1);

	if (rc == 0)
		rc = slot_write(dir, 1, 1);
	if (rc == 0 && (fsync(dir->position_fd) < 0 || fsync(dir->fd) < 0))
		rc = -errno;
	return rc;
}

static int
position_refused(const struct spool_dir *dir, int rc)
{
	if (rc < 0)
		log_write(EVH_ERROR, NULL, "spool %s: position: %s", dir->path,
			  strerror(-rc));
	return rc;
}

/* It may have been written by a process that could not sync it.  On a disk
 * that writes what it changes elsewhere, this needs room. */
static int
position_secure(struct spool_dir *dir)
{
	int rc = spool_dir_set_position(dir, dir->position);

	if (rc != -ENOSPC)
		return position_refused(dir, rc);
	dir->is_unsure = true;
	log_write(EVH_WARN, NULL,
		  "spool %s: position: %s; what is there is delivered, and "
		  "kept until it can be written",
		  dir->path, strerror(-rc));
	return 0;
}

static int
position_open(struct spool_dir *dir)
{
	uint64_t numbers[2];
	struct stat st;
	int rc = 0;

	dir->position_fd =
		openat(dir->fd, "position",
		       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dir->position_fd < 0 || fstat(dir->position_fd, &st) < 0)
		rc = -errno;
	else if (st.st_size < SLOT_PLACE(1) + SLOT_SIZE)
		rc = position_make(dir);
	if (rc < 0)
		return position_refused(dir, rc);
	numbers[0] = slot_read(dir, 0);
	numbers[1] = slot_read(dir, 1);
	dir->slot = numbers[1] > numbers[0];
	dir->position = numbers[dir->slot];
	if (dir->position == 0) {
		log_write(EVH_WARN, NULL,
			  "spool %s: the file position cannot be read: all "
			  "that is there is delivered, some of it a second "
			  "time, under its ids",
			  dir->path);
		return 0;
	}
	return position_secure(dir);
}

int
spool_dir_set_position(struct spool_dir *dir, uint64_t number)
{
	/* The other one: this one is right whatever becomes of that. */
	int rc = slot_write(dir, !dir->slot, number);

	if (rc == 0 && fdatasync(dir->position_fd) < 0)
		rc = -errno;
	if (rc < 0)
		return rc;
	dir->slot = !dir->slot;
	dir->position = number;
	dir->is_unsure = false;
	return 0;
}

/* ---- The whole ---------------------------------------------------------- */

int
spool_dir_open(struct spool_dir *dir, const char *path)
{
	int rc;

	*dir = (struct spool_dir){
		.path = strdup(path), .fd = -1, .lock_fd = -1, .position_fd = -1
	};
	if (!dir->path)
		return -ENOMEM;
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0) {
		rc = -errno;
		log_write(EVH_ERROR, NULL, "spool %s: %s", path, strerror(-rc));
		spool_dir_close(dir);
		return rc;
	}
	rc = lock_take(dir);
	if (rc == 0)
		rc = position_open(dir);
	if (rc < 0)
		spool_dir_close(dir);
	return rc;
}

void
spool_dir_close(struct spool_dir *dir)
{
	if (dir->position_fd >= 0)
		close(dir->position_fd);
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	*dir = (struct spool_dir){ .fd = -1, .lock_fd = -1, .position_fd = -1 };
}
