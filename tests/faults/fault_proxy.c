/*
 * fault_proxy.c - stands between evhd and a server and breaks what is said.
 *
 *   fault_proxy --listen PORT --to PORT --control SOCKET [--pg | --kafka]
 *   fault_proxy --control SOCKET --say COMMAND
 *
 *   pass                    as if it were not there
 *   delay MS                each piece, in each direction, so much later
 *   blackhole               nothing is read, sent or refused
 *   reset                   ends all connections, by RST
 *   cut-after-commit N [K]  of each K-th answer to a statement that committed:
 *                           it is swallowed and the connection cut; N times
 *   cut-after-produce N [K] of answers to Kafka's produce requests likewise
 *   fail-produce N [K]      of these, too: the first partition's error becomes
 *                           45, out of order sequence number, though the
 *                           broker has the messages
 *   status                  what it does, and how much of it, as JSON
 *
 * Connections and the control socket are at 127.0.0.1 and a path; one thread,
 * at most 1000 connections, a bounded buffer for each direction.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

#define PAIRS_MAX    1000
#define TICK_MS	     5
#define SAY_MS	     5000
#define ANSWER_MAX   256
#define OUT_OF_ORDER 45 /* of Kafka's error codes */
#define USAGE	     "fault_proxy: what it wants is told at the top of fault_proxy.c\n"

struct proxy {
	struct rules rules;
	struct pair *pairs;
	uint16_t listen_port, to_port;
	const char *control, *say;
	int listen_fd, control_fd;
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int
listener_open(uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

static void
path_set(struct sockaddr_un *at, const char *path)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(at->sun_path, sizeof(at->sun_path), "%s", path);
}

static int
control_open(const char *path)
{
	struct sockaddr_un at;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	path_set(&at, path);
	(void)unlink(path);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, 8) < 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

static void
pairs_reset(struct proxy *proxy)
{
	for (struct pair *pair = proxy->pairs; pair; pair = pair->next)
		pair->is_over = pair->is_reset = true;
}

static int
arm(struct rules *rules, enum rules_protocol protocol, int16_t error,
    const char *numbers)
{
	char *end;

	if (rules->protocol != protocol)
		return -EPROTONOSUPPORT;
	rules->armed = strtoull(numbers, &end, 10);
	rules->every = strtoull(end, NULL, 10);
	if (rules->every == 0)
		rules->every = 1;
	rules->error = error;
	rules->n_seen = 0;
	return 0;
}

static int
command_do(struct proxy *proxy, const char *text)
{
	size_t len = strcspn(text, " ");
	const char *rest = text + len;
	struct rules *rules = &proxy->rules;

	if (strncmp(text, "cut-after-commit", len) == 0 && len == 16)
		return arm(rules, RULES_PG, 0, rest);
	if (strncmp(text, "cut-after-produce", len) == 0 && len == 17)
		return arm(rules, RULES_KAFKA, 0, rest);
	if (strncmp(text, "fail-produce", len) == 0 && len == 12)
		return arm(rules, RULES_KAFKA, OUT_OF_ORDER, rest);
	if (strcmp(text, "pass") == 0) {
		rules->armed = 0;
		rules->mode = RULES_PASS;
	} else if (strcmp(text, "blackhole") == 0) {
		rules->mode = RULES_BLACKHOLE;
	} else if (strncmp(text, "delay ", 6) == 0) {
		rules->delay_ns = strtoll(rest, NULL, 10) * 1000000;
		rules->mode = RULES_DELAY;
	} else if (strcmp(text, "reset") == 0) {
		pairs_reset(proxy);
	} else if (strcmp(text, "status") != 0) {
		return -EINVAL;
	}
	return 0;
}

/* One command, one answer, and the connection is closed. */
static void
control_take(struct proxy *proxy)
{
	const struct rules *rules = &proxy->rules;
	int fd = accept4(proxy->control_fd, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char text[ANSWER_MAX] = "";
	ssize_t n;
	int rc;

	if (fd < 0)
		return;
	/* Who connects says at once what it wants. */
	n = poll(&ready, 1, 1000) == 1 ? recv(fd, text, sizeof(text) - 1, 0)
				       : 0;
	rc = n > 0 ? command_do(proxy, text) : -EINVAL;
	n = snprintf(text, sizeof(text),
		     "{\"error\":\"%s\",\"mode\":%d,\"pairs\":%" PRIu64
		     ",\"accepted\":%" PRIu64 ",\"armed\":%" PRIu64
		     ",\"swallowed\":%" PRIu64 "}",
		     rc < 0 ? strerror(-rc) : "", (int)rules->mode,
		     rules->n_pairs, rules->n_accepted, rules->armed,
		     rules->n_swallowed);
	(void)send(fd, text, (size_t)n, MSG_NOSIGNAL);
	close(fd);
}

static void
clients_accept(struct proxy *proxy)
{
	struct pair *pair;
	int fd;

	while (proxy->rules.n_pairs < PAIRS_MAX &&
	       (fd = accept4(proxy->listen_fd, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		pair = pair_new(&proxy->rules, fd, proxy->to_port);
		if (!pair)
			continue;
		pair->next = proxy->pairs;
		proxy->pairs = pair;
	}
}

static void
pairs_move(struct proxy *proxy)
{
	struct pair **at = &proxy->pairs;
	int64_t now = now_ns();

	while (*at) {
		struct pair *pair = *at;

		if (!pair->is_over)
			pair_move(pair, now);
		if (pair->is_over) {
			*at = pair->next;
			pair_free(pair);
		} else {
			at = &pair->next;
		}
	}
}

/* Whom it does not accept waits, connected, in the kernel. */
static bool
accepts(const struct proxy *proxy)
{
	return proxy->rules.mode != RULES_BLACKHOLE &&
	       proxy->rules.n_pairs < PAIRS_MAX;
}

static int
run(struct proxy *proxy)
{
	static struct pollfd fds[2 * PAIRS_MAX + 2];

	for (;;) {
		int64_t now = now_ns();
		bool has_delay = proxy->rules.mode == RULES_DELAY;
		nfds_t n = 2;

		fds[0] = (struct pollfd){ proxy->control_fd, POLLIN, 0 };
		fds[1] =
			(struct pollfd){ accepts(proxy) ? proxy->listen_fd : -1,
					 POLLIN, 0 };
		for (struct pair *pair = proxy->pairs; pair; pair = pair->next)
			for (int of_client = 0; of_client < 2; of_client++) {
				short wants = pair_wants(pair, of_client, now);

				/* Errors are told unasked: not even those. */
				fds[n++] = (struct pollfd){
					wants ? (of_client ? pair->up.from
							   : pair->up.to)
					      : -1,
					wants, 0
				};
			}
		if (poll(fds, n, has_delay ? TICK_MS : -1) < 0 &&
		    errno != EINTR)
			return -errno;
		if (fds[0].revents)
			control_take(proxy);
		if (fds[1].revents && accepts(proxy))
			clients_accept(proxy);
		pairs_move(proxy);
	}
}

static int
say(const char *path, const char *command)
{
	struct sockaddr_un at;
	struct pollfd ready = { .events = POLLIN };
	char text[ANSWER_MAX] = "";

	path_set(&at, path);
	ready.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (ready.fd < 0 ||
	    connect(ready.fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    send(ready.fd, command, strlen(command), MSG_NOSIGNAL) < 0 ||
	    poll(&ready, 1, SAY_MS) != 1 ||
	    recv(ready.fd, text, sizeof(text) - 1, 0) <= 0) {
		fprintf(stderr, "fault_proxy: %s: %s\n", path, strerror(errno));
		return 1;
	}
	puts(text);
	close(ready.fd);
	return strstr(text, "\"error\":\"\"") ? 0 : 1;
}

static const struct option options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "to", required_argument, NULL, 't' },
	{ "control", required_argument, NULL, 'c' },
	{ "say", required_argument, NULL, 's' },
	{ "pg", no_argument, NULL, 'p' },
	{ "kafka", no_argument, NULL, 'k' },
	{ 0 },
};

static int
arguments_read(struct proxy *proxy, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			proxy->listen_port =
				(uint16_t)strtoul(optarg, NULL, 10);
		else if (option == 't')
			proxy->to_port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (option == 'c')
			proxy->control = optarg;
		else if (option == 's')
			proxy->say = optarg;
		else if (option == 'p')
			proxy->rules.protocol = RULES_PG;
		else if (option == 'k')
			proxy->rules.protocol = RULES_KAFKA;
		else
			return -EINVAL;
	}
	return proxy->control && (proxy->say ||
				  (proxy->listen_port && proxy->to_port))
		       ? 0
		       : -EINVAL;
}

int
main(int argc, char **argv)
{
	struct proxy proxy = {
		.rules = { .mode = RULES_PASS,
			   .protocol = RULES_PLAIN,
			   .every = 1 },
	};
	int rc;

	if (arguments_read(&proxy, argc, argv) < 0) {
		fprintf(stderr, USAGE);
		return 64;
	}
	if (proxy.say)
		return say(proxy.control, proxy.say);
	proxy.listen_fd = listener_open(proxy.listen_port);
	if (proxy.listen_fd < 0) {
		fprintf(stderr, "fault_proxy: port %u: %s\n", proxy.listen_port,
			strerror(-proxy.listen_fd));
		return 1;
	}
	proxy.control_fd = control_open(proxy.control);
	if (proxy.control_fd < 0) {
		fprintf(stderr, "fault_proxy: %s: %s\n", proxy.control,
			strerror(-proxy.control_fd));
		return 1;
	}
	rc = run(&proxy);
	fprintf(stderr, "fault_proxy: %s\n", strerror(-rc));
	return 1;
}
