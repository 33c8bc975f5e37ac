/*
 * pace.c - posts at a fixed rate and measures what a user sees: the time to
 * the 201, and of some events the time to the first GET that says `processed`.
 *
 *   pace PORT RATE SECONDS [connections=64] [looks=200] [size=200]
 *
 * Open loop: each request has its due time, and its time counts from there,
 * also while it waits for a connection, so that a server that stands still is
 * not measured less (coordinated omission).  looks: events a second whose
 * processing is watched; each is asked for every half millisecond, which costs
 * the service something.
 *
 * Prints lines of a word, names and milliseconds:
 *   answered p50 .. p90 .. p99 .. p99.9 .. max ..
 *   processed ...
 *   late ...        how late the client itself was, with a connection at hand
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "http_conn.h"
#include "setting.h"

#define CONNECTIONS_MAX 4096
#define LOOKERS		16
#define LOOK_EVERY_NS	500000
#define GIVE_UP_NS	INT64_C(30000000000)
#define BODY_MAX	(1 << 20)

struct look {
	char request[128];
	size_t len;
	int64_t at_ns; /* the next time */
};

struct times {
	int64_t *ns;
	long n;
};

struct pace {
	int port, epoll_fd;
	double rate;
	double seconds;
	long connections, looks_per_s, size;
	char *request;
	size_t request_len;
	long n, look_each; /* every so manieth is looked at; 0: none */
	long n_sent, n_ended, n_failed, n_looking;
	int64_t begin_ns;
	struct times answered, processed, late;
	/* The first `connections` post, the others look. */
	struct http_conn *conns;
	int *idle, n_idle, *idle_lookers, n_idle_lookers;
	bool had_idle;
	/* One for each event that is looked at; their numbers wait in a ring
	 * of as many. */
	struct look *looks;
	long *ring, ring_head, ring_tail, n_looks;
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
fail(const char *what, int rc)
{
	fprintf(stderr, "pace: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void *
must_have(void *memory)
{
	if (!memory)
		fail("memory", -ENOMEM);
	return memory;
}

static int64_t
due_ns(const struct pace *p, long i)
{
	return p->begin_ns + (int64_t)(1e9 * (double)i / p->rate);
}

static void
times_add(struct times *t, int64_t ns)
{
	t->ns[t->n++] = ns;
}

/* ---- Connections --------------------------------------------------------- */

static bool
is_looker(const struct pace *p, const struct http_conn *conn)
{
	return conn - p->conns >= p->connections;
}

static void
conn_is_idle(struct pace *p, struct http_conn *conn)
{
	int number = (int)(conn - p->conns);

	if (is_looker(p, conn))
		p->idle_lookers[p->n_idle_lookers++] = number;
	else
		p->idle[p->n_idle++] = number;
}

static void
conn_connect(struct pace *p, struct http_conn *conn)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
				  .data.ptr = conn };
	int rc = http_conn_open(conn, p->port);

	if (rc < 0)
		fail("connect", rc);
	if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, conn->fd, &ev) < 0)
		fail("epoll", -errno);
}

/* ---- Looks --------------------------------------------------------------- */

static void
look_put(struct pace *p, long number)
{
	p->looks[number].at_ns = now_ns() + LOOK_EVERY_NS;
	p->ring[p->ring_tail++ % p->n_looks] = number;
}

/* An answered event is to be looked at from now on. */
static void
look_begin(struct pace *p, const struct http_conn *conn)
{
	long number = conn->item / p->look_each;
	struct look *look = &p->looks[number];
	const char *id = strstr(conn->answer, "\"id\":\"");

	if (!id || strlen(id) < 42) {
		p->n_failed++;
		return;
	}
	look->len = (size_t)snprintf(look->request, sizeof(look->request),
				     "GET /api/v1/events/%.36s HTTP/1.1\r\n"
				     "Host: localhost\r\n\r\n",
				     id + 6);
	p->n_looking++;
	look_put(p, number);
}

static void
looks_send(struct pace *p)
{
	while (p->n_idle_lookers > 0 && p->ring_head != p->ring_tail) {
		long number = p->ring[p->ring_head % p->n_looks];
		struct look *look = &p->looks[number];
		struct http_conn *conn;
		int rc;

		if (look->at_ns > now_ns())
			return;
		conn = &p->conns[p->idle_lookers[--p->n_idle_lookers]];
		conn->item = number;
		rc = http_conn_send(conn, look->request, look->len);
		if (rc < 0)
			fail("GET", rc);
		p->ring_head++;
	}
}

static void
look_answered(struct pace *p, const struct http_conn *conn, int status)
{
	long item = conn->item * p->look_each;

	if (status == 200 && strstr(conn->answer, "\"status\":\"processed\"")) {
		times_add(&p->processed, now_ns() - due_ns(p, item));
		p->n_looking--;
	} else {
		look_put(p, conn->item);
	}
}

/* ---- Posts --------------------------------------------------------------- */

static void
posts_send(struct pace *p)
{
	while (p->n_sent < p->n && p->n_idle > 0) {
		int64_t late_ns = now_ns() - due_ns(p, p->n_sent);
		struct http_conn *conn;
		int rc;

		if (late_ns < 0)
			break;
		/* What came due while all connections were busy waited for the
		 * server; only what found one at hand says something of us. */
		if (p->had_idle)
			times_add(&p->late, late_ns);
		conn = &p->conns[p->idle[--p->n_idle]];
		conn->item = p->n_sent++;
		rc = http_conn_send(conn, p->request, p->request_len);
		if (rc < 0)
			fail("POST", rc);
	}
	p->had_idle = p->n_idle > 0;
}

static void
post_answered(struct pace *p, const struct http_conn *conn, int status)
{
	p->n_ended++;
	if (status != 201) {
		p->n_failed++;
		return;
	}
	times_add(&p->answered, now_ns() - due_ns(p, conn->item));
	if (p->look_each && conn->item % p->look_each == 0)
		look_begin(p, conn);
}

/* ---- The loop ------------------------------------------------------------ */

static void
conn_event(struct pace *p, struct http_conn *conn)
{
	int status;

	if (!conn->is_busy) {
		/* A server may close what is idle; nobody has failed then. */
		if (http_conn_is_closed(conn))
			conn_connect(p, conn);
		return;
	}
	status = http_conn_go_on(conn);
	if (status == 0)
		return;
	if (is_looker(p, conn))
		look_answered(p, conn, status);
	else
		post_answered(p, conn, status);
	if (status < 0)
		conn_connect(p, conn);
	conn_is_idle(p, conn);
}

/* When there is something to do without any answer. */
static int64_t
next_ns(const struct pace *p)
{
	int64_t at_ns = INT64_MAX;

	if (p->n_sent < p->n && p->n_idle > 0)
		at_ns = due_ns(p, p->n_sent);
	if (p->n_idle_lookers > 0 && p->ring_head != p->ring_tail) {
		long number = p->ring[p->ring_head % p->n_looks];

		if (p->looks[number].at_ns < at_ns)
			at_ns = p->looks[number].at_ns;
	}
	return at_ns;
}

static void
run(struct pace *p)
{
	int64_t give_up_ns = due_ns(p, p->n) + GIVE_UP_NS;
	struct epoll_event events[256];

	while (p->n_ended < p->n || p->n_looking > 0) {
		int64_t wait_ns = next_ns(p) - now_ns();
		struct timespec wait = { 0, 0 };
		int n;

		if (now_ns() > give_up_ns) {
			p->n_failed += p->n - p->n_ended + p->n_looking;
			return;
		}
		if (wait_ns > 100000000)
			wait_ns = 100000000;
		if (wait_ns > 0)
			wait.tv_nsec = wait_ns;
		n = epoll_pwait2(p->epoll_fd, events, 256, &wait, NULL);
		if (n < 0 && errno != EINTR)
			fail("epoll", -errno);
		for (int i = 0; i < n; i++)
			conn_event(p, events[i].data.ptr);
		posts_send(p);
		looks_send(p);
	}
}

/* ---- The report ---------------------------------------------------------- */

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Of sorted times, the one that this part of all are below. */
static double
ms_at(const struct times *t, double part)
{
	long at = (long)((double)t->n * part);

	return (double)t->ns[at < t->n ? at : t->n - 1] / 1e6;
}

static void
times_print(const char *what, const struct times *t)
{
	if (t->n == 0)
		return;
	qsort(t->ns, (size_t)t->n, sizeof(*t->ns), by_time);
	printf("%s p50 %.2f p90 %.2f p99 %.2f p99.9 %.2f max %.2f n %ld\n",
	       what, ms_at(t, 0.5), ms_at(t, 0.9), ms_at(t, 0.99),
	       ms_at(t, 0.999), ms_at(t, 1), t->n);
}

/* ---- Setting up ---------------------------------------------------------- */

static int
options_read(struct pace *p, int argc, char **argv)
{
	p->port = (int)strtol(argv[1], NULL, 10);
	p->rate = strtod(argv[2], NULL);
	p->seconds = strtod(argv[3], NULL);
	p->connections = 64;
	p->looks_per_s = 200;
	p->size = 200;
	for (int i = 4; i < argc; i++)
		if (!setting_number(argv[i], "connections", &p->connections) &&
		    !setting_number(argv[i], "looks", &p->looks_per_s) &&
		    !setting_number(argv[i], "size", &p->size))
			return -1;
	if (p->rate <= 0 || p->seconds <= 0 || p->connections < 1 ||
	    p->connections > CONNECTIONS_MAX || p->size < 64 ||
	    p->size > BODY_MAX)
		return -1;
	p->n = (long)(p->rate * p->seconds);
	if (p->looks_per_s > 0)
		p->look_each =
			(double)p->looks_per_s >= p->rate
				? 1
				: (long)(p->rate / (double)p->looks_per_s);
	return p->n > 0 ? 0 : -1;
}

/* A body of about so many bytes. */
static void
request_make(struct pace *p)
{
	static const char begin[] = "{\"name\":\"user.created\",\"data\":{"
				    "\"user_id\":1,\"note\":\"";
	size_t pad = (size_t)p->size > sizeof(begin) + 2
			     ? (size_t)p->size - sizeof(begin) - 2
			     : 1;
	size_t size = pad + 512;
	int head;

	p->request = must_have(malloc(size));
	head = snprintf(p->request, size,
			"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n"
			"Content-Type: application/json\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			strlen(begin) + pad + 3, begin);
	memset(p->request + head, 'x', pad);
	memcpy(p->request + (size_t)head + pad, "\"}}", 3);
	p->request_len = (size_t)head + pad + 3;
}

static void
times_make(struct times *t, long n)
{
	t->ns = must_have(calloc((size_t)n + 1, sizeof(*t->ns)));
}

static void
make(struct pace *p)
{
	long n_conns = p->connections + LOOKERS;

	p->n_looks = p->look_each ? p->n / p->look_each + 1 : 1;
	p->looks = must_have(calloc((size_t)p->n_looks, sizeof(*p->looks)));
	p->ring = must_have(calloc((size_t)p->n_looks, sizeof(*p->ring)));
	p->conns = must_have(calloc((size_t)n_conns, sizeof(*p->conns)));
	p->idle = must_have(calloc((size_t)n_conns, sizeof(int)));
	p->idle_lookers = must_have(calloc(LOOKERS, sizeof(int)));
	times_make(&p->answered, p->n);
	times_make(&p->processed, p->n);
	times_make(&p->late, p->n);
	request_make(p);
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll_fd < 0)
		fail("epoll", -errno);
	for (long i = 0; i < (p->look_each ? n_conns : p->connections); i++) {
		conn_connect(p, &p->conns[i]);
		conn_is_idle(p, &p->conns[i]);
	}
}

int
main(int argc, char **argv)
{
	static struct pace p;

	if (argc < 4 || options_read(&p, argc, argv) < 0) {
		fprintf(stderr, "usage: pace PORT RATE SECONDS "
				"[connections=N] [looks=PER-SECOND] "
				"[size=BYTES]\n");
		return 64;
	}
	make(&p);
	p.begin_ns = now_ns() + 100000000;
	run(&p);
	printf("posted %ld failed %ld rate %.0f\n", p.answered.n, p.n_failed,
	       (double)p.answered.n * 1e9 / (double)(now_ns() - p.begin_ns));
	times_print("answered", &p.answered);
	times_print("processed", &p.processed);
	times_print("late", &p.late);
	return p.n_failed > 0 || p.answered.n == 0;
}
