#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"

#define PAUSE_LEAST_NS INT64_C(20000000)
#define PAUSE_MOST_NS  INT64_C(320000000)
#define ID_SIZE	       64

void
client_init(struct client *client, struct clients *all, unsigned number)
{
	*client = (struct client){
		.all = all,
		.state = CLIENT_IDLE,
		.fd = -1,
		.number = number,
		.port_at = number % all->n_ports,
	};
}

static void
key_write(const struct client *client, char *ret, size_t size)
{
	snprintf(ret, size, "%s-%u-%u", client->all->run, client->number,
		 client->key);
}

static void
note(struct clients *all, int rc)
{
	if (rc < 0)
		all->has_failed = true;
}

static void
connection_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->in_len = 0;
}

/* Of epoll, what the state waits for. */
static void
watch(struct client *client, uint32_t events, int op)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (epoll_ctl(client->all->epoll_fd, op, client->fd, &event) < 0)
		client->all->has_failed = true;
}

static void
request_write(struct client *client)
{
	const struct clients *all = client->all;
	char key[64];
	char poison[64] = "";
	char name[64] = "fault.load";
	char body[CLIENT_OUT_BYTES / 2];
	uint64_t n = client->n[client->key];
	int len;

	key_write(client, key, sizeof(key));
	if (client->is_poison) {
		snprintf(name, sizeof(name), "fault.load.%.40s", all->poison);
		snprintf(poison, sizeof(poison), ",\"poison\":\"%.40s\"",
			 all->poison);
	}
	len = snprintf(body, sizeof(body),
		       "{\"name\":\"%s\",\"data\":{\"k\":\"%s\","
		       "\"n\":%" PRIu64 "%s,\"pad\":\"%0*d\"}}",
		       name, key, n, poison, (int)all->pad, 0);
	assert(len > 0 && (size_t)len < sizeof(body));
	client->out_len = (size_t)snprintf(
		client->out, sizeof(client->out),
		"POST /api/v1/events HTTP/1.1\r\nHost: faults\r\n"
		"Content-Type: application/json\r\n"
		"Idempotency-Key: %s-%" PRIu64 "\r\nContent-Length: %d\r\n"
		"\r\n%s",
		key, n, len, body);
	client->out_at = 0;
}

/* This event once more, after a pause that doubles while it is refused. */
static void
again_later(struct client *client, int64_t now_ns)
{
	int64_t pause_ns = PAUSE_LEAST_NS;

	for (unsigned i = 0; i < client->refusals && pause_ns < PAUSE_MOST_NS;
	     i++)
		pause_ns *= 2;
	client->refusals++;
	client->is_repeat = true;
	client->state = CLIENT_PAUSED;
	client->due_ns = now_ns + pause_ns;
}

static void
event_over(struct client *client)
{
	client->n[client->key]++;
	client->key = (client->key + 1) % client->all->keys;
	client->state = CLIENT_IDLE;
}

static void
event_give_up(struct client *client)
{
	struct clients *all = client->all;
	char key[64];

	key_write(client, key, sizeof(key));
	note(all, ledger_add(all->ledger, "unknown %s %" PRIu64 "\n", key,
			     client->n[client->key]));
	all->tally.unknown++;
	event_over(client);
}

static void
broke(struct client *client, int64_t now_ns)
{
	struct clients *all = client->all;

	if (client->state == CLIENT_SENDING || client->state == CLIENT_READING)
		all->in_flight--;
	connection_close(client);
	/* Another API may take it. */
	client->port_at = (client->port_at + 1) % all->n_ports;
	all->tally.broken++;
	again_later(client, now_ns);
}

static void
writable(struct client *client, int64_t now_ns)
{
	ssize_t n = send(client->fd, client->out + client->out_at,
			 client->out_len - client->out_at, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		broke(client, now_ns);
		return;
	}
	client->out_at += (size_t)n;
	if (client->out_at == client->out_len) {
		client->state = CLIENT_READING;
		watch(client, EPOLLIN, EPOLL_CTL_MOD);
	}
}

static void
request_begin(struct client *client, int64_t now_ns)
{
	client->state = CLIENT_SENDING;
	client->begin_ns = now_ns;
	client->all->in_flight++;
	writable(client, now_ns);
	if (client->state == CLIENT_SENDING)
		watch(client, EPOLLOUT, EPOLL_CTL_MOD);
}

static void
connection_open(struct client *client, int64_t now_ns)
{
	struct clients *all = client->all;
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(all->ports[client->port_at]),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int on = 1;

	client->state = CLIENT_CONNECTING;
	client->fd =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0) {
		broke(client, now_ns);
		return;
	}
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(client->fd, (struct sockaddr *)&at, sizeof(at)) < 0 &&
	    errno != EINPROGRESS) {
		broke(client, now_ns);
		return;
	}
	watch(client, EPOLLOUT, EPOLL_CTL_ADD);
}

static void
try_now(struct client *client, int64_t now_ns)
{
	request_write(client);
	client->due_ns = now_ns + client->all->deadline_ns;
	client->all->tally.repeated += client->is_repeat;
	if (client->fd >= 0)
		request_begin(client, now_ns);
	else
		connection_open(client, now_ns);
}

void
client_next(struct client *client, int64_t now_ns)
{
	struct clients *all = client->all;
	char key[64];

	assert(client->state == CLIENT_IDLE);
	client->is_poison = (unsigned)(random() % 1000) < all->poison_permille;
	client->is_repeat = false;
	client->refusals = 0;
	key_write(client, key, sizeof(key));
	note(all, ledger_add(all->ledger, "sent %s %" PRIu64 " %s\n", key,
			     client->n[client->key],
			     client->is_poison ? all->poison : "-"));
	all->tally.sent++;
	try_now(client, now_ns);
}

static void
taken(struct client *client, const struct answer *answer, int64_t now_ns)
{
	struct clients *all = client->all;
	char key[64];
	char id[ID_SIZE] = "";

	if (!answer_text(answer, "id", id, sizeof(id)))
		all->tally.other++;
	key_write(client, key, sizeof(key));
	note(all, ledger_add(all->ledger, "taken %s %" PRIu64 " %s\n", key,
			     client->n[client->key], id[0] ? id : "-"));
	tally_taken(&all->tally, now_ns, now_ns - client->begin_ns);
	event_over(client);
}

static void
refused(struct client *client, const struct answer *answer, int64_t now_ns)
{
	if (answer->status == 503)
		client->all->tally.unavailable++;
	else
		client->all->tally.other++;
	again_later(client, now_ns);
}

static void
answered(struct client *client, int64_t now_ns)
{
	struct answer answer;
	int rc = answer_read(&answer, client->in, client->in_len);

	if (rc == 0 && client->in_len < sizeof(client->in))
		return;
	if (rc <= 0) {
		broke(client, now_ns);
		return;
	}
	client->all->in_flight--;
	if (answer.status >= 200 && answer.status < 300)
		taken(client, &answer, now_ns);
	else
		refused(client, &answer, now_ns);
	client->in_len = 0;
	if (answer.is_last)
		connection_close(client);
}

static void
readable(struct client *client, int64_t now_ns)
{
	ssize_t n = recv(client->fd, client->in + client->in_len,
			 sizeof(client->in) - client->in_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && client->state == CLIENT_READING) {
		client->in_len += (size_t)n;
		answered(client, now_ns);
		return;
	}
	/* The server may close a connection that nobody uses. */
	if (client->state == CLIENT_IDLE || client->state == CLIENT_PAUSED)
		connection_close(client);
	else
		broke(client, now_ns);
}

void
client_event(struct client *client, uint32_t events, int64_t now_ns)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (client->fd < 0)
		return;
	if (client->state == CLIENT_CONNECTING) {
		if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len) <
			    0 ||
		    error)
			broke(client, now_ns);
		else
			request_begin(client, now_ns);
	} else if (client->state == CLIENT_SENDING && (events & EPOLLOUT)) {
		writable(client, now_ns);
	} else {
		readable(client, now_ns);
	}
}

void
client_tick(struct client *client, int64_t now_ns)
{
	if (client->state == CLIENT_IDLE || now_ns < client->due_ns)
		return;
	if (client->state == CLIENT_PAUSED) {
		try_now(client, now_ns);
		return;
	}
	if (client->state == CLIENT_CONNECTING) {
		broke(client, now_ns);
		return;
	}
	client->all->tally.hung++;
	client->all->in_flight--;
	connection_close(client);
	again_later(client, now_ns);
}

void
client_end(struct client *client)
{
	if (client->state != CLIENT_IDLE)
		event_give_up(client);
	connection_close(client);
}
