/*
 * bench.h - one pg_store instance on a test bench: a fake host, a real server.
 */
#ifndef BENCH_H
#define BENCH_H

#include "fake_ctx.h"
#include "pg_server.h"

#include <stdarg.h>

struct bench {
	struct fake_ctx fake;
	const struct pg_server *server;
	const char *db;
	void *self;
	const struct evh_store *store;
	unsigned n_submitted;
};

/* Options "name", "value" ... NULL beside where the server is.  Created, not
 * started. */
void bench_create(struct bench *bench, const struct pg_server *server,
		  const char *db, ...);
void bench_start(struct bench *bench); /* and wait until it is ready */
void bench_stop(struct bench *bench);
void bench_destroy(struct bench *bench);

/* Submits n events of an array, all of them, and waits for their answers. */
void bench_write(struct bench *bench, struct fake_event *events, unsigned n);
/* Submits without waiting; returns how many were taken, or -errno. */
int bench_submit(struct bench *bench, struct fake_event *events, unsigned n);

/* pid of the writer's backend: of the youngest one whose last statement was a
 * write.  Fails the test when there is none. */
int bench_writer_pid(const struct bench *bench);

#endif
