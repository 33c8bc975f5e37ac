/*
 * pass.h - what one thread moves on, right now.
 *
 * Whatever a plugin gives back (emit, done, resume) is put on the thread's
 * pass; the outermost of these calls then runs the pass until it is empty, so
 * an event goes through several elements without a hand-over between threads
 * and without one plugin's code standing on another's stack.  What is given
 * back from within process() or submit() is only recorded: it moves on when
 * they have returned and their serial lock is released.
 *
 * Events move in runs: all that stand at the same element of the same
 * pipeline are handed to it together.
 */
#ifndef EVH_PASS_H
#define EVH_PASS_H

#include <evh/plugin.h>

#include <stdbool.h>

#include "event.h"

struct element;
struct instance;
struct worker;

/* Events that are at one handler, as far as it has not come to them. */
struct run {
	struct element *element;     /* NULL: there is none */
	struct event_list here;	     /* whose turn it is, the next one first */
	struct event_list elsewhere; /* those of other threads */
	unsigned counts[EVH_HOLD + 1]; /* verdicts so far, not told yet */
	int64_t last_ns; /* when the last of them was answered, or it began */
};

struct pass {
	struct event_list moving; /* each at its `pos` */
	struct event_list ended;  /* each with its `verdict`, source not told */
	/* Who gave the first events back, and is on the stack still: it is
	 * not called from here, but for a source's done(). */
	struct instance *caller;
	struct worker *worker;	 /* whose thread this is, or NULL */
	bool is_emit;		 /* began with a source's emit() */
	struct event *looked_at; /* a process() is running on it, or NULL */
	/* A sink whose submit() is on the stack, or NULL. */
	const struct instance *submitting;
	/* On a worker: when it has lasted so long that no handler is begun any
	 * more, so that what is through with a slow one goes on; those that
	 * come to a handler then are put back, in order, for the next pass. */
	int64_t cut_ns;
	bool is_cut;
	struct event_list put_back;
	/* Without workers: how many have gone from the pump's care to a sink's
	 * in this pass; while it moves events nobody may overtake them. */
	unsigned n_undiverted;
	/* Not on the stack of whoever calls process(): should that not return,
	 * another thread goes on with the pass. */
	struct run run;
};

/* This thread's pass, or NULL. */
struct pass *pass_current(void);

/*
 * Begins one unless the thread has one already, and gives the one to add to.
 * pass_end() with the same `own` runs it if it was begun here; else it does
 * nothing, for the outer one will.
 */
struct pass *pass_begin(struct pass *own, struct instance *caller,
			struct worker *worker, bool is_emit);
void pass_end(struct pass *own);

/* Goes on with a pass that another thread began and will not end. */
void pass_adopt(struct pass *pass);

/*
 * Around a process() that may not return before its worker, and with it the
 * pass, is another thread's: what it gives back comes to `guest`, which moves
 * it to the pass when it has returned in time.  Else `guest` is all the pass
 * that the thread has, and pass_end() runs it.
 */
void pass_lend(struct pass *guest, struct event *looked_at);
void pass_return(struct pass *pass, struct pass *guest);

/* Adds an event that is at its `pos`. */
void pass_move(struct pass *pass, struct event *ev);
/* A run that is cut: these come to their handler in the next pass.  Who is
 * further along goes first, or all that wait for a slow handler would have
 * their turn before anybody who is through with it.  Takes them. */
void pass_put_back(struct pass *pass, struct event_list *list);
/* Moves on all that has been added, now; for a step of the pass that must not
 * go on before. */
void pass_run(struct pass *pass);
/* The same for those that are further along ev's pipeline: it is about to go
 * on elsewhere, and must not overtake them. */
void pass_run_ahead(struct pass *pass, const struct event *ev);

#endif
