#include "marks_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "marks_table.h"

#define OPEN_TRY 200 /* times 10 ms: for whoever holds the table */

/* The bytes of the file that are locked: of the table, of each process.  Far
 * behind its end, so that nobody who copies the file asks for them. */
#define TABLE_BYTE   ((off_t)1 << 40)
#define PROCESS_BYTE (TABLE_BYTE + 1)

/* ---- Locks -------------------------------------------------------------- */

static int
byte_lock(const struct marks_file *file, off_t byte, short type)
{
	struct flock lock = { .l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = byte,
			      .l_len = 1 };

	return fcntl(file->fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

int
marks_file_try_lock(const struct marks_file *file)
{
	return byte_lock(file, TABLE_BYTE, F_WRLCK);
}

/* Held for microseconds by others, unless one was stopped just there. */
int
marks_file_lock(const struct marks_file *file)
{
	const struct timespec pause = { 0, 10000000 };
	int rc = -EAGAIN;

	for (int i = 0; i < OPEN_TRY && (rc == -EAGAIN || rc == -EACCES); i++) {
		rc = marks_file_try_lock(file);
		if (rc < 0)
			nanosleep(&pause, NULL);
	}
	return rc;
}

void
marks_file_unlock(const struct marks_file *file)
{
	(void)byte_lock(file, TABLE_BYTE, F_UNLCK);
}

int
marks_file_take(const struct marks_file *file, unsigned place)
{
	return byte_lock(file, PROCESS_BYTE + (off_t)place, F_WRLCK);
}

bool
marks_file_is_taken(const struct marks_file *file, unsigned place)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = PROCESS_BYTE + (off_t)place,
			      .l_len = 1 };

	/* Whoever cannot be asked after counts as alive. */
	return fcntl(file->fd, F_OFD_GETLK, &lock) < 0 ||
	       lock.l_type != F_UNLCK;
}

/* ---- Opening ------------------------------------------------------------ */

int
marks_file_open(const char *dir, struct marks_file *file)
{
	*file = (struct marks_file){ .fd = -1 };
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		log_write(EVH_ERROR, NULL,
			  "state_dir = \"%s\": cannot make it: %s", dir,
			  strerror(errno));
		return -EINVAL;
	}
	if (asprintf(&file->path, "%s/marks", dir) < 0) {
		file->path = NULL;
		return -ENOMEM;
	}
	file->fd = open(file->path,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			0600);
	if (file->fd >= 0)
		return 0;
	log_write(EVH_ERROR, NULL, "state_dir = \"%s\": cannot open %s: %s",
		  dir, file->path, strerror(errno));
	return -EINVAL;
}

int
marks_file_refuse(const struct marks_file *file, const char *why)
{
	log_write(EVH_WARN, NULL, "%s: %s; crashes of handlers are not counted",
		  file->path, why);
	return -ENOTSUP;
}

/* Blocks for all of it: a hole on a full disk would be a SIGBUS later. */
static int
file_fill(const struct marks_file *file)
{
	struct stat st;
	int rc;

	if (fstat(file->fd, &st) < 0)
		return marks_file_refuse(file, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return marks_file_refuse(file, "it is no plain file");
	if (st.st_size > (off_t)sizeof(struct marks_table))
		return marks_file_refuse(file,
					 "it was not written by this evhd; "
					 "remove it when none runs");
	if (st.st_size == (off_t)sizeof(struct marks_table))
		return 0;
	if (st.st_size != 0)
		return marks_file_refuse(file,
					 "it is cut short; remove it when no "
					 "evhd runs");
	rc = posix_fallocate(file->fd, 0, sizeof(struct marks_table));
	if (rc == 0)
		return 0;
	/* So that the next one does not find it half made. */
	if (ftruncate(file->fd, 0) < 0)
		(void)unlink(file->path);
	return marks_file_refuse(file, strerror(rc));
}

int
marks_file_map(struct marks_file *file)
{
	uint64_t magic;
	void *at;
	int rc = file_fill(file);

	if (rc < 0)
		return rc;
	at = mmap(NULL, sizeof(struct marks_table), PROT_READ | PROT_WRITE,
		  MAP_SHARED, file->fd, 0);
	if (at == MAP_FAILED)
		return marks_file_refuse(file, strerror(errno));
	file->table = at;
	magic = atomic_load(&file->table->magic);
	if (magic == 0)
		atomic_store(&file->table->magic, MARKS_MAGIC);
	else if (magic != MARKS_MAGIC)
		return marks_file_refuse(file,
					 "it was not written by this evhd; "
					 "remove it when none runs");
	return 0;
}

void
marks_file_close(struct marks_file *file)
{
	if (file->table)
		munmap(file->table, sizeof(*file->table));
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
}
