#include "consumer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "clock.h"
#include "condition.h"
#include "deadline.h"
#include "origin.h"
#include "outage.h"

#define CALL_MS 5000 /* for calls of ctx to come back */

int64_t
consumer_now_ms(void)
{
	return clock_ms();
}

/* Whether ctx may be called, which stop() then waits for. */
static bool
ctx_enter(struct consumer *c)
{
	bool is_ours;

	pthread_mutex_lock(&c->end_lock);
	is_ours = !c->is_abandoned && !c->is_needed;
	if (is_ours)
		c->n_calling++;
	pthread_mutex_unlock(&c->end_lock);
	return is_ours;
}

static void
ctx_leave(struct consumer *c)
{
	pthread_mutex_lock(&c->end_lock);
	if (--c->n_calling == 0)
		pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->end_lock);
}

void
consumer_say(struct consumer *c, enum evh_level level, const char *fmt, ...)
{
	char line[HEALTH_WHY_MAX * 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (!ctx_enter(c))
		return;
	c->ctx->log(c->ctx, level, "%s", line);
	ctx_leave(c);
}

void
consumer_record(struct consumer *c, struct evh_metric *metric, int64_t value)
{
	if (!ctx_enter(c))
		return;
	c->ctx->record(metric, value);
	ctx_leave(c);
}

struct partition *
consumer_partition(const struct consumer *c, int32_t id)
{
	return id >= 0 && id < c->n_partitions ? c->partitions[id] : NULL;
}

static void
say_fatal(struct consumer *c)
{
	char why[HEALTH_WHY_MAX];

	if (c->is_fatal)
		return;
	c->is_fatal = true;
	(void)rd_kafka_fatal_error(c->rk, why, sizeof(why));
	c->ctx->fatal(c->ctx, why);
}

/* Of several reasons the first one. */
static void
explain_topic(struct consumer *c)
{
	char missing[HEALTH_WHY_MAX];
	const char *why = c->refusal[0] != '\0' ? c->refusal : c->unread;

	for (int32_t i = 0; i < c->n_mine && why[0] == '\0'; i++)
		why = c->mine[i]->refusal;
	if (c->is_missing) {
		(void)snprintf(missing, sizeof(missing),
			       "topic %s does not exist yet",
			       c->settings.topic);
		why = missing;
	}
	health_set(&c->health, HEALTH_TOPIC, why);
}

static void
set_refusal(struct consumer *c, const rd_kafka_message_t *msg)
{
	struct partition *p = consumer_partition(c, msg->partition);

	(void)snprintf(p != NULL ? p->refusal : c->refusal, HEALTH_WHY_MAX,
		       "%s", rd_kafka_message_errstr(msg));
	if (p == NULL)
		c->refusal_code = msg->err;
	explain_topic(c);
}

void
consumer_reads(struct consumer *c, struct partition *p)
{
	if (c->refusal[0] == '\0' && p->refusal[0] == '\0')
		return;
	c->refusal[0] = '\0';
	p->refusal[0] = '\0';
	explain_topic(c);
}

void
consumer_found(struct consumer *c)
{
	c->is_missing = false;
	explain_topic(c);
}

void
consumer_allowed(struct consumer *c)
{
	c->refusal[0] = '\0';
	explain_topic(c);
}

void
consumer_begins(struct consumer *c)
{
	c->is_missing = false;
	c->refusal[0] = '\0';
	c->unread_tries = 0;
	consumer_taken_again(c);
}

void
consumer_taken_again(struct consumer *c)
{
	c->unread[0] = '\0';
	explain_topic(c);
}

/* Where to begin was refused, of some partitions or of all; only its text says
 * that.  librdkafka asks no second time, see unread.h. */
static bool
is_unread(const char *text)
{
	static const char begins[] = "Failed to fetch committed offset";

	return text != NULL && strncmp(text, begins, sizeof(begins) - 1) == 0;
}

static void
set_unread(struct consumer *c, const char *why)
{
	if (c->unread[0] == '\0')
		consumer_say(c, EVH_WARN, "%s; taken again when it is allowed",
			     why);
	(void)snprintf(c->unread, sizeof(c->unread), "%s", why);
	explain_topic(c);
}

void
consumer_error(struct consumer *c, const rd_kafka_message_t *msg)
{
	if (is_unread(rd_kafka_message_errstr(msg))) {
		set_unread(c, rd_kafka_message_errstr(msg));
		return;
	}
	/* Said here, acted upon elsewhere, or of no interest: */
	switch ((int)msg->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		return;
	case RD_KAFKA_RESP_ERR__FATAL:
		say_fatal(c);
		return;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		c->is_missing = true;
		explain_topic(c);
		return;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
		set_refusal(c, msg);
		return;
	default:
		consumer_say(c, EVH_WARN, "%s: %s", c->settings.topic,
			     rd_kafka_message_errstr(msg));
	}
}

/* Of librdkafka as a whole; served by the poll thread. */
static void
on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	rd_kafka_resp_err_t err = (rd_kafka_resp_err_t)code;
	struct consumer *c = opaque;
	char why[HEALTH_WHY_MAX];

	(void)rk;
	if (err == RD_KAFKA_RESP_ERR__FATAL) {
		say_fatal(c);
		return;
	}
	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		outage_text(c->settings.brokers,
			    c->settings.is_docker ? 0
						  : (int)c->settings.out_port,
			    c->last_error_code,
			    c->last_error[0] != '\0' ? c->last_error : reason,
			    why, sizeof(why));
		health_set(&c->health, HEALTH_BROKERS, why);
		return;
	}
	/* One broker of several is no outage, only its reason. */
	(void)snprintf(c->last_error, sizeof(c->last_error), "%s", reason);
	c->last_error_code = err;
	if (err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
	    err == RD_KAFKA_RESP_ERR__SSL)
		health_set(&c->health, HEALTH_BROKERS, reason);
	consumer_say(c, EVH_DEBUG, "%s", reason);
}

static void
on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
	  rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct consumer *c = opaque;

	(void)rk;
	if (err == RD_KAFKA_RESP_ERR__NO_OFFSET)
		return;
	origin_committed(c, list);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		c->commit_fails = false;
		health_set(&c->health, HEALTH_BROKERS, NULL);
		return;
	}
	if (!c->commit_fails)
		consumer_say(c, EVH_WARN,
			     "offsets of %s could not be committed, will be "
			     "again: %s",
			     c->settings.topic, rd_kafka_err2str(err));
	c->commit_fails = true;
}

/* From any of librdkafka's threads.  What is wrong with a connection comes to
 * on_error() too, and is said there. */
static void
on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	struct consumer *c = rd_kafka_opaque(rk);
	enum evh_level mine = EVH_DEBUG;

	if (level <= LOG_WARNING && strcmp(facility, "FAIL") != 0 &&
	    strcmp(facility, "ERROR") != 0 && strcmp(facility, "FATAL") != 0)
		mine = EVH_WARN;
	if (!ctx_enter(c))
		return;
	c->ctx->log(c->ctx, mine, "librdkafka %s: %s", facility, text);
	ctx_leave(c);
}

/* Messages lead back to the consumer by their topic's opaque. */
static int
set_callbacks(struct consumer *c)
{
	rd_kafka_topic_conf_t *topic_conf =
		rd_kafka_conf_get_default_topic_conf(c->conf);

	if (topic_conf == NULL) {
		c->ctx->log(c->ctx, EVH_ERROR,
			    "librdkafka has no configuration for topics");
		return -EINVAL;
	}
	rd_kafka_topic_conf_set_opaque(topic_conf, c);
	rd_kafka_conf_set_opaque(c->conf, c);
	rd_kafka_conf_set_error_cb(c->conf, on_error);
	rd_kafka_conf_set_offset_commit_cb(c->conf, on_commit);
	rd_kafka_conf_set_log_cb(c->conf, on_log);
	return 0;
}

static void
make_metrics(struct consumer *c)
{
	struct evh_ctx *ctx = c->ctx;

	c->metric_partitions = ctx->metric(ctx, EVH_GAUGE, "kafka_partitions",
					   NULL, "Partitions assigned");
	c->metric_rebalances =
		ctx->metric(ctx, EVH_COUNTER, "kafka_rebalances", NULL,
			    "Times that partitions were taken away");
	c->metric_late =
		ctx->metric(ctx, EVH_COUNTER, "kafka_late_answers", NULL,
			    "Events answered after their partition "
			    "was taken away or read again");
}

static int
init_locks(struct consumer *c)
{
	int r = condition_init(&c->changed);

	if (r < 0)
		goto fail;
	r = condition_init(&c->ended);
	if (r < 0)
		goto fail_ended;
	r = -pthread_mutex_init(&c->lock, NULL);
	if (r < 0)
		goto fail_lock;
	r = -pthread_mutex_init(&c->end_lock, NULL);
	if (r < 0)
		goto fail_end_lock;
	return 0;
fail_end_lock:
	pthread_mutex_destroy(&c->lock);
fail_lock:
	pthread_cond_destroy(&c->ended);
fail_ended:
	pthread_cond_destroy(&c->changed);
fail:
	c->ctx->log(c->ctx, EVH_ERROR, "Kafka consumer: %s", strerror(-r));
	return r;
}

struct consumer *
consumer_new(struct evh_ctx *ctx, int *ret_error)
{
	struct consumer *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (c == NULL)
		goto fail;
	c->ctx = ctx;
	r = settings_read(&c->settings, ctx);
	if (r < 0)
		goto fail;
	r = -EINVAL;
	c->conf = settings_conf(&c->settings, ctx);
	if (c->conf == NULL || set_callbacks(c) < 0)
		goto fail_conf;
	r = init_locks(c);
	if (r < 0)
		goto fail_conf;
	message_decoder_init(&c->decoder, c->settings.max_message);
	health_init(&c->health, ctx);
	make_metrics(c);
	return c;
fail_conf:
	if (c->conf != NULL)
		rd_kafka_conf_destroy(c->conf);
fail:
	free(c);
	*ret_error = r;
	return NULL;
}

static void
free_all(struct consumer *c)
{
	if (c->conf != NULL)
		rd_kafka_conf_destroy(c->conf);
	message_decoder_fini(&c->decoder);
	free(c->mine);
	pthread_cond_destroy(&c->changed);
	pthread_cond_destroy(&c->ended);
	pthread_mutex_destroy(&c->end_lock);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void
consumer_free(struct consumer *c)
{
	int64_t due_ns = deadline_in(CALL_MS);
	bool is_left, is_called;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->end_lock);
	/* Of one that was left behind in a call; ctx is gone after this. */
	while (c->n_calling > 0 &&
	       condition_wait(&c->ended, &c->end_lock, due_ns))
		;
	c->is_disowned = c->is_abandoned && !c->is_over;
	is_left = c->is_disowned || c->is_needed;
	is_called = c->n_calling > 0;
	pthread_mutex_unlock(&c->end_lock);
	if (!is_left && !is_called)
		free_all(c);
}

void
consumer_over(struct consumer *c)
{
	bool is_mine;

	pthread_mutex_lock(&c->end_lock);
	c->is_over = true;
	is_mine = c->is_disowned && !c->is_needed;
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->end_lock);
	if (is_mine)
		free_all(c);
}
