/*
 * heard.h - what somebody who asks the store hears: a callback of the test's
 * own that copies the answer and counts how often it came.
 */
#ifndef HEARD_H
#define HEARD_H

#include "bench.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS_MAX 64

/* One question's answer, as the asker keeps it. */
struct heard {
	pthread_mutex_t lock; /* guards: the rest */
	pthread_cond_t changed;
	unsigned n_calls;
	int rc;
	size_t n;
	int64_t total;
	struct evh_row rows[ROWS_MAX];
	char *data[ROWS_MAX];
	char name[ROWS_MAX][64], error[ROWS_MAX][64], topic[ROWS_MAX][64];
};

void heard_init(struct heard *heard);
void heard_fini(struct heard *heard);
/* The evh_rows to ask with; arg is the heard. */
void hear(void *arg, int rc, const struct evh_row *rows, size_t n,
	  int64_t total);
void heard_wait(struct heard *heard); /* and that it came once */

/* Ask and wait; heard_init() is theirs. */
void heard_get(struct bench *bench, unsigned number, struct heard *heard);
void heard_find(struct bench *bench, const struct evh_query *q,
		struct heard *heard);

#endif
