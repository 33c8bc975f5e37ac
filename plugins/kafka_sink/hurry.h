/*
 * hurry.h - no event lingers while there is nothing to gain by it.
 *
 * A producer that lingers makes larger requests, and with many clients at once
 * that is most of a broker's cost; a single one only waits, for a whole
 * millisecond, since librdkafka's threads wait by these.  librdkafka does not
 * linger while somebody waits in rd_kafka_flush(), and this thread
 * ("evh-kafka-now") does just that while few events are on their way.
 */
#ifndef KAFKA_SINK_HURRY_H
#define KAFKA_SINK_HURRY_H

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct hurry {
	rd_kafka_t *rk;
	pthread_t thread;
	pthread_mutex_t lock; /* guards: is_wanted, is_ending */
	pthread_cond_t wanted;
	bool is_wanted, is_ending;
	atomic_bool is_flushing; /* the thread sees new events by itself */
	atomic_bool is_calm;	 /* few events are on their way */
	unsigned n_calm; /* looks in a row that said so; hurry_look()'s */
};

/* Borrows rk until hurry_stop().  0 or -errno. [any] */
int hurry_start(struct hurry *hurry, rd_kafka_t *rk);
/* Waits for the thread, some milliseconds. [any] */
void hurry_stop(struct hurry *hurry);

/* An event was handed to rk. [any] */
void hurry_event(struct hurry *hurry);
/* So many events were on their way when the last report came. By one thread. */
void hurry_look(struct hurry *hurry, size_t n);

#endif
