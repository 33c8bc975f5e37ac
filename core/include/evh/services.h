/*
 * evh/services.h - the interfaces that instances offer each other.
 *
 * An instance asks for one with ctx->service(ctx, name, id), where `name` is
 * what an option of type EVH_INSTANCE says; the answer is a struct that begins
 * with the `self` its functions take, or NULL: whoever asks lives without.
 * Its functions are called on [any] thread and never wait; what takes time is
 * answered by callback.  Whoever asks has no callback outstanding when its
 * stop() returns.  A struct is frozen with its number: growth is a "/2".
 */
#ifndef EVH_SERVICES_H
#define EVH_SERVICES_H

#include <evh/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void evh_put(void *arg, const char *text, size_t len);

/*
 * Of the host, by service(ctx, NULL, EVH_HOST_1); it answers before it
 * returns, with one call of put or several.
 */
#define EVH_HOST_1 "evh.host/1"
struct evh_host {
	void *self;
	/* 0 when all that the pipelines need is ready, else -EAGAIN.  Puts,
	 * unless put is NULL, one JSON object:
	 *
	 *   {"status":"ready" | "not ready",
	 *    "reasons":["kafka: ..."],         why it is not ready
	 *    "checks":{"events":"why"},        whatever is not ready, needed
	 *                                      or optional
	 *    "instances":[{"name","kind","plugin","version","ready","why"}],
	 *    "pipelines":[{"name","in_flight","in_flight_limit","refused"}]}
	 */
	int (*state)(void *self, evh_put *put, void *arg);
	/* The Prometheus text (format 0.0.4) of all metrics; 0 or -ENOMEM. */
	int (*metrics)(void *self, evh_put *put, void *arg);
};

/* Of whatever keeps events. */
#define EVH_STORE_1 "evh.store/1"
struct evh_row { /* valid during the callback */
	unsigned char id[16];
	const char *name;
	struct evh_bytes data;
	int raw; /* data is bytes that are no JSON */
	enum evh_status status;
	uint32_t attempts;
	const char *error; /* JSON, or NULL */
	int64_t created_ns;
	int64_t processed_ns; /* 0: not yet */
	const char *topic;    /* or NULL */
	int64_t offset;
	int32_t partition;
};
struct evh_query { /* newest first; 0, NULL: all of them */
	enum evh_status status;
	const char *name;
	const unsigned char *before_id; /* cursor: older than this one */
	uint32_t limit, offset;
	int want_total;
};
/*
 * rc 0 and n rows (0: there is none), or one of these: -EAGAIN the server is
 * away, -ETIMEDOUT, -EMSGSIZE the answer would be larger than the store allows,
 * -ESHUTDOWN.  total: how many match, exact to 100,000 and staying there; -1
 * unless asked for. [any]
 */
typedef void evh_rows(void *arg, int rc, const struct evh_row *rows, size_t n,
		      int64_t total);
struct evh_store {
	void *self;
	/* 0: exactly one callback will come, perhaps before this returns, in
	 * the store's own time limit.  -EAGAIN or -ESHUTDOWN: none will.
	 * Never waits; what it is given is copied. */
	int (*get)(void *self, const unsigned char id[16], evh_rows *fn,
		   void *arg);
	int (*find)(void *self, const struct evh_query *q, evh_rows *fn,
		    void *arg);
};

/*
 * Of whatever keeps dead letters, in a table or in a topic: events that have
 * failed, each once, as it failed last.  Both functions copy what they are
 * given and never wait; the work is done on a thread of the keeper's, with
 * connections of its own, one request after the other.
 */
#define EVH_DEAD_1 "evh.dead/1"
struct evh_letter { /* valid during the callback */
	unsigned char id[16];
	const char *name; /* "" when what came is no event */
	/* The bytes that came; {NULL, 0} unless want_data. */
	struct evh_bytes data;
	int raw; /* what came is no event: it cannot be tried again */
	struct evh_bytes key; /* empty where the keeper has none */
	const struct evh_header *headers;
	uint32_t n_headers;
	uint32_t attempts;
	const char *error; /* JSON, or NULL */
	int64_t created_ns;
	int64_t failed_ns;
	const char *topic; /* where it came from, or NULL */
	int64_t offset;
	int32_t partition;
	/* Not NULL: the bytes were too many for the keeper.  raw is set, data
	 * is empty; so many they were, with this hash in hex. */
	const char *lost_sha256;
	uint64_t lost_len;
};
struct evh_dead_query { /* 0, NULL: all of them */
	const unsigned char *id;
	const char *name;		     /* a pattern: "user.*" */
	const char *stage, *type, *sqlstate; /* of the error, exactly */
	const char *text;		     /* stands in the error's message */
	int64_t since_ns, before_ns;	     /* failed then or later; earlier */
	uint32_t limit;
	int want_data; /* read anew for each letter: one that has not failed
			* any more is left out */
};
/* 0: go on; negative: enough.  May wait.  On a thread of the keeper's. */
typedef int evh_dead_letter(void *arg, const struct evh_letter *letter);
/*
 * The last call of a request.  rc 0 and how many letters there were; or why
 * not: -EAGAIN the server is away, -ETIMEDOUT, -ECANCELED the letter's callback
 * had enough, or cancel(), -ESHUTDOWN, -EPERM the keeper cannot do this,
 * -ENOMEM; with a sentence.  On a thread of the keeper's.
 */
typedef void evh_dead_end(void *arg, int rc, const char *why, int64_t n);
struct evh_dead {
	void *self;
	/* 0: letter is called for each that fits and then end, once.  -EAGAIN
	 * (too much asked at once), -ENOMEM, -ESHUTDOWN: nothing is.  What was
	 * created first comes first, or a topic's own order holds, which keeps
	 * that of each key. */
	int (*walk)(void *self, const struct evh_dead_query *query,
		    evh_dead_letter *letter, evh_dead_end *end, void *arg);
	/* Forgets for good the letter with this id, or (id NULL) those that
	 * failed before that time; says how many.  With dry_run it only says
	 * how many these would be.  As walk(). */
	int (*discard)(void *self, const unsigned char *id, int64_t before_ns,
		       int dry_run, evh_dead_end *end, void *arg);
	/* Ends what was asked with this arg, however far it is: end hears
	 * -ECANCELED within a second or two, unless it has come already. */
	void (*cancel)(void *self, void *arg);
};

#ifdef __cplusplus
}
#endif

#endif /* EVH_SERVICES_H */
