#include "marks.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "log.h"
#include "marks_file.h"
#include "marks_table.h"
#include "timer.h"

#define COLLECT_MS 1000

/* A suspect has its turn for so long at least, or its timeout if that is more,
 * and waits as long for it: where a handler without a timeout does not return,
 * the others go on after that. */
#define TURN_MIN_NS INT64_C(60000000000)

struct marks {
	struct marks_file file;
	struct marks_process *own;
	pthread_key_t key; /* this thread's slot in own, or no_slot */
	atomic_bool is_closing;
	atomic_bool has_complained;
	/* guards: whose turn changes, and when it ends. */
	pthread_mutex_t turn_lock;
	/* The suspect that is at its handler alone, or waits until it is; or
	 * NULL.  Who comes in looks without the lock. */
	_Atomic(const struct event *) turn;
	int64_t turn_end_ns;
	int64_t due_ns; /* of the next look at the others. [main] */
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

uint64_t
marks_place(uint64_t handler, const struct event *ev)
{
	return handler ^ ev->attempts_before * 0x9e3779b97f4a7c15u;
}

struct marks_ends
marks_find(const struct marks *marks, const unsigned char id[16],
	   uint64_t place)
{
	return marks_table_find(marks->file.table, id, place);
}

void
marks_forget(struct marks *marks, const unsigned char id[16], uint64_t place)
{
	marks_table_forget(marks->file.table, id, place);
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
			  marks->file.path, MARKS_THREADS);
	if (pthread_setspecific(marks->key, slot) != 0) {
		slot_give(slot);
		return &no_slot;
	}
	return slot;
}

/* NULL when this thread has none, or nothing is marked any more. */
static struct marks_slot *
slot_find(struct marks *marks)
{
	struct marks_slot *slot = pthread_getspecific(marks->key);

	if (atomic_load_explicit(&marks->is_closing, memory_order_relaxed))
		return NULL;
	if (!slot)
		slot = slot_take(marks);
	return slot == &no_slot ? NULL : slot;
}

/* With what it says before it says it, and all of it before anything else that
 * this thread looks at. */
static void
slot_fill(struct marks_slot *slot, const unsigned char id[16], uint64_t place,
	  enum marks_state state)
{
	uint64_t halves[2];

	marks_id_split(id, halves);
	atomic_store_explicit(&slot->id[0], halves[0], memory_order_relaxed);
	atomic_store_explicit(&slot->id[1], halves[1], memory_order_relaxed);
	atomic_store_explicit(&slot->place, place, memory_order_relaxed);
	atomic_store(&slot->state, state);
}

/* Unless it has been left meanwhile. */
static void
slot_change(struct marks_slot *slot, unsigned from, unsigned to)
{
	(void)atomic_compare_exchange_strong(&slot->state, &from, to);
}

/* Whatever else somebody is there as.  MARKS_LONG is what the others turn into:
 * so it comes last. */
static void
slot_change_unless_late(struct marks_slot *slot, unsigned to)
{
	slot_change(slot, MARKS_INSIDE, to);
	slot_change(slot, MARKS_ALONE, to);
	slot_change(slot, MARKS_LONG, to);
}

struct marks_slot *
marks_enter(struct marks *marks, const unsigned char id[16], uint64_t place)
{
	struct marks_slot *slot = slot_find(marks);

	if (slot)
		slot_fill(slot, id, place, MARKS_INSIDE);
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
	if (slot)
		slot_change_unless_late(slot, MARKS_LATE);
}

void
marks_keep_late(struct marks *marks)
{
	atomic_store(&marks->is_closing, true);
	atomic_store(&marks->own->use, MARKS_LEFT);
	for (unsigned i = 0; i < MARKS_THREADS; i++)
		slot_change_unless_late(&marks->own->slots[i], MARKS_EMPTY);
}

/* ---- One at a time ------------------------------------------------------ */

/* Has another event been let in before this one wanted its turn. */
static bool
is_anybody_inside(const struct marks *marks)
{
	for (unsigned i = 0; i < MARKS_THREADS; i++)
		if (atomic_load(&marks->own->slots[i].state) == MARKS_INSIDE)
			return true;
	return false;
}

static int64_t
turn_end_ns(unsigned timeout_ms)
{
	int64_t timeout_ns = timeout_ms * NS_PER_MS;

	return timer_now_ns() +
	       (timeout_ns > TURN_MIN_NS ? timeout_ns : TURN_MIN_NS);
}

/* True when it is this one's, from now on or before. */
static bool
turn_take(struct marks *marks, const struct event *ev, unsigned timeout_ms)
{
	const struct event *whose;

	pthread_mutex_lock(&marks->turn_lock);
	whose = atomic_load(&marks->turn);
	if (!whose) {
		marks->turn_end_ns = turn_end_ns(timeout_ms);
		atomic_store(&marks->turn, ev);
	}
	pthread_mutex_unlock(&marks->turn_lock);
	return !whose || whose == ev;
}

static bool
suspect_enter(struct marks *marks, const struct event *ev, uint64_t place,
	      unsigned timeout_ms, struct marks_slot *slot)
{
	bool is_mine;

	if (!turn_take(marks, ev, timeout_ms))
		return false;
	/* Nobody comes in from now on; those who are there leave. */
	if (is_anybody_inside(marks))
		return false;
	pthread_mutex_lock(&marks->turn_lock);
	/* It may have ended meanwhile. */
	is_mine = atomic_load(&marks->turn) == ev;
	if (is_mine) {
		marks->turn_end_ns = turn_end_ns(timeout_ms);
		if (slot)
			slot_fill(slot, ev->pub.id, place, MARKS_ALONE);
	}
	pthread_mutex_unlock(&marks->turn_lock);
	return is_mine;
}

/* Says that it is there before it looks whether it may be, and a suspect looks
 * after it has said that nobody may: one of the two sees the other. */
static bool
other_enter(struct marks *marks, const struct event *ev, uint64_t place,
	    struct marks_slot *slot)
{
	if (atomic_load_explicit(&marks->turn, memory_order_relaxed))
		return false;
	if (slot)
		slot_fill(slot, ev->pub.id, place, MARKS_INSIDE);
	if (!atomic_load(&marks->turn))
		return true;
	marks_leave(slot);
	return false;
}

bool
marks_admit(struct marks *marks, const struct event *ev, uint64_t place,
	    bool is_suspect, unsigned timeout_ms, struct marks_slot **ret_slot)
{
	struct marks_slot *slot = slot_find(marks);
	bool is_in = is_suspect
			     ? suspect_enter(marks, ev, place, timeout_ms, slot)
			     : other_enter(marks, ev, place, slot);

	if (is_in)
		*ret_slot = slot;
	return is_in;
}

void
marks_let_in(struct marks *marks, const struct event *ev)
{
	/* Nobody else makes it this one's. */
	if (atomic_load(&marks->turn) != ev)
		return;
	pthread_mutex_lock(&marks->turn_lock);
	if (atomic_load(&marks->turn) == ev)
		atomic_store(&marks->turn, NULL);
	pthread_mutex_unlock(&marks->turn_lock);
}

bool
marks_has_turn(const struct marks *marks)
{
	return atomic_load(&marks->turn) != NULL;
}

static void
slots_be_long(struct marks *marks, unsigned from)
{
	for (unsigned i = 0; i < MARKS_THREADS; i++)
		slot_change(&marks->own->slots[i], from, MARKS_LONG);
}

void
marks_end_turn(struct marks *marks, int64_t now_ns)
{
	pthread_mutex_lock(&marks->turn_lock);
	if (atomic_load(&marks->turn) && now_ns >= marks->turn_end_ns) {
		slots_be_long(marks, MARKS_INSIDE);
		slots_be_long(marks, MARKS_ALONE);
		atomic_store(&marks->turn, NULL);
	}
	pthread_mutex_unlock(&marks->turn_lock);
}

/* ---- Processes that ended ----------------------------------------------- */

/* Under the table's lock. */
static void
processes_bury(struct marks *marks)
{
	struct marks_table *table = marks->file.table;

	for (unsigned i = 0; i < MARKS_PROCESSES; i++) {
		struct marks_process *process = &table->processes[i];

		if (process != marks->own &&
		    atomic_load(&process->use) != MARKS_FREE &&
		    !marks_file_is_taken(&marks->file, i))
			marks_table_bury(table, process);
	}
}

void
marks_collect(struct marks *marks)
{
	if (marks_file_try_lock(&marks->file) < 0)
		return;
	processes_bury(marks);
	marks_table_tidy(marks->file.table);
	marks_file_unlock(&marks->file);
}

int
marks_collect_ms(struct marks *marks)
{
	int64_t now_ns = timer_now_ns();

	if (now_ns >= marks->due_ns) {
		marks_collect(marks);
		marks_end_turn(marks, now_ns);
		marks->due_ns = now_ns + COLLECT_MS * NS_PER_MS;
	}
	return COLLECT_MS;
}

/* ---- Opening ------------------------------------------------------------ */

/* A place among the processes, that of an ended one after its burial. */
static int
process_take(struct marks *marks)
{
	for (unsigned i = 0; i < MARKS_PROCESSES; i++) {
		struct marks_process *process =
			&marks->file.table->processes[i];

		if (marks_file_is_taken(&marks->file, i) ||
		    marks_file_take(&marks->file, i) < 0)
			continue;
		marks_table_bury(marks->file.table, process);
		atomic_store(&process->use, MARKS_USED);
		marks->own = process;
		return 0;
	}
	return marks_file_refuse(&marks->file, "too many processes share it");
}

static void
marks_free(struct marks *marks)
{
	marks_file_close(&marks->file);
	pthread_mutex_destroy(&marks->turn_lock);
	free(marks);
}

static int
marks_fill(struct marks *marks)
{
	int rc = marks_file_lock(&marks->file);

	if (rc < 0)
		return marks_file_refuse(&marks->file,
					 rc == -EAGAIN || rc == -EACCES
						 ? "another process has it "
						   "locked"
						 : strerror(-rc));
	rc = marks_file_map(&marks->file);
	if (rc == 0)
		rc = process_take(marks);
	if (rc == 0) {
		processes_bury(marks);
		marks_table_tidy(marks->file.table);
	}
	marks_file_unlock(&marks->file);
	return rc;
}

int
marks_open(const char *dir, struct marks **ret_marks)
{
	struct marks *marks = calloc(1, sizeof(*marks));
	int rc;

	if (!marks)
		return -ENOMEM;
	rc = pthread_mutex_init(&marks->turn_lock, NULL);
	if (rc != 0) {
		free(marks);
		return -rc;
	}
	rc = marks_file_open(dir, &marks->file);
	if (rc == 0)
		rc = marks_fill(marks);
	if (rc == 0 && pthread_key_create(&marks->key, slot_give) != 0)
		rc = marks_file_refuse(&marks->file,
				       "no room for a thread's slot");
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
