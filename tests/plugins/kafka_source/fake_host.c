#include "fake_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "consumer.h"
#include "deadline.h"
#include "fake_window.h"
#include "poller.h"

#define MAP_PREFIX "rdkafka."

static struct fake_host *
host_of(struct evh_ctx *ctx)
{
	return (struct fake_host *)ctx;
}

static const char *
opt_str(struct evh_ctx *ctx, const char *name)
{
	struct fake_host *host = host_of(ctx);
	const struct evh_option *o;

	for (unsigned i = 0; host->options[i].name != NULL; i++)
		if (strcmp(host->options[i].name, name) == 0)
			return host->options[i].value;
	for (o = settings_options; strcmp(o->name, name) != 0; o++)
		;
	return o->def;
}

/* Just the units that the defaults have. */
static int64_t
opt_int(struct evh_ctx *ctx, const char *name)
{
	const char *text = opt_str(ctx, name);
	char *end;
	int64_t n = strtoll(text, &end, 10);

	if (strcmp(text, "true") == 0)
		return 1;
	if (strcmp(end, "s") == 0)
		return n * 1000;
	if (strcmp(end, "M") == 0)
		return n << 20;
	return n;
}

static const char *
opt_at(struct evh_ctx *ctx, const char *name, unsigned n, const char **ret_key)
{
	struct fake_host *host = host_of(ctx);
	size_t len = strlen(MAP_PREFIX);

	(void)name;
	for (unsigned i = 0; host->options[i].name != NULL; i++) {
		if (strncmp(host->options[i].name, MAP_PREFIX, len) != 0)
			continue;
		if (n-- > 0)
			continue;
		*ret_key = host->options[i].name + len;
		return host->options[i].value;
	}
	return NULL;
}

void
fake_host_note_call(struct fake_host *host)
{
	if (__atomic_load_n(&host->is_gone, __ATOMIC_SEQ_CST))
		__atomic_fetch_add(&host->n_late_calls, 1, __ATOMIC_SEQ_CST);
}

static void
fake_log(struct evh_ctx *ctx, enum evh_level level, const char *fmt, ...)
{
	struct fake_host *host = host_of(ctx);
	char line[512];
	size_t used;
	va_list args;

	fake_host_note_call(host);
	if (level == EVH_ERROR) {
		va_start(args, fmt);
		(void)vsnprintf(line, sizeof(line), fmt, args);
		va_end(args);
		fake_host_lock(host);
		used = strlen(host->errors);
		(void)snprintf(host->errors + used, sizeof(host->errors) - used,
			       "%s\n", line);
		fake_host_unlock(host);
	}
	if (host->is_quiet || level == EVH_DEBUG)
		return;
	va_start(args, fmt);
	flockfile(stderr);
	(void)fprintf(stderr, "  [%s %d] ", ctx->name, (int)level);
	(void)vfprintf(stderr, fmt, args);
	(void)fputc('\n', stderr);
	funlockfile(stderr);
	va_end(args);
}

static struct evh_metric *
fake_metric(struct evh_ctx *ctx, enum evh_metric_kind kind, const char *name,
	    const char *labels, const char *help)
{
	struct fake_host *host = host_of(ctx);
	struct evh_metric *metric = &host->others;

	(void)labels;
	(void)help;
	if (strcmp(name, "kafka_rebalances") == 0)
		metric = &host->rebalances;
	else if (strcmp(name, "kafka_late_answers") == 0)
		metric = &host->late;
	else if (strcmp(name, "kafka_partitions") == 0)
		metric = &host->partitions;
	metric->host = host;
	metric->is_counter = kind == EVH_COUNTER;
	return metric;
}

static void
fake_record_metric(struct evh_metric *metric, int64_t value)
{
	fake_host_note_call(metric->host);
	pthread_mutex_lock(&metric->host->lock);
	if (metric->is_counter)
		metric->value += value;
	else
		metric->value = value;
	pthread_cond_broadcast(&metric->host->changed);
	pthread_mutex_unlock(&metric->host->lock);
}

static void
fake_ready(struct evh_ctx *ctx, const char *why_not)
{
	struct fake_host *host = host_of(ctx);
	size_t len;

	fake_host_note_call(host);
	pthread_mutex_lock(&host->lock);
	host->is_ready = why_not == NULL;
	(void)snprintf(host->why, sizeof(host->why), "%s",
		       why_not != NULL ? why_not : "");
	len = strlen(host->said);
	(void)snprintf(host->said + len, sizeof(host->said) - len, "%s\n",
		       host->why);
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
	ctx->log(ctx, EVH_INFO, "ready: %s", why_not != NULL ? why_not : "yes");
}

static void
fake_fatal(struct evh_ctx *ctx, const char *why)
{
	struct fake_host *host = host_of(ctx);

	pthread_mutex_lock(&host->lock);
	(void)snprintf(host->fatal, sizeof(host->fatal), "%s", why);
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

void
fake_host_init(struct fake_host *host, const struct fake_option *options)
{
	*host = (struct fake_host){
		.ctx = {
			.size = sizeof(struct evh_ctx),
			.event_size = sizeof(struct evh_event),
			.name = "topic",
			.opt_str = opt_str,
			.opt_int = opt_int,
			.opt_at = opt_at,
			.log = fake_log,
			.metric = fake_metric,
			.record = fake_record_metric,
			.ready = fake_ready,
			.fatal = fake_fatal,
		},
		.window = 10000,
		.keeps_records = true,
	};
	fake_window_init(host);
	for (unsigned i = 0; options[i].name != NULL; i++)
		host->options[i] = options[i];
	(void)pthread_mutex_init(&host->lock, NULL);
	(void)condition_init(&host->changed);
}

void
fake_host_start(struct fake_host *host)
{
	int r = 0;

	host->consumer = consumer_new(&host->ctx, &r);
	if (host->consumer == NULL || poller_start(host->consumer) < 0 ||
	    fake_window_open(host) < 0) {
		fprintf(stderr, "the consumer does not start: %d\n", r);
		exit(1);
	}
}

static bool
nothing_in_flight(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return host->n_in_flight == 0;
}

int64_t
fake_host_stop(struct fake_host *host, int timeout_ms)
{
	int64_t start_ms;

	poller_drain(host->consumer);
	fake_host_lock(host);
	host->is_draining = true;
	pthread_cond_broadcast(&host->changed);
	fake_host_unlock(host);
	(void)fake_host_wait(host, 10000, nothing_in_flight, 0);
	start_ms = consumer_now_ms();
	poller_stop(host->consumer, timeout_ms);
	start_ms = consumer_now_ms() - start_ms;
	fake_window_close(host);
	consumer_free(host->consumer);
	host->consumer = NULL;
	__atomic_store_n(&host->is_gone, true, __ATOMIC_SEQ_CST);
	return start_ms;
}

void
fake_host_fini(struct fake_host *host)
{
	free(host->records);
	pthread_cond_destroy(&host->changed);
	pthread_mutex_destroy(&host->lock);
}

void
fake_host_lock(struct fake_host *host)
{
	pthread_mutex_lock(&host->lock);
}

void
fake_host_unlock(struct fake_host *host)
{
	pthread_mutex_unlock(&host->lock);
}

void
fake_host_hold(struct fake_host *host, bool held)
{
	pthread_mutex_lock(&host->lock);
	host->is_held = held;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

bool
fake_host_wait(struct fake_host *host, int timeout_ms,
	       bool (*is_true)(struct fake_host *host, int64_t arg),
	       int64_t arg)
{
	int64_t due_ns = deadline_in(timeout_ms);
	bool is, is_in_time = true;

	pthread_mutex_lock(&host->lock);
	while (!(is = is_true(host, arg)) && is_in_time)
		is_in_time =
			condition_wait(&host->changed, &host->lock, due_ns);
	pthread_mutex_unlock(&host->lock);
	return is;
}

bool
fake_is_ready(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return host->is_ready;
}

bool
fake_has_records(struct fake_host *host, int64_t n)
{
	return host->n_records >= n;
}

bool
fake_has_answered(struct fake_host *host, int64_t n)
{
	return host->n_answered >= n;
}

bool
fake_has_partitions(struct fake_host *host, int64_t n)
{
	return host->partitions.value == n;
}
