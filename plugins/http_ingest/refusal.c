#include "refusal.h"

#include "conn.h"
#include "http.h"
#include "loop.h"
#include "request.h"

#include <linux/tcp.h> /* glibc's tcp_info ends before tcpi_bytes_received */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LOG_REFUSED "Error processing request (HTTP response code is %u"
/* Looking through all connections costs up to 0.4 ms: so many a second. */
#define SEARCHES_MAX 200

/* Values of tcpi_state; their names are in a header that clashes. */
#define STATE_CLOSED	 7
#define STATE_CLOSE_WAIT 8

void
refusal_send(struct conn *conn, enum reply reply)
{
	char waste[4096], bytes[512];
	size_t len =
		reply_bytes(conn->loop->replies, reply, bytes, sizeof(bytes));

	if (conn->ended)
		return;
	conn->ended = true;
	conn->linger = true;
	/* The kernel resets a connection that is closed with bytes unread. */
	for (int i = 0; i < 16; i++)
		if (recv(conn->fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
			break;
	(void)send(conn->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(conn->fd, SHUT_WR);
	meters_refused(&conn->loop->http->meters, reply_status(reply));
}

bool
refusal_has_begun(const struct conn *conn)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	uint64_t received;

	if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
	    size < offsetof(struct tcp_info, tcpi_bytes_received) +
			    sizeof(info.tcpi_bytes_received) ||
	    info.tcpi_state == STATE_CLOSED)
		return false;
	received = info.tcpi_bytes_received;
	/* The end of the stream counts as one. */
	if (info.tcpi_state == STATE_CLOSE_WAIT && received > 0)
		received--;
	return received > conn->consumed;
}

static bool
is_meant(const struct conn *conn)
{
	const struct request *request = conn->request;

	if (conn->phase == CONN_BODY)
		return request != NULL && request->chunked;
	return refusal_has_begun(conn);
}

static struct conn *
find_meant(struct loop *loop)
{
	static const enum conn_phase phases[] = { CONN_IDLE, CONN_HEAD,
						  CONN_BODY };
	struct conn *meant = NULL;

	if (loop->now_ms / 1000 != loop->search_second) {
		loop->search_second = loop->now_ms / 1000;
		loop->searches = 0;
	}
	if (loop->searches++ >= SEARCHES_MAX)
		return NULL;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		struct conn *conn = loop->lists[phases[i]].first;

		for (; conn != NULL; conn = conn->next) {
			if (conn->ended || !is_meant(conn))
				continue;
			if (meant != NULL)
				return NULL;
			meant = conn;
		}
	}
	return meant;
}

void
refusal_log(void *cls, const char *fmt, va_list args)
{
	struct loop *loop = cls;
	struct conn *conn;

	if (strncmp(fmt, LOG_REFUSED, sizeof(LOG_REFUSED) - 1) == 0) {
		conn = find_meant(loop);
		if (conn != NULL)
			refusal_send(conn,
				     reply_for_status(va_arg(args, unsigned)));
	} else {
		/* The format alone: its values may be a client's bytes. */
		loop->http->ctx->log(loop->http->ctx, EVH_DEBUG,
				     "libmicrohttpd: %.*s",
				     (int)strcspn(fmt, "\n"), fmt);
	}
}

void
refusal_closing(struct conn *conn)
{
	if (!conn->ended && !loop_is_stopping(conn->loop) &&
	    (conn->phase == CONN_IDLE || conn->phase == CONN_HEAD) &&
	    refusal_has_begun(conn))
		refusal_send(conn, REPLY_MALFORMED);
}
