/*
 * virtual.h - what comes from outside, brought by the schedule: time, jitter,
 * memory that is short, and the waits of the host's threads.
 *
 * The program is linked with these in place of core/timer_clock.c, and with
 * the linker's --wrap for the allocator and for condition variables; of the
 * host nothing is compiled otherwise.  One thread does everything: who waits
 * lets the schedule take its next step, on the waiter's stack, until the time
 * that it waits for has come.
 */
#ifndef SIMULATE_VIRTUAL_H
#define SIMULATE_VIRTUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance;

/* A new schedule: its randomness, and what to do while somebody waits, until
 * `due_ns` at the latest.  Borrows both. */
void virtual_begin(struct chance *chance,
		   void (*step)(void *arg, int64_t due_ns), void *arg);

int64_t virtual_now_ns(void);
/* Time only goes on; an earlier one changes nothing. */
void virtual_advance_to(int64_t now_ns);
void virtual_advance(int64_t ns);

/* The n-th allocation from now on fails, once; 0: none does. */
void virtual_shortage(unsigned n);
/* Since when that was asked, has it struck? */
bool virtual_shortage_struck(void);

/* The simulation's own memory never fails. */
void *virtual_alloc(size_t n);
void virtual_free(void *p);

#endif
