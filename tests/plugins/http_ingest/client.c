#include "client.h"

#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

int
client_open(const struct rig *rig)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)rig->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct timeval limit = { .tv_sec = 60 };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void
client_send(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the answer will say why */
		bytes += sent;
		n -= (size_t)sent;
	}
}

void
client_str(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
}

const char *
answer_header(const struct answer *answer, const char *name)
{
	static char value[1024];
	size_t len = strlen(name);
	const char *line = answer->head;

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			snprintf(value, sizeof(value), "%.*s",
				 (int)strcspn(line, "\r"), line);
			return value;
		}
	}
	return NULL;
}

/* A byte at a time: what follows the head is the body's. */
static bool
read_head(int fd, struct answer *ret)
{
	size_t len = 0;

	while (len < sizeof(ret->head) - 1) {
		ssize_t n = recv(fd, ret->head + len, 1, 0);

		if (n < 0 && errno != ECONNRESET)
			fail_msg("no answer: %s", strerror(errno));
		if (n <= 0)
			return false;
		ret->head[++len] = '\0';
		if (len >= 4 && strcmp(ret->head + len - 4, "\r\n\r\n") == 0)
			return true;
	}
	return false;
}

void
client_read(int fd, struct answer *ret, bool head_only)
{
	const char *length;
	size_t want = 0;

	memset(ret, 0, sizeof(*ret));
	do {
		ret->status = 0;
		if (!read_head(fd, ret))
			break;
		ret->status = (int)strtol(ret->head + 9, NULL, 10);
	} while (ret->status == 100);
	length = answer_header(ret, "Content-Length");
	if (length != NULL && !head_only && ret->status != 204)
		want = strtoul(length, NULL, 10);
	assert_true(want < sizeof(ret->body));
	while (ret->body_len < want) {
		ssize_t n = recv(fd, ret->body + ret->body_len,
				 want - ret->body_len, 0);

		if (n <= 0)
			break;
		ret->body_len += (size_t)n;
	}
	assert_int_equal(ret->body_len, want);
}

bool
client_sees_end(int fd)
{
	const struct timeval limit = { .tv_sec = 60 };
	char byte;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = recv(fd, &byte, 1, 0);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

void
client_call(const struct rig *rig, const char *request, struct answer *ret)
{
	int fd = client_open(rig);

	client_str(fd, request);
	client_read(fd, ret, strncmp(request, "HEAD ", 5) == 0);
	ret->closed = ret->status == 0;
	if (answer_header(ret, "Connection") != NULL &&
	    strcasecmp(answer_header(ret, "Connection"), "close") == 0)
		ret->closed = client_sees_end(fd);
	close(fd);
}

void
client_post(const struct rig *rig, const char *body, struct answer *ret)
{
	size_t size = strlen(body) + 256;
	char *request = malloc(size);

	assert_non_null(request);
	snprintf(request, size,
		 "POST /api/v1/events HTTP/1.1\r\nHost: x\r\n"
		 "Content-Type: application/json\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 strlen(body), body);
	client_call(rig, request, ret);
	free(request);
}
