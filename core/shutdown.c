#include "shutdown.h"

#include "clock.h"
#include "delivery.h"
#include "host_tables.h"
#include "log.h"
#include "pipeline.h"

/* One flush() of one instance: what takes longer hears RETRY, and between two
 * of them a second SIGTERM is noticed. */
#define FLUSH_MAX_MS 1000
#define WAIT_MAX_NS  INT64_C(50000000)
/* One stop(): leaving a group politely takes a while, and a server that is away
 * must not take all of the time. */
#define STOP_MAX_MS 5000
/* Nothing has ended for so long: somebody holds it. */
#define STALL_NS INT64_C(500000000)

/* What sources have under way beside that: calls of emit(), events in several
 * pipelines.  Once this and the windows have been 0 after all have drained,
 * whatever is open later only hears -ESHUTDOWN. */
static unsigned
open_at_sources(const struct host *host)
{
	unsigned n = 0;

	for (unsigned i = 0; i < host->n_instances; i++)
		n += atomic_load(&host->instances[i]->n_open);
	return n;
}

static unsigned
in_flight(const struct host *host)
{
	/* In this order: what was open may be in a window by now. */
	unsigned n_open = open_at_sources(host);
	unsigned n = 0;

	for (unsigned i = 0; i < host->n_pipelines; i++)
		n += window_used(&host->pipelines[i]->window);
	return n > 0 ? n : n_open;
}

static int
flush_ms(int64_t due_ns)
{
	int64_t left_ms = (due_ns - timer_now_ns()) / NS_PER_MS;

	if (left_ms <= 0)
		return 0;
	return left_ms < FLUSH_MAX_MS ? (int)left_ms : FLUSH_MAX_MS;
}

/* Handlers and sinks, in the order of the chain, on_fail, on_drop; or only
 * handlers. */
static void
flush_pipeline(struct pipeline *p, int64_t due_ns, bool handlers_only)
{
	for (unsigned i = 1; i < p->n_elements; i++) {
		struct instance *in = p->elements[i].in;

		if (handlers_only && in->plugin->kind != EVH_HANDLER)
			continue;
		/* A late process() may have the plugin's lock for ever. */
		if (window_used(&p->window) > 0 &&
		    atomic_load(&in->n_late) == 0)
			instance_flush(in, flush_ms(due_ns));
	}
}

static void
flush_all(const struct host *host, int64_t due_ns, bool handlers_only)
{
	for (unsigned i = 0; i < host->n_pipelines; i++)
		flush_pipeline(host->pipelines[i], due_ns, handlers_only);
}

/* Until something has changed there, or its part of a short while is over:
 * what goes on in the others waits for the next flush(). */
static void
wait_pipeline(const struct host *host, struct pipeline *p)
{
	int64_t due_ns = timer_now_ns() + WAIT_MAX_NS / host->n_pipelines;
	unsigned turn = window_turn(&p->window);

	if (window_used(&p->window) == 0 && open_at_sources(host) == 0)
		window_leave(&p->window);
	else
		(void)window_wait(&p->window, turn, due_ns);
}

static void
wait_all(const struct host *host)
{
	for (unsigned i = 0; i < host->n_pipelines; i++)
		wait_pipeline(host, host->pipelines[i]);
}

/*
 * What is under way mostly ends by itself, which no flush() can better; but
 * what a handler holds may never, so that handlers are asked for theirs when
 * nothing ends any more.  Gives how many are left.
 */
static unsigned
wait_until(struct host *host, int64_t due_ns, bool (*hurry)(struct host *))
{
	int64_t moved_ns = timer_now_ns();
	unsigned left, before = 0;

	while ((left = in_flight(host)) > 0 && timer_now_ns() < due_ns &&
	       !hurry(host)) {
		int64_t now_ns = timer_now_ns();

		if (left != before)
			moved_ns = now_ns;
		before = left;
		if (now_ns - moved_ns >= STALL_NS) {
			log_write(EVH_INFO, NULL,
				  "draining: waiting for %u events in flight",
				  left);
			flush_all(host, due_ns, true);
			moved_ns = timer_now_ns();
		}
		wait_all(host);
	}
	return left;
}

static unsigned
flush_until(struct host *host, int64_t due_ns, bool (*hurry)(struct host *))
{
	unsigned left;

	while ((left = in_flight(host)) > 0 && timer_now_ns() < due_ns &&
	       !hurry(host)) {
		flush_all(host, due_ns, false);
		wait_all(host);
	}
	return left;
}

static void
log_left(const struct pipeline *p)
{
	for (unsigned i = 1; i < p->n_elements; i++) {
		const struct element *el = &p->elements[i];
		struct log_facts facts = { .instance = el->in->name,
					   .pipeline = p->name };
		unsigned has = 0;
		unsigned waiting = 0;

		if (el->delivery)
			delivery_state(el->delivery, &has, &waiting);
		if (has + waiting > 0)
			log_write(EVH_WARN, &facts,
				  "stopping with %u events in its hands and "
				  "%u waiting for it",
				  has, waiting);
	}
}

/* A handler that is in process() still, or has not called resume(). */
static void
log_held(struct instance *in)
{
	struct log_facts facts = { .instance = in->name };
	unsigned n = in->plugin->kind == EVH_HANDLER ? event_count_held(in) : 0;

	if (n > 0)
		log_write(EVH_WARN, &facts,
			  "stopping with %u events in its hands", n);
}

static void
log_unfinished(const struct host *host, unsigned left)
{
	log_write(EVH_WARN, NULL,
		  "the time to stop is over with %u events in flight: "
		  "they are handed back, and come again",
		  left);
	for (unsigned i = 0; i < host->n_pipelines; i++)
		log_left(host->pipelines[i]);
	for (unsigned i = 0; i < host->n_instances; i++)
		log_held(host->instances[i]);
}

int
shutdown_stop_ms(const struct host *host)
{
	int64_t left_ms = (host->stop_due_ns - timer_now_ns()) / NS_PER_MS;

	if (atomic_load(&host->is_hurried) || left_ms <= 0)
		return 0;
	return left_ms < STOP_MAX_MS ? (int)left_ms : STOP_MAX_MS;
}

unsigned
shutdown_drain(struct host *host, bool (*hurry)(struct host *host))
{
	int64_t begin_ns = timer_now_ns();
	int64_t time_ns = host->setup->config->shutdown_timeout_ms * NS_PER_MS;
	int64_t drain_ns = time_ns - time_ns / 6;
	int64_t quarter_ns = drain_ns / 4;
	unsigned left;

	host->stop_due_ns = begin_ns + time_ns;
	atomic_store(&host->is_stopping, true);
	for (unsigned i = 0; i < host->n_instances; i++)
		if (host->instances[i]->plugin->kind == EVH_SOURCE)
			instance_drain(host->instances[i]);
	for (unsigned i = 0; i < host->n_pipelines; i++)
		pipeline_give_up(host->pipelines[i]);
	left = wait_until(host, begin_ns + quarter_ns, hurry);
	if (left > 0)
		left = flush_until(host, begin_ns + 3 * quarter_ns, hurry);
	if (left > 0) {
		for (unsigned i = 0; i < host->n_pipelines; i++)
			pipeline_cut_short(host->pipelines[i]);
		left = flush_until(host, begin_ns + drain_ns, hurry);
	}
	if (left > 0)
		log_unfinished(host, left);
	return left;
}
