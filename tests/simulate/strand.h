/*
 * strand.h - a second thread in the middle of the first one's step.
 *
 * Steps one after the other never meet: nobody answers while submit() has not
 * returned, nobody resumes before process() has said HOLD.  So now and then,
 * where the running thread asks for a lock or is in a plugin's function, a
 * real second thread takes a step of its own, while the first stands; and the
 * two change turns, at locks, until that step is over.  One of them runs at
 * any time, and chance says which, so the seed still says everything.
 */
#ifndef SIMULATE_STRAND_H
#define SIMULATE_STRAND_H

#include <stdbool.h>

struct chance;

/* Once a process. */
void strand_init(void);
/* step() is what the second one does; how likely it begins that at each point,
 * in a thousand; 0: never. */
void strand_begin(struct chance *chance, void (*step)(void), unsigned rate);

/* The other one may go on here. */
void strand_point(void);
/* What happens now is no part of the schedule: no point is one. */
void strand_mute(bool is_muted);
/* The second one has run since strand_finish(). */
bool strand_has_met(void);
/* The other one goes on now. */
void strand_change(void);
/* On the first one, which holds no lock: until the second has ended its step.
 * False when it had none.  Within a step of its own it awaits that, and they
 * have still met; between two steps it finishes. */
bool strand_await(void);
bool strand_finish(void);
/* Who asks is the second. */
bool strand_is_second(void);

#endif
