/*
 * leaving.h - how a consumer ends: its last commit, and librdkafka's client.
 *
 * librdkafka 2.0.2 ends neither in bounded time when brokers are away or hang,
 * so both have a deadline of ours.  Whatever is cut short claims nothing: what
 * was not committed is read again.  The poll thread does the work; who stops
 * the consumer waits for it, or leaves it behind.
 */
#ifndef KAFKA_SOURCE_LEAVING_H
#define KAFKA_SOURCE_LEAVING_H

struct consumer;

/* The last work of the poll thread. */
void leaving_run(struct consumer *c);
/* Tells the poll thread to end, and waits for it. [main] */
void leaving_wait(struct consumer *c, int timeout_ms);
/* Frees what poller_start() made, when no thread uses it any more. */
void leaving_destroy(struct consumer *c);

#endif
