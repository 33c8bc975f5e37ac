/*
 * reader.h - questions about rows, answered from threads of their own.
 *
 * Whoever asks is an HTTP loop that must not wait, so a question is queued
 * and answered by callback, on one of the threads `evh-pg-read`, each with a
 * connection of its own.  Within read_timeout of asking there is an answer,
 * if only that there is none: a question that waited too long is answered
 * without asking the server, and while the server is known to be away no
 * question is taken at all.
 */
#ifndef PG_STORE_READER_H
#define PG_STORE_READER_H

#include "backoff.h"
#include "settings.h"

#include <evh/services.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader_question;

struct reader {
	struct evh_ctx *ctx;
	const struct settings *settings;
	pthread_mutex_t lock; /* guards: all down to `away_logged` */
	pthread_cond_t work;  /* n or stopping has changed */
	struct reader_question **ring;
	size_t head, n;
	bool stopping;
	int64_t away_until; /* no question is taken before */
	struct backoff backoff;
	bool away_logged;

	int cancel_fd; /* eventfd: give up what you wait for */
	pthread_t *threads;
	size_t n_threads;
};

/* Borrows ctx and settings.  0 or -errno. [main] */
int reader_start(struct reader *reader, struct evh_ctx *ctx,
		 const struct settings *settings);
/* Answers what is left with -ESHUTDOWN; callbacks have returned when it
 * does. [main] */
void reader_stop(struct reader *reader);

/* As struct evh_store's functions; self is the reader. [any] */
int reader_get(void *self, const unsigned char id[16], evh_rows *fn, void *arg);
int reader_find(void *self, const struct evh_query *q, evh_rows *fn, void *arg);

#endif
