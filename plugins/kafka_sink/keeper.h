/*
 * keeper.h - keeps one producer at work, and says when there is none.
 *
 * Its thread ("evh-kafka-keep") asks the brokers for the topic, creates it,
 * says ready or not and why, and when a producer has ended makes the next.
 * submit() reaches the producer that is in use through a gate: a lock that is
 * held for reading while events go in, and for writing only to put another
 * producer in its place.  The old one owes nothing by then.
 */
#ifndef KAFKA_SINK_KEEPER_H
#define KAFKA_SINK_KEEPER_H

#include "settings.h"

#include <evh/plugin.h>

struct keeper;

/* Takes ctx and settings on loan; NULL: out of memory. [main] */
struct keeper *keeper_new(struct evh_ctx *ctx, const struct settings *s);
void keeper_free(struct keeper *k);

/* Logs; -EINVAL (the configuration) or -errno. [main] */
int keeper_start(struct keeper *k);
/* Waits at most timeout_ms, or for a probe that is under way: 1 s. [main] */
void keeper_stop(struct keeper *k, int timeout_ms);

/* As evh_plugin.submit and evh_plugin.flush. */
int keeper_submit(struct keeper *k, struct evh_event *const *evs, int n);
void keeper_flush(struct keeper *k, int timeout_ms);

#endif
