/*
 * dlq_newest.h - of the letters of a walk, those that failed last, as text.
 *
 * Keepers have them by creation, or by place in a topic, and what was created
 * long ago may have failed just now: all are looked at, and of at most twice
 * as many as are wanted the lines are remembered.
 */
#ifndef EVH_DLQ_NEWEST_H
#define EVH_DLQ_NEWEST_H

#include <evh/services.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct dlq_newest_line;

struct dlq_newest {
	size_t limit;
	bool json;
	struct dlq_newest_line *lines;
	size_t n, room;
	/* Whoever failed before is none of them.  Of the walk: 0, all are. */
	int64_t floor_ns;
};

/* The so many (1 or more) that failed last. */
void dlq_newest_init(struct dlq_newest *newest, size_t limit, bool json);
void dlq_newest_fini(struct dlq_newest *newest);
/* Copies what it needs.  0 or -ENOMEM. [any], one at a time */
int dlq_newest_add(struct dlq_newest *newest, const struct evh_letter *letter);
/* Writes the lines, the one that failed last first. */
void dlq_newest_put(struct dlq_newest *newest, FILE *out);

#endif
