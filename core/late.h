/*
 * late.h - the events that a handler has had for longer than its timeout.
 *
 * For readiness: how many there are, and the oldest of them by name.  What is
 * done about them is in watch.h and handling.h.
 */
#ifndef EVH_LATE_H
#define EVH_LATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct late_event {
	unsigned char id[16];
	int64_t since_ns; /* monotonic */
	bool is_held;	  /* awaits resume(); else process() has not returned */
};

struct late {
	pthread_mutex_t lock;	  /* guards: the rest */
	unsigned n;		  /* all of them, */
	unsigned n_named;	  /* and those that there was memory to name, */
	unsigned n_max;		  /* of so many, */
	struct late_event *named; /* oldest first */
};

int late_init(struct late *late); /* 0 or -errno */
void late_fini(struct late *late);

/* [any] */
void late_add(struct late *late, const unsigned char id[16], int64_t since_ns,
	      bool is_held);
void late_remove(struct late *late, const unsigned char id[16]);
/* process() has said at last that it holds it. */
void late_hold(struct late *late, const unsigned char id[16]);
/* "process() of event ID has not returned for 31 s, and of 2 others"; false,
 * and "", when none is late. */
bool late_describe(struct late *late, int64_t now_ns, char *ret, size_t size);

#endif
