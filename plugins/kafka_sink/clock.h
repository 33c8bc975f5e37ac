/*
 * clock.h - the sink's clock, CLOCK_MONOTONIC, in milliseconds, and waits that
 * end by it.
 */
#ifndef KAFKA_SINK_CLOCK_H
#define KAFKA_SINK_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t clock_ms(void);
/* So many ms from now, for a condition of clock_cond_init(). */
struct timespec clock_deadline(int timeout_ms);
void clock_cond_init(pthread_cond_t *cond);

#endif
