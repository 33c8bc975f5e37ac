/*
 * request.h - one request, from its first line to the end of its answer, and
 * beyond: while the chain or the store still owes a callback, its memory
 * lives, even when the client has long been answered 503 or has gone.
 *
 *   HEAD --> READING --> WAITING --> READY --> ANSWERED
 *     \________\_______________________/
 *
 * Belongs to its loop's thread.  While `outstanding`, whoever calls back may
 * write result, spooled, rc, event, attempts, status, reply, answer and its
 * room, and then posts it; the loop reads them when the mail has come.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <evh/plugin.h>

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "reply.h"
#include "routes.h"
#include "text.h"

struct conn;
struct gate_facts;
struct http;
struct loop;

enum request_stage {
	REQUEST_HEAD = 1, /* the first line is known */
	REQUEST_READING,  /* the body is coming */
	REQUEST_WAITING,  /* suspended */
	REQUEST_READY,	  /* what to answer is known */
	REQUEST_ANSWERED, /* the answer is queued */
};

struct request;
/* What the loop does when the mail has come and somebody still waits. */
typedef void request_errand(struct request *request);

struct request {
	struct request *next; /* in the mailbox, or spare */
	struct loop *loop;
	struct conn *conn; /* NULL: gone, or never there */
	enum request_stage stage;
	request_errand *errand; /* NULL: the answer is chosen */
	enum route route;
	enum method method;
	bool close;	  /* the connection, after the answer */
	bool chunked;	  /* so the body's length is not told */
	bool discard;	  /* a body that nobody asked for */
	bool keyed;	  /* id is known: it follows from the client's key */
	bool outstanding; /* a callback will come */
	bool late;	  /* it was answered before that came */
	unsigned sent;	  /* the status that was queued */
	int64_t began_ns; /* monotonic */
	size_t target_len;
	uint64_t length;       /* of the body, when told */
	uint64_t received;     /* of it */
	size_t counted;	       /* taken from the room for bodies */
	size_t answer_counted; /* and from that for answers */
	struct text query;     /* behind the "?" */
	struct text body;

	/* What is answered: a fixed reply, or (REPLY_NONE) status, answer and
	 * a location, which is a string when it is not empty. */
	enum reply reply;
	unsigned status;
	struct text answer;
	struct text location;

	unsigned char id[16]; /* of the event that it is about */
	enum evh_result result;
	bool spooled; /* and it is OK because evhd's spool has the event */
	struct evh_event *event;
	uint32_t attempts, limit, offset;
};

/* One that has begun now, of no connection yet; NULL when out of memory.
 * [loop] */
struct request *request_new(struct loop *loop);
/* Neither libmicrohttpd nor a callback knows it any more. [loop] */
void request_recycle(struct request *request);
int64_t request_age_ns(const struct request *request);

/* Chooses what to answer. [loop] */
void request_reply(struct request *request, enum reply reply);
void request_json(struct request *request, unsigned status);
/* What says that there is no memory for it, or no room. */
enum reply request_no_memory(const struct request *request);

/* Takes room for an answer of n bytes in all, before it is written: false,
 * where there is none.  What each request keeps of its buffers is free. [loop],
 * or whoever calls back */
bool request_answer_room(struct request *request, size_t n);
/* What of the room for answers this one has to leave to others. [any] */
size_t request_answer_reserve(const struct request *request);

/* A callback will come: from here on it may. [any thread posts, loop waits] */
void request_expect(struct request *request, request_errand *errand);
/* It will not, after all. [loop] */
void request_unexpect(struct request *request);
/* It came, for this chain of requests of one loop. [any] */
void request_post(struct request *first, struct request *last);
/* Frees an event that nobody waits for any more and that was not emitted.
 * [loop] */
void request_event_free(struct request *request);
/* Gives back the room that its body took. [loop] */
void request_body_free(struct request *request);

/* The mail has come. [loop] */
void request_settle(struct request *request);
/* Its time is over: answers for what is outstanding. [loop] */
void request_late(struct request *request);
/* Lets go of whatever is still suspended, at the end. [loop] */
void request_abandon(struct loop *loop);
void request_free_spares(struct loop *loop);

struct http *request_http(const struct request *request);

#endif
