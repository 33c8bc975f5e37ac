#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

#define SEND_MS 60000
#define CHUNK	65536

void
wire_open(struct wire *wire, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };

	*wire = (struct wire){ .in = calloc(1, 1) };
	assert_non_null(wire->in);
	wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(wire->fd >= 0);
	assert_int_equal(connect(wire->fd, (struct sockaddr *)&to, sizeof(to)),
			 0);
}

void
wire_close(struct wire *wire)
{
	close(wire->fd);
	free(wire->in);
	*wire = (struct wire){ .fd = -1 };
}

bool
wire_send(struct wire *wire, const void *bytes, size_t len)
{
	const char *at = bytes;
	struct pollfd pfd = { .fd = wire->fd, .events = POLLOUT };

	while (len > 0) {
		ssize_t n =
			send(wire->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			if (poll(&pfd, 1, SEND_MS) <= 0)
				fail_msg("the server does not read");
			continue;
		}
		if (n < 0) {
			wire->reset = true;
			return false;
		}
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool
wire_say(struct wire *wire, const char *text)
{
	return wire_send(wire, text, strlen(text));
}

/* Waits until more has come; false at the end, or after the time. */
static bool
more(struct wire *wire, int timeout_ms)
{
	struct pollfd pfd = { .fd = wire->fd, .events = POLLIN };
	ssize_t n;

	if (wire->ended || poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	wire->in = realloc(wire->in, wire->len + CHUNK + 1);
	assert_non_null(wire->in);
	n = recv(wire->fd, wire->in + wire->len, CHUNK, 0);
	if (n <= 0) {
		wire->in[wire->len] = '\0';
		wire->ended = true;
		wire->reset = n < 0;
		return false;
	}
	wire->len += (size_t)n;
	wire->in[wire->len] = '\0';
	return true;
}

/* How long the body is that this head tells of. */
static size_t
body_len(const struct http_answer *answer, bool to_head)
{
	char value[32];

	if (to_head || answer->status < 200 || answer->status == 204)
		return 0;
	http_answer_header(answer, "Content-Length", value, sizeof(value));
	if (!*value)
		fail_msg("an answer without a length:\n%s", answer->headers);
	return strtoul(value, NULL, 10);
}

static struct http_answer
take(struct wire *wire, int timeout_ms, bool to_head)
{
	struct http_answer answer = { 0 };
	long due_ms = world_now_ms() + timeout_ms;
	const char *end;
	size_t head, body;

	while (!(end = strstr(wire->in, "\r\n\r\n"))) {
		if (!more(wire, (int)(due_ms - world_now_ms())))
			return answer;
	}
	head = (size_t)(end - wire->in) + 4;
	answer.headers = strndup(wire->in, head);
	if (strncmp(wire->in, "HTTP/1.1 ", 9) != 0)
		fail_msg("no HTTP came:\n%s", wire->in);
	answer.status = strtol(wire->in + 9, NULL, 10);
	body = body_len(&answer, to_head);
	while (wire->len < head + body) {
		if (!more(wire, (int)(due_ms - world_now_ms())))
			fail_msg("a body was cut short:\n%s", wire->in);
	}
	answer.body = calloc(1, body + 1);
	assert_non_null(answer.body);
	memcpy(answer.body, wire->in + head, body);
	answer.len = body;
	wire->len -= head + body;
	memmove(wire->in, wire->in + head + body, wire->len + 1);
	return answer;
}

struct http_answer
wire_answer(struct wire *wire, int timeout_ms)
{
	return take(wire, timeout_ms, false);
}

struct http_answer
wire_answer_to_head(struct wire *wire, int timeout_ms)
{
	return take(wire, timeout_ms, true);
}

bool
wire_has_more(struct wire *wire)
{
	return wire->len > 0 || more(wire, 0) || wire->ended;
}

bool
wire_closes(struct wire *wire, int timeout_ms)
{
	if (wire->len > 0 || more(wire, timeout_ms))
		fail_msg("the server said more than one answer:\n%s", wire->in);
	return wire->ended;
}
