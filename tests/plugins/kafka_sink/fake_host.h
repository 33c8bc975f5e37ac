/*
 * fake_host.h - a host for one kafka_sink: a ctx made of recorders.
 *
 * Options come from the plugin's own table, with those that a test sets on
 * top.  Events are numbered; what the sink answers is kept in order, and an
 * event that is answered twice, or that the sink does not have, fails the
 * test at once.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_OPTIONS 32
#define FAKE_TEXT    1024

struct fake_event {
	struct evh_event ev; /* first: the sink's pointer is ours */
	int number;
	enum evh_result result;
	int order; /* of its last answer */
	int answers;
	char error[200];
	char key[32], data[64];
};

/* record() is not told the ctx, so a metric knows its host. */
struct evh_metric {
	struct fake_host *host;
	int kind;
};

struct fake_host {
	struct evh_ctx ctx; /* first */
	const struct evh_option *options;
	struct {
		const char *name, *value;
	} set[FAKE_OPTIONS];
	int n_set;

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	bool ready;
	int n_not_ready;
	char why[FAKE_TEXT];
	char log[16384]; /* all lines */
	size_t log_len;
	int answers, ok, retry, fail;
	int64_t restarts, errors, deliveries;
	struct evh_metric metrics[8];
	int n_metrics;
};

void fake_host_init(struct fake_host *h, const struct evh_option *options);
void fake_host_fini(struct fake_host *h);
/* NAME, or rdkafka.NAME; borrows both. */
void fake_host_set(struct fake_host *h, const char *name, const char *value);

/* n events, keyed "key-(i % keys)" or not at all when keys is 0. */
struct fake_event *fake_events(int n, int keys);
/* Offers them until all are taken or so long is over; how many were. */
int fake_submit(struct fake_host *h,
		int (*submit)(void *self, struct evh_event *const *, int),
		void *self, struct fake_event *evs, int n, int timeout_ms);

/* Each: true when it came within the time. */
bool fake_wait_ready(struct fake_host *h, bool ready, int timeout_ms);
/* It has said more than n times that it is not, and why, whatever it said
 * since; n: fake_unready() of before. */
bool fake_wait_unready(struct fake_host *h, int n, int timeout_ms);
int fake_unready(struct fake_host *h);
bool fake_wait_why(struct fake_host *h, const char *part, int timeout_ms);
bool fake_wait_answers(struct fake_host *h, int n, int timeout_ms);
bool fake_logged(struct fake_host *h, const char *part);
int64_t fake_restarts(struct fake_host *h);

#endif
