/*
 * loop.h - one epoll loop: a thread, its listening socket, its
 * libmicrohttpd daemon, and the mailbox in which other threads lay requests
 * that have their answer.
 *
 * The loop is ours, because the library's own one sleeps on exact multiples
 * of 128 ready connections, and because answers and deadlines need a place.
 * Everything of a loop belongs to its thread, but for the mailbox and
 * loop_wake().
 */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "conn.h"
#include "gate.h"
#include "linger.h"
#include "reply.h"

struct http;
struct request;

#define LOOP_FIELDS_MAX 512 /* header fields of one request */

/* What an event of the loop's epoll set is about. */
enum { LOOP_HTTP, LOOP_WAKE, LOOP_LINGER };

struct loop {
	struct http *http;
	unsigned index;
	pthread_t thread;
	bool has_thread;
	int epoll_fd, wake_fd;
	int listen_fd; /* -1 once it is closed */
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;	/* guards: quiet, ended */
	pthread_cond_t changed; /* by the monotonic clock */
	bool quiet;		/* it listens no more */
	bool ended;		/* its thread does nothing any more */

	/* A stack of requests; whoever finds it empty wakes the loop. */
	_Atomic(struct request *) mailbox;

	struct replies *replies;
	struct conn_list lists[N_CONN_PHASES];
	struct lingering linger;
	unsigned n_conns;
	int64_t now_ms; /* monotonic, since the last wait */
	struct request *spare;
	unsigned n_spare;
	unsigned n_waiting; /* requests with a callback outstanding */
	bool closing;	    /* nothing may begin to wait any more */
	int64_t search_second;
	unsigned searches; /* in it */
	struct gate_field fields[LOOP_FIELDS_MAX];
};

/* Makes it and its daemon on listen_fd, which it takes in any case.  NULL and
 * -errno in *ret_err. [main] */
struct loop *loop_new(struct http *http, unsigned index, int listen_fd,
		      int *ret_err);
int loop_start(struct loop *loop); /* [main] */
void loop_wake(struct loop *loop); /* [any] */
/* Both wait until clock_ms() says until_ms: for it to listen no more, and
 * for the thread's end; -ETIMEDOUT. [main] */
int loop_wait_quiet(struct loop *loop, int64_t until_ms);
int loop_join(struct loop *loop, int64_t until_ms);
void loop_free(struct loop *loop); /* no thread any more; NULL is fine */

/* Lays the chain first..last (by ->next) into the mailbox. [any] */
void loop_post(struct loop *loop, struct request *first, struct request *last);

int loop_watch(struct loop *loop, int fd, unsigned what); /* [loop] */
bool loop_is_stopping(const struct loop *loop);

#endif
