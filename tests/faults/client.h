/*
 * client.h - one kept connection that posts one event after the other.
 *
 * It has keys of its own and takes them in turn, so only one event of a key is
 * ever in flight and the order within a key is defined.  What is refused, or
 * breaks off, is posted again under the same Idempotency-Key until it gets its
 * 2xx, whether it was taken the first time or not.
 */
#ifndef FAULTS_CLIENT_H
#define FAULTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger.h"
#include "tally.h"

#define CLIENT_KEYS_MAX	 64
#define CLIENT_PORTS_MAX 8
#define CLIENT_OUT_BYTES 16384
#define CLIENT_IN_BYTES	 32768

/* Of all clients of a load. */
struct clients {
	int epoll_fd;
	struct ledger *ledger;
	struct tally tally;
	uint16_t ports[CLIENT_PORTS_MAX];
	unsigned n_ports;
	unsigned keys; /* of each client */
	unsigned poison_permille;
	unsigned pad;	     /* bytes more in each event's data */
	int64_t deadline_ns; /* for each request */
	const char *run;     /* this load's name, in keys */
	const char *poison;  /* what the poisoned ones' data says */
	uint64_t in_flight;  /* requests sent and not yet answered */
	bool has_failed;     /* the ledger did not take a line */
};

enum client_state {
	CLIENT_IDLE = 1, /* has no event */
	CLIENT_PAUSED,	 /* has one to send again, at due_ns */
	CLIENT_CONNECTING,
	CLIENT_SENDING,
	CLIENT_READING,
};

struct client {
	struct clients *all;
	enum client_state state;
	int fd; /* -1: none */
	unsigned number;
	unsigned port_at;	     /* of the ports, the one in turn */
	unsigned key;		     /* the one in turn */
	uint64_t n[CLIENT_KEYS_MAX]; /* of each key, the event in turn */
	bool is_poison, is_repeat;
	unsigned refusals; /* of this event, in a row */
	int64_t begin_ns;  /* of this request */
	int64_t due_ns;	   /* of this request, or of the next try */
	size_t out_len, out_at, in_len;
	char out[CLIENT_OUT_BYTES];
	char in[CLIENT_IN_BYTES];
};

void client_init(struct client *client, struct clients *all, unsigned number);
/* Takes the next event; the client must be idle. */
void client_next(struct client *client, int64_t now_ns);
/* The socket is ready. */
void client_event(struct client *client, uint32_t events, int64_t now_ns);
/* Deadlines and pauses that are over. */
void client_tick(struct client *client, int64_t now_ns);
/* The run ends: what has no answer yet is written down as unknown. */
void client_end(struct client *client);

#endif
