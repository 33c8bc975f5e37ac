/*
 * unread.h - partitions that are ours and not read, because the brokers refused
 * to say where the group is.
 *
 * librdkafka 2.0.2 asks once for each assignment.  What is refused then, be it
 * for a moment, it leaves unread until the next rebalance, which may never
 * come.  So we ask, and when there is an answer the assignment is made once
 * more, by the offsets that it has.  Until then readiness says why.
 */
#ifndef KAFKA_SOURCE_UNREAD_H
#define KAFKA_SOURCE_UNREAD_H

struct consumer;

/* Takes them again, if it is time; waits for the brokers a little.  [poll
 * thread] */
void unread_attend(struct consumer *c);

#endif
