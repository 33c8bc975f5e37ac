/*
 * fake_ctx.h - the host as one pg_store instance sees it, for tests.
 *
 * Options are those of the plugin's table with some set otherwise; what the
 * instance says (ready, log, metrics) is kept; events are structs of the
 * test's own, and done() notes what became of each.  Everything that another
 * thread writes is guarded by one lock, and each wait has a limit.
 */
#ifndef FAKE_CTX_H
#define FAKE_CTX_H

#include <evh/plugin.h>
#include <evh/services.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define FAKE_OPTIONS 24
#define FAKE_METRICS 16
#define FAKE_WAIT_MS 60000

struct fake_metric {
	char name[64], labels[64];
	_Atomic int64_t sum, count;
};

struct fake_event {
	struct evh_event ev;
	enum evh_result result; /* 0: not answered yet */
	unsigned n_done;	/* more than one is a bug */
	unsigned turn;		/* the how-manieth to be answered */
	char code[16], error[256];
	char name[300];
	char *data;
};

struct fake_ctx {
	struct evh_ctx ctx;
	struct {
		const char *name, *value;
	} options[FAKE_OPTIONS];
	unsigned n_options;

	pthread_mutex_t lock; /* guards: what follows, and all fake_events */
	pthread_cond_t changed;
	bool is_ready;
	char why[512];
	char log[65536];
	unsigned n_done, n_retried;
	struct fake_metric metrics[FAKE_METRICS];
	unsigned n_metrics;
};

void fake_ctx_init(struct fake_ctx *fake);
void fake_ctx_fini(struct fake_ctx *fake);
/* value is borrowed. */
void fake_ctx_set(struct fake_ctx *fake, const char *name, const char *value);

/* Waits until it is ready, or until its reason for not being so has `part` in
 * it.  False when the time is over. */
bool fake_ctx_wait_ready(struct fake_ctx *fake);
bool fake_ctx_wait_why(struct fake_ctx *fake, const char *part);
/* Waits until n events in all were answered. */
bool fake_ctx_wait_done(struct fake_ctx *fake, unsigned n);
bool fake_ctx_logged(struct fake_ctx *fake, const char *part);
int64_t fake_ctx_metric(struct fake_ctx *fake, const char *name,
			const char *labels);

/* id is the number, so that ids ascend with it; data is JSON. */
void fake_event_init(struct fake_event *event, unsigned number,
		     enum evh_status status, uint32_t attempts,
		     const char *data);
void fake_event_set_data(struct fake_event *event, const void *data,
			 size_t len);
void fake_event_fini(struct fake_event *event);

#endif
