/*
 * fault_load.c - posts events to one or more APIs and keeps a ledger of them.
 *
 *   fault_load --ports P[,P...] --ledger FILE --state FILE [option...]
 *
 *   --connections N   kept connections, one event in flight in each (32)
 *   --keys N          keys of each connection (4)
 *   --rate N          events per second of all; 0: as many as it can (0)
 *   --events N        ends after so many; 0: when it is told to (0)
 *   --deadline MS     for a request's answer (15000)
 *   --pad N           bytes more in each event (0)
 *   --poison WORD --poison-permille N
 *                     so many of a thousand events have "poison":WORD, and
 *                     the name fault.load.WORD
 *   --run NAME        the beginning of its keys (load)
 *
 * SIGUSR1 says that a fault strikes, SIGUSR2 that all is mended, SIGTERM that
 * it is time to end: what is open gets its 2xx first, if it does so within the
 * deadline; the rest is unknown.  The state
 * file holds the figures of now, as JSON, written anew several times a second;
 * the last ones go to standard output.  Exit code: 0 done, 1 the ledger or the
 * system failed, 64 command line.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define CLIENTS_MAX    1024
#define EVENTS_MAX     256
#define STATE_EVERY_NS INT64_C(100000000)
#define TICK_MS	       2

struct load {
	struct clients all;
	struct client *list;
	unsigned n;
	unsigned next; /* where the search for an idle one goes on */
	uint64_t rate, events;
	const char *ledger, *state;
	int signal_fd;
	bool is_ending;
	int64_t end_ns; /* by then it ends, answered or not */
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Whole or not at all: a reader never sees half of it. */
static void
state_write(struct load *load, int64_t now)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s.new", load->state);
	f = fopen(path, "w");
	if (!f) {
		load->all.has_failed = true;
		return;
	}
	tally_print(&load->all.tally, f, load->all.in_flight, now);
	fputc('\n', f);
	if (fclose(f) != 0 || rename(path, load->state) < 0)
		load->all.has_failed = true;
}

static void
signals_read(struct load *load, int64_t now)
{
	struct signalfd_siginfo info;

	while (read(load->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1) {
			tally_strike(&load->all.tally, load->all.in_flight);
		} else if (info.ssi_signo == SIGUSR2) {
			load->all.tally.phase = TALLY_AFTER;
		} else if (!load->is_ending) {
			load->is_ending = true;
			load->end_ns = now + load->all.deadline_ns;
		}
	}
	state_write(load, now);
}

/* How many events may be sent by now. */
static uint64_t
allowed(const struct load *load, int64_t now)
{
	int64_t since_ns = now - load->all.tally.begin_ns;
	uint64_t most = load->events ? load->events : UINT64_MAX;
	uint64_t due = UINT64_MAX;

	if (load->rate)
		due = (uint64_t)((double)since_ns / 1e9 * (double)load->rate);
	return due < most ? due : most;
}

/* In turn, so that a load below what the clients can do uses all of them. */
static void
events_begin(struct load *load, int64_t now)
{
	uint64_t most = allowed(load, now);

	for (unsigned i = 0; i < load->n; i++) {
		struct client *client = &load->list[load->next];

		if (load->all.tally.sent >= most)
			return;
		load->next = (load->next + 1) % load->n;
		if (client->state == CLIENT_IDLE)
			client_next(client, now);
	}
}

/* An event that has no 2xx yet. */
static bool
has_open(const struct load *load)
{
	for (unsigned i = 0; i < load->n; i++)
		if (load->list[i].state != CLIENT_IDLE)
			return true;
	return false;
}

static bool
is_over(const struct load *load, int64_t now)
{
	if (load->all.has_failed)
		return true;
	if (!load->is_ending)
		return false;
	return now >= load->end_ns || !has_open(load);
}

static void
run(struct load *load)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t state_ns = 0;
	int64_t now = now_ns();

	load->all.tally.begin_ns = now;
	while (!is_over(load, now)) {
		int n = epoll_wait(load->all.epoll_fd, events, EVENTS_MAX,
				   TICK_MS);

		now = now_ns();
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				client_event(events[i].data.ptr,
					     events[i].events, now);
			else
				signals_read(load, now);
		}
		for (unsigned i = 0; i < load->n; i++)
			client_tick(&load->list[i], now);
		if (!load->is_ending)
			events_begin(load, now);
		if (load->events && load->all.tally.sent >= load->events &&
		    !load->is_ending) {
			load->is_ending = true;
			load->end_ns = now + load->all.deadline_ns;
		}
		if (now >= state_ns) {
			state_write(load, now);
			state_ns = now + STATE_EVERY_NS;
		}
	}
	for (unsigned i = 0; i < load->n; i++)
		client_end(&load->list[i]);
}

static int
ports_read(struct clients *all, const char *text)
{
	char *end;

	do {
		unsigned long port = strtoul(text, &end, 10);

		if (port < 1 || port > 65535 || (*end && *end != ',') ||
		    all->n_ports == CLIENT_PORTS_MAX)
			return -EINVAL;
		all->ports[all->n_ports++] = (uint16_t)port;
		text = end + 1;
	} while (*end);
	return 0;
}

enum {
	OPT_PORTS = 1,
	OPT_LEDGER,
	OPT_STATE,
	OPT_CONNECTIONS,
	OPT_KEYS,
	OPT_RATE,
	OPT_EVENTS,
	OPT_DEADLINE,
	OPT_PAD,
	OPT_POISON,
	OPT_PERMILLE,
	OPT_RUN,
};

static const struct option options[] = {
	{ "ports", required_argument, NULL, OPT_PORTS },
	{ "ledger", required_argument, NULL, OPT_LEDGER },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "connections", required_argument, NULL, OPT_CONNECTIONS },
	{ "keys", required_argument, NULL, OPT_KEYS },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "events", required_argument, NULL, OPT_EVENTS },
	{ "deadline", required_argument, NULL, OPT_DEADLINE },
	{ "pad", required_argument, NULL, OPT_PAD },
	{ "poison", required_argument, NULL, OPT_POISON },
	{ "poison-permille", required_argument, NULL, OPT_PERMILLE },
	{ "run", required_argument, NULL, OPT_RUN },
	{ 0 },
};

static int
number_read(const char *text, uint64_t most, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *end || end == text || *ret > most ? -EINVAL : 0;
}

/* One option that is a number. */
static int
number_take(struct load *load, int option, const char *text)
{
	uint64_t n = 0;
	int rc = number_read(
		text, option == OPT_EVENTS ? UINT64_MAX / 2 : 100000000, &n);

	switch (option) {
	case OPT_CONNECTIONS:
		load->n = (unsigned)n;
		return n < 1 || n > CLIENTS_MAX ? -EINVAL : rc;
	case OPT_KEYS:
		load->all.keys = (unsigned)n;
		return n < 1 || n > CLIENT_KEYS_MAX ? -EINVAL : rc;
	case OPT_RATE:
		load->rate = n;
		return rc;
	case OPT_EVENTS:
		load->events = n;
		return rc;
	case OPT_DEADLINE:
		load->all.deadline_ns = (int64_t)n * 1000000;
		return rc;
	case OPT_PAD:
		load->all.pad = (unsigned)n;
		return n > CLIENT_OUT_BYTES / 4 ? -EINVAL : rc;
	case OPT_PERMILLE:
		load->all.poison_permille = (unsigned)n;
		return n > 1000 ? -EINVAL : rc;
	}
	return -EINVAL;
}

static int
arguments_read(struct load *load, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		int rc = 0;

		if (option == OPT_PORTS)
			rc = ports_read(&load->all, optarg);
		else if (option == OPT_LEDGER)
			load->ledger = optarg;
		else if (option == OPT_STATE)
			load->state = optarg;
		else if (option == OPT_POISON)
			load->all.poison = optarg;
		else if (option == OPT_RUN)
			load->all.run = optarg;
		else
			rc = number_take(load, option, optarg);
		if (rc < 0)
			return rc;
	}
	return optind == argc && load->all.n_ports && load->ledger &&
			       load->state
		       ? 0
		       : -EINVAL;
}

static int
signals_open(struct load *load)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	load->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	load->all.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load->signal_fd < 0 || load->all.epoll_fd < 0)
		return -errno;
	return epoll_ctl(load->all.epoll_fd, EPOLL_CTL_ADD, load->signal_fd,
			 &event) < 0
		       ? -errno
		       : 0;
}

int
main(int argc, char **argv)
{
	struct load load = {
		.all = { .keys = 4,
			 .deadline_ns = INT64_C(15000000000),
			 .run = "load",
			 .poison = "fail" },
		.n = 32,
	};
	int rc;

	if (arguments_read(&load, argc, argv) < 0) {
		fprintf(stderr, "fault_load: what it wants is told at the top "
				"of fault_load.c\n");
		return 64;
	}
	load.list = calloc(load.n, sizeof(*load.list));
	/* Before the ledger's thread, which must not take the signals. */
	rc = load.list ? signals_open(&load) : -ENOMEM;
	if (rc == 0)
		rc = ledger_open(&load.all.ledger, load.ledger);
	if (rc < 0) {
		fprintf(stderr, "fault_load: %s\n", strerror(-rc));
		free(load.list);
		return 1;
	}
	for (unsigned i = 0; i < load.n; i++)
		client_init(&load.list[i], &load.all, i);
	run(&load);
	if (ledger_close(load.all.ledger) < 0)
		load.all.has_failed = true;
	state_write(&load, now_ns());
	tally_print(&load.all.tally, stdout, load.all.in_flight, now_ns());
	putchar('\n');
	free(load.list);
	if (load.all.has_failed)
		fprintf(stderr, "fault_load: the ledger is not whole\n");
	return load.all.has_failed ? 1 : 0;
}
