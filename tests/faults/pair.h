/*
 * pair.h - one connection through a proxy: the client's socket and the
 * server's, and what is on its way between them.
 *
 * Each direction has one buffer: it is read into when it is empty and sent on
 * until it is, so that a slow reader slows the writer down and no more than a
 * buffer is ever held.
 */
#ifndef FAULTS_PAIR_H
#define FAULTS_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules.h"
#include "stream.h"

#define PAIR_BYTES    65536
#define PAIR_PRODUCES 256

struct flow {
	int from, to;
	char bytes[PAIR_BYTES];
	size_t len, at;
	int64_t due_ns; /* not sent on before */
	bool is_ended;	/* the sender has closed its side */
	bool is_told;	/* and the receiver knows */
	struct stream stream;
};

struct pair {
	struct pair *next;
	struct rules *rules;
	struct flow up, down; /* to the server, to the client */
	bool is_connecting;
	bool is_swallowing;		  /* the answer, up to its end */
	char pg_state;			  /* of the last ReadyForQuery */
	uint32_t produces[PAIR_PRODUCES]; /* correlation ids, a ring */
	unsigned n_produces;
	bool is_over;  /* to be closed by pair_free() */
	bool is_reset; /* by RST rather than FIN */
};

/* Takes the client's socket and connects to 127.0.0.1.  NULL: it cannot be
 * done, and the socket is closed. */
struct pair *pair_new(struct rules *rules, int client_fd, uint16_t to_port);
/* Moves what can be moved now; sets is_over when there will be no more. */
void pair_move(struct pair *pair, int64_t now_ns);
void pair_free(struct pair *pair);

/* What the sockets are to be watched for at present, as poll()'s events. */
short pair_wants(const struct pair *pair, bool of_client, int64_t now_ns);

#endif
