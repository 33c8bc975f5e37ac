#include "producer.h"
#include "clock.h"
#include "hurry.h"
#include "ledger.h"
#include "message.h"
#include "reports.h"
#include "verdict.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS	       100 /* between looks at the clock */
#define PURGE_AGAIN_MS 200
#define GIVE_UP_MS     5000 /* for reports after the purge */

struct producer {
	struct producer_env env;
	rd_kafka_t *rk;
	struct ending *ending; /* of rk */
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	pthread_t thread;
	struct ledger ledger;
	struct reports reports;
	struct message_limits limits;
	struct hurry hurry;
	bool hurries; /* it is started */

	atomic_int state;    /* enum producer_state; written by the thread */
	atomic_int busy;     /* calls of submit that may hold lines */
	atomic_bool abandon; /* wishes, read by the thread */
	atomic_bool retire;
	atomic_bool watched;
	atomic_bool refused; /* submit has marked a line */

	pthread_mutex_t lock; /* guards err, text */
	rd_kafka_resp_err_t err;
	char text[256];

	/* The thread's own, until it is not RUNNING; then only read. */
	char why[320];
	int64_t tick_ms, ending_ms, purged_ms;
};

/* ---- Ending ---- */

/* Queue and flight, without waiting for librdkafka's threads. */
static void
producer_purge(struct producer *p)
{
	rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE |
				      RD_KAFKA_PURGE_F_INFLIGHT |
				      RD_KAFKA_PURGE_F_NON_BLOCKING);
	p->purged_ms = clock_ms();
}

/* Takes no more, sends no more, asks for the reports of all it has. */
static void
producer_end(struct producer *p, const char *why)
{
	if (atomic_load(&p->state) != PRODUCER_RUNNING)
		return;
	snprintf(p->why, sizeof(p->why), "%s", why);
	ledger_close(&p->ledger);
	/* librdkafka's brake: with a fatal error it makes no more requests.
	 * If it has one already, this changes nothing. */
	rd_kafka_test_fatal_error(p->rk, RD_KAFKA_RESP_ERR__PURGE_QUEUE, why);
	producer_purge(p);
	p->ending_ms = p->purged_ms;
	atomic_store(&p->state, PRODUCER_ENDING);
	p->env.changed(p->env.arg);
}

/* librdkafka owes reports and does not give them: answered without.  Late
 * ones would find their lines empty, and nobody reads them. */
static void
producer_give_up(struct producer *p)
{
	struct evh_ctx *ctx = p->env.ctx;
	size_t n = ledger_give_up(&p->ledger);

	ctx->log(ctx, EVH_ERROR,
		 "librdkafka gave no delivery report for %zu events within %d "
		 "ms after a purge; they are answered all the same",
		 n, GIVE_UP_MS);
}

static void
producer_wind_up(struct producer *p, int64_t now_ms)
{
	if (ledger_waiting(&p->ledger) > 0) {
		if (now_ms - p->ending_ms >= GIVE_UP_MS &&
		    atomic_load(&p->busy) == 0)
			producer_give_up(p);
		else if (now_ms - p->purged_ms >= PURGE_AGAIN_MS)
			producer_purge(p);
	}
	reports_settle(&p->reports);
	if (ledger_owed(&p->ledger) > 0)
		return;
	atomic_store(&p->state, PRODUCER_ENDED);
	p->env.changed(p->env.arg);
}

/* ---- What librdkafka says ---- */

static void
producer_reports(struct producer *p, rd_kafka_event_t *event)
{
	char why[160];
	rd_kafka_resp_err_t err;
	size_t n;

	if (p->hurries)
		hurry_look(&p->hurry, ledger_waiting(&p->ledger));
	err = reports_read(&p->reports, event, &n);

	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	snprintf(why, sizeof(why), "%zu events not delivered: %s", n,
		 rd_kafka_err2str(err));
	producer_end(p, why);
}

static void
producer_trouble(struct producer *p, rd_kafka_event_t *event)
{
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);
	const char *text = rd_kafka_event_error_string(event);
	char why[300];

	if (rd_kafka_event_error_is_fatal(event)) {
		snprintf(why, sizeof(why), "the producer has failed: %s", text);
		producer_end(p, why);
		return;
	}
	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		/* It says how many; what was said before says why.  Whether
		 * that lasts (a broker also ends a connection that has long
		 * been idle), its owner asks. */
		p->env.changed(p->env.arg);
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->err = err;
	snprintf(p->text, sizeof(p->text), "%s", text);
	pthread_mutex_unlock(&p->lock);
}

/* Its errors are a connection's, and it mends them: warnings here. */
static enum evh_level
level_of(int syslog_level)
{
	if (syslog_level <= 2)
		return EVH_ERROR;
	if (syslog_level <= 4)
		return EVH_WARN;
	return syslog_level <= 6 ? EVH_INFO : EVH_DEBUG;
}

static void
producer_log(struct producer *p, rd_kafka_event_t *event)
{
	struct evh_ctx *ctx = p->env.ctx;
	const char *facility, *text;
	int level;

	if (rd_kafka_event_log(event, &facility, &text, &level) != 0)
		return;
	/* A fatal error is told by who ends the producer; and that the
	 * gapless guarantee is "experimental" is no news to an operator. */
	if (strcmp(facility, "FATAL") == 0 ||
	    strstr(text, "enable.gapless.guarantee") != NULL)
		return;
	ctx->log(ctx, level_of(level), "librdkafka: %s: %s", facility, text);
}

static void
producer_event(struct producer *p, rd_kafka_event_t *event)
{
	switch (rd_kafka_event_type(event)) {
	case RD_KAFKA_EVENT_DR:
		producer_reports(p, event);
		break;
	case RD_KAFKA_EVENT_ERROR:
		producer_trouble(p, event);
		break;
	case RD_KAFKA_EVENT_LOG:
		producer_log(p, event);
		break;
	}
	rd_kafka_event_destroy(event);
}

/* ---- The thread ---- */

/* Events that were refused before they were sent are answered in their turn,
 * then the ledger is open again. */
static void
producer_settle_refused(struct producer *p)
{
	if (!atomic_load(&p->refused) || ledger_waiting(&p->ledger) > 0)
		return;
	atomic_store(&p->refused, false);
	reports_settle(&p->reports);
	if (!atomic_load(&p->retire))
		ledger_open(&p->ledger);
}

static void
producer_look(struct producer *p, int64_t now_ms)
{
	uint32_t limit_ms = (uint32_t)p->env.settings->message_timeout_ms;
	char why[96];

	p->tick_ms = now_ms;
	p->env.ctx->record(p->env.queue, (int64_t)ledger_owed(&p->ledger));
	if (ledger_age_ms(&p->ledger, (uint32_t)now_ms) < limit_ms)
		return;
	snprintf(why, sizeof(why), "no delivery report within %u ms", limit_ms);
	producer_end(p, why);
}

static void
producer_turn(struct producer *p)
{
	int64_t now_ms = clock_ms();

	if (atomic_load(&p->state) == PRODUCER_RUNNING)
		producer_settle_refused(p);
	if (atomic_load(&p->state) == PRODUCER_RUNNING &&
	    now_ms - p->tick_ms >= TICK_MS)
		producer_look(p, now_ms);
	if (atomic_load(&p->retire))
		ledger_close(&p->ledger);
	if (atomic_load(&p->abandon) ||
	    (atomic_load(&p->retire) && ledger_owed(&p->ledger) == 0))
		producer_end(p, "");
	if (atomic_load(&p->state) == PRODUCER_ENDING)
		producer_wind_up(p, now_ms);
	if (atomic_load(&p->watched) && ledger_owed(&p->ledger) == 0)
		p->env.changed(p->env.arg);
}

static void *
producer_run(void *arg)
{
	struct producer *p = arg;

	pthread_setname_np(pthread_self(), "evh-kafka-dr");
	while (atomic_load(&p->state) != PRODUCER_ENDED) {
		rd_kafka_event_t *event =
			rd_kafka_queue_poll(p->queue, TICK_MS);

		if (event != NULL)
			producer_event(p, event);
		producer_turn(p);
	}
	p->env.ctx->record(p->env.queue, 0);
	return NULL;
}

/* ---- Taking ---- */

/*
 * Produces the lines from `first` on; how many librdkafka has.  *ret_err is
 * its error at the next one.
 */
static int
producer_send(struct producer *p, struct evh_event *const *evs, int n,
	      uint64_t first, rd_kafka_resp_err_t *ret_err)
{
	for (int i = 0; i < n; i++) {
		*ret_err = message_produce(p->rk, p->topic, evs[i], &p->limits,
					   reports_opaque(first + (uint64_t)i));
		if (*ret_err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return i;
	}
	return n;
}

/*
 * It is taken, and answered FAIL behind all that was taken before; until then
 * nothing else is taken, so that no later event of its key is answered first.
 */
static void
producer_refuse(struct producer *p, struct evh_event *ev, uint64_t line,
		rd_kafka_resp_err_t err)
{
	struct evh_ctx *ctx = p->env.ctx;

	ctx->set_error(ctx, ev, rd_kafka_err2name(err),
		       "it cannot be sent to Kafka: %s", rd_kafka_err2str(err));
	ledger_mark(&p->ledger, line, EVH_FAIL);
	atomic_store(&p->refused, true);
	rd_kafka_queue_yield(p->queue);
}

int
producer_submit(struct producer *p, struct evh_event *const *evs, int n)
{
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	int lines, sent = 0, refused = 0;
	uint64_t first = 0;

	atomic_fetch_add(&p->busy, 1);
	lines = ledger_take(&p->ledger, evs, n, (uint32_t)clock_ms(), &first);
	if (lines > 0)
		sent = producer_send(p, evs, lines, first, &err);
	/* Anything else, a full queue or the producer's end, is no verdict on
	 * the event: it was not taken. */
	if (sent < lines && verdict_of(err) == EVH_FAIL)
		refused = 1;
	if (sent + refused < lines)
		ledger_cancel(&p->ledger, first + (uint64_t)(sent + refused),
			      lines - sent - refused);
	if (refused > 0)
		producer_refuse(p, evs[sent], first + (uint64_t)sent, err);
	if (sent > 0 && p->hurries)
		hurry_event(&p->hurry);
	atomic_fetch_sub(&p->busy, 1);
	return sent + refused;
}

/* ---- Life ---- */

static int
producer_open(struct producer *p, const struct batching *batching)
{
	struct evh_ctx *ctx = p->env.ctx;
	rd_kafka_conf_t *conf;
	char why[256];
	int rc;

	p->ending = ending_new();
	if (p->ending == NULL)
		return -ENOMEM;
	rc = settings_conf(ctx, p->env.settings, batching, &conf);
	if (rc < 0)
		return rc;
	p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (p->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		ctx->log(ctx, EVH_ERROR, "librdkafka: %s", why);
		return -EINVAL;
	}
	p->queue = rd_kafka_queue_get_main(p->rk);
	rd_kafka_set_log_queue(p->rk, NULL);
	p->topic = rd_kafka_topic_new(p->rk, p->env.settings->topic, NULL);
	if (p->topic == NULL) {
		ctx->log(ctx, EVH_ERROR, "topic %s: %s", p->env.settings->topic,
			 rd_kafka_err2str(rd_kafka_last_error()));
		return -EINVAL;
	}
	if (!p->env.settings->hurries)
		return 0;
	rc = hurry_start(&p->hurry, p->rk);
	p->hurries = rc == 0;
	return rc;
}

static void
producer_close(struct producer *p, struct endings *endings)
{
	if (p->hurries)
		hurry_stop(&p->hurry);
	if (p->topic != NULL)
		rd_kafka_topic_destroy(p->topic);
	if (p->queue != NULL)
		rd_kafka_queue_destroy(p->queue);
	if (p->rk != NULL && endings != NULL)
		endings_add(endings, p->ending, p->rk);
	else
		ending_free(p->ending);
	if (p->rk != NULL && endings == NULL)
		rd_kafka_destroy(p->rk);
	ledger_fini(&p->ledger);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int
producer_new(const struct producer_env *env, const struct batching *batching,
	     struct producer **ret)
{
	struct producer *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return -ENOMEM;
	p->env = *env;
	if (ledger_init(&p->ledger, (size_t)env->settings->queue_messages) <
	    0) {
		free(p);
		return -ENOMEM;
	}
	pthread_mutex_init(&p->lock, NULL);
	atomic_store(&p->state, PRODUCER_RUNNING);
	reports_init(&p->reports, env->ctx, &p->ledger, env->seconds,
		     env->errors);
	p->limits = env->settings->limits;
	if (batching->max_letter > 0)
		p->limits.letter = batching->max_letter;
	p->tick_ms = clock_ms();
	rc = producer_open(p, batching);
	if (rc == 0)
		rc = -pthread_create(&p->thread, NULL, producer_run, p);
	if (rc < 0) {
		producer_close(p, NULL);
		return rc;
	}
	*ret = p;
	return 0;
}

void
producer_free(struct producer *p, struct endings *endings)
{
	producer_abandon(p);
	pthread_join(p->thread, NULL);
	producer_close(p, endings);
}

void
producer_abandon(struct producer *p)
{
	atomic_store(&p->abandon, true);
	rd_kafka_queue_yield(p->queue);
}

void
producer_retire(struct producer *p)
{
	atomic_store(&p->retire, true);
	ledger_close(&p->ledger);
	rd_kafka_queue_yield(p->queue);
}

void
producer_watch(struct producer *p, bool on)
{
	atomic_store(&p->watched, on);
}

/* ---- Looking ---- */

enum producer_state
producer_state(struct producer *p)
{
	return (enum producer_state)atomic_load(&p->state);
}

size_t
producer_owed(struct producer *p)
{
	return ledger_owed(&p->ledger);
}

bool
producer_has_delivered(struct producer *p, int within_ms)
{
	return clock_ms() - atomic_load(&p->reports.delivered_ms) <= within_ms;
}

rd_kafka_resp_err_t
producer_error(struct producer *p, char *ret, size_t size)
{
	rd_kafka_resp_err_t err;

	pthread_mutex_lock(&p->lock);
	err = p->err;
	snprintf(ret, size, "%s", p->text);
	pthread_mutex_unlock(&p->lock);
	return err;
}

const char *
producer_why(const struct producer *p)
{
	return p->why[0] != '\0' ? p->why : NULL;
}

const struct refusal *
producer_refusal(const struct producer *p)
{
	return &p->reports.refusal;
}

size_t
producer_refused_letter(const struct producer *p)
{
	return p->reports.refused_letter;
}

rd_kafka_t *
producer_handle(struct producer *p)
{
	return p->rk;
}

rd_kafka_topic_t *
producer_topic(struct producer *p)
{
	return p->topic;
}
