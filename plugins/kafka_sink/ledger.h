/*
 * ledger.h - which events a producer owes an answer, in the order in which it
 * took them.
 *
 * submit() writes each event in before librdkafka may report on it; the number
 * of its line is the message's opaque.  A delivered event is answered at once
 * and its line is empty.  A line that is marked (failed, or refused before it
 * was sent) waits: from the first mark on the ledger takes nothing new, and
 * when the last line has its report, the marked ones are settled in the order
 * of the ledger.  So an answer never overtakes an earlier one, and a line is
 * answered once, whatever librdkafka reports.
 *
 * It is a ring of fixed size with a lock of its own; nobody is called while
 * the lock is held.
 */
#ifndef KAFKA_SINK_LEDGER_H
#define KAFKA_SINK_LEDGER_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_line {
	struct evh_event *ev;	/* NULL: answered, or given back */
	uint32_t taken_ms;	/* of the caller's clock, wraps */
	enum evh_result result; /* 0: no report yet */
};

struct ledger {
	pthread_mutex_t lock; /* guards all of this */
	struct ledger_line *lines;
	uint64_t mask, head, tail; /* the lines head to tail - 1 */
	size_t owed;		   /* lines with an event, */
	size_t waiting;		   /* those of them without a report */
	bool closed;
};

/* Room for at least n lines; 0 or -ENOMEM. [main] */
int ledger_init(struct ledger *l, size_t n);
void ledger_fini(struct ledger *l);

/*
 * Writes in the first k of n events and returns k, which is 0 when the ledger
 * is closed or full; *ret_first is the number of the first line. [any]
 */
int ledger_take(struct ledger *l, struct evh_event *const *evs, int n,
		uint32_t now_ms, uint64_t *ret_first);
/* Lines that were not produced after all are the caller's again. [any] */
void ledger_cancel(struct ledger *l, uint64_t first, int n);

/* Takes no more. [any] */
void ledger_close(struct ledger *l);
/* Takes events again, unless a line is still marked. [any] */
void ledger_open(struct ledger *l);

/*
 * Delivered: empties these lines and returns their events, which the caller
 * now answers; how many, since an empty line has none. [any]
 */
int ledger_answer(struct ledger *l, const uint64_t *lines, int n,
		  struct evh_event **ret);
/*
 * To be answered with this result when its turn comes; closes.  Returns the
 * event, which is still the ledger's, or NULL when the line is empty. [any]
 */
struct evh_event *ledger_mark(struct ledger *l, uint64_t line,
			      enum evh_result result);
/* As if every line without a report had been marked RETRY; returns how many
 * these were. [any] */
size_t ledger_give_up(struct ledger *l);

/*
 * When no line waits for a report: empties the first lines that share one
 * result, at most n, into ret and returns how many; else 0. [any]
 */
int ledger_settle(struct ledger *l, struct evh_event **ret, int n,
		  enum evh_result *ret_result);

size_t ledger_owed(struct ledger *l);
size_t ledger_waiting(struct ledger *l);
/* Age of the oldest line without an answer in ms, 0 when there is none. */
uint32_t ledger_age_ms(struct ledger *l, uint32_t now_ms);

#endif
