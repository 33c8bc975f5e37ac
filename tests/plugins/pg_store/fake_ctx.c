#include "fake_ctx.h"

#include "condition.h"
#include "deadline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_ctx *
fake_of(struct evh_ctx *ctx)
{
	return (struct fake_ctx *)ctx;
}

static const struct evh_option *
option_find(const char *name)
{
	const struct evh_option *o;

	for (o = evh_plugin.options; o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	fprintf(stderr, "the plugin asks for option %s, which it has not\n",
		name);
	abort();
}

static const char *
fake_opt_str(struct evh_ctx *ctx, const char *name)
{
	struct fake_ctx *fake = fake_of(ctx);
	const struct evh_option *o = option_find(name);
	unsigned i;

	for (i = 0; i < fake->n_options; i++)
		if (!strcmp(fake->options[i].name, name))
			return fake->options[i].value;
	return o->def ? o->def : "";
}

static int64_t
fake_opt_int(struct evh_ctx *ctx, const char *name)
{
	const char *text = fake_opt_str(ctx, name);
	const struct evh_option *o = option_find(name);
	char *unit;
	int64_t n = strtoll(text, &unit, 10);

	if (o->type == EVH_BOOL)
		return !strcmp(text, "yes");
	if (o->type == EVH_SIZE && *unit == 'M')
		return n << 20;
	if (o->type == EVH_MSEC && *unit == 's')
		return n * 1000;
	if (o->type == EVH_MSEC && *unit == 'h')
		return n * 3600 * 1000;
	return n;
}

/* Maps: options named "pq.keyword". */
static const char *
fake_opt_at(struct evh_ctx *ctx, const char *name, unsigned i,
	    const char **ret_key)
{
	struct fake_ctx *fake = fake_of(ctx);
	size_t len = strlen(name);
	unsigned o;

	for (o = 0; o < fake->n_options; o++) {
		const char *key = fake->options[o].name;

		if (strncmp(key, name, len) || key[len] != '.' || i--)
			continue;
		if (ret_key)
			*ret_key = key + len + 1;
		return fake->options[o].value;
	}
	return NULL;
}

static void
fake_log(struct evh_ctx *ctx, enum evh_level level, const char *fmt, ...)
{
	struct fake_ctx *fake = fake_of(ctx);
	va_list args;
	size_t len;

	(void)level;
	pthread_mutex_lock(&fake->lock);
	len = strlen(fake->log);
	va_start(args, fmt);
	vsnprintf(fake->log + len, sizeof(fake->log) - len, fmt, args);
	va_end(args);
	len = strlen(fake->log);
	snprintf(fake->log + len, sizeof(fake->log) - len, "\n");
	if (getenv("FAKE_LOG"))
		fprintf(stderr, "log: %s", fake->log + len - 1);
	pthread_mutex_unlock(&fake->lock);
}

static struct fake_metric *
metric_find(struct fake_ctx *fake, const char *name, const char *labels)
{
	unsigned i;

	for (i = 0; i < fake->n_metrics; i++)
		if (!strcmp(fake->metrics[i].name, name) &&
		    !strcmp(fake->metrics[i].labels, labels))
			return &fake->metrics[i];
	return NULL;
}

/* The same name and labels, the same metric. */
static struct evh_metric *
fake_metric(struct evh_ctx *ctx, enum evh_metric_kind kind, const char *name,
	    const char *labels, const char *help)
{
	struct fake_ctx *fake = fake_of(ctx);
	struct fake_metric *m = metric_find(fake, name, labels ? labels : "");

	(void)kind;
	(void)help;
	if (m || fake->n_metrics == FAKE_METRICS)
		return (struct evh_metric *)m;
	m = &fake->metrics[fake->n_metrics++];
	snprintf(m->name, sizeof(m->name), "%s", name);
	snprintf(m->labels, sizeof(m->labels), "%s", labels ? labels : "");
	return (struct evh_metric *)m;
}

static void
fake_record(struct evh_metric *metric, int64_t value)
{
	struct fake_metric *m = (struct fake_metric *)metric;

	if (!m)
		return;
	m->sum += value;
	m->count++;
}

static void
fake_ready(struct evh_ctx *ctx, const char *why_not)
{
	struct fake_ctx *fake = fake_of(ctx);

	pthread_mutex_lock(&fake->lock);
	fake->is_ready = !why_not;
	snprintf(fake->why, sizeof(fake->why), "%s", why_not ? why_not : "");
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
}

static int
fake_set_error(struct evh_ctx *ctx, struct evh_event *ev, const char *code,
	       const char *fmt, ...)
{
	struct fake_event *event = (struct fake_event *)ev;
	va_list args;

	(void)ctx;
	snprintf(event->code, sizeof(event->code), "%s", code);
	va_start(args, fmt);
	vsnprintf(event->error, sizeof(event->error), fmt, args);
	va_end(args);
	return 0;
}

static void
fake_done(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	  enum evh_result result)
{
	struct fake_ctx *fake = fake_of(ctx);
	int i;

	pthread_mutex_lock(&fake->lock);
	for (i = 0; i < n; i++) {
		struct fake_event *event = (struct fake_event *)evs[i];

		event->result = result;
		event->n_done++;
		event->turn = fake->n_done++;
		fake->n_retried += result == EVH_RETRY;
	}
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
}

void
fake_ctx_init(struct fake_ctx *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->ctx = (struct evh_ctx){
		.size = sizeof(fake->ctx),
		.event_size = sizeof(struct evh_event),
		.name = "events",
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
	pthread_mutex_init(&fake->lock, NULL);
	if (condition_init(&fake->changed) < 0)
		abort();
}

void
fake_ctx_fini(struct fake_ctx *fake)
{
	pthread_cond_destroy(&fake->changed);
	pthread_mutex_destroy(&fake->lock);
}

void
fake_ctx_set(struct fake_ctx *fake, const char *name, const char *value)
{
	if (fake->n_options == FAKE_OPTIONS)
		abort();
	fake->options[fake->n_options].name = name;
	fake->options[fake->n_options++].value = value;
}

static bool
is_ready(struct fake_ctx *fake, const void *arg)
{
	(void)arg;
	return fake->is_ready;
}

static bool
says_why(struct fake_ctx *fake, const void *arg)
{
	return !fake->is_ready && strstr(fake->why, arg);
}

static bool
has_done(struct fake_ctx *fake, const void *arg)
{
	return fake->n_done >= *(const unsigned *)arg;
}

static bool
wait_until(struct fake_ctx *fake,
	   bool (*is_so)(struct fake_ctx *fake, const void *arg),
	   const void *arg)
{
	int64_t until = deadline_in(FAKE_WAIT_MS);
	bool so;

	pthread_mutex_lock(&fake->lock);
	while (!(so = is_so(fake, arg)) &&
	       condition_wait(&fake->changed, &fake->lock, until))
		;
	if (!so)
		fprintf(stderr,
			"waited in vain; done %u, ready %d, why: %s\n%s",
			fake->n_done, fake->is_ready, fake->why, fake->log);
	pthread_mutex_unlock(&fake->lock);
	return so;
}

bool
fake_ctx_wait_ready(struct fake_ctx *fake)
{
	return wait_until(fake, is_ready, NULL);
}

bool
fake_ctx_wait_why(struct fake_ctx *fake, const char *part)
{
	return wait_until(fake, says_why, part);
}

bool
fake_ctx_wait_done(struct fake_ctx *fake, unsigned n)
{
	return wait_until(fake, has_done, &n);
}

bool
fake_ctx_logged(struct fake_ctx *fake, const char *part)
{
	bool found;

	pthread_mutex_lock(&fake->lock);
	found = strstr(fake->log, part) != NULL;
	if (!found)
		fprintf(stderr, "not in the log: %s\n%s", part, fake->log);
	pthread_mutex_unlock(&fake->lock);
	return found;
}

int64_t
fake_ctx_metric(struct fake_ctx *fake, const char *name, const char *labels)
{
	const struct fake_metric *m = metric_find(fake, name, labels);

	return m ? m->sum : -1;
}

void
fake_event_init(struct fake_event *event, unsigned number,
		enum evh_status status, uint32_t attempts, const char *data)
{
	int i;

	memset(event, 0, sizeof(*event));
	for (i = 0; i < 4; i++)
		event->ev.id[i] = (unsigned char)(number >> (24 - 8 * i));
	event->ev.id[6] = 0x70;
	event->ev.id[8] = 0x80;
	event->ev.created_ns = INT64_C(1795000000123456000) + number * 1000;
	snprintf(event->name, sizeof(event->name), "user.created");
	event->ev.name = event->name;
	event->ev.status = status;
	event->ev.attempts = attempts;
	event->ev.attempt = 1;
	fake_event_set_data(event, data, strlen(data));
}

void
fake_event_set_data(struct fake_event *event, const void *data, size_t len)
{
	free(event->data);
	event->data = malloc(len + 1);
	if (!event->data)
		abort();
	memcpy(event->data, data, len);
	event->data[len] = '\0';
	event->ev.data.data = event->data;
	event->ev.data.len = len;
}

void
fake_event_fini(struct fake_event *event)
{
	free(event->data);
	event->data = NULL;
}
