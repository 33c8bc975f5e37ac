#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ends.h"
#include "event.h"
#include "failure.h"
#include "instance.h"
#include "reader.h"
#include "virtual.h"
#include "worker.h"

#define POOL_EVENTS 1024

/* The same for every schedule, so made once: checked options of the three
 * kinds, and the metrics, whose numbers nobody reads. */
static struct {
	struct loader_plugin loaded[EVH_SINK + 1][EVH_PARALLEL + 1];
	struct options *options[EVH_SINK + 1];
	struct metrics *metrics;
	struct evh_metric *metric[EVH_HISTOGRAM + 1];
	struct end *creating; /* create() is told nothing but its ctx */
} shared;

/* The linker's --wrap gives these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
struct evh_metric *__real_metrics_get(struct metrics *metrics,
				      enum evh_metric_kind kind,
				      const char *name, const char *labels,
				      const char *help);
struct evh_metric *__wrap_metrics_get(struct metrics *metrics,
				      enum evh_metric_kind kind,
				      const char *name, const char *labels,
				      const char *help);

/* One of each kind: looking up names would take most of a schedule's time. */
struct evh_metric *
__wrap_metrics_get(struct metrics *metrics, enum evh_metric_kind kind,
		   const char *name, const char *labels, const char *help)
{
	(void)metrics;
	(void)name;
	(void)labels;
	(void)help;
	return shared.metric[kind];
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void
share_metrics(void)
{
	static const char *const names[] = { [EVH_COUNTER] = "counter",
					     [EVH_GAUGE] = "gauge",
					     [EVH_HISTOGRAM] = "histogram" };

	shared.metrics = metrics_new(10);
	for (enum evh_metric_kind kind = EVH_COUNTER; kind <= EVH_HISTOGRAM;
	     kind++)
		shared.metric[kind] = __real_metrics_get(shared.metrics, kind,
							 names[kind], NULL, "");
}

static int
end_create(struct evh_ctx *ctx, void **ret_self)
{
	shared.creating->ctx = ctx;
	*ret_self = shared.creating;
	return 0;
}

static void
end_log(struct evh_ctx *ctx, enum evh_level level, const char *fmt, ...)
{
	(void)ctx;
	(void)level;
	(void)fmt;
}

/* No memory for partitions, says kafka_source; then evhd stops. */
static void
end_fatal(struct evh_ctx *ctx, const char *why)
{
	struct end *end = ((struct instance *)ctx)->self;

	trace("%s: fatal: %s", end->name, why);
	end->scene->is_fatal = true;
}

static void
share_kind(enum evh_kind kind)
{
	static const struct evh_option no_options[] = { { 0 } };
	static struct evh_command no_commands[] = { { 0 } };
	static struct config_instance sections[EVH_SINK + 1];
	static struct config config;
	struct problems problems = { 0 };

	for (enum evh_threads t = EVH_SERIAL; t <= EVH_PARALLEL; t++) {
		struct loader_plugin *loaded = &shared.loaded[kind][t];

		loaded->plugin = *ends_plugin(kind);
		loaded->plugin.threads = t;
		loaded->plugin.create = end_create;
		loaded->options = (struct evh_option *)no_options;
		loaded->commands = no_commands;
	}
	sections[kind] = (struct config_instance){ .name = (char *)"end",
						   .where = (char *)"end",
						   .kind = kind };
	shared.options[kind] = options_new(&shared.loaded[kind][EVH_SERIAL],
					   &sections[kind], &config, &problems);
	if (shared.options[kind] == NULL)
		failure("the simulation's own options are refused");
	problems_fini(&problems);
}

void
scene_share(void)
{
	static const struct evh_spec spec = { .name = "warm" };
	struct event *warm[POOL_EVENTS];

	share_metrics();
	for (enum evh_kind kind = EVH_SOURCE; kind <= EVH_SINK; kind++)
		share_kind(kind);
	for (unsigned i = 0; i < POOL_EVENTS; i++)
		warm[i] = event_new(NULL, &spec, NULL);
	for (unsigned i = 0; i < POOL_EVENTS; i++)
		event_free(warm[i]);
}

struct metrics *
scene_metrics(void)
{
	return shared.metrics;
}

static void
add_end(struct scene *s, enum evh_kind kind, const char *prefix,
	unsigned number)
{
	unsigned i = s->n_ends++;
	enum evh_threads threads =
		chance_of(s->chance, 50) ? EVH_SERIAL : EVH_PARALLEL;
	struct end *end = &s->ends[i];

	*end = (struct end){ .kind = kind, .number = i, .scene = s };
	snprintf(end->name, sizeof(end->name), "%s%u", prefix, number % 10);
	s->sections[i] = (struct config_instance){ .name = end->name,
						   .where = end->name,
						   .kind = kind };
	end->in = instance_new(&s->host, &shared.loaded[kind][threads],
			       &s->sections[i], shared.options[kind]);
	if (end->in == NULL)
		failure("out of memory for an instance");
	s->instances[i] = end->in;
	shared.creating = end;
	(void)instance_create(end->in);
	end->ctx->log = end_log;
	end->ctx->fatal = end_fatal;
	end->emit = end->ctx->emit;
	scene_mood(s, end);
	if (kind == EVH_HANDLER) {
		end->in->attempts = chance_below(s->chance, 4);
		end->in->backoff_ms = chance_below(s->chance, 3) * 10;
		if (chance_of(s->chance, 25)) {
			free(end->in->match);
			end->in->match = calloc(2, sizeof(*end->in->match));
			end->in->match[0] = strdup("a.*");
		}
	}
	if (kind == EVH_SOURCE && chance_of(s->chance, 60))
		end->reader = reader_new(end);
	trace("%s is %s%s%s", end->name,
	      threads == EVH_SERIAL ? "serial" : "parallel",
	      end->reader != NULL ? ", reads a topic" : "",
	      end->in->match != NULL && end->in->match[0] ? ", matches a.*"
							  : "");
}

void
scene_mood(struct scene *s, struct end *end)
{
	static const unsigned weights[] = { 0, 0, 2, 10, 40 };
	struct chance *c = s->chance;

	end->mood = (struct mood){
		.ok = 60,
		.retry = weights[chance_below(c, 5)],
		.fail = weights[chance_below(c, 5)],
		.drop = weights[chance_below(c, 5)],
		.hold = weights[chance_below(c, 5)],
		.children = chance_of(c, 40) ? chance_below(c, 60) : 0,
		.refuses = weights[chance_below(c, 5)],
		.at_once = weights[chance_below(c, 5)] * 2,
		.slow = chance_of(c, 20) ? 20 : 0,
	};
}

/* ---- Pipelines ---------------------------------------------------------- */

enum { LIST_CHAIN, LIST_OPTIONAL, LIST_FAIL, LIST_DROP, LIST_MATCH };

static void
list_add(char **list, char *name)
{
	while (*list)
		list++;
	*list = name;
}

static bool
list_has(char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static struct end *
pick(struct scene *s, enum evh_kind kind)
{
	unsigned first = kind == EVH_HANDLER ? s->n_sources
					     : s->n_sources + s->n_handlers;
	unsigned n = kind == EVH_HANDLER ? s->n_handlers : s->n_sinks;

	return n > 0 ? &s->ends[first + chance_below(s->chance, n)] : NULL;
}

static void
draw_lists(struct scene *s, unsigned p, struct end *source, bool is_alone)
{
	static char *const matches[] = { NULL, (char *)"a.*", (char *)"b.*",
					 (char *)"a.*" };
	char *(*lists)[SCENE_LIST] = s->lists[p];
	unsigned n = chance_between(s->chance, 1, 5);
	char *match = matches[chance_below(s->chance, is_alone ? 2 : 4)];

	memset(lists, 0, sizeof(s->lists[p]));
	list_add(lists[LIST_CHAIN], source->name);
	for (unsigned i = 0; i < n; i++) {
		struct end *end = pick(s, chance_of(s->chance, 50) ? EVH_HANDLER
								   : EVH_SINK);

		if (end == NULL || list_has(lists[LIST_CHAIN], end->name))
			continue;
		list_add(lists[LIST_CHAIN], end->name);
		if (end->kind == EVH_SINK && chance_of(s->chance, 20))
			list_add(lists[LIST_OPTIONAL], end->name);
	}
	for (unsigned role = LIST_FAIL; role <= LIST_DROP; role++)
		for (unsigned i = chance_below(s->chance, 3); i > 0; i--) {
			struct end *end = pick(s, EVH_SINK);

			if (!list_has(lists[role], end->name))
				list_add(lists[role], end->name);
		}
	if (match != NULL)
		list_add(lists[LIST_MATCH], match);
}

static void
trace_pipeline(const struct config_pipeline *c)
{
	static const char *const titles[] = { "chain", "optional", "on_fail",
					      "on_drop", "match" };
	char **const lists[] = { c->chain, c->optional, c->on_fail, c->on_drop,
				 c->match };
	char text[256];
	size_t at = 0;

	for (unsigned i = 0; i < 5; i++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %s {",
				       titles[i]);
		for (char **name = lists[i]; *name; name++)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       " %s", *name);
		at += (size_t)snprintf(text + at, sizeof(text) - at, " }");
	}
	trace("%s:%s workers %u in_flight %u/%u attempts %u deadline %u%s",
	      c->name, text, c->workers, c->in_flight,
	      (unsigned)c->in_flight_size, c->attempts, c->deadline_ms,
	      c->otherwise ? " otherwise" : "");
}

/* Of the pipelines of one source only one can, says chains.c. */
static bool
has_otherwise(const struct scene *s, unsigned n)
{
	while (n-- > 0)
		if (s->configs[n].otherwise)
			return true;
	return false;
}

static void
draw_pipeline(struct scene *s, unsigned i, struct end *source, bool is_alone)
{
	static const char *const names[] = { "p0", "p1", "p2" };
	static const unsigned windows[] = { 1, 2, 3, 4, 8, 16, 40 };
	static const unsigned workers[] = { 0, 0, 0, 1, 2, 3 };
	static const unsigned deadlines[] = { 0, 0, 0, 50, 2000 };
	struct chance *c = s->chance;
	char *(*lists)[SCENE_LIST] = s->lists[i];

	draw_lists(s, i, source, is_alone);
	s->configs[i] = (struct config_pipeline){
		.name = (char *)names[i],
		.where = (char *)names[i],
		.chain = lists[LIST_CHAIN],
		.optional = lists[LIST_OPTIONAL],
		.on_fail = lists[LIST_FAIL],
		.on_drop = lists[LIST_DROP],
		.match = lists[LIST_MATCH],
		.workers = workers[chance_below(c, 6)],
		.in_flight = windows[chance_below(c, 7)],
		.in_flight_size = chance_of(c, 20) ? 2000 : 1 << 20,
		.attempts = chance_between(c, 1, 3),
		.backoff_ms = 10,
		.backoff_max_ms = 100,
		.deadline_ms = deadlines[chance_below(c, 5)],
		.otherwise = !lists[LIST_MATCH][0] && !is_alone &&
			     !has_otherwise(s, i) && chance_of(c, 30),
	};
	trace_pipeline(&s->configs[i]);
}

static struct instance *
find_instance(void *arg, const char *name)
{
	return host_instance(arg, name);
}

/* As host_make_pipelines() and host_join_sources() do it. */
static void
add_pipeline(struct scene *s, struct end *source, bool is_alone)
{
	unsigned i = s->n_pipelines++;
	struct pipeline *p;
	struct instance *in = source->in;

	draw_pipeline(s, i, source, is_alone);
	p = pipeline_new(&s->configs[i], find_instance, &s->host,
			 s->host.metrics);
	if (p == NULL)
		failure("out of memory for a pipeline");
	s->pipelines[i] = p;
	s->host.n_pipelines = s->n_pipelines;
	for (unsigned j = 0; j < s->n_ends; j++)
		if (pipeline_needs(p, s->instances[j]))
			atomic_fetch_add(&p->n_not_ready, 1);
	in->heads =
		realloc(in->heads, (in->n_heads + 1) * sizeof(in->heads[0]));
	in->heads[in->n_heads++] = p;
	for (unsigned w = 0; w <= p->n_workers; w++)
		s->due_ns[i][w] = INT64_MAX;
}

static void
add_ends(struct scene *s)
{
	s->n_sources = chance_between(s->chance, 1, SCENE_SOURCES);
	s->n_handlers = chance_below(s->chance, SCENE_HANDLERS + 1);
	s->n_sinks = chance_between(s->chance, 1, SCENE_SINKS);
	for (unsigned i = 0; i < s->n_sources; i++)
		add_end(s, EVH_SOURCE, "src", i);
	for (unsigned i = 0; i < s->n_handlers; i++)
		add_end(s, EVH_HANDLER, "han", i);
	for (unsigned i = 0; i < s->n_sinks; i++)
		add_end(s, EVH_SINK, "snk", i);
	s->host.n_instances = s->n_ends;
}

void
scene_open(struct scene *s, struct chance *chance)
{
	memset(s, 0, sizeof(*s));
	s->chance = chance;
	s->setup.config = &s->config;
	s->config.shutdown_timeout_ms = chance_of(chance, 50) ? 1000 : 5000;
	s->host.setup = &s->setup;
	s->host.wake_fd = -1;
	s->host.signal_fd = -1;
	s->host.instances = s->instances;
	s->host.pipelines = s->pipelines;
	s->host.metrics = shared.metrics;
	pthread_mutex_init(&s->host.timers_lock, NULL);
	s->n_keys = 1u << chance_below(chance, 4);
	add_ends(s);
	if (s->n_sources == 1) {
		unsigned n = chance_between(chance, 1, SCENE_PIPELINES);

		for (unsigned i = 0; i < n; i++)
			add_pipeline(s, &s->ends[0], n == 1);
	} else {
		add_pipeline(s, &s->ends[0], true);
		add_pipeline(s, &s->ends[1], true);
	}
	for (unsigned i = s->n_ends; i > 0; i--)
		(void)instance_start(s->instances[i - 1]);
}

void
scene_close(struct scene *s)
{
	for (unsigned i = 0; i < s->n_ends; i++) {
		if (s->ends[i].reader != NULL)
			reader_stop(s->ends[i].reader);
		instance_stop(s->instances[i], 1000);
	}
	for (unsigned i = 0; i < s->n_pipelines; i++)
		pipeline_free(s->pipelines[i]);
	for (unsigned i = 0; i < s->n_ends; i++) {
		if (s->ends[i].reader != NULL)
			reader_free(s->ends[i].reader);
		instance_free(s->instances[i]);
	}
	pthread_mutex_destroy(&s->host.timers_lock);
}

struct end *
scene_end(const struct scene *s, const struct instance *in)
{
	(void)s;
	return in->self;
}

unsigned
scene_pipeline(const struct scene *s, const struct pipeline *p)
{
	unsigned i = 0;

	while (i < s->n_pipelines && s->pipelines[i] != p)
		i++;
	return i;
}
