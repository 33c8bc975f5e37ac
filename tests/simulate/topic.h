/*
 * topic.h - the logs of a broker's partitions: they grow, and one is deleted
 * and made again.
 */
#ifndef SIMULATE_TOPIC_H
#define SIMULATE_TOPIC_H

#include "broker.h"

/* One more message, somewhere. */
void topic_produce(struct broker *b);
/* A partition, if it may be, loses its log and has a new one. */
void topic_renew(struct broker *b);
/* The consumer knows of the new log, so the oracle does. */
void topic_turn_over(struct broker_partition *p);

#endif
