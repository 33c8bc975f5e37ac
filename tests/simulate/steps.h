/*
 * steps.h - what schedules of all kinds have in common: how they begin, a step
 * that is drawn, and one that the second thread takes in the middle of it.
 *
 * What the steps are is for each kind of schedule to say.
 */
#ifndef SIMULATE_STEPS_H
#define SIMULATE_STEPS_H

#include <stdbool.h>
#include <stdint.h>

struct chance;

/* False: there was nothing to do. */
typedef bool step_fn(void);

struct step {
	unsigned weight; /* among all of its table */
	step_fn *take;
};

/* How a schedule begins: with its seed, and with what to do while somebody
 * waits; the second thread takes no part. */
void steps_begin(struct chance *chance, uint64_t seed, void (*beside)(void),
		 void (*waiting)(void *arg, int64_t due_ns));
/* From now on the second thread takes part, as often as is drawn.  Returns how
 * many steps there will be: least to most, at most limit if that is not 0. */
unsigned steps_start(struct chance *chance, void (*beside)(void),
		     unsigned least, unsigned most, unsigned limit);

/* Takes one of n, drawn by their weights, to its end. */
void steps_take(struct chance *chance, const struct step *steps, unsigned n);
/* Takes one of n on the second thread, each as likely as the others. */
void steps_take_beside(struct chance *chance, step_fn *const *steps,
		       unsigned n);

/* A step: memory is short soon, or is not any more. */
bool steps_shorten_memory(struct chance *chance);

#endif
