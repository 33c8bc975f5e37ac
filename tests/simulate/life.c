#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "content.h"
#include "disk.h"
#include "event.h"
#include "failure.h"
#include "instance.h"
#include "scene.h"
#include "shutdown.h"
#include "spool.h"
#include "strand.h"
#include "virtual.h"
#include "worker.h"

#define BATCH_MAX 4u

/* ---- The source --------------------------------------------------------- */

static void
source_done(void *self, struct evh_event *const *evs, int n,
	    enum evh_result result)
{
	(void)self;
	for (int i = 0; i < n && !disk_is_dead(); i++)
		account_answer(evs[i], result);
	strand_point();
}

static struct evh_event *
event_make(struct life *life)
{
	static const char keys[] = "klmn";
	char key = keys[chance_below(life->chance, life->plan->n_keys)];
	bool has_key = chance_of(life->chance, 85);
	unsigned data_below =
		chance_of(life->chance, 20) ? CONTENT_DATA_MAX : 30;
	struct content content;
	struct evh_spec spec;
	unsigned char id[16];

	account_new(has_key ? key : '\0',
		    chance_below(life->chance, data_below), id, &content);
	spec = (struct evh_spec){
		.id = id,
		.name = content.name,
		.key = { content.key, content.key_len },
		.headers = content.headers,
		.n_headers = content.n_headers,
		.data = { content.data, content.data_len },
	};
	return life->source->event_new(life->source, &spec, NULL);
}

bool
life_emit(struct life *life)
{
	struct evh_event *evs[BATCH_MAX];
	unsigned n = chance_between(life->chance, 1, BATCH_MAX), made = 0;
	int taken;

	if (!life->is_up || life->is_emitting || disk_is_dead())
		return false;
	life->is_emitting = true;
	while (made < n && !account_is_full() &&
	       (evs[made] = event_make(life)) != NULL)
		account_offer(evs[made++]);
	if (made > 0) {
		taken = life->source->emit(life->source, evs, (int)made, 0);
		trace("emit() of %u says %d", made, taken);
		for (unsigned i = taken > 0 ? (unsigned)taken : 0; i < made;
		     i++) {
			if (!disk_is_dead())
				account_give_back(evs[i]);
			life->source->event_free(life->source, &evs[i], 1);
		}
	}
	life->is_emitting = false;
	return made > 0;
}

/* ---- The sink ----------------------------------------------------------- */

static void
answer(struct life *life, struct evh_event *const *evs, unsigned n,
       enum evh_result result)
{
	for (unsigned i = 0; i < n && !disk_is_dead(); i++)
		account_deliver(evs[i], result);
	life->sink->done(life->sink, evs, (int)n, result);
}

static enum evh_result
draw(struct life *life)
{
	if (life->is_calm)
		return EVH_OK;
	if (disk_is_dead() || chance_of(life->chance, life->retries))
		return EVH_RETRY;
	return chance_of(life->chance, life->failures) ? EVH_FAIL : EVH_OK;
}

/* The oldest ones; with RETRY all that it has, so that no later one of a key
 * stays behind. */
bool
life_answer(struct life *life)
{
	struct evh_event *evs[LIFE_HELD_MAX];
	enum evh_result result;
	unsigned n;

	if (!life->is_up || life->n_held == 0 || life->is_answering)
		return false;
	result = draw(life);
	n = result == EVH_OK	 ? chance_between(life->chance, 1, life->n_held)
	    : result == EVH_FAIL ? 1
				 : life->n_held;
	memcpy(evs, life->held, n * sizeof(evs[0]));
	life->n_held -= n;
	memmove(life->held, life->held + n,
		life->n_held * sizeof(life->held[0]));
	life->is_answering = true;
	answer(life, evs, n, result);
	life->is_answering = false;
	return true;
}

static int
sink_submit(void *self, struct evh_event *const *evs, int n)
{
	struct life *life = self;
	unsigned room = (LIFE_HELD_MAX - life->n_held) / 2;
	unsigned k = (unsigned)n < room ? (unsigned)n : room;
	unsigned at_once = 0;

	strand_point();
	if (life->is_answering)
		return 0;
	if (!life->is_calm && chance_of(life->chance, life->refuses))
		k = chance_below(life->chance, k + 1);
	for (unsigned i = 0; i < k && !disk_is_dead(); i++)
		account_show(evs[i]);
	if (life->n_held == 0 && chance_of(life->chance, life->at_once)) {
		at_once = k;
		life->is_answering = true;
		if (k > 0)
			answer(life, evs, k, EVH_OK);
		life->is_answering = false;
	}
	for (unsigned i = at_once; i < k; i++)
		life->held[life->n_held++] = evs[i];
	strand_point();
	return (int)k;
}

static void
sink_flush(void *self, int timeout_ms)
{
	struct life *life = self;

	(void)timeout_ms;
	(void)strand_finish();
	while (life_answer(life))
		(void)strand_finish();
}

bool
life_change_readiness(struct life *life)
{
	bool is_ready;

	if (!life->is_up)
		return false;
	is_ready = atomic_load(&life->instances[1]->is_ready);
	trace("the sink is %s", is_ready ? "not ready" : "ready");
	life->sink->ready(life->sink, is_ready ? "its server is away" : NULL);
	return true;
}

void
life_mood(struct life *life)
{
	static const unsigned weights[] = { 0, 0, 0, 5, 40 };
	struct chance *c = life->chance;

	life->refuses = weights[chance_below(c, 5)];
	life->retries = weights[chance_below(c, 5)];
	life->failures = chance_of(c, 15) ? 5 : 0;
	life->at_once = weights[chance_below(c, 5)];
}

void
life_calm(struct life *life)
{
	life->is_calm = true;
	if (!atomic_load(&life->instances[1]->is_ready))
		(void)life_change_readiness(life);
}

/* ---- Its threads -------------------------------------------------------- */

bool
life_work(struct life *life)
{
	struct pipeline *p = life->p;
	unsigned from;

	if (!life->is_up)
		return false;
	from = chance_below(life->chance, p->n_workers + 1);
	for (unsigned i = 0; i <= p->n_workers; i++) {
		unsigned at = (from + i) % (p->n_workers + 1);
		struct worker *w = p->workers[at];
		bool was_poked = w->is_poked;

		if (life->is_working[at] ||
		    !(w->inbox.head || was_poked ||
		      life->worker_due_ns[at] <= virtual_now_ns()))
			continue;
		trace("turn of worker %u", at);
		w->is_poked = false;
		life->is_working[at] = true;
		life->worker_due_ns[at] =
			worker_turn(w, virtual_now_ns(), was_poked);
		life->is_working[at] = false;
		return true;
	}
	return false;
}

bool
life_spool(struct life *life)
{
	struct spool *s = life->is_up ? life->p->spool : NULL;

	if (s == NULL || life->is_spooling ||
	    !(s->is_poked || life->spool_due_ns <= virtual_now_ns()))
		return false;
	trace("turn of the spool");
	life->is_spooling = true;
	life->spool_due_ns = spool_turn(s);
	life->is_spooling = false;
	return true;
}

int64_t
life_due_ns(const struct life *life)
{
	int64_t due_ns = life->spool_due_ns;

	for (unsigned i = 0; i <= life->p->n_workers; i++)
		if (life->worker_due_ns[i] < due_ns)
			due_ns = life->worker_due_ns[i];
	return due_ns;
}

uint64_t
life_count(struct life *life)
{
	struct spool_state state;

	spool_state(life->p->spool, &state);
	return state.n_records;
}

bool
life_is_through(struct life *life)
{
	return life_count(life) == 0 &&
	       (life->plan->is_always || spool_is_idle(life->p->spool));
}

/* ---- Its begin and its end ---------------------------------------------- */

static int
create(struct evh_ctx *ctx, void **ret_self)
{
	*ret_self = ((struct instance *)ctx)->self;
	return 0;
}

static void
add(struct life *life, unsigned i, const char *name,
    const struct evh_plugin *plugin)
{
	struct instance *in;

	life->loaded[i].plugin = *plugin;
	life->loaded[i].plugin.create = create;
	life->loaded[i].plugin.threads =
		life->plan->is_serial ? EVH_SERIAL : EVH_PARALLEL;
	life->sections[i] = (struct config_instance){ .name = (char *)name,
						      .where = (char *)name,
						      .kind = plugin->kind };
	in = instance_new(&life->host, &life->loaded[i], &life->sections[i],
			  NULL);
	if (in == NULL)
		failure("out of memory for an instance");
	in->self = life;
	(void)instance_create(in);
	life->instances[i] = in;
}

static struct instance *
find_instance(void *arg, const char *name)
{
	return host_instance(arg, name);
}

static void
pipeline_make(struct life *life)
{
	static char *chain[] = { (char *)"source", (char *)"sink", NULL };
	static char *none[] = { NULL };
	const struct life_plan *plan = life->plan;

	life->pipeline_config = (struct config_pipeline){
		.name = (char *)"p",
		.where = (char *)"p",
		.chain = chain,
		.optional = none,
		.on_fail = none,
		.on_drop = none,
		.match = none,
		.workers = plan->workers,
		.in_flight = plan->in_flight,
		.in_flight_size = 1 << 20,
		.attempts = 3,
		.backoff_ms = 10,
		.backoff_max_ms = 100,
		.deadline_ms = plan->deadline_ms,
		.has_spool = true,
		.spool_dir = (char *)DISK_FOLDER,
		.spool_when = (char *)(plan->is_always ? "always" : "outage"),
		.spool_max_size = plan->max_size,
	};
	life->p = pipeline_new(&life->pipeline_config, find_instance,
			       &life->host, scene_metrics());
	if (life->p == NULL)
		failure("out of memory for a pipeline");
	life->pipelines[0] = life->p;
	life->host.n_pipelines = 1;
	atomic_fetch_add(&life->p->n_not_ready, 1);
	life->instances[0]->heads = calloc(1, sizeof(life->p));
	life->instances[0]->heads[0] = life->p;
	life->instances[0]->n_heads = 1;
	for (unsigned i = 0; i <= LIFE_WORKERS; i++)
		life->worker_due_ns[i] = INT64_MAX;
}

static void
host_make(struct life *life)
{
	static const struct evh_plugin source = {
		EVH_PLUGIN_HEAD, .kind = EVH_SOURCE, .name = "source",
		.version = "1", .done = source_done
	};
	static const struct evh_plugin sink = {
		EVH_PLUGIN_HEAD, .kind = EVH_SINK,	.name = "sink",
		.version = "1",	 .submit = sink_submit, .flush = sink_flush
	};

	life->setup.config = &life->config;
	life->config.shutdown_timeout_ms = 5000;
	life->host.setup = &life->setup;
	life->host.wake_fd = -1;
	life->host.signal_fd = -1;
	life->host.instances = life->instances;
	life->host.n_instances = 2;
	life->host.pipelines = life->pipelines;
	life->host.metrics = scene_metrics();
	pthread_mutex_init(&life->host.timers_lock, NULL);
	add(life, 0, "source", &source);
	add(life, 1, "sink", &sink);
	life->source = &life->instances[0]->ctx;
	life->sink = &life->instances[1]->ctx;
}

static void
host_free(struct life *life)
{
	pipeline_free(life->p);
	for (unsigned i = 0; i < 2; i++)
		instance_free(life->instances[i]);
	pthread_mutex_destroy(&life->host.timers_lock);
	if (event_count() != 0)
		failure("%lu events are leaked", event_count());
}

bool
life_begin(struct life *life, struct chance *chance,
	   const struct life_plan *plan)
{
	int rc;

	*life = (struct life){ .chance = chance, .plan = plan };
	host_make(life);
	pipeline_make(life);
	life_mood(life);
	rc = spool_open(life->p->spool);
	trace("the spool is opened: %s; %u records from %u on", strerror(-rc),
	      (unsigned)life->p->spool->n_records,
	      (unsigned)life->p->spool->base);
	if (rc < 0) {
		host_free(life);
		return false;
	}
	life->spool_due_ns = virtual_now_ns();
	for (unsigned i = 2; i > 0; i--)
		(void)instance_start(life->instances[i - 1]);
	(void)strand_finish();
	life->is_up = true;
	return true;
}

static bool
hurry(struct host *host)
{
	(void)host;
	return false;
}

void
life_end(struct life *life)
{
	unsigned left;

	(void)strand_finish();
	left = shutdown_drain(&life->host, hurry);
	(void)strand_finish();
	life->is_up = false;
	if (left > 0)
		failure("the stop leaves %u events", left);
	instance_stop(life->instances[0], 1000);
	instance_stop(life->instances[1], 1000);
	spool_close(life->p->spool);
	if (atomic_load(&life->p->window.used) != 0)
		failure("the window is not empty");
	host_free(life);
}
