/*
 * http_conn.h - one connection of a client that measures: sends a request,
 * and knows when its answer is complete.  Never waits once it is open.
 */
#ifndef BENCH_HTTP_CONN_H
#define BENCH_HTTP_CONN_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_CONN_ANSWER_MAX 16384

struct http_conn {
	int fd; /* -1: broken */
	bool is_busy;
	long item; /* the caller's: what the request is about */
	/* What is still to be sent; borrowed until the answer is there. */
	const char *unsent;
	size_t n_unsent;
	size_t len;
	char answer[HTTP_CONN_ANSWER_MAX + 1]; /* head and body */
};

/* Connects to 127.0.0.1, and waits for that.  0, or -errno. */
int http_conn_open(struct http_conn *conn, int port);
void http_conn_close(struct http_conn *conn);
/* True when the server has closed it while it was idle; then it is closed. */
bool http_conn_is_closed(struct http_conn *conn);
/* 0; or -errno, and the connection is closed. */
int http_conn_send(struct http_conn *conn, const char *request, size_t len);
/*
 * To be called when the socket says that it can be read or written.  The
 * answer's status when it is complete (conn->answer ends in NUL), 0 when it is
 * not yet, -errno when the connection is broken, and closed.
 */
int http_conn_go_on(struct http_conn *conn);

#endif
