/*
 * fake_host.h - a host for one source: a ctx whose functions record, a window
 * of a given size, and a thread that answers what was emitted, in order, as
 * the test's `decide` says.
 */
#ifndef KAFKA_SOURCE_TEST_FAKE_HOST_H
#define KAFKA_SOURCE_TEST_FAKE_HOST_H

#include <evh/plugin.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_OPTIONS 16
#define FAKE_WHY_MAX 256

struct fake_option {
	const char *name, *value; /* "rdkafka.x" goes into the map */
};

/* One event as it was emitted. */
struct fake_record {
	int32_t partition;
	int64_t offset;
	unsigned char id[16];
	bool is_poison;
	uint32_t attempts, n_headers;
	size_t data_len;
};

struct fake_event;
struct fake_host;

struct evh_metric {
	struct fake_host *host;
	int64_t value; /* under the host's lock */
	bool is_counter;
};

struct fake_host {
	struct evh_ctx ctx; /* first */
	struct fake_option options[FAKE_OPTIONS];
	bool is_quiet; /* shows nothing of the log */
	unsigned window;
	unsigned lane_window; /* of partition 0's events; 0: as the others' */
	int slow_ms;	      /* before each batch of answers */
	bool keeps_records;

	pthread_mutex_t lock; /* guards: all below */
	pthread_cond_t changed;
	struct fake_record *records;
	unsigned n_records, size_records;
	unsigned n_in_lane; /* of n_in_flight: of partition 0 */
	unsigned n_in_flight, n_answered, n_emits, n_refused;
	int n_made;	   /* and not freed; atomic */
	bool is_held;	   /* nothing is answered */
	bool is_not_ready; /* emit says -EAGAIN at once */
	bool is_draining;
	bool is_ready;
	char why[FAKE_WHY_MAX];
	/* All that it said so far, a line each: some of it is over before
	 * anybody has looked. */
	char said[4 * FAKE_WHY_MAX];
	char fatal[FAKE_WHY_MAX];
	char errors[2048]; /* what was logged as EVH_ERROR, a line each */
	struct evh_metric rebalances, late, partitions, others;
	struct fake_event *first, **tail;
	bool is_over;
	bool is_gone;	       /* nobody may call any more, */
	unsigned n_late_calls; /* and so often somebody did; atomic */
	pthread_t thread;

	/* What the source is to hear; 0: not yet, keep it.  Under the lock. */
	enum evh_result (*decide)(struct fake_host *host,
				  const struct evh_event *ev);
	void *decide_arg;
	struct consumer *consumer;
};

/* options end with { NULL, NULL }. */
void fake_host_init(struct fake_host *host, const struct fake_option *options);
/* Makes the consumer, and starts it. */
void fake_host_start(struct fake_host *host);
/* Drains, answers what is in flight with RETRY, stops; returns the ms that
 * poller_stop() took. */
int64_t fake_host_stop(struct fake_host *host, int timeout_ms);
void fake_host_fini(struct fake_host *host);

void fake_host_lock(struct fake_host *host);
void fake_host_unlock(struct fake_host *host);
void fake_host_hold(struct fake_host *host, bool held);
/* The source calls it: once too often, when the host is gone. */
void fake_host_note_call(struct fake_host *host);
/* Waits until is_true(host, arg), under the lock; false when it takes longer
 * than timeout_ms. */
bool fake_host_wait(struct fake_host *host, int timeout_ms,
		    bool (*is_true)(struct fake_host *host, int64_t arg),
		    int64_t arg);

/* The ready-made ones. */
bool fake_is_ready(struct fake_host *host, int64_t unused);
bool fake_has_records(struct fake_host *host, int64_t n);
bool fake_has_answered(struct fake_host *host, int64_t n);
bool fake_has_partitions(struct fake_host *host, int64_t n);

#endif
