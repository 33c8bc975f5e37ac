#include "fake_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { METRIC_OTHER = 1, METRIC_RESTARTS, METRIC_ERRORS, METRIC_SECONDS };

static struct fake_host *
host_of(struct evh_ctx *ctx)
{
	return (struct fake_host *)(void *)ctx;
}

static struct timespec
deadline(int timeout_ms)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += timeout_ms / 1000;
	at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* ---- Options ---- */

static const char *
fake_opt_str(struct evh_ctx *ctx, const char *name)
{
	struct fake_host *h = host_of(ctx);

	for (int i = 0; i < h->n_set; i++) {
		if (strcmp(h->set[i].name, name) == 0)
			return h->set[i].value;
	}
	for (const struct evh_option *o = h->options; o->name != NULL; o++) {
		if (strcmp(o->name, name) == 0)
			return o->def;
	}
	return NULL;
}

static int64_t
fake_opt_int(struct evh_ctx *ctx, const char *name)
{
	const char *text = fake_opt_str(ctx, name);
	int64_t value;
	char *end;

	if (strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0)
		return 1;
	value = strtoll(text, &end, 10);
	if (strcmp(end, "s") == 0)
		return value * 1000;
	if (strcmp(end, "K") == 0)
		return value << 10;
	return strcmp(end, "M") == 0 ? value << 20 : value;
}

static const char *
fake_opt_at(struct evh_ctx *ctx, const char *name, unsigned i,
	    const char **ret_key)
{
	struct fake_host *h = host_of(ctx);
	size_t len = strlen(name);

	for (int k = 0; k < h->n_set; k++) {
		if (strncmp(h->set[k].name, name, len) != 0 ||
		    h->set[k].name[len] != '.' || i-- > 0)
			continue;
		if (ret_key != NULL)
			*ret_key = h->set[k].name + len + 1;
		return h->set[k].value;
	}
	return NULL;
}

/* ---- Recorders ---- */

static void EVH_PRINTF(3, 4) fake_log(struct evh_ctx *ctx, enum evh_level level,
				      const char *fmt, ...)
{
	struct fake_host *h = host_of(ctx);
	char line[FAKE_TEXT];
	va_list args;
	int n;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (getenv("FAKE_HOST_LOG") != NULL)
		fprintf(stderr, "log %d: %s\n", (int)level, line);
	pthread_mutex_lock(&h->lock);
	n = snprintf(h->log + h->log_len, sizeof(h->log) - h->log_len, "%s\n",
		     line);
	if (n > 0 && (size_t)n < sizeof(h->log) - h->log_len)
		h->log_len += (size_t)n;
	pthread_mutex_unlock(&h->lock);
}

static struct evh_metric *
fake_metric(struct evh_ctx *ctx, enum evh_metric_kind kind, const char *name,
	    const char *labels, const char *help)
{
	struct fake_host *h = host_of(ctx);
	struct evh_metric *m = &h->metrics[h->n_metrics++];

	(void)kind;
	(void)labels;
	(void)help;
	m->host = h;
	m->kind = METRIC_OTHER;
	if (strcmp(name, "kafka_producer_restarts") == 0)
		m->kind = METRIC_RESTARTS;
	else if (strcmp(name, "kafka_delivery_errors") == 0)
		m->kind = METRIC_ERRORS;
	else if (strcmp(name, "kafka_delivery_seconds") == 0)
		m->kind = METRIC_SECONDS;
	return m;
}

static void
fake_record(struct evh_metric *metric, int64_t value)
{
	struct fake_host *h = metric->host;

	if (metric->kind == METRIC_OTHER)
		return;
	pthread_mutex_lock(&h->lock);
	if (metric->kind == METRIC_RESTARTS)
		h->restarts += value;
	else if (metric->kind == METRIC_ERRORS)
		h->errors += value;
	else
		h->deliveries++;
	pthread_mutex_unlock(&h->lock);
}

static void
fake_ready(struct evh_ctx *ctx, const char *why_not)
{
	struct fake_host *h = host_of(ctx);

	if (getenv("FAKE_HOST_LOG") != NULL)
		fprintf(stderr, "ready: %s\n", why_not ? why_not : "yes");
	pthread_mutex_lock(&h->lock);
	h->ready = why_not == NULL;
	h->n_not_ready += !h->ready;
	snprintf(h->why, sizeof(h->why), "%s", why_not ? why_not : "");
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static int EVH_PRINTF(4, 5)
	fake_set_error(struct evh_ctx *ctx, struct evh_event *ev,
		       const char *code, const char *fmt, ...)
{
	struct fake_event *e = (struct fake_event *)(void *)ev;
	char text[160];
	va_list args;

	(void)ctx;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(e->error, sizeof(e->error), "%s: %s", code, text);
	return 0;
}

static void
answer(struct fake_host *h, struct fake_event *e, enum evh_result result)
{
	if (++e->answers > 1) {
		fprintf(stderr, "event %d is answered %d times\n", e->number,
			e->answers);
		abort();
	}
	e->result = result;
	e->order = h->answers++;
}

static void
fake_done(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	  enum evh_result result)
{
	struct fake_host *h = host_of(ctx);

	pthread_mutex_lock(&h->lock);
	for (int i = 0; i < n; i++)
		answer(h, (struct fake_event *)(void *)evs[i], result);
	h->ok += result == EVH_OK ? n : 0;
	h->retry += result == EVH_RETRY ? n : 0;
	h->fail += result == EVH_FAIL ? n : 0;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

/* ---- Life ---- */

void
fake_host_init(struct fake_host *h, const struct evh_option *options)
{
	*h = (struct fake_host){ .options = options };
	h->ctx = (struct evh_ctx){
		.size = sizeof(struct evh_ctx),
		.event_size = sizeof(struct evh_event),
		.name = "kafka",
		.opt_str = fake_opt_str,
		.opt_int = fake_opt_int,
		.opt_at = fake_opt_at,
		.log = fake_log,
		.metric = fake_metric,
		.record = fake_record,
		.ready = fake_ready,
		.set_error = fake_set_error,
		.done = fake_done,
	};
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	fake_host_set(h, "brokers", "127.0.0.1:1");
	fake_host_set(h, "topic", "events");
}

void
fake_host_fini(struct fake_host *h)
{
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
}

void
fake_host_set(struct fake_host *h, const char *name, const char *value)
{
	int i = 0;

	while (i < h->n_set && strcmp(h->set[i].name, name) != 0)
		i++;
	if (i == FAKE_OPTIONS)
		abort();
	if (i == h->n_set)
		h->n_set++;
	h->set[i].name = name;
	h->set[i].value = value;
}

/* ---- Events ---- */

struct fake_event *
fake_events(int n, int keys)
{
	struct fake_event *evs = calloc((size_t)n, sizeof(*evs));

	for (int i = 0; i < n; i++) {
		struct fake_event *e = &evs[i];

		e->number = i;
		e->ev.name = "user.created";
		e->ev.status = EVH_PENDING;
		e->ev.created_ns = 1763837813556543000;
		memcpy(e->ev.id, &i, sizeof(i));
		snprintf(e->data, sizeof(e->data), "{\"n\":%d}", i);
		e->ev.data.data = e->data;
		e->ev.data.len = strlen(e->data);
		if (keys == 0)
			continue;
		snprintf(e->key, sizeof(e->key), "key-%d", i % keys);
		e->ev.key.data = e->key;
		e->ev.key.len = strlen(e->key);
	}
	return evs;
}

int
fake_submit(struct fake_host *h,
	    int (*submit)(void *self, struct evh_event *const *, int),
	    void *self, struct fake_event *evs, int n, int timeout_ms)
{
	struct evh_event **list = calloc((size_t)n, sizeof(*list));
	struct timespec until = deadline(timeout_ms);
	int taken = 0, rc = 0;

	for (int i = 0; i < n; i++)
		list[i] = &evs[i].ev;
	while (taken < n && rc == 0) {
		int k = submit(self, list + taken, n - taken);

		taken += k;
		if (taken == n || k > 0)
			continue;
		/* As a host does: again after an answer, or after a while. */
		pthread_mutex_lock(&h->lock);
		{
			struct timespec soon = deadline(20);
			struct timespec now = deadline(0);

			pthread_cond_timedwait(&h->changed, &h->lock, &soon);
			rc = now.tv_sec > until.tv_sec ||
			     (now.tv_sec == until.tv_sec &&
			      now.tv_nsec > until.tv_nsec);
		}
		pthread_mutex_unlock(&h->lock);
	}
	free(list);
	return taken;
}

/* ---- Waiting ---- */

bool
fake_wait_ready(struct fake_host *h, bool ready, int timeout_ms)
{
	struct timespec until = deadline(timeout_ms);
	int rc = 0;

	pthread_mutex_lock(&h->lock);
	while (h->ready != ready && rc == 0)
		rc = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	pthread_mutex_unlock(&h->lock);
	return rc == 0;
}

bool
fake_wait_unready(struct fake_host *h, int n, int timeout_ms)
{
	struct timespec until = deadline(timeout_ms);
	int rc = 0;

	pthread_mutex_lock(&h->lock);
	while (h->n_not_ready <= n && rc == 0)
		rc = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	pthread_mutex_unlock(&h->lock);
	return rc == 0;
}

int
fake_unready(struct fake_host *h)
{
	int n;

	pthread_mutex_lock(&h->lock);
	n = h->n_not_ready;
	pthread_mutex_unlock(&h->lock);
	return n;
}

bool
fake_wait_why(struct fake_host *h, const char *part, int timeout_ms)
{
	struct timespec until = deadline(timeout_ms);
	int rc = 0;

	pthread_mutex_lock(&h->lock);
	while (strstr(h->why, part) == NULL && rc == 0)
		rc = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	if (rc != 0)
		fprintf(stderr, "the reason is \"%s\"\n", h->why);
	pthread_mutex_unlock(&h->lock);
	return rc == 0;
}

bool
fake_wait_answers(struct fake_host *h, int n, int timeout_ms)
{
	struct timespec until = deadline(timeout_ms);
	int rc = 0;

	pthread_mutex_lock(&h->lock);
	while (h->answers < n && rc == 0)
		rc = pthread_cond_timedwait(&h->changed, &h->lock, &until);
	if (rc != 0)
		fprintf(stderr, "%d answers of %d\n", h->answers, n);
	pthread_mutex_unlock(&h->lock);
	return rc == 0;
}

bool
fake_logged(struct fake_host *h, const char *part)
{
	bool found;

	pthread_mutex_lock(&h->lock);
	found = strstr(h->log, part) != NULL;
	pthread_mutex_unlock(&h->lock);
	return found;
}

int64_t
fake_restarts(struct fake_host *h)
{
	int64_t n;

	pthread_mutex_lock(&h->lock);
	n = h->restarts;
	pthread_mutex_unlock(&h->lock);
	return n;
}
