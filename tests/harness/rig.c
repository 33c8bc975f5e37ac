#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "condition.h"
#include "event.h"
#include "every.h"
#include "host_tables.h"
#include "isolate.h"
#include "marks.h"
#include "pipeline.h"
#include "shutdown.h"
#include "state.h"
#include "timer.h"

#define ELEMENTS_MAX  16
#define PIPELINES_MAX 8
#define AWAIT_S	      60
#define NS_PER_S      INT64_C(1000000000)

struct rig {
	struct host host;
	struct setup setup;
	struct config config;
	struct loader *loader;			    /* NULL: no plugin yet */
	struct rig_element *elements[ELEMENTS_MAX]; /* NULL: a plugin */
	struct config_instance sections[ELEMENTS_MAX];
	struct loader_plugin loaded[ELEMENTS_MAX];
	struct options *options[ELEMENTS_MAX];
	struct instance *instances[ELEMENTS_MAX];
	struct config_pipeline configs[PIPELINES_MAX];
	struct pipeline *pipelines[PIPELINES_MAX];
	unsigned n, n_pipelines;
	unsigned long events_before;
};

/* create() is told nothing but its ctx: which element it is, is set here. */
static struct rig_element *creating;

static int
element_create(struct evh_ctx *ctx, void **ret_self)
{
	creating->ctx = ctx;
	*ret_self = creating;
	return 0;
}

static int
element_start(void *self)
{
	struct rig_element *el = self;

	if (el->starts_unready)
		el->ctx->ready(el->ctx, "not yet");
	return 0;
}

static void
element_see(struct rig_element *el, const struct evh_event *ev)
{
	pthread_mutex_lock(&el->lock);
	if (el->n_seen < RIG_MAX)
		el->cookies[el->n_seen++] = ev->cookie;
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
}

static void
element_done(void *self, struct evh_event *const *evs, int n,
	     enum evh_result result)
{
	struct rig_element *el = self;

	pthread_mutex_lock(&el->lock);
	for (int i = 0; i < n && el->n_heard < RIG_MAX; i++) {
		el->heard[el->n_heard] = evs[i]->cookie;
		el->results[el->n_heard++] = result;
	}
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
	if (el->on_done)
		el->on_done(el, evs, n, result);
}

static enum evh_result
element_process(void *self, struct evh_event *ev)
{
	struct rig_element *el = self;

	return el->process(el, ev);
}

static int
element_submit(void *self, struct evh_event *const *evs, int n)
{
	struct rig_element *el = self;

	if (el->submit)
		return el->submit(el, evs, n);
	for (int i = 0; i < n; i++)
		element_see(el, evs[i]);
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

enum evh_result
rig_note(struct rig_element *el, struct evh_event *ev)
{
	element_see(el, ev);
	return el->limit ? (enum evh_result)el->limit : EVH_OK;
}

int
rig_keep(struct rig_element *el, struct evh_event *const *evs, int n)
{
	int taken = 0;

	pthread_mutex_lock(&el->lock);
	while (taken < n && el->n_held < RIG_MAX &&
	       (el->limit == 0 || el->n_held < el->limit)) {
		el->cookies[el->n_seen++] = evs[taken]->cookie;
		el->held[el->n_held++] = evs[taken++];
	}
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
	return taken;
}

void
rig_answer(struct rig_element *sink, int n, enum evh_result result)
{
	struct evh_event *evs[RIG_MAX];

	pthread_mutex_lock(&sink->lock);
	assert_in_range(n, 1, sink->n_held);
	memcpy(evs, sink->held, (size_t)n * sizeof(*evs));
	sink->n_held -= n;
	memmove(sink->held, sink->held + n,
		(size_t)sink->n_held * sizeof(*evs));
	pthread_mutex_unlock(&sink->lock);
	sink->ctx->done(sink->ctx, evs, n, result);
}

void
rig_answer_held(struct rig_element *handler, enum evh_result verdict)
{
	struct evh_event *ev;

	pthread_mutex_lock(&handler->lock);
	assert_true(handler->n_held > 0);
	ev = handler->held[0];
	handler->n_held--;
	memmove(handler->held, handler->held + 1,
		(size_t)handler->n_held * sizeof(ev));
	pthread_mutex_unlock(&handler->lock);
	handler->ctx->resume(handler->ctx, ev, verdict);
}

struct rig *
rig_new(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->events_before = event_count();
	rig->config.shutdown_timeout_ms = 20000;
	rig->config.file = (char *)"rig";
	rig->setup.config = &rig->config;
	rig->host.setup = &rig->setup;
	rig->host.wake_fd = -1;
	rig->host.signal_fd = -1;
	rig->host.instances = rig->instances;
	rig->host.pipelines = rig->pipelines;
	rig->host.metrics = metrics_new(1000);
	assert_non_null(rig->host.metrics);
	assert_int_equal(pthread_mutex_init(&rig->host.timers_lock, NULL), 0);
	rig->host.state = state_new(&rig->host);
	assert_non_null(rig->host.state);
	return rig;
}

static void
section_fill(struct rig *rig, unsigned i, struct rig_element *el)
{
	static const struct evh_option no_options[] = { { 0 } };
	static struct evh_command no_commands[] = { { 0 } };
	struct loader_plugin *loaded = &rig->loaded[i];
	struct config_instance *section = &rig->sections[i];

	loaded->plugin = (struct evh_plugin){
		EVH_PLUGIN_HEAD,
		.kind = el->kind,
		.threads = el->threads ? el->threads : EVH_PARALLEL,
		.name = el->name,
		.version = "1",
		.create = element_create,
		.start = element_start,
		.done = element_done,
		.process = element_process,
		.submit = element_submit,
	};
	loaded->options = (struct evh_option *)no_options;
	loaded->commands = no_commands;
	section->name = (char *)el->name;
	section->kind = el->kind;
	section->keyword = "rig";
	section->where = (char *)el->name;
	section->plugin = (char *)el->name;
}

static void
pair_init(struct rig_element *el)
{
	assert_int_equal(condition_init(&el->changed), 0);
	pthread_mutex_init(&el->lock, NULL);
}

void
rig_add(struct rig *rig, struct rig_element *el)
{
	unsigned i = rig->n++;
	struct problems problems = { 0 };

	assert_true(i < ELEMENTS_MAX);
	rig->elements[i] = el;
	el->rig = rig;
	pair_init(el);
	section_fill(rig, i, el);
	rig->options[i] = options_new(&rig->loaded[i], &rig->sections[i],
				      &rig->config, &problems);
	assert_non_null(rig->options[i]);
	problems_fini(&problems);
	el->in = instance_new(&rig->host, &rig->loaded[i], &rig->sections[i],
			      rig->options[i]);
	assert_non_null(el->in);
	el->in->attempts = el->attempts;
	el->in->timeout_ms = el->timeout_ms;
	el->in->aborts = el->aborts;
	for (unsigned j = 0; el->match[j]; j++) {
		el->in->match = realloc(el->in->match,
					(j + 2) * sizeof(*el->in->match));
		el->in->match[j] = strdup(el->match[j]);
		el->in->match[j + 1] = NULL;
	}
	rig->instances[i] = el->in;
	rig->host.n_instances = rig->n;
	creating = el;
	assert_int_equal(instance_create(el->in), 0);
}

/* The last one, if that is its name, or a new one. */
static struct config_setting *
setting_of(struct config_instance *section, const char *name)
{
	unsigned n = section->n_settings;

	if (n > 0 && strcmp(section->settings[n - 1].name, name) == 0)
		return &section->settings[n - 1];
	section->settings = reallocarray(section->settings, n + 1,
					 sizeof(*section->settings));
	assert_non_null(section->settings);
	section->settings[n] = (struct config_setting){ .name = (char *)name };
	section->n_settings++;
	return &section->settings[n];
}

static void
settings_fill(struct config_instance *section, const char *const *settings)
{
	for (unsigned i = 0; settings && settings[i]; i += 2) {
		struct config_setting *last = setting_of(section, settings[i]);

		last->values = reallocarray(last->values, last->n_values + 1,
					    sizeof(*last->values));
		assert_non_null(last->values);
		last->values[last->n_values++] = (char *)settings[i + 1];
	}
}

static void
settings_free(struct config_instance *section)
{
	for (unsigned i = 0; i < section->n_settings; i++)
		free(section->settings[i].values);
	free(section->settings);
	section->settings = NULL;
	section->n_settings = 0;
}

static const struct loader_plugin *
plugin_open(struct rig *rig, const char *plugin, struct problems *problems)
{
	char dir[1024];

	snprintf(dir, sizeof(dir), "%s/plugins", getenv("EVH_BUILD_DIR"));
	if (!rig->loader)
		rig->loader = loader_new(dir);
	assert_non_null(rig->loader);
	return loader_open(rig->loader, dir, plugin, plugin, problems);
}

static void
assert_no_problem(struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		print_error("%s: %s\n", problems->list[i].where,
			    problems->list[i].text);
	assert_int_equal(problems->n_errors, 0);
	problems_fini(problems);
}

int
rig_add_plugin(struct rig *rig, const char *name, const char *plugin,
	       const char *const *settings)
{
	unsigned i = rig->n;
	struct config_instance *section = &rig->sections[i];
	struct problems problems = { 0 };
	const struct loader_plugin *loaded;
	int err;

	assert_true(i < ELEMENTS_MAX);
	loaded = plugin_open(rig, plugin, &problems);
	assert_no_problem(&problems);
	*section = (struct config_instance){
		.name = (char *)name,
		.kind = loaded->plugin.kind,
		.keyword = "rig",
		.where = (char *)name,
		.plugin = (char *)plugin,
	};
	settings_fill(section, settings);
	rig->options[i] = options_new(loaded, section, &rig->config, &problems);
	assert_no_problem(&problems);
	rig->instances[i] =
		instance_new(&rig->host, loaded, section, rig->options[i]);
	assert_non_null(rig->instances[i]);
	assert_int_equal(instance_isolate(rig->instances[i]), 0);
	err = instance_create(rig->instances[i]);
	if (err < 0) {
		instance_free(rig->instances[i]);
		options_free(rig->options[i]);
		settings_free(section);
		return err;
	}
	rig->host.n_instances = ++rig->n;
	return 0;
}

static struct instance *
rig_find(void *arg, const char *name)
{
	return host_instance(arg, name);
}

struct pipeline *
rig_pipeline(struct rig *rig, struct config_pipeline config)
{
	unsigned i = rig->n_pipelines++;
	struct pipeline *p;
	struct instance *source;

	assert_true(i < PIPELINES_MAX);
	if (!config.name)
		config.name = (char *)"p";
	config.where = config.name;
	if (config.spool_dir && !config.spool_when)
		config.spool_when = (char *)"outage";
	if (config.spool_dir && !config.spool_max_size)
		config.spool_max_size = 64 << 20;
	if (!config.in_flight)
		config.in_flight = 1000;
	if (!config.in_flight_size)
		config.in_flight_size = 1 << 20;
	if (!config.attempts)
		config.attempts = 3;
	if (!config.backoff_ms)
		config.backoff_ms = 1;
	if (!config.backoff_max_ms)
		config.backoff_max_ms = 10;
	rig->configs[i] = config;
	p = pipeline_new(&rig->configs[i], rig_find, &rig->host,
			 rig->host.metrics);
	assert_non_null(p);
	rig->pipelines[i] = p;
	rig->host.n_pipelines = rig->n_pipelines;
	for (unsigned j = 0; j < rig->n; j++)
		if (pipeline_needs(p, rig->instances[j]))
			atomic_fetch_add(&p->n_not_ready, 1);
	source = p->elements[0].in;
	source->heads = realloc(source->heads,
				(source->n_heads + 1) * sizeof(*source->heads));
	source->heads[source->n_heads++] = p;
	return p;
}

void
rig_start(struct rig *rig)
{
	for (unsigned i = 0; i < rig->n_pipelines; i++)
		assert_int_equal(pipeline_start(rig->pipelines[i]), 0);
	for (unsigned i = 0; i < rig->n; i++)
		assert_int_equal(instance_start(rig->instances[i]), 0);
	atomic_store(&rig->host.is_started, true);
}

static void
state_put(void *arg, const char *text, size_t len)
{
	*(char **)arg = strndup(text, len);
}

char *
rig_state(struct rig *rig, int *ret_rc)
{
	const struct evh_host *service = state_service(rig->host.state);
	char *text = NULL;

	*ret_rc = service->state(service->self, state_put, &text);
	assert_non_null(text);
	return text;
}

void
rig_mark(struct rig *rig, const char *dir)
{
	assert_int_equal(marks_open(dir, &rig->host.marks), 0);
	assert_non_null(rig->host.marks);
}

static bool
never_hurry(struct host *host)
{
	(void)host;
	return false;
}

void
rig_free(struct rig *rig)
{
	atomic_store(&rig->host.is_started, false);
	assert_int_equal(shutdown_drain(&rig->host, never_hurry), 0);
	for (unsigned i = 0; i < rig->n; i++)
		instance_stop(rig->instances[i], 1000);
	for (unsigned i = 0; i < rig->n_pipelines; i++) {
		pipeline_stop(rig->pipelines[i]);
		pipeline_free(rig->pipelines[i]);
	}
	for (unsigned i = 0; i < rig->n; i++) {
		instance_free(rig->instances[i]);
		options_free(rig->options[i]);
		settings_free(&rig->sections[i]);
		if (!rig->elements[i])
			continue;
		pthread_mutex_destroy(&rig->elements[i]->lock);
		pthread_cond_destroy(&rig->elements[i]->changed);
	}
	loader_free(rig->loader);
	marks_close(rig->host.marks);
	metrics_free(rig->host.metrics);
	state_free(rig->host.state);
	pthread_mutex_destroy(&rig->host.timers_lock);
	assert_int_equal(event_count(), rig->events_before);
	free(rig);
}

static struct evh_event *
event_of(struct rig_element *source, uintptr_t cookie, const char *name,
	 const char *key)
{
	struct evh_spec spec = { .name = name,
				 .data = { "{}", 2 },
				 .key = { key, key ? strlen(key) : 0 },
				 .cookie = cookie };
	struct evh_event *ev = source->ctx->event_new(source->ctx, &spec, NULL);

	assert_non_null(ev);
	return ev;
}

static int
emit(struct rig_element *source, struct evh_event **evs, int n, int timeout_ms)
{
	int k = source->ctx->emit(source->ctx, evs, n, timeout_ms);
	int taken = k > 0 ? k : 0;

	if (taken < n)
		source->ctx->event_free(source->ctx, evs + taken, n - taken);
	return k;
}

int
rig_emit(struct rig_element *source, uintptr_t cookie, const char *key,
	 int timeout_ms)
{
	struct evh_event *ev = event_of(source, cookie, "test.event", key);

	return emit(source, &ev, 1, timeout_ms);
}

int
rig_emit_named(struct rig_element *source, uintptr_t cookie, const char *name)
{
	struct evh_event *ev = event_of(source, cookie, name, NULL);

	return emit(source, &ev, 1, 0);
}

int
rig_emit_spec(struct rig_element *source, const struct evh_spec *spec)
{
	struct evh_event *ev = source->ctx->event_new(source->ctx, spec, NULL);

	assert_non_null(ev);
	return emit(source, &ev, 1, 0);
}

int
rig_emit_many(struct rig_element *source, uintptr_t first, int n,
	      const char *key)
{
	struct evh_event *evs[RIG_MAX];

	assert_in_range(n, 1, RIG_MAX);
	for (int i = 0; i < n; i++)
		evs[i] = event_of(source, first + (uintptr_t)i, "test.event",
				  key);
	return emit(source, evs, n, 0);
}

/* Waits as the main thread does: what every() asked for is called meanwhile. */
static void
await(struct rig_element *el, const int *counter, int n, const char *what)
{
	struct host *host = &el->rig->host;
	int64_t until_ns = timer_now_ns() + AWAIT_S * NS_PER_S;
	bool is_there = false;

	while (!is_there && timer_now_ns() < until_ns) {
		int64_t due_ns =
			timer_now_ns() +
			every_wait_ms(host, AWAIT_S * 1000) * INT64_C(1000000);

		pthread_mutex_lock(&el->lock);
		while (*counter < n &&
		       condition_wait(&el->changed, &el->lock, due_ns))
			;
		is_there = *counter >= n;
		if (!is_there && timer_now_ns() >= until_ns)
			print_error("%s %s %d of %d\n", el->name, what,
				    *counter, n);
		pthread_mutex_unlock(&el->lock);
		every_run(host);
	}
	assert_true(is_there);
}

void
rig_await_heard(struct rig_element *source, int n)
{
	await(source, &source->n_heard, n, "heard");
}

void
rig_await_seen(struct rig_element *el, int n)
{
	await(el, &el->n_seen, n, "saw");
}

void
rig_await_held(struct rig_element *sink, int n)
{
	await(sink, &sink->n_held, n, "holds");
}

static bool
has_standing(const struct pipeline *p)
{
	for (unsigned i = 0; i < LANE_SHARES; i++)
		if (atomic_load(&p->shares.n_standing[i]) > 0)
			return true;
	return false;
}

void
rig_await_standing(const struct pipeline *p)
{
	/* A look at another thread's state, again and again. */
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < AWAIT_S * 1000 && !has_standing(p); i++)
		nanosleep(&pause, NULL);
	assert_true(has_standing(p));
}
