/*
 * rig.h - what http_ingest stands on in a test: a host whose pipeline does what
 * the test says, on a thread of its own, and a store likewise.
 */
#ifndef HTTP_RIG_H
#define HTTP_RIG_H

#include <evh/plugin.h>
#include <evh/services.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum rig_chain {
	RIG_ANSWER = 1, /* done() with `result`, on the rig's thread */
	RIG_INLINE,	/* done() before emit() returns */
	RIG_HOLD,	/* kept until rig_release() */
	RIG_FULL,	/* emit: -EAGAIN */
	RIG_STOPPED,	/* emit: -ESHUTDOWN */
};

enum rig_store_mode {
	RIG_ROWS = 1,  /* the rows, on the rig's thread */
	RIG_ROWS_NOW,  /* the rows, before get() returns */
	RIG_ROWS_HELD, /* kept until rig_release() */
	RIG_STORE_SAYS /* the callback with store_rc */
};

struct rig_job; /* an event or a question that awaits its answer */

struct rig {
	struct evh_ctx ctx; /* first: the plugin is given this */
	void *self;
	int port;

	/* What the test sets, before rig_start() or between requests. */
	const char *const *settings; /* "name=value", NULL-ended */
	enum rig_chain chain;
	enum evh_result result;
	bool ready; /* of the host */
	const char *state;
	enum rig_store_mode store_mode;
	int store_rc;  /* of the callback */
	int store_ask; /* what get() returns when negative */
	const struct evh_row *rows;
	size_t n_rows;
	int64_t total;
	bool has_store;
	int stop_ms; /* what stop() is given */

	pthread_mutex_t lock; /* guards: what follows */
	pthread_cond_t changed;
	struct rig_job *queue, *held;
	bool stop;
	unsigned n_made, n_freed, n_emitted, n_metrics, n_asked;
	unsigned n_counted;   /* records of counters: requests answered */
	struct evh_spec last; /* of the newest event; copies of its bytes: */
	unsigned char last_id[16];
	char last_name[1100], last_data[4096], last_key[256];
	struct evh_query last_query;
	char last_query_name[1100];
	char metrics[8192]; /* "kind name labels\n" of each handle */

	pthread_t thread;
	struct rig_metric {
		struct rig *rig;
		enum evh_metric_kind kind;
	} handles[EVH_HISTOGRAM + 1];
	struct evh_host host;
	struct evh_store store;
};

/* A rig that answers OK, with default options but for listen = 127.0.0.1:0
 * and one loop; settings may say otherwise.  Ends the program when a test that
 * failed has left this one running. */
void rig_init(struct rig *rig);
void rig_start(struct rig *rig, const char *const *settings);
/* Drains, stops, destroys, and asserts that nothing was left. */
void rig_stop(struct rig *rig);
/* Answers all that is held. */
void rig_release(struct rig *rig, enum evh_result result);
/* Waits until so many events were emitted and are held, or questions asked. */
void rig_wait_held(struct rig *rig, unsigned n);

/* Waits until so many requests were counted, which is after their answers have
 * left, and says whether this line is among the metrics. */
bool rig_counted(struct rig *rig, unsigned n, const char *line);

#endif
