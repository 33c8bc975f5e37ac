/*
 * intake.h - messages become events and are emitted, a run of one partition
 * a call; and partitions that cannot go on are held, rewound, or let go on.
 *
 * What emit() does not take stays in the partition's run and is offered
 * again.  A partition whose events go slowly is paused while its run is full,
 * so that it does not keep the inbox from the others.  All on the poll thread.
 */
#ifndef KAFKA_SOURCE_INTAKE_H
#define KAFKA_SOURCE_INTAKE_H

#include <evh/plugin.h>

#include <stdbool.h>

struct consumer;
struct partition;

/* Offers what waits and takes what has come; waits a little, for messages or
 * for room, when there is nothing else to do. */
void intake_turn(struct consumer *c);

/* Sees to partitions that an answer has stopped or sent back, and to those
 * whose pause or back-off is over. */
void intake_attend(struct consumer *c);

/* Gives back what was read of it and not emitted. */
void intake_drop(struct consumer *c, struct partition *p);

#endif
