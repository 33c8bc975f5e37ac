#include "fake_host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answers.h"
#include "consumer.h"
#include "poller.h"

#define ANSWER_MAX 500
#define MAP_PREFIX "rdkafka."

struct fake_event {
	struct evh_event pub; /* first */
	struct fake_event *next;
	void (*release)(void *arg);
	void *release_arg;
	enum evh_result answer; /* decided and not given yet */
	char name[1024];
};

static struct fake_host *
host_of(struct evh_ctx *ctx)
{
	return (struct fake_host *)ctx;
}

static void
due_in(int timeout_ms, struct timespec *ret)
{
	(void)clock_gettime(CLOCK_MONOTONIC, ret);
	ret->tv_sec += timeout_ms / 1000;
	ret->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (ret->tv_nsec >= 1000000000) {
		ret->tv_sec++;
		ret->tv_nsec -= 1000000000;
	}
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

static void
note_call(struct fake_host *host)
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

	note_call(host);
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
	note_call(metric->host);
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

	note_call(host);
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

static struct evh_event *
fake_event_new(struct evh_ctx *ctx, const struct evh_spec *spec,
	       struct evh_event *parent)
{
	struct fake_host *host = host_of(ctx);
	struct fake_event *ev = malloc(sizeof(*ev));

	(void)parent;
	if (ev == NULL)
		return NULL;
	ev->next = NULL;
	ev->answer = 0;
	ev->release = spec->release;
	ev->release_arg = spec->release_arg;
	(void)snprintf(ev->name, sizeof(ev->name), "%s", spec->name);
	ev->pub = (struct evh_event){
		.created_ns = spec->created_ns,
		.name = ev->name,
		.data = spec->data,
		.key = spec->key,
		.n_headers = spec->n_headers,
		.status = spec->status,
		.topic = spec->topic,
		.offset = spec->offset,
		.partition = spec->partition,
		.attempts = spec->attempts,
		.cookie = spec->cookie,
	};
	memcpy(ev->pub.id, spec->id, sizeof(ev->pub.id));
	__atomic_fetch_add(&host->n_made, 1, __ATOMIC_SEQ_CST);
	return &ev->pub;
}

static void
fake_event_free(struct evh_ctx *ctx, struct evh_event *const *evs, int n)
{
	struct fake_host *host = host_of(ctx);

	note_call(host);
	for (int i = 0; i < n; i++) {
		struct fake_event *ev = (struct fake_event *)evs[i];

		__atomic_fetch_sub(&host->n_made, 1, __ATOMIC_SEQ_CST);
		ev->release(ev->release_arg);
		free(ev);
	}
}

static int
fake_set_error(struct evh_ctx *ctx, struct evh_event *ev, const char *code,
	       const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
	ev->error = code;
	return 0;
}

static void
record_event(struct fake_host *host, const struct evh_event *ev)
{
	struct fake_record *records;
	unsigned size;

	if (host->n_records == host->size_records) {
		size = host->size_records ? host->size_records * 2 : 1024;
		records = realloc(host->records, size * sizeof(*records));
		if (records == NULL)
			abort();
		host->records = records;
		host->size_records = size;
	}
	host->records[host->n_records] = (struct fake_record){
		.partition = ev->partition,
		.offset = ev->offset,
		.is_poison = ev->error != NULL,
		.attempts = ev->attempts,
		.n_headers = ev->n_headers,
		.data_len = ev->data.len,
	};
	memcpy(host->records[host->n_records++].id, ev->id, sizeof(ev->id));
}

/* As a host, at the next event of a lane that stands. */
static bool
has_room(const struct fake_host *host, const struct evh_event *ev)
{
	if (host->lane_window > 0 && ev->partition == 0 &&
	    host->n_in_lane >= host->lane_window)
		return false;
	return host->n_in_flight < host->window;
}

static int
fake_emit(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	  int timeout_ms)
{
	struct fake_host *host = host_of(ctx);
	struct timespec due;
	int k = 0;
	int r = 0;

	due_in(timeout_ms, &due);
	pthread_mutex_lock(&host->lock);
	host->n_emits++;
	while (!has_room(host, evs[0]) && timeout_ms > 0 && r == 0 &&
	       !host->is_not_ready && !host->is_draining)
		r = pthread_cond_timedwait(&host->changed, &host->lock, &due);
	r = -EAGAIN;
	if (host->is_draining)
		r = -ESHUTDOWN;
	else if (!host->is_not_ready)
		for (; k < n && has_room(host, evs[k]); k++) {
			struct fake_event *ev = (struct fake_event *)evs[k];

			if (host->keeps_records)
				record_event(host, &ev->pub);
			else
				host->n_records++;
			*host->tail = ev;
			host->tail = &ev->next;
			host->n_in_lane += ev->pub.partition == 0;
			host->n_in_flight++;
		}
	if (k == 0)
		host->n_refused++;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
	return k > 0 ? k : r;
}

/* decide() is asked until it has said something, and never again. */
static enum evh_result
answer_of(struct fake_host *host, struct fake_event *ev)
{
	if (ev->answer != 0)
		return ev->answer;
	if (host->is_held) /* and draining */
		ev->answer = EVH_RETRY;
	else if (host->decide != NULL)
		ev->answer = host->decide(host, &ev->pub);
	else
		ev->answer = EVH_OK;
	return ev->answer;
}

/* The first events that have the same answer, taken out of the list. */
static int
take_answers(struct fake_host *host, struct evh_event **evs,
	     enum evh_result *ret_result)
{
	struct fake_event **at = &host->first;
	struct fake_event *ev;
	enum evh_result result;
	int n = 0;

	while ((ev = *at) != NULL && n < ANSWER_MAX) {
		result = answer_of(host, ev);
		if (result == 0 || (n > 0 && result != *ret_result)) {
			at = &ev->next;
			continue;
		}
		*ret_result = result;
		*at = ev->next;
		evs[n++] = &ev->pub;
	}
	if (*at == NULL)
		host->tail = at;
	return n;
}

static void
be_slow(struct fake_host *host)
{
	struct timespec due;

	due_in(host->slow_ms, &due);
	while (host->slow_ms > 0 && !host->is_over &&
	       pthread_cond_timedwait(&host->changed, &host->lock, &due) == 0)
		;
}

static void *
answer_thread(void *arg)
{
	struct fake_host *host = arg;
	struct evh_event *evs[ANSWER_MAX];
	enum evh_result result = EVH_OK;
	unsigned n_lane;
	int n;

	pthread_mutex_lock(&host->lock);
	while (!host->is_over) {
		be_slow(host);
		n = 0;
		if (!host->is_held || host->is_draining)
			n = take_answers(host, evs, &result);
		if (n == 0) {
			if (!host->is_over)
				pthread_cond_wait(&host->changed, &host->lock);
			continue;
		}
		n_lane = 0;
		for (int i = 0; i < n; i++)
			n_lane += evs[i]->partition == 0;
		pthread_mutex_unlock(&host->lock);
		answers_take(host->consumer, evs, n, result);
		fake_event_free(&host->ctx, evs, n);
		pthread_mutex_lock(&host->lock);
		host->n_in_lane -= n_lane;
		host->n_in_flight -= (unsigned)n;
		host->n_answered += (unsigned)n;
		pthread_cond_broadcast(&host->changed);
	}
	pthread_mutex_unlock(&host->lock);
	return NULL;
}

void
fake_host_init(struct fake_host *host, const struct fake_option *options)
{
	pthread_condattr_t attr;

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
			.event_new = fake_event_new,
			.event_free = fake_event_free,
			.set_error = fake_set_error,
			.emit = fake_emit,
		},
		.window = 10000,
		.keeps_records = true,
	};
	host->tail = &host->first;
	for (unsigned i = 0; options[i].name != NULL; i++)
		host->options[i] = options[i];
	(void)pthread_mutex_init(&host->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&host->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
}

void
fake_host_start(struct fake_host *host)
{
	int r = 0;

	host->consumer = consumer_new(&host->ctx, &r);
	if (host->consumer == NULL || poller_start(host->consumer) < 0 ||
	    pthread_create(&host->thread, NULL, answer_thread, host) != 0) {
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
	fake_host_lock(host);
	host->is_over = true;
	pthread_cond_broadcast(&host->changed);
	fake_host_unlock(host);
	(void)pthread_join(host->thread, NULL);
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
	struct timespec due;
	bool is;
	int r = 0;

	due_in(timeout_ms, &due);
	pthread_mutex_lock(&host->lock);
	while (!(is = is_true(host, arg)) && r == 0)
		r = pthread_cond_timedwait(&host->changed, &host->lock, &due);
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
