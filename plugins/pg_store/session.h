/*
 * session.h - a connection made ready for a purpose.
 *
 * Connects and sets what bounds a statement on the server's side, so that a
 * client that has gone does not leave one running.  Set by SQL, not by the
 * connection's options, because a pooler between us refuses those.
 */
#ifndef PG_STORE_SESSION_H
#define PG_STORE_SESSION_H

#include "connection.h"

enum session_use {
	SESSION_WRITE = 1,
	SESSION_DISCARD,
	SESSION_READ,
	SESSION_MIGRATE, /* statements may take as long as they need */
};

/* What the server is told about, once a connection. */
struct session_facts {
	bool loses_writes; /* fsync or full_page_writes is off */
	int version;	   /* 150020 */
};

/*
 * timeout_ms: the caller's own limit for a statement; the server's is a
 * little shorter.  Closed again when it fails; -errno as connection.h has it.
 */
int session_open(struct connection *connection, const struct settings *settings,
		 enum session_use use, int64_t timeout_ms, int64_t deadline,
		 struct session_facts *ret_facts, struct failure *ret_failure);

#endif
