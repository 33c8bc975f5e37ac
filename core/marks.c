#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
#include "timer.h"
#include "uuid_text.h"

#define COLLECT_MS 1000
#define OPEN_TRY   200 /* times 10 ms: for whoever holds the table */

/* The bytes of the file that are locked: of the table, of each process.  Far
 * behind its end, so that nobody who copies the file asks for them. */
#define TABLE_BYTE   ((off_t)1 << 40)
#define PROCESS_BYTE (TABLE_BYTE + 1)

struct marks {
	char *path;
	int fd;
	struct marks_table *table;
	struct marks_process *own;
	pthread_key_t key; /* this thread's slot in own, or no_slot */
	atomic_bool is_closing;
	atomic_bool has_complained;
	_Atomic(const struct event *)
		singled_out; /* whose turn it is; or NULL */
	int64_t due_ns;	     /* of the next look at the others. [main] */
};

/* What a thread remembers that found none. */
static struct marks_slot no_slot;

uint64_t
marks_handler(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash;
}

/* ---- Locks -------------------------------------------------------------- */

static int
byte_lock(const struct marks *marks, off_t byte, short type)
{
	struct flock lock = { .l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = byte,
			      .l_len = 1 };

	return fcntl(marks->fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static bool
byte_is_locked(const struct marks *marks, off_t byte)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = byte,
			      .l_len = 1 };

	/* Whoever cannot be asked after counts as alive. */
	return fcntl(marks->fd, F_OFD_GETLK, &lock) < 0 ||
	       lock.l_type != F_UNLCK;
}

/* Held for microseconds by others, unless one was stopped just there. */
static int
table_lock(const struct marks *marks)
{
	const struct timespec pause = { 0, 10000000 };
	int rc = -EAGAIN;

	for (int i = 0; i < OPEN_TRY && (rc == -EAGAIN || rc == -EACCES); i++) {
		rc = byte_lock(marks, TABLE_BYTE, F_WRLCK);
		if (rc < 0)
			nanosleep(&pause, NULL);
	}
	return rc;
}

static void
table_unlock(const struct marks *marks)
{
	(void)byte_lock(marks, TABLE_BYTE, F_UNLCK);
}

struct marks_ends
marks_find(const struct marks *marks, const unsigned char id[16],
	   uint64_t handler)
{
	return marks_table_find(marks->table, id, handler);
}

void
marks_forget(struct marks *marks, const unsigned char id[16])
{
	marks_table_forget(marks->table, id);
}

bool
marks_single_out(struct marks *marks, const struct event *ev)
{
	const struct event *none = NULL;

	return atomic_compare_exchange_strong(&marks->singled_out, &none, ev) ||
	       none == ev;
}

void
marks_let_in(struct marks *marks, const struct event *ev)
{
	(void)atomic_compare_exchange_strong(&marks->singled_out, &ev, NULL);
}

/* ---- Slots -------------------------------------------------------------- */

/* A thread has ended. */
static void
slot_give(void *arg)
{
	struct marks_slot *slot = arg;

	if (slot != &no_slot)
		atomic_store(&slot->is_taken, 0);
}

/* This thread's first time. */
static struct marks_slot *
slot_take(struct marks *marks)
{
	struct marks_slot *slot = &no_slot;

	for (unsigned i = 0; i < MARKS_THREADS && slot == &no_slot; i++) {
		unsigned none = 0;

		if (atomic_compare_exchange_strong(
			    &marks->own->slots[i].is_taken, &none, 1))
			slot = &marks->own->slots[i];
	}
	if (slot == &no_slot && !atomic_exchange(&marks->has_complained, true))
		log_write(EVH_WARN, NULL,
			  "%s: more than %d threads are at handlers; crashes "
			  "of the others are not counted",
			  marks->path, MARKS_THREADS);
	if (pthread_setspecific(marks->key, slot) != 0) {
		slot_give(slot);
		return &no_slot;
	}
	return slot;
}

struct marks_slot *
marks_enter(struct marks *marks, const unsigned char id[16], uint64_t handler)
{
	struct marks_slot *slot = pthread_getspecific(marks->key);
	uint64_t halves[2];

	if (atomic_load_explicit(&marks->is_closing, memory_order_relaxed))
		return NULL;
	if (!slot)
		slot = slot_take(marks);
	if (slot == &no_slot)
		return NULL;
	marks_id_split(id, halves);
	atomic_store_explicit(&slot->id[0], halves[0], memory_order_relaxed);
	atomic_store_explicit(&slot->id[1], halves[1], memory_order_relaxed);
	atomic_store_explicit(&slot->handler, handler, memory_order_relaxed);
	atomic_store_explicit(&slot->state, MARKS_INSIDE, memory_order_release);
	return slot;
}

void
marks_leave(struct marks_slot *slot)
{
	if (slot)
		atomic_store_explicit(&slot->state, MARKS_EMPTY,
				      memory_order_release);
}

void
marks_be_late(struct marks_slot *slot)
{
	unsigned inside = MARKS_INSIDE;

	if (slot)
		(void)atomic_compare_exchange_strong(&slot->state, &inside,
						     MARKS_LATE);
}

void
marks_keep_late(struct marks *marks)
{
	atomic_store(&marks->is_closing, true);
	atomic_store(&marks->own->use, MARKS_LEFT);
	for (unsigned i = 0; i < MARKS_THREADS; i++) {
		unsigned inside = MARKS_INSIDE;

		(void)atomic_compare_exchange_strong(
			&marks->own->slots[i].state, &inside, MARKS_EMPTY);
	}
}

/* ---- Processes that ended ----------------------------------------------- */

static void
log_end(const uint64_t id[2], bool is_late)
{
	unsigned char bytes[16];
	char text[UUID_TEXT_LEN + 1] = "";

	memcpy(bytes, id, sizeof(bytes));
	uuid_write(bytes, text);
	log_write(EVH_WARN, NULL,
		  "a process of evhd ended while a handler had event %s%s: "
		  "that counts as a try of it",
		  text, is_late ? " for longer than its timeout" : "");
}

/* Nobody has this place any more.  Under the table's lock. */
static void
process_bury(struct marks_table *table, struct marks_process *process)
{
	bool was_left = atomic_load(&process->use) == MARKS_LEFT;

	for (unsigned i = 0; i < MARKS_THREADS; i++) {
		struct marks_slot *slot = &process->slots[i];
		unsigned state = atomic_exchange(&slot->state, MARKS_EMPTY);
		uint64_t id[2] = { atomic_load(&slot->id[0]),
				   atomic_load(&slot->id[1]) };

		atomic_store(&slot->is_taken, 0);
		if (state != MARKS_LATE && (state != MARKS_INSIDE || was_left))
			continue;
		marks_table_add(table, id, atomic_load(&slot->handler),
				state == MARKS_LATE);
		log_end(id, state == MARKS_LATE);
	}
	atomic_store(&process->use, MARKS_FREE);
}

/* Under the table's lock. */
static void
processes_bury(struct marks *marks)
{
	struct marks_table *table = marks->table;

	for (unsigned i = 0; i < MARKS_PROCESSES; i++) {
		struct marks_process *process = &table->processes[i];

		if (process != marks->own &&
		    atomic_load(&process->use) != MARKS_FREE &&
		    !byte_is_locked(marks, PROCESS_BYTE + (off_t)i))
			process_bury(table, process);
	}
}

void
marks_collect(struct marks *marks)
{
	if (byte_lock(marks, TABLE_BYTE, F_WRLCK) < 0)
		return;
	processes_bury(marks);
	marks_table_tidy(marks->table);
	table_unlock(marks);
}

int
marks_collect_ms(struct marks *marks)
{
	int64_t now_ns = timer_now_ns();

	if (now_ns >= marks->due_ns) {
		marks_collect(marks);
		marks->due_ns = now_ns + (int64_t)COLLECT_MS * 1000000;
	}
	return COLLECT_MS;
}

/* ---- Opening ------------------------------------------------------------ */

static int
file_open(struct marks *marks, const char *dir)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		log_write(EVH_ERROR, NULL,
			  "state_dir = \"%s\": cannot make it: %s", dir,
			  strerror(errno));
		return -EINVAL;
	}
	if (asprintf(&marks->path, "%s/marks", dir) < 0) {
		marks->path = NULL;
		return -ENOMEM;
	}
	marks->fd = open(marks->path,
			 O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			 0600);
	if (marks->fd >= 0)
		return 0;
	log_write(EVH_ERROR, NULL, "state_dir = \"%s\": cannot open %s: %s",
		  dir, marks->path, strerror(errno));
	return -EINVAL;
}

/* No use for it, and no reason not to run. */
static int
file_refuse(const struct marks *marks, const char *why)
{
	log_write(EVH_WARN, NULL, "%s: %s; crashes of handlers are not counted",
		  marks->path, why);
	return -ENOTSUP;
}

/* Blocks for all of it: a hole on a full disk would be a SIGBUS later. */
static int
file_fill(const struct marks *marks)
{
	struct stat st;
	int rc;

	if (fstat(marks->fd, &st) < 0)
		return file_refuse(marks, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return file_refuse(marks, "it is no plain file");
	if (st.st_size > (off_t)sizeof(struct marks_table))
		return file_refuse(marks, "it was not written by this evhd; "
					  "remove it when none runs");
	if (st.st_size == (off_t)sizeof(struct marks_table))
		return 0;
	if (st.st_size != 0)
		return file_refuse(marks, "it is cut short; remove it when no "
					  "evhd runs");
	rc = posix_fallocate(marks->fd, 0, sizeof(struct marks_table));
	if (rc == 0)
		return 0;
	/* So that the next one does not find it half made. */
	if (ftruncate(marks->fd, 0) < 0)
		(void)unlink(marks->path);
	return file_refuse(marks, strerror(rc));
}

static int
file_map(struct marks *marks)
{
	void *at = mmap(NULL, sizeof(struct marks_table),
			PROT_READ | PROT_WRITE, MAP_SHARED, marks->fd, 0);
	uint64_t magic;

	if (at == MAP_FAILED)
		return file_refuse(marks, strerror(errno));
	marks->table = at;
	magic = atomic_load(&marks->table->magic);
	if (magic == 0)
		atomic_store(&marks->table->magic, MARKS_MAGIC);
	else if (magic != MARKS_MAGIC)
		return file_refuse(marks, "it was not written by this evhd; "
					  "remove it when none runs");
	return 0;
}

/* A place among the processes, that of an ended one after its burial. */
static int
process_take(struct marks *marks)
{
	for (unsigned i = 0; i < MARKS_PROCESSES; i++) {
		struct marks_process *process = &marks->table->processes[i];

		if (byte_is_locked(marks, PROCESS_BYTE + (off_t)i) ||
		    byte_lock(marks, PROCESS_BYTE + (off_t)i, F_WRLCK) < 0)
			continue;
		process_bury(marks->table, process);
		atomic_store(&process->use, MARKS_USED);
		marks->own = process;
		return 0;
	}
	return file_refuse(marks, "too many processes share it");
}

static void
marks_free(struct marks *marks)
{
	if (marks->table)
		munmap(marks->table, sizeof(*marks->table));
	if (marks->fd >= 0)
		close(marks->fd);
	free(marks->path);
	free(marks);
}

static int
marks_fill(struct marks *marks)
{
	int rc = table_lock(marks);

	if (rc < 0)
		return file_refuse(marks, rc == -EAGAIN || rc == -EACCES
						  ? "another process has it "
						    "locked"
						  : strerror(-rc));
	rc = file_fill(marks);
	if (rc == 0)
		rc = file_map(marks);
	if (rc == 0)
		rc = process_take(marks);
	if (rc == 0) {
		processes_bury(marks);
		marks_table_tidy(marks->table);
	}
	table_unlock(marks);
	return rc;
}

int
marks_open(const char *dir, struct marks **ret_marks)
{
	struct marks *marks = calloc(1, sizeof(*marks));
	int rc;

	if (!marks)
		return -ENOMEM;
	marks->fd = -1;
	rc = file_open(marks, dir);
	if (rc == 0)
		rc = marks_fill(marks);
	if (rc == 0 && pthread_key_create(&marks->key, slot_give) != 0)
		rc = file_refuse(marks, "no room for a thread's slot");
	if (rc == 0) {
		*ret_marks = marks;
		return 0;
	}
	marks_free(marks);
	if (rc == -ENOTSUP) {
		*ret_marks = NULL;
		return 0;
	}
	return rc;
}

void
marks_close(struct marks *marks)
{
	if (!marks)
		return;
	pthread_key_delete(marks->key);
	for (unsigned i = 0; i < MARKS_THREADS; i++) {
		atomic_store(&marks->own->slots[i].state, MARKS_EMPTY);
		atomic_store(&marks->own->slots[i].is_taken, 0);
	}
	atomic_store(&marks->own->use, MARKS_FREE);
	marks_free(marks);
}
