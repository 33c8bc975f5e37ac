/*
 * dead_shelf.h - copies of dead letters without their bytes, to give them in
 * another order than the one in which a topic has them.
 */
#ifndef KAFKA_SINK_DEAD_SHELF_H
#define KAFKA_SINK_DEAD_SHELF_H

#include <evh/services.h>

#include <stddef.h>

struct dead_shelf {
	struct evh_letter *letters; /* each with one block of strings */
	size_t n, max;
};

/* Room for so many.  0 or -ENOMEM. */
int dead_shelf_init(struct dead_shelf *shelf, size_t max);
void dead_shelf_fini(struct dead_shelf *shelf);
/* Copies it, without bytes and headers.  0, -ENOMEM; what is beyond the room
 * is left out. */
int dead_shelf_put(struct dead_shelf *shelf, const struct evh_letter *letter);
/* Newest first, by creation. */
void dead_shelf_sort(struct dead_shelf *shelf);

#endif
