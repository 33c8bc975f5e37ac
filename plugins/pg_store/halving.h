/*
 * halving.h - finding the few that spoil a batch.
 *
 * A range is tried as a whole; if something in it is bad, its halves are
 * tried, left one first, until the culprit stands alone.  From left to right,
 * so that what is done is always the front of the range, and when a try ends
 * for another reason, everything from there on is as it was.  Pure: what
 * trying means is the caller's.
 */
#ifndef PG_STORE_HALVING_H
#define PG_STORE_HALVING_H

#include <stddef.h>

enum halving {
	HALVING_DONE = 1, /* all of the range is done */
	HALVING_BAD,	  /* nothing of it, because of some in it */
	HALVING_STOPPED,  /* nothing of it, for another reason: go no further */
};

struct halving_ops {
	enum halving (*try)(void *arg, size_t at, size_t n);
	/* The one at `at` was tried alone and is bad. */
	void (*bad)(void *arg, size_t at);
};

/*
 * Returns how many of n, from the front, are settled (done, or bad and told
 * so): n unless a try was stopped.  Adds to *splits how often a range was
 * halved.
 */
size_t halving_run(const struct halving_ops *ops, void *arg, size_t n,
		   unsigned *splits);

#endif
