/*
 * poller.h - the consumer's poll thread ("evh-kafka-poll"), from start to stop.
 *
 * Each of its turns serves the group, sees to partitions that cannot go on,
 * and takes and emits messages.  While the plugin drains it emits nothing, but
 * stays in the group until it is stopped, so that offsets can be committed.
 */
#ifndef KAFKA_SOURCE_POLLER_H
#define KAFKA_SOURCE_POLLER_H

struct consumer;

/* 0 or -errno, logged. [main] */
int poller_start(struct consumer *c);
/* Emits nothing from now on; returns at once. [main] */
void poller_drain(struct consumer *c);
/* Commits what is done and leaves the group, in timeout_ms, whatever the
 * brokers do. [main] */
void poller_stop(struct consumer *c, int timeout_ms);

#endif
