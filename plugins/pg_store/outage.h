/*
 * outage.h - the server is away: who is told, and when it is asked again.
 *
 * Each writer has its own standing with the server, and all of an instance
 * share one outage: it begins with the first that has lost the server and is
 * over with the last that has it again.  It is logged when it begins, when its
 * reason changes, and when it ends, not once a try.  The instance is ready
 * while every writer is connected; else readiness has the newest reason.
 *
 * An outage that began while the server answered (a full disk, a refused
 * statement) ends with the first commit and not with the next connection, so
 * that its delays go on growing till then.
 */
#ifndef PG_STORE_OUTAGE_H
#define PG_STORE_OUTAGE_H

#include "backoff.h"
#include "failure.h"

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct outage {
	struct evh_ctx *ctx;
	pthread_mutex_t lock;	   /* guards: what follows, and the order in
				    * which ready() is told of it */
	unsigned n_away, n_closed; /* standings that are so */
	int64_t since;
	int64_t incomplete;	  /* since when some are closed, */
	int64_t patience_ms;	  /* and how long who is not waits for them */
	struct backoff patiences; /* where the next one is from */
	char reason[sizeof(((struct failure *)0)->text)];
};

/* One writer's; used by its thread. */
struct standing {
	struct outage *outage;
	struct backoff backoff;
	bool is_away;	   /* it has its part in the outage */
	bool by_statement; /* only a commit ends that */
	bool is_closed;	   /* without a connection */
	int64_t connected; /* last time; 0: never */
};

/* Not ready until all n standings are connected. [main] */
void outage_init(struct outage *outage, struct evh_ctx *ctx, unsigned n);
void outage_fini(struct outage *outage);

/* One of outage's n, not connected yet. [main] */
void standing_init(struct standing *standing, struct outage *outage);
/* The outage begins, or goes on for this reason: log, and ready(why). */
void standing_lost(struct standing *standing, const struct failure *failure,
		   bool by_statement);
/* The server is there: ready(NULL), if it is so for all. */
void standing_connected(struct standing *standing);
/* A batch was committed. */
void standing_committed(struct standing *standing);
/*
 * True when its connection has long been of no use, since others have none, and
 * is to be closed: it counts as closed already.  Where there are too few for
 * all instances, each could hold some for ever and none have all of its own; so
 * they let go, each after a time of its own, and leave the others a turn.
 */
bool standing_yields(struct standing *standing);

#endif
