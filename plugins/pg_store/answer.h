/*
 * answer.h - the rows of one question, gathered until they are given.
 *
 * They come one by one, so that an answer that grows beyond its bound is
 * dropped before it takes the memory.
 */
#ifndef PG_STORE_ANSWER_H
#define PG_STORE_ANSWER_H

#include <evh/services.h>

#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

struct answer {
	PGresult **results; /* one row each */
	struct evh_row *rows;
	size_t n, max;
	size_t bytes, max_bytes;
	int64_t total;
};

void answer_init(struct answer *answer, size_t max_bytes);
void answer_fini(struct answer *answer);
void answer_clear(struct answer *answer); /* as after answer_init() */

/* For connection_stream(), arg is the answer; each takes the result.  0,
 * -ENOMEM, or -EMSGSIZE beyond max_bytes. */
int answer_take(void *arg, PGresult *row);
int answer_take_total(void *arg, PGresult *row);

/* Calls fn, once: with the rows, or with rc < 0 and none. */
void answer_give(const struct answer *answer, int rc, evh_rows *fn, void *arg);

#endif
