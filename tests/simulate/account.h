/*
 * account.h - what the oracle knows of each event that a spool may have had.
 *
 * It outlives the processes: whatever one of them was given, and its source was
 * told is safe, some process has to bring to the sink, byte for byte, and in
 * the order of its key. What a dying process still says counts no more.
 */
#ifndef SIMULATE_ACCOUNT_H
#define SIMULATE_ACCOUNT_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>

struct content;

#define ACCOUNT_MAX 512u

/* Nothing is known; before each schedule.  So long a client waits; 0: for
 * ever. */
void account_begin(unsigned deadline_ms);
/* The process stops: what it has on its way comes back. */
void account_give_up(void);
bool account_is_full(void);

/* A source: the next event's id and content, which follow from its number; it
 * is offered now; emit() would not have it; it is answered. */
void account_new(char key, size_t size, unsigned char ret_id[16],
		 struct content *ret);
void account_offer(const struct evh_event *ev);
void account_give_back(const struct evh_event *ev);
void account_answer(const struct evh_event *ev, enum evh_result result);

/* The sink: takes it; answers it. */
void account_show(const struct evh_event *ev);
void account_deliver(const struct evh_event *ev, enum evh_result result);

/* Another process: what the last one left unanswered it may have kept. */
void account_next_life(void);

/* The last one has stopped in peace: what was delivered does not come again. */
void account_settle(void);

/* Those that some process owes the sink: how many; that there are none. */
unsigned account_owed(void);
void account_end(void);

#endif
