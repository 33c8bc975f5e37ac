/*
 * reader.h - kafka_source in the simulation: its own intake, answers,
 * partitions, group and leaving, with broker.h in the place of librdkafka.
 *
 * The poll thread's loop is here, one round of it a step of the schedule.
 */
#ifndef SIMULATE_READER_H
#define SIMULATE_READER_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stdint.h>

struct end;
struct reader;

struct reader *reader_new(struct end *source);
void reader_stop(struct reader *r); /* leaves the group */
void reader_free(struct reader *r);

/* One round of the poll thread, unless it waits on some stack below. */
void reader_turn(struct reader *r);
/* Partitions are taken away, or come. */
void reader_rebalance(struct reader *r);
/* Messages come into the topic. */
void reader_produce(struct reader *r);
/* When the next rewind is due, INT64_MAX: none is. */
int64_t reader_due_ns(const struct reader *r);

/* The plugin's done(). */
void reader_done(struct reader *r, struct evh_event *const *evs, int n,
		 enum evh_result result);

/* All that it may read has been read and is committed; if not, why. */
bool reader_is_through(const struct reader *r, const char **ret_why);

#endif
