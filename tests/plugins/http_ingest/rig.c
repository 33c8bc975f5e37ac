#include "rig.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct rig_job {
	struct rig_job *next;
	struct evh_event *event; /* or a question: */
	evh_rows *fn;
	void *arg;
	enum evh_result result;
};

/* What the host keeps of an event; `event` first. */
struct made {
	struct evh_event event;
	char *name, *data, *key;
};

static struct rig *
rig_of(struct evh_ctx *ctx)
{
	return (struct rig *)ctx;
}

/* ---- The host: options, log, metrics ------------------------------------ */

static const struct evh_option *
option_of(const char *name)
{
	const struct evh_option *option = evh_plugin.options;

	while (option->name != NULL && strcmp(option->name, name) != 0)
		option++;
	assert_non_null(option->name);
	return option;
}

static const char *
rig_opt_str(struct evh_ctx *ctx, const char *name)
{
	const struct rig *rig = rig_of(ctx);
	size_t len = strlen(name);

	for (int i = 0; rig->settings != NULL && rig->settings[i]; i++)
		if (strncmp(rig->settings[i], name, len) == 0 &&
		    rig->settings[i][len] == '=')
			return rig->settings[i] + len + 1;
	if (strcmp(name, "listen") == 0)
		return "127.0.0.1:0";
	if (strcmp(name, "loops") == 0)
		return "1";
	if (strcmp(name, "store") == 0)
		return rig->has_store ? "events" : NULL;
	return option_of(name)->def;
}

static int64_t
rig_opt_int(struct evh_ctx *ctx, const char *name)
{
	char *end;
	long long n = strtoll(rig_opt_str(ctx, name), &end, 10);

	switch (option_of(name)->type) {
	case EVH_SIZE:
		return *end == 'K' ? n << 10 : *end == 'M' ? n << 20 : n;
	case EVH_MSEC:
		return strcmp(end, "s") == 0 ? n * 1000 : n;
	default:
		return n;
	}
}

static void
rig_log(struct evh_ctx *ctx, enum evh_level level, const char *fmt, ...)
{
	struct rig *rig = rig_of(ctx);
	char line[512];
	const char *colon;
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	colon = strstr(line, "listening on ");
	if (colon != NULL) {
		colon = strchr(colon, ':');
		rig->port =
			colon != NULL ? (int)strtol(colon + 1, NULL, 10) : 0;
	}
	if (level >= EVH_WARN)
		print_message("log: %s\n", line);
}

static struct evh_metric *
rig_metric(struct evh_ctx *ctx, enum evh_metric_kind kind, const char *name,
	   const char *labels, const char *help)
{
	struct rig *rig = rig_of(ctx);
	size_t len;

	(void)help;
	pthread_mutex_lock(&rig->lock);
	len = strlen(rig->metrics);
	snprintf(rig->metrics + len, sizeof(rig->metrics) - len, "%d %s %s\n",
		 (int)kind, name, labels != NULL ? labels : "-");
	rig->n_metrics++;
	pthread_mutex_unlock(&rig->lock);
	return (struct evh_metric *)&rig->handles[kind];
}

static void
rig_record(struct evh_metric *metric, int64_t value)
{
	const struct rig_metric *handle = (const struct rig_metric *)metric;

	if (handle->kind != EVH_COUNTER)
		return;
	assert_int_equal(value, 1);
	pthread_mutex_lock(&handle->rig->lock);
	handle->rig->n_counted++;
	pthread_cond_broadcast(&handle->rig->changed);
	pthread_mutex_unlock(&handle->rig->lock);
}

static int
rig_state(void *self, evh_put *put, void *arg)
{
	const struct rig *rig = self;

	if (put != NULL)
		put(arg, rig->state, strlen(rig->state));
	return rig->ready ? 0 : -EAGAIN;
}

static const void *
rig_service(struct evh_ctx *ctx, const char *name, const char *id)
{
	struct rig *rig = rig_of(ctx);

	if (name == NULL && strcmp(id, EVH_HOST_1) == 0)
		return &rig->host;
	if (name != NULL && strcmp(id, EVH_STORE_1) == 0)
		return &rig->store;
	return NULL;
}

/* ---- The host: events --------------------------------------------------- */

static char *
copy_of(struct evh_bytes bytes)
{
	char *copy = malloc(bytes.len + 1);

	assert_non_null(copy);
	if (bytes.len > 0)
		memcpy(copy, bytes.data, bytes.len);
	copy[bytes.len] = '\0';
	return copy;
}

static struct evh_event *
rig_event_new(struct evh_ctx *ctx, const struct evh_spec *spec,
	      struct evh_event *parent)
{
	struct rig *rig = rig_of(ctx);
	struct made *made = calloc(1, sizeof(*made));
	struct evh_event *ev = &made->event;

	assert_null(parent);
	assert_null(spec->release);
	made->name =
		copy_of((struct evh_bytes){ spec->name, strlen(spec->name) });
	made->data = copy_of(spec->data);
	made->key = copy_of(spec->key);
	memcpy(ev->id, spec->id, 16);
	ev->name = made->name;
	ev->data = (struct evh_bytes){ made->data, spec->data.len };
	ev->key = (struct evh_bytes){ made->key, spec->key.len };
	ev->cookie = spec->cookie;
	pthread_mutex_lock(&rig->lock);
	rig->n_made++;
	rig->last = *spec;
	memcpy(rig->last_id, spec->id, 16);
	snprintf(rig->last_name, sizeof(rig->last_name), "%s", made->name);
	snprintf(rig->last_data, sizeof(rig->last_data), "%s", made->data);
	snprintf(rig->last_key, sizeof(rig->last_key), "%s", made->key);
	pthread_mutex_unlock(&rig->lock);
	return ev;
}

static void
rig_event_free(struct evh_ctx *ctx, struct evh_event *const *evs, int n)
{
	struct rig *rig = rig_of(ctx);

	for (int i = 0; i < n; i++) {
		struct made *made = (struct made *)evs[i];

		free(made->name);
		free(made->data);
		free(made->key);
		free(made);
	}
	pthread_mutex_lock(&rig->lock);
	rig->n_freed += (unsigned)n;
	pthread_mutex_unlock(&rig->lock);
}

static void
job_add(struct rig *rig, struct rig_job job, bool held)
{
	struct rig_job *copy = malloc(sizeof(*copy)), **place;

	assert_non_null(copy);
	*copy = job;
	copy->next = NULL;
	pthread_mutex_lock(&rig->lock);
	place = held ? &rig->held : &rig->queue;
	while (*place != NULL)
		place = &(*place)->next;
	*place = copy;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
}

static int
rig_emit(struct evh_ctx *ctx, struct evh_event *const *evs, int n,
	 int timeout_ms)
{
	struct rig *rig = rig_of(ctx);
	struct rig_job job = { .event = evs[0], .result = rig->result };

	assert_int_equal(n, 1);
	assert_int_equal(timeout_ms, 0);
	if (rig->chain == RIG_FULL)
		return -EAGAIN;
	if (rig->chain == RIG_STOPPED)
		return -ESHUTDOWN;
	pthread_mutex_lock(&rig->lock);
	rig->n_emitted++;
	pthread_mutex_unlock(&rig->lock);
	if (rig->chain == RIG_INLINE) {
		evh_plugin.done(rig->self, evs, 1, rig->result);
		rig_event_free(ctx, evs, 1);
	} else {
		job_add(rig, job, rig->chain == RIG_HOLD);
	}
	return 1;
}

/* ---- The store ---------------------------------------------------------- */

static void
answer_rows(struct rig *rig, evh_rows *fn, void *arg)
{
	int rc = rig->store_mode == RIG_STORE_SAYS ? rig->store_rc : 0;

	fn(arg, rc, rc < 0 ? NULL : rig->rows, rc < 0 ? 0 : rig->n_rows,
	   rig->total);
}

static int
ask(struct rig *rig, evh_rows *fn, void *arg)
{
	pthread_mutex_lock(&rig->lock);
	rig->n_asked++;
	pthread_mutex_unlock(&rig->lock);
	if (rig->store_ask < 0)
		return rig->store_ask;
	if (rig->store_mode == RIG_ROWS_NOW)
		answer_rows(rig, fn, arg);
	else
		job_add(rig, (struct rig_job){ .fn = fn, .arg = arg },
			rig->store_mode == RIG_ROWS_HELD);
	return 0;
}

static int
rig_get(void *self, const unsigned char id[16], evh_rows *fn, void *arg)
{
	struct rig *rig = self;

	memcpy(rig->last_id, id, 16);
	return ask(rig, fn, arg);
}

static int
rig_find(void *self, const struct evh_query *q, evh_rows *fn, void *arg)
{
	struct rig *rig = self;

	rig->last_query = *q;
	snprintf(rig->last_query_name, sizeof(rig->last_query_name), "%s",
		 q->name != NULL ? q->name : "(none)");
	return ask(rig, fn, arg);
}

/* ---- The rig's thread --------------------------------------------------- */

static void
job_run(struct rig *rig, struct rig_job *job)
{
	if (job->event != NULL) {
		evh_plugin.done(rig->self, &job->event, 1, job->result);
		rig_event_free(&rig->ctx, &job->event, 1);
	} else {
		answer_rows(rig, job->fn, job->arg);
	}
	free(job);
}

static void *
rig_main(void *arg)
{
	struct rig *rig = arg;

	pthread_mutex_lock(&rig->lock);
	while (!rig->stop || rig->queue != NULL) {
		struct rig_job *job = rig->queue;

		if (job == NULL) {
			pthread_cond_wait(&rig->changed, &rig->lock);
			continue;
		}
		rig->queue = job->next;
		pthread_mutex_unlock(&rig->lock);
		job_run(rig, job);
		pthread_mutex_lock(&rig->lock);
	}
	pthread_mutex_unlock(&rig->lock);
	return NULL;
}

void
rig_release(struct rig *rig, enum evh_result result)
{
	struct rig_job **place;

	pthread_mutex_lock(&rig->lock);
	for (struct rig_job *job = rig->held; job != NULL; job = job->next)
		job->result = result;
	place = &rig->queue;
	while (*place != NULL)
		place = &(*place)->next;
	*place = rig->held;
	rig->held = NULL;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
}

void
rig_wait_held(struct rig *rig, unsigned n)
{
	struct timespec until;
	unsigned held = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&rig->lock);
	for (;;) {
		held = 0;
		for (struct rig_job *job = rig->held; job; job = job->next)
			held++;
		if (held >= n ||
		    pthread_cond_timedwait(&rig->changed, &rig->lock, &until))
			break;
	}
	pthread_mutex_unlock(&rig->lock);
	assert_int_equal(held, n);
}

bool
rig_counted(struct rig *rig, unsigned n, const char *line)
{
	struct timespec until;
	bool found;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&rig->lock);
	while (rig->n_counted < n &&
	       pthread_cond_timedwait(&rig->changed, &rig->lock, &until) == 0)
		continue;
	found = rig->n_counted == n && strstr(rig->metrics, line) != NULL;
	pthread_mutex_unlock(&rig->lock);
	return found;
}

/* ---- Life --------------------------------------------------------------- */

/* The one that was started last and is not stopped. */
static const struct rig *running;

void
rig_init(struct rig *rig)
{
	/* A test that failed leaves its threads in it.  Whoever begins anew
	 * under their feet may wait for one of them without end. */
	if (running == rig) {
		print_error("a test before has left its rig running\n");
		fflush(NULL);
		_exit(EXIT_FAILURE);
	}
	memset(rig, 0, sizeof(*rig));
	rig->ctx = (struct evh_ctx){
		.size = sizeof(struct evh_ctx),
		.event_size = sizeof(struct evh_event),
		.name = "http",
		.opt_str = rig_opt_str,
		.opt_int = rig_opt_int,
		.log = rig_log,
		.metric = rig_metric,
		.record = rig_record,
		.event_new = rig_event_new,
		.event_free = rig_event_free,
		.emit = rig_emit,
		.service = rig_service,
	};
	rig->host = (struct evh_host){ .self = rig, .state = rig_state };
	rig->store = (struct evh_store){ .self = rig,
					 .get = rig_get,
					 .find = rig_find };
	rig->chain = RIG_ANSWER;
	rig->result = EVH_OK;
	rig->ready = true;
	rig->stop_ms = 60000;
	rig->store_mode = RIG_ROWS;
	rig->state = "{\"status\":\"ready\",\"reasons\":[],\"checks\":{},"
		     "\"instances\":[],\"pipelines\":[]}";
	for (unsigned kind = EVH_COUNTER; kind <= EVH_HISTOGRAM; kind++)
		rig->handles[kind] = (struct rig_metric){ rig, kind };
	pthread_mutex_init(&rig->lock, NULL);
	pthread_cond_init(&rig->changed, NULL);
}

void
rig_start(struct rig *rig, const char *const *settings)
{
	rig->settings = settings;
	assert_int_equal(evh_plugin.create(&rig->ctx, &rig->self), 0);
	running = rig;
	assert_int_equal(pthread_create(&rig->thread, NULL, rig_main, rig), 0);
	assert_int_equal(evh_plugin.start(rig->self), 0);
	assert_int_not_equal(rig->port, 0);
}

void
rig_stop(struct rig *rig)
{
	evh_plugin.drain(rig->self);
	rig_release(rig, EVH_RETRY);
	pthread_mutex_lock(&rig->lock);
	rig->stop = true;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
	pthread_join(rig->thread, NULL);
	evh_plugin.stop(rig->self, rig->stop_ms);
	evh_plugin.destroy(rig->self);
	running = NULL;
	assert_int_equal(rig->n_made, rig->n_freed);
	pthread_mutex_destroy(&rig->lock);
	pthread_cond_destroy(&rig->changed);
}
