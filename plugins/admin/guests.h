/*
 * guests.h - who is connected to the admin page, in the order in which they
 * were last answered.
 *
 * A timeout that starts again with each byte lets a few clients that send one
 * now and then keep everybody out.  So nobody is kept out: when the house is
 * full, whoever has had no answer for the longest time makes room.
 *
 * Belongs to the server's thread.
 */
#ifndef ADMIN_GUESTS_H
#define ADMIN_GUESTS_H

struct guest {
	struct guest *prev, *next;
	int fd; /* the server's, open while the guest is here */
};

struct guests {
	struct guest *first, *last; /* first: without an answer for longest */
	unsigned n, max;
};

/* A new one; shuts the first down when there are more than max.  Yours until
 * guests_remove(); NULL when memory is short. */
struct guest *guests_add(struct guests *guests, int fd);
/* It has had an answer. */
void guests_answered(struct guests *guests, struct guest *guest);
/* Frees it. */
void guests_remove(struct guests *guests, struct guest *guest);

#endif
