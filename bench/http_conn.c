#include "http_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

int
http_conn_open(struct http_conn *conn, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int one = 1;
	int rc;

	conn->is_busy = false;
	conn->n_unsent = conn->len = 0;
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return -errno;
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(conn->fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    fcntl(conn->fd, F_SETFL, O_NONBLOCK) < 0) {
		rc = -errno;
		http_conn_close(conn);
		return rc;
	}
	return 0;
}

void
http_conn_close(struct http_conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	conn->is_busy = false;
}

bool
http_conn_is_closed(struct http_conn *conn)
{
	char c;
	ssize_t n = recv(conn->fd, &c, 1, MSG_PEEK);

	if (n > 0 || (n < 0 && errno == EAGAIN))
		return false;
	http_conn_close(conn);
	return true;
}

static int
broken(struct http_conn *conn, int rc)
{
	http_conn_close(conn);
	return rc;
}

/* 0 when as much as the socket takes is sent. */
static int
send_more(struct http_conn *conn)
{
	while (conn->n_unsent > 0) {
		ssize_t n = send(conn->fd, conn->unsent, conn->n_unsent,
				 MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		conn->unsent += n;
		conn->n_unsent -= (size_t)n;
	}
	return 0;
}

int
http_conn_send(struct http_conn *conn, const char *request, size_t len)
{
	int rc;

	conn->is_busy = true;
	conn->unsent = request;
	conn->n_unsent = len;
	conn->len = 0;
	rc = send_more(conn);
	return rc < 0 ? broken(conn, rc) : 0;
}

/* The status of a complete answer; 0: not complete; -EBADMSG: none at all. */
static int
answer_status(struct http_conn *conn)
{
	const char *body, *at;
	size_t head_len, body_len = 0;

	conn->answer[conn->len] = '\0';
	body = strstr(conn->answer, "\r\n\r\n");
	if (!body)
		return conn->len == HTTP_CONN_ANSWER_MAX ? -EBADMSG : 0;
	body += 4;
	head_len = (size_t)(body - conn->answer);
	if (strncmp(conn->answer, "HTTP/1.1 ", 9) != 0)
		return -EBADMSG;
	at = strcasestr(conn->answer, "\r\nContent-Length:");
	if (at && at < body)
		body_len = strtoul(at + 17, NULL, 10);
	if (head_len + body_len > HTTP_CONN_ANSWER_MAX)
		return -EBADMSG;
	if (conn->len < head_len + body_len)
		return 0;
	return (int)strtol(conn->answer + 9, NULL, 10);
}

int
http_conn_go_on(struct http_conn *conn)
{
	int rc = send_more(conn);
	ssize_t n;

	if (rc < 0)
		return broken(conn, rc);
	n = recv(conn->fd, conn->answer + conn->len,
		 HTTP_CONN_ANSWER_MAX - conn->len, 0);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return broken(conn, n < 0 ? -errno : -ECONNRESET);
	conn->len += (size_t)n;
	rc = answer_status(conn);
	if (rc < 0)
		return broken(conn, rc);
	if (rc > 0)
		conn->is_busy = false;
	return rc;
}
