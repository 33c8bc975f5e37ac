/*
 * marks.h - which event is at which handler, in a file that a crash leaves.
 *
 * All evhd processes of a machine that name the same state_dir share one file
 * there, mapped into memory.  While process() has an event, a slot of the
 * thread says so; what stands in the slots of a process that is gone was there
 * when it ended, and is counted against that event at that handler.  So a
 * handler that crashes evhd is not given the same event for ever, neither
 * after a restart nor by the replica that takes over.
 *
 * Each process holds a lock on a byte of the file, which the kernel takes from
 * it when it ends, however it ends: that is how the others know.  No process
 * id is asked after, so containers may share a file, and none is mistaken.
 *
 * Marking costs a few stores to memory.  Nothing in the file is a size or a
 * pointer, so what somebody else wrote there can lead to wrong counts only.
 * The file has its full size on the disk from the beginning.
 */
#ifndef EVH_MARKS_H
#define EVH_MARKS_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct marks;
struct marks_slot;

/* How many there can be: beyond these, a process or thread goes unmarked
 * (said once), and of some counts the oldest is forgotten: that event begins
 * anew. */
#define MARKS_PROCESSES 64
#define MARKS_THREADS	128 /* of each process */
#define MARKS_COUNTS	1024

/* How often the process ended while this event was at this handler, and how
 * often of that because it had it for longer than its timeout.  Ends beside
 * others, which may have been the cause, count as one together. */
struct marks_ends {
	unsigned n;
	unsigned n_late;
};

/*
 * Opens DIR/marks, making both where they are missing, and counts what ended
 * processes left.  0 and *ret_marks; *ret_marks NULL when the file is of no
 * use (not evhd's, too many processes, disk full), which is logged and no
 * reason not to run.  -EINVAL when dir is no place to write at, logged. [main]
 */
int marks_open(const char *dir, struct marks **ret_marks);
/* No thread is at a handler any more.  NULL is fine. [main] */
void marks_close(struct marks *marks);

/* A handler's name, and this sending of an event to it, as they stand in the
 * file: attempts_before of an event tells a retry from what it retries, so that
 * its count begins anew. [any] */
uint64_t marks_handler(const char *name);
uint64_t marks_place(uint64_t handler, const struct event *ev);

/*
 * Of the events that were at a handler when a process ended only one was the
 * cause.  So these suspects are tried alone: while one is in a process() of
 * this evhd, nobody else is, and the next such end is its own.  Whether ev may
 * be tried now; if not, to be asked again soon.  A suspect that has been told
 * no may have its turn already, for which the others leave: it is let in, or
 * the turn is given back.  timeout_ms: the handler's, or 0; a turn lasts that
 * long at most, and a minute when that is more.  ret_slot: for marks_leave(),
 * NULL when there is none left.  On the thread of process(). [any]
 */
bool marks_admit(struct marks *marks, const struct event *ev, uint64_t place,
		 bool is_suspect, unsigned timeout_ms,
		 struct marks_slot **ret_slot);
/* A suspect has the turn, or waits to be alone. [any] */
bool marks_has_turn(const struct marks *marks);
/* The turn is over, or not wanted any more, if it was this one's. [any] */
void marks_let_in(struct marks *marks, const struct event *ev);
/* Ends the turn of whoever has it, if it has lasted for too long: those who are
 * at a handler then count as having been there long.  marks_collect_ms() does
 * it. [any] */
void marks_end_turn(struct marks *marks, int64_t now_ns);

/* Marks it, whoever else is there.  NULL when there is no slot left; leaving
 * that is fine. [any] */
struct marks_slot *marks_enter(struct marks *marks, const unsigned char id[16],
			       uint64_t place);
void marks_leave(struct marks_slot *slot);
/* It has been there for longer than its timeout; whoever has the slot is in
 * process() still.  NULL is fine. [any] */
void marks_be_late(struct marks_slot *slot);
/* evhd ends on purpose while threads are at handlers: only the late ones
 * count, and no more are marked. [any] */
void marks_keep_late(struct marks *marks);

/* The common answer, none at all, takes one look. [any] */
struct marks_ends marks_find(const struct marks *marks,
			     const unsigned char id[16], uint64_t place);
/* It is through with this handler, and not by such ends. [any] */
void marks_forget(struct marks *marks, const unsigned char id[16],
		  uint64_t place);

/* Counts what processes that ended since have left; cheap when none has. Logs
 * each.  Never waits: what another one is counting is left to it. [main] */
void marks_collect(struct marks *marks);
/* The same once a second, long before anybody gives the events of a crashed
 * process to this one.  Returns the ms until the next time. [main] */
int marks_collect_ms(struct marks *marks);

#endif
