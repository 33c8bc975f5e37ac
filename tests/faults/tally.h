/*
 * tally.h - the figures of a load: how requests ended, how long they took,
 * and how many were answered before, during and after a fault.
 */
#ifndef FAULTS_TALLY_H
#define FAULTS_TALLY_H

#include <stdint.h>
#include <stdio.h>

enum tally_phase { TALLY_BEFORE, TALLY_DURING, TALLY_AFTER, TALLY_PHASES };

#define TALLY_BUCKETS 1024

struct tally {
	enum tally_phase phase;
	uint64_t sent;	   /* events, however often each was repeated */
	uint64_t repeated; /* requests that sent an event again */
	uint64_t taken[TALLY_PHASES]; /* 2xx */
	uint64_t unavailable;	      /* 503 */
	uint64_t other;		      /* any other status */
	uint64_t broken;  /* the connection ended before the answer */
	uint64_t hung;	  /* no answer before the deadline */
	uint64_t unknown; /* events: given up, perhaps they are there */
	uint64_t strikes, in_flight_least, in_flight_sum;
	int64_t begin_ns, last_taken_ns, gap_ns, slowest_ns;
	uint32_t buckets[TALLY_BUCKETS]; /* of 2xx answers' times */
};

/* A 2xx at this time of the monotonic clock, this long after its request. */
void tally_taken(struct tally *tally, int64_t now_ns, int64_t took_ns);
/* A fault strikes, with so many requests in flight. */
void tally_strike(struct tally *tally, uint64_t in_flight);
/* One line of JSON, without a line break. */
void tally_print(const struct tally *tally, FILE *f, uint64_t in_flight,
		 int64_t now_ns);

#endif
