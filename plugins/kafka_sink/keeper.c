#include "keeper.h"
#include "clock.h"
#include "condition.h"
#include "deadline.h"
#include "endings.h"
#include "outage.h"
#include "producer.h"
#include "topic.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_MS       1000 /* for an answer about the topic */
#define CREATE_MS      3000 /* for its creation */
#define READY_EVERY_MS 2000 /* between questions while all is well, */
#define AWAY_EVERY_MS  250  /* and while it is not */
#define RECENT_MS      2000 /* a delivery says more than a late answer */
#define GRACE_MS       6000 /* a producer's own bound to end, and some */
#define ENDINGS_MAX    8    /* handles that do not end, before we wait */

struct keeper {
	struct evh_ctx *ctx;
	const struct settings *settings;
	struct evh_metric *restarts;
	struct producer_env env;
	struct endings *endings;
	pthread_t thread;
	bool started;

	pthread_rwlock_t gate; /* guards open: whose calls may use it */
	struct producer *open; /* in use; NULL: take nothing */

	pthread_mutex_t lock; /* guards news, stop, producer */
	pthread_cond_t changed;
	unsigned news;
	bool stop;
	struct producer *producer; /* written by the thread */

	/* The thread's own. */
	struct batching batching;
	char said[OUTAGE_TEXT]; /* why it is not ready, as last said */
	bool ready;
};

/* ---- The gate ---- */

static void
keeper_open(struct keeper *k, struct producer *p)
{
	pthread_rwlock_wrlock(&k->gate);
	k->open = p;
	pthread_rwlock_unlock(&k->gate);
}

int
keeper_submit(struct keeper *k, struct evh_event *const *evs, int n)
{
	int taken = 0;

	/* The writer only sets a pointer: this is no wait to speak of. */
	pthread_rwlock_rdlock(&k->gate);
	if (k->open != NULL)
		taken = producer_submit(k->open, evs, n);
	pthread_rwlock_unlock(&k->gate);
	return taken;
}

/* ---- Waiting and waking ---- */

static void
keeper_changed(void *arg)
{
	struct keeper *k = arg;

	pthread_mutex_lock(&k->lock);
	k->news++;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

static bool
keeper_stopping(void *arg)
{
	struct keeper *k = arg;
	bool stop;

	pthread_mutex_lock(&k->lock);
	stop = k->stop;
	pthread_mutex_unlock(&k->lock);
	return stop;
}

/* Until there are news later than *news, or so long. */
static void
keeper_wait(struct keeper *k, unsigned *news, int timeout_ms)
{
	int64_t until = deadline_in(timeout_ms);

	pthread_mutex_lock(&k->lock);
	while (k->news == *news && !k->stop) {
		if (!condition_wait(&k->changed, &k->lock, until))
			break;
	}
	*news = k->news;
	pthread_mutex_unlock(&k->lock);
}

/* ---- Ready or not ---- */

static void
keeper_say_ready(struct keeper *k)
{
	if (k->ready)
		return;
	k->ready = true;
	k->said[0] = '\0';
	k->ctx->ready(k->ctx, NULL);
}

static void
keeper_say(struct keeper *k, const char *why)
{
	if (!k->ready && strcmp(k->said, why) == 0)
		return;
	k->ready = false;
	snprintf(k->said, sizeof(k->said), "%s", why);
	k->ctx->ready(k->ctx, k->said);
}

static void
keeper_say_away(struct keeper *k, struct producer *p)
{
	char why[OUTAGE_TEXT], text[256];
	rd_kafka_resp_err_t err = producer_error(p, text, sizeof(text));

	outage_text(k->settings->brokers,
		    k->settings->is_docker ? 0 : k->settings->out_port, err,
		    text, why, sizeof(why));
	keeper_say(k, why);
}

/* Returns 0 when the topic is there by now. */
static int
keeper_make_topic(struct keeper *k, struct producer *p, char *why)
{
	const struct topic_wait wait = { CREATE_MS, keeper_stopping, k };
	int rc;

	if (!k->settings->create) {
		snprintf(why, OUTAGE_TEXT,
			 "topic %s does not exist: create it, or set create = "
			 "yes",
			 k->settings->topic);
		return -EAGAIN;
	}
	rc = topic_create(producer_handle(p), k->settings, &wait, why,
			  OUTAGE_TEXT);
	if (rc < 0)
		return rc;
	k->ctx->log(k->ctx, EVH_INFO, "topic %s created, %d partitions",
		    k->settings->topic, k->settings->partitions);
	return 0;
}

/* Asks for the topic and says what came of it.  True: ask again at once. */
static bool
keeper_probe(struct keeper *k, struct producer *p)
{
	char why[OUTAGE_TEXT] = "";

	switch (topic_probe(producer_handle(p), producer_topic(p), PROBE_MS,
			    why, sizeof(why))) {
	case TOPIC_HERE:
		if (producer_state(p) != PRODUCER_RUNNING)
			return true;
		keeper_open(k, p);
		keeper_say_ready(k);
		return false;
	case TOPIC_MISSING:
		keeper_say(k, why);
		if (keeper_make_topic(k, p, why) == 0)
			return true;
		if (!keeper_stopping(k))
			keeper_say(k, why);
		return false;
	case TOPIC_REFUSED:
		keeper_say(k, why);
		return false;
	case TOPIC_AWAY:
		if (!producer_has_delivered(p, RECENT_MS))
			keeper_say_away(k, p);
		return false;
	}
	return false;
}

/* ---- From one producer to the next ---- */

static void
keeper_set(struct keeper *k, struct producer *p)
{
	pthread_mutex_lock(&k->lock);
	k->producer = p;
	pthread_mutex_unlock(&k->lock);
}

static void
keeper_learn(struct keeper *k, struct producer *p)
{
	const struct refusal *refusal = producer_refusal(p);
	size_t letter = producer_refused_letter(p);

	if (refusal->n == 0)
		return;
	if (letter > 0) {
		batching_refused_letter(&k->batching, letter);
		k->ctx->log(k->ctx, EVH_WARN,
			    "topic %s does not take a dead letter of %zu "
			    "bytes: those of that size are kept without their "
			    "bytes; raise its max.message.bytes, and restart",
			    k->settings->topic, letter);
	}
	batching_refused(&k->batching, refusal->err, refusal->n, refusal->bytes,
			 clock_ms());
	k->ctx->log(k->ctx, EVH_WARN,
		    "a batch of %zu events, %zu bytes, was refused: %s",
		    refusal->n, refusal->bytes, rd_kafka_err2str(refusal->err));
}

/* It has ended: owes nothing, takes nothing. */
static void
keeper_dismiss(struct keeper *k, struct producer *p)
{
	keeper_open(k, NULL);
	keeper_set(k, NULL);
	keeper_learn(k, p);
	if (producer_why(p) != NULL)
		k->ctx->record(k->restarts, 1);
	producer_free(p, k->endings);
}

static struct producer *
keeper_hire(struct keeper *k)
{
	struct producer *p = NULL;

	if (endings_wait(k->endings, 0) >= ENDINGS_MAX &&
	    endings_wait(k->endings, PROBE_MS) >= ENDINGS_MAX)
		return NULL;
	if (producer_new(&k->env, &k->batching, &p) < 0)
		return NULL;
	keeper_set(k, p);
	return p;
}

/* ---- The thread ---- */

/* True: again at once. */
static bool
keeper_turn(struct keeper *k, struct producer *p)
{
	switch (producer_state(p)) {
	case PRODUCER_RUNNING:
		if (batching_is_over(&k->batching, clock_ms())) {
			batching_end(&k->batching);
			producer_retire(p);
			return false;
		}
		return keeper_probe(k, p);
	case PRODUCER_ENDING:
		if (producer_why(p) != NULL)
			keeper_say(k, producer_why(p));
		return false;
	case PRODUCER_ENDED:
		if (producer_why(p) != NULL)
			keeper_say(k, producer_why(p));
		keeper_dismiss(k, p);
		return true;
	}
	return false;
}

static void *
keeper_run(void *arg)
{
	struct keeper *k = arg;
	struct producer *p = k->producer;
	unsigned news = 0;

	pthread_setname_np(pthread_self(), "evh-kafka-keep");
	while (!keeper_stopping(k)) {
		bool again = false;

		if (p == NULL)
			p = keeper_hire(k);
		if (p != NULL)
			again = keeper_turn(k, p);
		else
			keeper_say(k, "librdkafka cannot make a producer");
		if (p != NULL && k->producer == NULL)
			p = NULL; /* dismissed */
		if (!again)
			keeper_wait(k, &news,
				    k->ready ? READY_EVERY_MS : AWAY_EVERY_MS);
	}
	return NULL;
}

/* ---- Life ---- */

struct keeper *
keeper_new(struct evh_ctx *ctx, const struct settings *s)
{
	struct keeper *k = calloc(1, sizeof(*k));
	pthread_rwlockattr_t attr;

	if (k == NULL)
		return NULL;
	if (condition_init(&k->changed) < 0)
		goto fail_changed;
	k->endings = endings_new();
	if (k->endings == NULL)
		goto fail_endings;
	k->ctx = ctx;
	k->settings = s;
	/* Calls of submit without end must not keep the writer waiting. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&k->gate, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&k->lock, NULL);
	k->env = (struct producer_env){
		.ctx = ctx,
		.settings = s,
		.queue = ctx->metric(ctx, EVH_GAUGE, "kafka_producer_queue",
				     NULL, "Events without a delivery report"),
		.seconds = ctx->metric(ctx, EVH_HISTOGRAM,
				       "kafka_delivery_seconds", NULL,
				       "From the queue to the report"),
		.errors = ctx->metric(ctx, EVH_COUNTER, "kafka_delivery_errors",
				      NULL, "Delivery reports with an error"),
		.changed = keeper_changed,
		.arg = k,
	};
	k->restarts = ctx->metric(ctx, EVH_COUNTER, "kafka_producer_restarts",
				  NULL, "Producers made anew after a failure");
	return k;
fail_endings:
	pthread_cond_destroy(&k->changed);
fail_changed:
	free(k);
	return NULL;
}

void
keeper_free(struct keeper *k)
{
	endings_free(k->endings);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	pthread_rwlock_destroy(&k->gate);
	free(k);
}

int
keeper_start(struct keeper *k)
{
	char why[OUTAGE_TEXT];
	struct producer *p;
	int rc;

	rc = producer_new(&k->env, &k->batching, &p);
	if (rc < 0)
		return rc;
	snprintf(why, sizeof(why), "connecting to %s", k->settings->brokers);
	keeper_say(k, why);
	k->stop = false;
	k->producer = p;
	rc = -pthread_create(&k->thread, NULL, keeper_run, k);
	if (rc < 0) {
		k->ctx->log(k->ctx, EVH_ERROR, "thread: %s", strerror(-rc));
		k->producer = NULL;
		producer_free(p, k->endings);
		return rc;
	}
	k->started = true;
	return 0;
}

void
keeper_stop(struct keeper *k, int timeout_ms)
{
	int64_t due_ms = clock_ms() + timeout_ms;
	int64_t rest_ms;
	size_t left;

	if (!k->started)
		return;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	k->started = false;
	keeper_open(k, NULL);
	if (k->producer != NULL)
		producer_free(k->producer, k->endings);
	k->producer = NULL;
	rest_ms = due_ms - clock_ms();
	left = endings_wait(k->endings, rest_ms > 0 ? (int)rest_ms : 0);
	if (left > 0)
		k->ctx->log(k->ctx, EVH_WARN,
			    "%zu of librdkafka's handles did not end within "
			    "%d ms; they are left behind",
			    left, timeout_ms);
}

/* Waits until nothing is owed; false when something still is.  Lock held. */
static bool
keeper_await_empty(struct keeper *k, int timeout_ms)
{
	int64_t until = deadline_in(timeout_ms);

	while (k->producer != NULL && producer_owed(k->producer) > 0) {
		producer_watch(k->producer, true);
		if (!condition_wait(&k->changed, &k->lock, until))
			return false;
	}
	return true;
}

void
keeper_flush(struct keeper *k, int timeout_ms)
{
	bool empty;

	pthread_mutex_lock(&k->lock);
	empty = keeper_await_empty(k, timeout_ms);
	if (!empty && k->producer != NULL) {
		producer_abandon(k->producer);
		empty = keeper_await_empty(k, GRACE_MS);
	}
	if (k->producer != NULL)
		producer_watch(k->producer, false);
	pthread_mutex_unlock(&k->lock);
	if (!empty)
		k->ctx->log(k->ctx, EVH_ERROR,
			    "events are still owed after a flush");
}
