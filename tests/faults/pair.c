#include "pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define API_PRODUCE  0
#define LENGTH_BYTES 4

static int
server_connect(uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static enum stream_kind
kind_of(const struct rules *rules, bool is_up)
{
	switch (rules->protocol) {
	case RULES_PG:
		return is_up ? STREAM_PG_CLIENT : STREAM_PG_SERVER;
	case RULES_KAFKA:
		return STREAM_KAFKA;
	case RULES_PLAIN:
		break;
	}
	return STREAM_PLAIN;
}

struct pair *
pair_new(struct rules *rules, int client_fd, uint16_t to_port)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int server_fd = pair ? server_connect(to_port) : -1;
	int on = 1;

	if (server_fd < 0) {
		free(pair);
		close(client_fd);
		return NULL;
	}
	(void)setsockopt(client_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(server_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	pair->rules = rules;
	pair->is_connecting = true;
	pair->pg_state = 'I';
	pair->up.from = pair->down.to = client_fd;
	pair->up.to = pair->down.from = server_fd;
	pair->up.stream.kind = kind_of(rules, true);
	pair->down.stream.kind = kind_of(rules, false);
	rules->n_pairs++;
	rules->n_accepted++;
	return pair;
}

static uint32_t
u32_at(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Kafka, upwards: ApiKey, ApiVersion, correlation id. */
static void
request_note(struct pair *pair, const struct message *message)
{
	if (pair->rules->protocol != RULES_KAFKA || message->head_len < 8 ||
	    message->head[0] != 0 || message->head[1] != API_PRODUCE)
		return;
	pair->produces[pair->n_produces++ % PAIR_PRODUCES] =
		u32_at(message->head + 4);
}

static bool
is_produce_answer(const struct pair *pair, const struct message *message)
{
	unsigned n = pair->n_produces;

	if (message->head_len < 4)
		return false;
	for (unsigned i = 0; i < PAIR_PRODUCES && i < n; i++)
		if (pair->produces[(n - 1 - i) % PAIR_PRODUCES] ==
		    u32_at(message->head))
			return true;
	return false;
}

/*
 * An answer to a produce request, up to version 8, as it stands in the
 * buffer: correlation id, number of topics, the first's name, number of its
 * partitions, the first one's number and error.  Puts another error there.
 */
static bool
answer_spoil(unsigned char *body, size_t len, int16_t error)
{
	size_t at = 8;

	if (len < at + 2)
		return false;
	at += 2 + ((size_t)body[at] << 8 | body[at + 1]) + 8;
	if (len < at + 2)
		return false;
	body[at] = (unsigned char)(error >> 8);
	body[at + 1] = (unsigned char)error;
	return true;
}

/* CommandComplete of what has written, outside of a transaction or at its
 * end: the server sends it when that is on its disk.  An INSERT of no rows, by
 * which the store tries its statement, has written nothing. */
static bool
is_commit_answer(const struct pair *pair, const struct message *message)
{
	const char *tag = (const char *)message->head;

	if (message->type != 'C')
		return false;
	if (strncmp(tag, "COMMIT", 6) == 0)
		return true;
	if (pair->pg_state != 'I')
		return false;
	return strncmp(tag, "COPY ", 5) == 0 ||
	       (strncmp(tag, "INSERT", 6) == 0 &&
		strcmp(tag, "INSERT 0 0") != 0);
}

/* Downwards, Kafka's; body is NULL when part of it has been sent on. */
static void
kafka_answer_look(struct pair *pair, const struct message *message,
		  unsigned char *body, size_t len)
{
	struct rules *rules = pair->rules;

	if (!is_produce_answer(pair, message) || (rules->error && !body) ||
	    !rules_swallow(rules))
		return;
	if (!rules->error)
		pair->is_over = pair->is_swallowing = true;
	else if (!answer_spoil(body, len, rules->error))
		rules->n_swallowed--;
}

/* Downwards, one whole message of PostgreSQL. */
static void
answer_look(struct pair *pair, const struct message *message)
{
	if (message->type == 'Z') {
		pair->pg_state = (char)message->head[0];
		pair->is_over |= pair->is_swallowing;
	} else if (!pair->is_swallowing && is_commit_answer(pair, message)) {
		pair->is_swallowing = rules_swallow(pair->rules);
	}
}

static void
messages_look(struct pair *pair, struct flow *flow)
{
	struct message message;
	size_t at = 0;
	bool is_whole;

	while (at < flow->len && !pair->is_over) {
		size_t begin = at + LENGTH_BYTES;
		bool is_here = flow->stream.prefix_len == 0;

		at += stream_take(&flow->stream, flow->bytes + at,
				  flow->len - at, &message, &is_whole);
		if (!is_whole)
			continue;
		if (flow == &pair->up)
			request_note(pair, &message);
		else if (pair->rules->protocol == RULES_KAFKA)
			kafka_answer_look(
				pair, &message,
				is_here ? (unsigned char *)flow->bytes + begin
					: NULL,
				at - begin);
		else
			answer_look(pair, &message);
	}
	/* The piece with the answer, and those up to its end, go nowhere. */
	if (pair->is_swallowing && flow == &pair->down)
		flow->len = flow->at = 0;
}

static void
flow_read(struct pair *pair, struct flow *flow, int64_t now_ns)
{
	ssize_t n;

	if (flow->len > 0 || flow->is_ended)
		return;
	n = recv(flow->from, flow->bytes, sizeof(flow->bytes), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		pair->is_over = pair->is_reset = true;
		return;
	}
	flow->is_ended = n == 0;
	flow->len = (size_t)n;
	flow->at = 0;
	flow->due_ns = now_ns;
	if (pair->rules->mode == RULES_DELAY)
		flow->due_ns += pair->rules->delay_ns;
	messages_look(pair, flow);
}

static void
flow_write(struct pair *pair, struct flow *flow, int64_t now_ns)
{
	ssize_t n;

	if (now_ns < flow->due_ns || pair->is_over)
		return;
	if (flow->len > 0) {
		n = send(flow->to, flow->bytes + flow->at, flow->len - flow->at,
			 MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			pair->is_over = pair->is_reset = true;
		if (n > 0)
			flow->at += (size_t)n;
		if (flow->at == flow->len)
			flow->len = flow->at = 0;
	}
	if (flow->len == 0 && flow->is_ended && !flow->is_told) {
		(void)shutdown(flow->to, SHUT_WR);
		flow->is_told = true;
	}
}

/* Refused by the server: the client is told in the same way. */
static bool
is_connected(struct pair *pair)
{
	struct pollfd fd = { .fd = pair->up.to, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);

	if (!pair->is_connecting)
		return true;
	if (poll(&fd, 1, 0) < 1)
		return false;
	(void)getsockopt(fd.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		pair->is_over = pair->is_reset = true;
	pair->is_connecting = false;
	return !error;
}

void
pair_move(struct pair *pair, int64_t now_ns)
{
	if (pair->rules->mode == RULES_BLACKHOLE || !is_connected(pair))
		return;
	flow_read(pair, &pair->up, now_ns);
	flow_write(pair, &pair->up, now_ns);
	flow_read(pair, &pair->down, now_ns);
	flow_write(pair, &pair->down, now_ns);
	if (pair->up.is_told && pair->down.is_told)
		pair->is_over = true;
}

short
pair_wants(const struct pair *pair, bool of_client, int64_t now_ns)
{
	const struct flow *in = of_client ? &pair->up : &pair->down;
	const struct flow *out = of_client ? &pair->down : &pair->up;
	short events = 0;

	if (pair->rules->mode == RULES_BLACKHOLE)
		return 0;
	if (pair->is_connecting)
		return of_client ? 0 : POLLOUT;
	if (in->len == 0 && !in->is_ended)
		events |= POLLIN;
	if (out->len > 0 && now_ns >= out->due_ns)
		events |= POLLOUT;
	return events;
}

void
pair_free(struct pair *pair)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (pair->is_reset) {
		(void)setsockopt(pair->up.from, SOL_SOCKET, SO_LINGER, &now,
				 sizeof(now));
		(void)setsockopt(pair->up.to, SOL_SOCKET, SO_LINGER, &now,
				 sizeof(now));
	}
	close(pair->up.from);
	close(pair->up.to);
	pair->rules->n_pairs--;
	free(pair);
}
