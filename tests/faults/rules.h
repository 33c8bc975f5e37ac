/*
 * rules.h - what a proxy does with its connections now, and its figures.
 */
#ifndef FAULTS_RULES_H
#define FAULTS_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum rules_mode {
	RULES_PASS = 1,
	RULES_DELAY,	 /* each piece waits delay_ns */
	RULES_BLACKHOLE, /* nothing is read, nothing refused */
};

enum rules_protocol {
	RULES_PLAIN = 1,
	RULES_PG,
	RULES_KAFKA,
};

struct rules {
	enum rules_mode mode;
	enum rules_protocol protocol;
	int64_t delay_ns;
	/* What becomes of such an answer: 0: it is swallowed and the
	 * connection cut; else the error that it tells instead. */
	int16_t error;
	uint64_t armed;	 /* so many answers are still to be swallowed */
	uint64_t every;	 /* each so manieth one that could be */
	uint64_t n_seen; /* that could be swallowed, since armed */
	uint64_t n_swallowed, n_pairs, n_accepted;
};

/* An answer that could be swallowed came: whether this one is to be. */
static inline bool
rules_swallow(struct rules *rules)
{
	if (rules->armed == 0 || ++rules->n_seen % rules->every != 0)
		return false;
	rules->armed--;
	rules->n_swallowed++;
	return true;
}

#endif
