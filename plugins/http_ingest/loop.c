#include "loop.h"

#include "access.h"
#include "http.h"
#include "refusal.h"
#include "request.h"

#include <clock.h>
#include <condition.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_MAX 16
/* However wrong a deadline may be: the loop looks around this often. */
#define WAIT_MAX_MS 1000
/* libmicrohttpd keeps the head, a record of 72 bytes for each field, and the
 * answer's head in one piece of memory; it clears all of it each time. */
#define MEMORY_FACTOR 2

bool
loop_is_stopping(const struct loop *loop)
{
	return atomic_load_explicit(&loop->http->life, memory_order_acquire) ==
	       HTTP_STOPPING;
}

int
loop_watch(struct loop *loop, int fd, unsigned what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	return 0;
}

void
loop_wake(struct loop *loop)
{
	const uint64_t one = 1;

	/* It can only fail when the counter is full, and then it wakes. */
	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void
loop_post(struct loop *loop, struct request *first, struct request *last)
{
	struct request *head =
		atomic_load_explicit(&loop->mailbox, memory_order_relaxed);

	do {
		last->next = head;
	} while (!atomic_compare_exchange_weak_explicit(
		&loop->mailbox, &head, first, memory_order_release,
		memory_order_relaxed));
	if (head == NULL)
		loop_wake(loop);
}

/* Settles all that lies in the mailbox, in the order in which it came. */
static void
empty_mailbox(struct loop *loop)
{
	struct request *stack = atomic_exchange_explicit(&loop->mailbox, NULL,
							 memory_order_acquire);
	struct request *queue = NULL;

	while (stack != NULL) {
		struct request *next = stack->next;

		stack->next = queue;
		queue = stack;
		stack = next;
	}
	while (queue != NULL) {
		struct request *next = queue->next;

		queue->next = NULL;
		request_settle(queue);
		queue = next;
	}
}

static int
wait_ms(const struct loop *loop)
{
	MHD_UNSIGNED_LONG_LONG mhd_ms;
	int64_t deadline = conn_deadline(loop);
	int64_t linger = linger_deadline(loop), wait = WAIT_MAX_MS;

	if (MHD_get_timeout(loop->daemon, &mhd_ms) == MHD_YES &&
	    mhd_ms < WAIT_MAX_MS)
		wait = (int64_t)mhd_ms;
	if (linger < deadline)
		deadline = linger;
	if (deadline - loop->now_ms < wait)
		wait = deadline - loop->now_ms;
	return wait > 0 ? (int)wait : 0;
}

/* One round: wait, take the mail, end what is over its time, let
 * libmicrohttpd read, parse and write. */
static void
turn(struct loop *loop)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t count;
	int n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, wait_ms(loop));

	loop->now_ms = clock_ms();
	for (int i = 0; i < n; i++) {
		unsigned what = events[i].data.u32;

		if (what == LOOP_WAKE) {
			if (read(loop->wake_fd, &count, sizeof(count)) < 0)
				continue;
		} else if (what >= LOOP_LINGER) {
			linger_read(loop, what - LOOP_LINGER);
		}
	}
	/* Both resume requests, which the library's pass then answers: of those
	 * that are resumed after it, MHD_get_timeout() knows nothing. */
	empty_mailbox(loop);
	conn_expire(loop);
	linger_expire(loop);
	MHD_run(loop->daemon);
}

static void
announce(struct loop *loop, bool *what)
{
	pthread_mutex_lock(&loop->lock);
	*what = true;
	pthread_cond_broadcast(&loop->changed);
	pthread_mutex_unlock(&loop->lock);
}

/* What the kernel has accepted for us is served; then the port is free. */
static void
close_listener(struct loop *loop)
{
	int fd;

	for (int i = 0; i < 16; i++)
		MHD_run(loop->daemon);
	fd = MHD_quiesce_daemon(loop->daemon);
	if (fd >= 0)
		close(fd);
	loop->listen_fd = -1;
	announce(loop, &loop->quiet);
}

/* Is there an answer that somebody still waits for? */
static bool
is_busy(const struct loop *loop)
{
	return loop->n_waiting > 0 || loop->lists[CONN_WORK].first != NULL ||
	       loop->lists[CONN_REPLY].first != NULL;
}

static void *
loop_main(void *arg)
{
	struct loop *loop = arg;

	loop->now_ms = clock_ms();
	while (!loop_is_stopping(loop)) {
		turn(loop);
		if (loop->listen_fd >= 0 && http_is_draining(loop->http))
			close_listener(loop);
	}
	if (loop->listen_fd >= 0)
		close_listener(loop);
	while (is_busy(loop) &&
	       loop->now_ms < atomic_load(&loop->http->stop_by_ms))
		turn(loop);
	/* The library demands that nothing is suspended when it stops, and
	 * reads on in each pass: what comes now is answered at once. */
	loop->closing = true;
	do {
		empty_mailbox(loop);
		request_abandon(loop);
		MHD_run(loop->daemon);
	} while (loop->lists[CONN_WORK].first != NULL);
	MHD_stop_daemon(loop->daemon);
	loop->daemon = NULL;
	linger_fini(loop);
	announce(loop, &loop->ended);
	return NULL;
}

/* Paths are compared byte for byte, and the query is read by query.c: the
 * library must decode nothing, in place, behind our back. */
static size_t
unescape_nothing(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

static struct MHD_Daemon *
daemon_start(struct loop *loop)
{
	const struct settings *set = &loop->http->set;
	/* TURBO: a connection that the library closes is not shut down for
	 * writing before refusal_closing() has seen it. */
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_TURBO | MHD_USE_ERROR_LOG;
	size_t memory = MEMORY_FACTOR * set->max_headers;

	return MHD_start_daemon(
		flags, 0, NULL, NULL, access_request, loop,
		MHD_OPTION_EXTERNAL_LOGGER, refusal_log, loop,
		MHD_OPTION_LISTEN_SOCKET, loop->listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, set->connections,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
		MHD_OPTION_CONNECTION_TIMEOUT, 0U,
		/* Stricter, it would answer itself, in HTML; the gate is. */
		MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_NOTIFY_CONNECTION,
		conn_notify, loop, MHD_OPTION_NOTIFY_COMPLETED,
		access_completed, loop, MHD_OPTION_URI_LOG_CALLBACK,
		access_target, loop, MHD_OPTION_UNESCAPE_CALLBACK,
		unescape_nothing, loop, MHD_OPTION_END);
}

static int
loop_open(struct loop *loop)
{
	const union MHD_DaemonInfo *info;
	int rc;

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->wake_fd < 0)
		return -errno;
	loop->replies = replies_new(loop->http->set.max_body);
	if (loop->replies == NULL)
		return -ENOMEM;
	loop->daemon = daemon_start(loop);
	if (loop->daemon == NULL)
		return -EIO;
	info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL)
		return -EIO;
	rc = loop_watch(loop, info->epoll_fd, LOOP_HTTP);
	return rc < 0 ? rc : loop_watch(loop, loop->wake_fd, LOOP_WAKE);
}

static int
signal_init(struct loop *loop)
{
	int rc = condition_init(&loop->changed);

	if (rc < 0)
		return rc;
	rc = pthread_mutex_init(&loop->lock, NULL);
	if (rc != 0)
		pthread_cond_destroy(&loop->changed);
	return -rc;
}

struct loop *
loop_new(struct http *http, unsigned index, int listen_fd, int *ret_err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int rc;

	if (loop == NULL) {
		close(listen_fd);
		*ret_err = -ENOMEM;
		return NULL;
	}
	loop->http = http;
	loop->index = index;
	loop->listen_fd = listen_fd;
	loop->epoll_fd = loop->wake_fd = -1;
	rc = signal_init(loop);
	if (rc < 0) {
		*ret_err = rc;
		close(listen_fd);
		free(loop);
		return NULL;
	}
	rc = loop_open(loop);
	if (rc < 0) {
		*ret_err = rc;
		loop_free(loop);
		return NULL;
	}
	return loop;
}

int
loop_start(struct loop *loop)
{
	char name[16];
	int rc = pthread_create(&loop->thread, NULL, loop_main, loop);

	if (rc != 0)
		return -rc;
	loop->has_thread = true;
	snprintf(name, sizeof(name), "evh-http/%u", loop->index % 1000);
	pthread_setname_np(loop->thread, name);
	return 0;
}

static int
wait_until(struct loop *loop, const bool *what, int64_t until_ms)
{
	bool is_so;

	pthread_mutex_lock(&loop->lock);
	while (!*what && condition_wait(&loop->changed, &loop->lock,
					until_ms * NS_PER_MS))
		;
	is_so = *what;
	pthread_mutex_unlock(&loop->lock);
	return is_so ? 0 : -ETIMEDOUT;
}

int
loop_wait_quiet(struct loop *loop, int64_t until_ms)
{
	return wait_until(loop, &loop->quiet, until_ms);
}

int
loop_join(struct loop *loop, int64_t until_ms)
{
	int rc;

	if (!loop->has_thread)
		return 0;
	rc = wait_until(loop, &loop->ended, until_ms);
	if (rc < 0)
		return rc;
	/* It has said its last word: this takes no time. */
	rc = pthread_join(loop->thread, NULL);
	if (rc == 0)
		loop->has_thread = false;
	return -rc;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->daemon != NULL) {
		MHD_stop_daemon(loop->daemon); /* closes listen_fd */
		loop->listen_fd = -1;
	}
	if (loop->listen_fd >= 0)
		close(loop->listen_fd);
	request_free_spares(loop);
	replies_free(loop->replies);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	pthread_cond_destroy(&loop->changed);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}
