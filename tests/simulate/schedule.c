#include "schedule.h"

#include <stddef.h>

#include "balance.h"
#include "ends.h"
#include "event.h"
#include "failure.h"
#include "instance.h"
#include "oracle.h"
#include "reader.h"
#include "scene.h"
#include "shutdown.h"
#include "steps.h"
#include "strand.h"
#include "timer.h"
#include "virtual.h"
#include "worker.h"

#define STEPS_MIN      20u
#define STEPS_MAX      160u
#define CALM_STEPS_MAX 20000u
#define LATE_NS	       INT64_C(20000000000)
#define NS_PER_MS      1000000u

static struct scene scene;
static struct chance chance;

/* ---- Workers ------------------------------------------------------------ */

static bool
worker_is_awake(const struct worker *w, int64_t due_ns)
{
	return w->inbox.head || w->is_poked || due_ns <= virtual_now_ns();
}

static void
turn(struct pipeline *p, unsigned number, unsigned i)
{
	struct worker *w = p->workers[i];
	bool was_poked = w->is_poked;

	trace("%s: turn of worker %u%s", p->name, i,
	      was_poked ? ", which was poked" : "");
	w->is_poked = false;
	scene.is_turning[number][i] = true;
	scene.due_ns[number][i] = worker_turn(w, virtual_now_ns(), was_poked);
	scene.is_turning[number][i] = false;
}

/* One that would be awake, from a random one on.  False: all sleep. */
static bool
work(void)
{
	unsigned first = chance_below(&chance, scene.n_pipelines);

	for (unsigned i = 0; i < scene.n_pipelines; i++) {
		unsigned number = (first + i) % scene.n_pipelines;
		struct pipeline *p = scene.pipelines[number];
		unsigned n = p->n_workers + 1;
		unsigned from = chance_below(&chance, n);

		for (unsigned j = 0; j < n; j++) {
			unsigned at = (from + j) % n;

			if (scene.is_turning[number][at] ||
			    !worker_is_awake(p->workers[at],
					     scene.due_ns[number][at]))
				continue;
			turn(p, number, at);
			return true;
		}
	}
	return false;
}

/* ---- Time --------------------------------------------------------------- */

/* When somebody wants to do something next; INT64_MAX: nobody does. */
static int64_t
next_due_ns(void)
{
	int64_t due_ns = INT64_MAX;

	for (unsigned i = 0; i < scene.n_pipelines; i++)
		for (unsigned w = 0; w <= scene.pipelines[i]->n_workers; w++)
			if (scene.due_ns[i][w] < due_ns)
				due_ns = scene.due_ns[i][w];
	for (unsigned i = 0; i < scene.n_sources; i++) {
		int64_t reader_ns =
			scene.ends[i].reader
				? reader_due_ns(scene.ends[i].reader)
				: INT64_MAX;

		if (reader_ns < due_ns)
			due_ns = reader_ns;
	}
	return due_ns;
}

static bool
pass_time(void)
{
	int64_t due_ns = next_due_ns();

	if (scene.is_stopping) {
		virtual_advance(chance_between(&chance, 1, 1000) * 1000);
	} else if (due_ns < INT64_MAX && due_ns > virtual_now_ns() &&
		   chance_of(&chance, 60)) {
		virtual_advance_to(due_ns);
	} else if (chance_of(&chance, 3)) {
		virtual_advance(LATE_NS);
	} else {
		static const unsigned most_us[] = { 10, 1000, 30000, 300000 };
		unsigned most = most_us[chance_below(&chance, 4)];

		virtual_advance((int64_t)chance_between(&chance, 1, most) *
				1000);
	}
	trace("time passes");
	return true;
}

/* ---- Ends --------------------------------------------------------------- */

static struct end *
any(enum evh_kind kind)
{
	unsigned first = kind == EVH_SOURCE ? 0
			 : kind == EVH_HANDLER
				 ? scene.n_sources
				 : scene.n_sources + scene.n_handlers;
	unsigned n = kind == EVH_SOURCE	   ? scene.n_sources
		     : kind == EVH_HANDLER ? scene.n_handlers
					   : scene.n_sinks;

	return n > 0 ? &scene.ends[first + chance_below(&chance, n)] : NULL;
}

static bool
step_source(void)
{
	struct end *source = any(EVH_SOURCE);

	if (source->is_busy)
		return false;
	if (source->reader == NULL) {
		client_emit(source);
		return true;
	}
	for (unsigned n = chance_below(&chance, 6); n > 0; n--)
		reader_produce(source->reader);
	reader_turn(source->reader);
	return true;
}

static bool
step_rebalance(void)
{
	struct end *source = any(EVH_SOURCE);

	if (source->reader == NULL || source->is_busy)
		return false;
	reader_rebalance(source->reader);
	return true;
}

static bool
step_sink(void)
{
	struct end *sink = any(EVH_SINK);

	if (sink->n_held == 0)
		return false;
	sink_answer(sink, false);
	return true;
}

static bool
step_handler(void)
{
	struct end *handler = any(EVH_HANDLER);

	if (handler == NULL || handler->n_held == 0)
		return false;
	handler_resume(handler);
	return true;
}

static bool
step_readiness(void)
{
	struct end *end = any(chance_of(&chance, 50) ? EVH_SINK : EVH_HANDLER);
	bool is_ready;

	if (end == NULL)
		return false;
	is_ready = atomic_load(&end->in->is_ready);
	if (is_ready && !chance_of(&chance, 30))
		return false;
	trace("%s is %s", end->name, is_ready ? "not ready" : "ready");
	end->ctx->ready(end->ctx, is_ready ? "its server is away" : NULL);
	return true;
}

static bool
step_mood(void)
{
	scene_mood(&scene, &scene.ends[chance_below(&chance, scene.n_ends)]);
	return true;
}

static bool
step_shortage(void)
{
	return steps_shorten_memory(&chance);
}

/* ---- Steps -------------------------------------------------------------- */

static const struct step steps[] = {
	{ 30, step_source },   { 34, work },	     { 24, step_sink },
	{ 8, step_handler },   { 12, pass_time },    { 5, step_readiness },
	{ 3, step_rebalance }, { 3, step_shortage }, { 2, step_mood },
};

static void
step(void)
{
	steps_take(&chance, steps, sizeof(steps) / sizeof(*steps));
	balance_look(&scene);
}

/* What the second thread does in the middle of that: no more than threads of
 * the host's and of plugins' would. */
static void
step_beside(void)
{
	static step_fn *const beside[] = {
		work, work, step_sink, step_sink, step_handler, step_source
	};

	steps_take_beside(&chance, beside, sizeof(beside) / sizeof(*beside));
}

/* ---- The calm before the stop ------------------------------------------- */

static void
be_calm(void)
{
	scene.is_calm = true;
	virtual_shortage(0);
	trace("calm: all are ready, and answer OK");
	for (unsigned i = scene.n_sources; i < scene.n_ends; i++)
		scene.ends[i].ctx->ready(scene.ends[i].ctx, NULL);
	for (unsigned i = 0; i < scene.n_sources; i++)
		if (scene.ends[i].reader != NULL)
			reader_rebalance(scene.ends[i].reader);
		else
			client_drop(&scene.ends[i]);
}

/* One step of all that would happen by itself; false: nothing does. */
static bool
calm_step(void)
{
	if (work())
		return true;
	for (unsigned i = scene.n_sources; i < scene.n_ends; i++) {
		struct end *end = &scene.ends[i];

		if (end->n_held == 0)
			continue;
		if (end->kind == EVH_SINK)
			sink_answer(end, false);
		else
			handler_resume(end);
		return true;
	}
	return false;
}

/* What a wait does: the others go on, until it is over.  Time goes by when
 * nobody has anything to do: a machine on which threads starve for as long as
 * their host waits is none of ours. */
static void
step_while_waiting(void *arg, int64_t due_ns)
{
	(void)arg;
	if (chance_of(&chance, 60) && !scene.is_calm) {
		step();
	} else if (scene.is_calm ? !calm_step() : !work()) {
		int64_t next_ns = next_due_ns();

		/* Past: the waiter itself is late for something. */
		if (next_ns <= virtual_now_ns() || next_ns > due_ns)
			next_ns = due_ns;
		virtual_advance_to(next_ns);
		trace("time passes while somebody waits");
	}
}

static bool
all_are_through(const char **ret_why)
{
	*ret_why = "an event is not answered";
	if (oracle_count_live() > 0)
		return false;
	for (unsigned i = 0; i < scene.n_sources; i++)
		if (scene.ends[i].reader != NULL &&
		    !reader_is_through(scene.ends[i].reader, ret_why))
			return false;
	return true;
}

/* Nothing goes wrong any more: everything has to come to its end. */
static void
calm(void)
{
	const char *why;

	be_calm();
	for (unsigned n = 0; !all_are_through(&why); n++) {
		int64_t due_ns;

		if (n == CALM_STEPS_MAX)
			failure("stuck: %s", why);
		(void)strand_finish();
		if (calm_step())
			continue;
		for (unsigned i = 0; i < scene.n_sources; i++)
			if (scene.ends[i].reader != NULL)
				reader_turn(scene.ends[i].reader);
		(void)strand_finish();
		if (calm_step())
			continue;
		due_ns = next_due_ns();
		if (due_ns < INT64_MAX)
			virtual_advance_to(due_ns);
		balance_look(&scene);
	}
	scene.is_calm = false;
}

/* ---- The stop ----------------------------------------------------------- */

static bool is_in_hurry;

static bool
hurry(struct host *host)
{
	(void)host;
	return is_in_hurry;
}

static void
stop(void)
{
	int64_t begin_ns = virtual_now_ns();
	int64_t time_ns = (int64_t)scene.config.shutdown_timeout_ms * NS_PER_MS;
	unsigned left;

	trace("stop, within %u ms", scene.config.shutdown_timeout_ms);
	scene.is_stopping = true;
	is_in_hurry = chance_of(&chance, 5);
	left = shutdown_drain(&scene.host, hurry);
	(void)strand_finish();
	trace("drained, %u left", left);
	if (left > 0 && is_in_hurry) {
		/* evhd would leave now; here, what is left comes to its end. */
		is_in_hurry = false;
		left = shutdown_drain(&scene.host, hurry);
		(void)strand_finish();
	}
	strand_begin(&chance, step_beside, 0);
	if (left > 0 && virtual_now_ns() - begin_ns < time_ns)
		failure("the stop gives up early, with %u events left", left);
	for (unsigned i = 0; i < scene.n_sources; i++)
		if (scene.ends[i].reader == NULL)
			client_drop(&scene.ends[i]);
	if (left > 0)
		failure("the stop leaves %u events", left);
	balance_end(&scene);
	scene_close(&scene);
	if (event_count() != 0)
		failure("%lu events are leaked", event_count());
}

void
schedule_init(void)
{
	chance_init(&chance, 0);
	virtual_begin(&chance, step_while_waiting, NULL);
	scene_share();
	strand_init();
}

unsigned
schedule_run(uint64_t seed, unsigned max_steps)
{
	unsigned n;

	steps_begin(&chance, seed, step_beside, step_while_waiting);
	scene_open(&scene, &chance);
	oracle_begin(&scene);
	balance_begin();
	for (unsigned i = 0; i < scene.n_sources; i++)
		if (scene.ends[i].reader != NULL)
			reader_rebalance(scene.ends[i].reader);
	n = steps_start(&chance, step_beside, STEPS_MIN, STEPS_MAX, max_steps);
	for (unsigned i = 0; i < n && !scene.is_fatal; i++)
		step();
	if (chance_of(&chance, 50) && !scene.is_fatal)
		calm();
	stop();
	return n;
}
