#include "state.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_tables.h"
#include "log.h"
#include "pipeline.h"
#include "rfc3339.h"
#include "spool.h"

struct state {
	struct host *host;
	struct evh_host service;
	struct evh_metric *ready;
	struct evh_metric **instance_ready; /* parallel to the instances */
	struct evh_metric *log_lines[EVH_ERROR + 1];
};

/* Whatever its chain needs, it takes events. */
static bool
spool_stands_in(const struct pipeline *p)
{
	return p->spool && spool_is_ready(p->spool);
}

/* Some pipeline cannot do without it. */
static bool
is_needed(const struct host *host, const struct instance *in)
{
	for (unsigned i = 0; i < host->n_pipelines; i++)
		if (host->pipelines[i]->elements[0].in == in ||
		    (pipeline_needs(host->pipelines[i], in) &&
		     !spool_stands_in(host->pipelines[i])))
			return true;
	return false;
}

static json_t *
describe_instance(struct instance *in, const char *why)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "name", in->name,
			 "kind", loader_kind_name(in->plugin->kind), "plugin",
			 in->plugin->name, "version",
			 in->plugin->version ? in->plugin->version : "",
			 "ready", *why == '\0', "why", why);
}

/* NULL in a pipeline without one, and then it is left out. */
static json_t *
describe_spool(struct pipeline *p)
{
	struct spool_state spool;
	char since[RFC3339_LEN + 1] = { 0 };

	if (!p->spool)
		return NULL;
	spool_state(p->spool, &spool);
	if (spool.is_holding)
		rfc3339_write(spool.since_ns, since);
	return json_pack(
		"{s:b, s:I, s:I, s:s, s:s}", "spooling", spool.is_holding,
		"records", (json_int_t)spool.n_records, "bytes",
		(json_int_t)spool.size, "since", since, "why", spool.why);
}

static json_t *
describe_pipeline(struct pipeline *p)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:o*}", "name", p->name,
			 "in_flight", (json_int_t)window_used(&p->window),
			 "in_flight_limit", (json_int_t)p->config->in_flight,
			 "refused", (json_int_t)metric_value(p->refused),
			 "spool", describe_spool(p));
}

/* What is wrong with its spool; and that one is filling, which is none of the
 * reasons not to be ready. */
static int
add_spool(struct pipeline *p, json_t *reasons, json_t *checks)
{
	struct spool_state spool;
	char name[INSTANCE_WHY_MAX];
	char text[SPOOL_WHY_MAX + 128];

	if (!p->spool)
		return 0;
	spool_state(p->spool, &spool);
	snprintf(name, sizeof(name), "%s.spool", p->name);
	if (*spool.why)
		snprintf(text, sizeof(text), "%s", spool.why);
	else if (spool.is_holding &&
		 strcmp(p->config->spool_when, "outage") == 0)
		snprintf(text, sizeof(text),
			 "%llu events wait in the spool for the chain",
			 (unsigned long long)spool.n_records);
	else
		return 0;
	if (json_object_set_new(checks, name, json_string(text)) < 0)
		return -ENOMEM;
	if (spool_is_ready(p->spool))
		return 0;
	snprintf(text, sizeof(text), "%s: %s", name, spool.why);
	return json_array_append_new(reasons, json_string(text)) < 0 ? -ENOMEM
								     : 0;
}

static int
add_instance(struct host *host, struct instance *in, json_t *reasons,
	     json_t *checks, json_t *instances)
{
	char why[INSTANCE_WHY_MAX];
	char reason[INSTANCE_WHY_MAX + 128];
	bool is_well = false;

	instance_why_not(in, why, sizeof(why));
	if (json_array_append_new(instances, describe_instance(in, why)) < 0)
		return -ENOMEM;
	if (!*why) {
		/* An event that it is late with is no reason not to be ready,
		 * while the others go on. */
		if (!late_describe(&in->late, timer_now_ns(), why, sizeof(why)))
			return 0;
		is_well = !instance_is_stuck(in);
	}
	if (json_object_set_new(checks, in->name, json_string(why)) < 0)
		return -ENOMEM;
	if (is_well || !is_needed(host, in))
		return 0;
	snprintf(reason, sizeof(reason), "%s: %s", in->name, why);
	return json_array_append_new(reasons, json_string(reason)) < 0 ? -ENOMEM
								       : 0;
}

/* NULL when out of memory. */
static json_t *
describe(struct host *host)
{
	json_t *reasons = json_array();
	json_t *checks = json_object();
	json_t *instances = json_array();
	json_t *pipelines = json_array();
	bool fits = reasons && checks && instances && pipelines;

	if (fits && atomic_load(&host->is_stopping))
		fits = json_array_append_new(
			       reasons, json_string("evhd: stopping")) == 0;
	for (unsigned i = 0; fits && i < host->n_instances; i++)
		fits = add_instance(host, host->instances[i], reasons, checks,
				    instances) == 0;
	for (unsigned i = 0; fits && i < host->n_pipelines; i++)
		fits = json_array_append_new(
			       pipelines,
			       describe_pipeline(host->pipelines[i])) == 0 &&
		       add_spool(host->pipelines[i], reasons, checks) == 0;
	if (!fits) {
		json_decref(reasons);
		json_decref(checks);
		json_decref(instances);
		json_decref(pipelines);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "status",
			 host_is_ready(host) ? "ready" : "not ready", "reasons",
			 reasons, "checks", checks, "instances", instances,
			 "pipelines", pipelines);
}

static int
service_state(void *self, evh_put *put, void *arg)
{
	struct state *state = self;
	int rc = host_is_ready(state->host) ? 0 : -EAGAIN;
	json_t *json;
	char *text;

	if (!put)
		return rc;
	json = describe(state->host);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text)
		return -ENOMEM;
	put(arg, text, strlen(text));
	free(text);
	return rc;
}

static int
service_metrics(void *self, evh_put *put, void *arg)
{
	struct state *state = self;

	return metrics_render(state->host->metrics, put, arg);
}

struct state *
state_new(struct host *host)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	state->host = host;
	state->service = (struct evh_host){ .self = state,
					    .state = service_state,
					    .metrics = service_metrics };
	return state;
}

void
state_free(struct state *state)
{
	if (!state)
		return;
	free(state->instance_ready);
	free(state);
}

const struct evh_host *
state_service(const struct state *state)
{
	return &state->service;
}

static void
collect(void *arg)
{
	struct state *state = arg;
	struct host *host = state->host;

	metric_record(state->ready, host_is_ready(host));
	for (unsigned i = 0; i < host->n_instances; i++)
		metric_record(state->instance_ready[i],
			      atomic_load(&host->instances[i]->is_ready));
	for (unsigned i = 0; i < host->n_pipelines; i++)
		metric_record(host->pipelines[i]->in_flight,
			      window_used(&host->pipelines[i]->window));
	for (int level = EVH_DEBUG; level <= EVH_ERROR; level++) {
		metric_raise(state->log_lines[level],
			     (int64_t)log_count((enum evh_level)level));
	}
}

static int
collect_init(struct state *state)
{
	static const char *const levels[] = { [EVH_DEBUG] = "level=debug",
					      [EVH_INFO] = "level=info",
					      [EVH_WARN] = "level=warn",
					      [EVH_ERROR] = "level=error" };
	struct host *host = state->host;
	char version[64];

	state->ready = metrics_get(host->metrics, EVH_GAUGE, "ready", NULL,
				   "1 when evhd is ready");
	state->instance_ready =
		calloc(host->n_instances + 1, sizeof(struct evh_metric *));
	if (!state->instance_ready)
		return -ENOMEM;
	for (unsigned i = 0; i < host->n_instances; i++) {
		char name[256];
		char labels[280];

		metrics_label_escape(name, sizeof(name),
				     host->instances[i]->name);
		snprintf(labels, sizeof(labels), "instance=%s", name);
		state->instance_ready[i] =
			metrics_get(host->metrics, EVH_GAUGE, "instance_ready",
				    labels, "1 when the instance is ready");
	}
	for (int level = EVH_DEBUG; level <= EVH_ERROR; level++)
		state->log_lines[level] =
			metrics_get(host->metrics, EVH_COUNTER, "log_lines",
				    levels[level], "Log entries written");
	snprintf(version, sizeof(version), "version=%s,abi=%d", EVH_VERSION,
		 EVH_ABI);
	metric_record(metrics_get(host->metrics, EVH_GAUGE, "build_info",
				  version, "Which evhd this is"),
		      1);
	return 0;
}

int
state_collect(struct state *state)
{
	int rc = collect_init(state);

	if (rc < 0)
		return rc;
	rc = metrics_collect(state->host->metrics, collect, state);
	if (rc < 0)
		return rc;
	return metrics_add_process(state->host->metrics);
}
