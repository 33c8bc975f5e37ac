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

#include "clock.h"
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

/* There is one at a time. */
static bool has_rig;

struct rig *
rig_new(void)
{
	struct rig *rig;

	/* Its threads go on, with elements that were on the stack: a test
	 * among them might wait for ever. */
	if (has_rig)
		fail_msg("a test that has failed has left its rig");
	rig = calloc(1, sizeof(*rig));
	assert_non_null(rig);
	has_rig = true;
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

	loaded->plugin = rig_element_plugin(el);
	loaded->options = (struct evh_option *)no_options;
	loaded->commands = no_commands;
	section->name = (char *)el->name;
	section->kind = el->kind;
	section->keyword = "rig";
	section->where = (char *)el->name;
	section->plugin = (char *)el->name;
}

void
rig_add(struct rig *rig, struct rig_element *el)
{
	unsigned i = rig->n++;
	struct problems problems = { 0 };

	assert_true(i < ELEMENTS_MAX);
	rig->elements[i] = el;
	el->rig = rig;
	rig_element_init(el);
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
	rig_element_create(el);
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
		if (rig->elements[i])
			rig_element_fini(rig->elements[i]);
	}
	loader_free(rig->loader);
	marks_close(rig->host.marks);
	metrics_free(rig->host.metrics);
	state_free(rig->host.state);
	pthread_mutex_destroy(&rig->host.timers_lock);
	assert_int_equal(event_count(), rig->events_before);
	free(rig);
	has_rig = false;
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

static bool
is_settled(const struct pipeline *p)
{
	return atomic_load(&p->n_diverted) == 0;
}

static void
await_pipeline(const struct pipeline *p,
	       bool (*is_so)(const struct pipeline *p))
{
	/* A look at other threads' state, again and again. */
	const struct timespec pause = { 0, 1000000 };
	int64_t until_ns = timer_now_ns() + AWAIT_S * NS_PER_S;

	while (!is_so(p) && timer_now_ns() < until_ns)
		nanosleep(&pause, NULL);
	assert_true(is_so(p));
}

void
rig_await_standing(const struct pipeline *p)
{
	await_pipeline(p, has_standing);
}

void
rig_await_settled(const struct pipeline *p)
{
	await_pipeline(p, is_settled);
}
