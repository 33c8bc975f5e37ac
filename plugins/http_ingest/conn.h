/*
 * conn.h - one connection of a client: what it is waited for, and until when.
 *
 * libmicrohttpd's own timeout starts again with every byte, and stops while a
 * request is suspended.  So each connection is on the list of its phase, with
 * an absolute deadline; all deadlines of a phase are equally far away, so a
 * list is in their order and only its first is ever looked at.
 */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

enum conn_phase {
	CONN_IDLE,  /* between two requests */
	CONN_HEAD,  /* a head is coming */
	CONN_BODY,  /* a body is coming */
	CONN_WORK,  /* suspended, until the chain or the store answers */
	CONN_REPLY, /* the answer is leaving */
	N_CONN_PHASES,
	CONN_GONE = N_CONN_PHASES, /* on no list */
};

struct loop;
struct request;

struct conn {
	struct conn *prev, *next;
	struct loop *loop;
	struct MHD_Connection *mhd;
	struct request *request; /* the one at hand, or NULL */
	int fd;
	enum conn_phase phase;
	bool ended;  /* its last answer was written past libmicrohttpd */
	bool linger; /* unread bytes are to be expected when it is closed */
	int64_t deadline_ms;
	/* Bytes of heads and bodies that were read from it: what came beyond
	 * them belongs to a head that has begun. */
	uint64_t consumed;
};

struct conn_list {
	struct conn *first, *last;
};

/* libmicrohttpd's notice of a connection; cls is the loop. [loop] */
void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
		 enum MHD_ConnectionNotificationCode code);
struct conn *conn_of(struct MHD_Connection *mhd);

/* Moves it to the end of the phase's list, with a new deadline. [loop] */
void conn_phase_set(struct conn *conn, enum conn_phase phase);

/* Ends what is over its time. [loop] */
void conn_expire(struct loop *loop);
/* The earliest deadline of all, INT64_MAX when there is none. [loop] */
int64_t conn_deadline(const struct loop *loop);

#endif
