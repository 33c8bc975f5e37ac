/*
 * endings.h - where librdkafka's handles end.
 *
 * rd_kafka_destroy() has no time limit: it joins threads that may sit in a
 * name lookup.  Each call runs in a thread of its own ("evh-kafka-end"), which
 * touches nothing of the sink's; the sink waits for as long as it may and then
 * leaves it behind.  A handle for which there is no thread waits for one.
 */
#ifndef KAFKA_SINK_ENDINGS_H
#define KAFKA_SINK_ENDINGS_H

#include <librdkafka/rdkafka.h>

#include <stddef.h>

struct endings;
struct ending; /* of one handle, made before it, so that none is lost */

struct endings *endings_new(void);	 /* NULL: out of memory */
struct ending *ending_new(void);	 /* NULL: out of memory */
void ending_free(struct ending *ending); /* of one that was not added */
/* Takes both; of rk nothing is left: no topic, no queue, no event.  Never
 * waits. [any] */
void endings_add(struct endings *g, struct ending *ending, rd_kafka_t *rk);
/* Waits until none is under way; how many still are. [any] */
size_t endings_wait(struct endings *g, int timeout_ms);
/* The last one under way frees it, when that is not now; what still waits for
 * a thread stays as it is. */
void endings_free(struct endings *g);

#endif
