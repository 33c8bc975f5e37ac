#include "spool.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "host_tables.h"
#include "log.h"
#include "metrics.h"
#include "pass.h"
#include "pipeline.h"
#include "timer.h"

/* What is delivered is noted on the disk so often; a crash repeats what was
 * delivered since. */
#define PERSIST_NS INT64_C(1000000000)

/* ---- Making ------------------------------------------------------------- */

static int
spool_init_metrics(struct spool *s, struct metrics *metrics)
{
	char name[256];
	char labels[300];

	metrics_label_escape(name, sizeof(name), s->pipeline->name);
	snprintf(labels, sizeof(labels), "pipeline=%s", name);
	s->records = metrics_get(metrics, EVH_GAUGE, "spool_records", labels,
				 "Events in the spool, not delivered yet");
	s->bytes = metrics_get(metrics, EVH_GAUGE, "spool_bytes", labels,
			       "What the spool takes of the disk");
	s->sync_seconds =
		metrics_get(metrics, EVH_HISTOGRAM, "spool_sync_seconds",
			    labels, "Writing a group of events and its fsync");
	s->spooled = metrics_get(metrics, EVH_COUNTER, "spool_taken", labels,
				 "Events that went into the spool");
	s->drained =
		metrics_get(metrics, EVH_COUNTER, "spool_delivered", labels,
			    "Events of the spool that the chain "
			    "has answered");
	return s->drained && s->spooled ? 0 : -ENOMEM;
}

static int
spool_init_source(struct spool *s)
{
	struct host *host = s->pipeline->elements[0].in->host;

	s->loaded.plugin = (struct evh_plugin){
		EVH_PLUGIN_HEAD,	  .kind = EVH_SOURCE,
		.threads = EVH_PARALLEL,  .name = "spool",
		.done = spool_drain_done,
	};
	s->section = (struct config_instance){ .keyword = "spool",
					       .kind = EVH_SOURCE,
					       .name = (char *)"spool" };
	s->source = instance_new(host, &s->loaded, &s->section, NULL);
	if (!s->source)
		return -ENOMEM;
	s->source->self = s;
	return 0;
}

struct spool *
spool_new(struct pipeline *p, struct metrics *metrics)
{
	struct spool *s = calloc(1, sizeof(*s));
	unsigned limit = p->window.limit;

	if (!s)
		return NULL;
	s->pipeline = p;
	s->config = p->config;
	s->is_always = strcmp(p->config->spool_when, "always") == 0;
	s->log.fd = s->log.reader.fd = -1;
	s->log.dir.fd = s->log.dir.lock_fd = s->log.dir.position_fd = -1;
	/* A quarter of the window is for what comes meanwhile. */
	s->n_slots = limit - (limit >= 4 ? limit / 4 : limit > 1);
	s->slots = calloc(s->n_slots, 1);
	if (!s->slots)
		goto fail_slots;
	if (condition_init(&s->wake) < 0)
		goto fail_wake;
	if (pthread_mutex_init(&s->lock, NULL) != 0)
		goto fail_lock;
	if (spool_init_metrics(s, metrics) < 0 || spool_init_source(s) < 0) {
		spool_free(s);
		return NULL;
	}
	return s;
fail_lock:
	pthread_cond_destroy(&s->wake);
fail_wake:
	free(s->slots);
fail_slots:
	free(s);
	return NULL;
}

void
spool_free(struct spool *s)
{
	if (!s)
		return;
	assert(!s->is_started && !s->queue.head && !s->ahead);
	spool_log_close(&s->log);
	instance_free(s->source);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free(s->slots);
	free(s);
}

/* ---- Who asks ----------------------------------------------------------- */

void
spool_tell(const struct spool *s)
{
	struct host *host = s->source->host;

	if (atomic_load(&host->is_started))
		host_wake(host);
}

bool
spool_is_idle(const struct spool *s)
{
	return !atomic_load(&s->is_holding) &&
	       atomic_load(&s->pipeline->n_not_ready) == 0;
}

bool
spool_has_room(struct spool *s, const struct event *ev)
{
	uint64_t size;

	if (spool_is_idle(s))
		return true;
	if (!atomic_load(&s->accepts))
		return false;
	size = atomic_load(&s->size) + atomic_load(&s->size_queued) +
	       spool_record_size(&ev->pub);
	if (size <= s->config->spool_max_size)
		return true;
	if (!atomic_exchange(&s->is_full, true))
		spool_tell(s);
	return false;
}

/* Under lock. */
static void
wake(struct spool *s)
{
	s->is_poked = true;
	pthread_cond_signal(&s->wake);
}

void
spool_poke(struct spool *s)
{
	pthread_mutex_lock(&s->lock);
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

static void
end_waiting(struct spool *s)
{
	if (atomic_load(&s->is_waiting) &&
	    atomic_exchange(&s->is_waiting, false))
		spool_poke(s);
}

static void
log_begin(const struct spool *s)
{
	struct log_facts facts = { .pipeline = s->pipeline->name };

	log_write(EVH_WARN, &facts,
		  "what the chain needs is not ready: events go into the spool "
		  "%s",
		  s->config->spool_dir);
}

bool
spool_take(struct spool *s, struct event *ev)
{
	bool is_first;

	/* Counted before it looks: who drains sees one of the two. */
	atomic_fetch_add(&s->n_passing, 1);
	if (spool_is_idle(s)) {
		ev->is_passing = true;
		return false;
	}
	atomic_fetch_sub(&s->n_passing, 1);
	atomic_fetch_add(&s->size_queued, spool_record_size(&ev->pub));
	pthread_mutex_lock(&s->lock);
	is_first = !atomic_exchange(&s->is_holding, true);
	if (is_first)
		s->since_ns = timer_wall_ns();
	event_list_push(&s->queue, ev);
	wake(s);
	pthread_mutex_unlock(&s->lock);
	if (is_first)
		log_begin(s);
	return true;
}

void
spool_note_left(struct spool *s, const struct event *ev)
{
	unsigned n;

	if (ev->is_drained) {
		atomic_fetch_sub(&s->size_draining, ev->size);
		n = atomic_fetch_sub(&s->n_draining, 1) - 1;
		if (n == 0)
			spool_poke(s);
		else if (n <= s->n_slots / 2)
			end_waiting(s);
		return;
	}
	if (ev->is_passing)
		atomic_fetch_sub(&s->n_passing, 1);
	end_waiting(s);
}

bool
spool_is_ready(const struct spool *s)
{
	return !atomic_load(&s->is_stuck) &&
	       (spool_is_idle(s) ||
		(atomic_load(&s->accepts) && !atomic_load(&s->is_full)));
}

void
spool_state(struct spool *s, struct spool_state *ret)
{
	const char *why;

	ret->is_holding = atomic_load(&s->is_holding);
	ret->size = atomic_load(&s->size);
	pthread_mutex_lock(&s->lock);
	ret->n_records = s->n_records;
	ret->since_ns = s->since_ns;
	why = *s->why_closed ? s->why_closed : s->why_stuck;
	if (!*why && ret->is_holding && atomic_load(&s->is_full))
		why = "the spool is full, up to max_size";
	snprintf(ret->why, sizeof(ret->why), "%s", why);
	pthread_mutex_unlock(&s->lock);
}

/* ---- The thread --------------------------------------------------------- */

static void
log_end(struct spool *s)
{
	struct log_facts facts = { .pipeline = s->pipeline->name };

	if (!s->is_always)
		log_write(EVH_INFO, &facts,
			  "the spool is empty: events pass it by again");
}

/* Not noted, it is delivered again after a crash, which is no harm; but its
 * room does not come back. */
static void
persist(struct spool *s)
{
	int rc = spool_log_persist(&s->log);

	if (rc < 0 && rc != s->persist_fault)
		log_write(EVH_ERROR, NULL,
			  "spool %s: what was delivered cannot be noted: %s; "
			  "tried again every second",
			  s->config->spool_dir, strerror(-rc));
	s->persist_fault = rc;
	if (s->log.size < atomic_load(&s->size) &&
	    atomic_exchange(&s->is_full, false))
		spool_tell(s);
	atomic_store(&s->size, s->log.size);
}

/* What is released is noted; without any left, events pass by again.  When it
 * has to be done again. */
static int64_t
settle(struct spool *s, int64_t now_ns)
{
	struct spool_log *log = &s->log;
	bool is_over;

	pthread_mutex_lock(&s->lock);
	spool_log_release(log, s->base);
	s->n_records = spool_log_count(log);
	is_over = s->n_records == 0 && !s->queue.head && !s->is_always &&
		  !atomic_load(&s->is_dry) && !*log->damage &&
		  atomic_load(&s->is_holding);
	if (is_over)
		atomic_store(&s->is_holding, false);
	pthread_mutex_unlock(&s->lock);
	metric_record(s->records, (int64_t)s->n_records);
	metric_record(s->bytes, (int64_t)log->size);
	if (is_over) {
		log_end(s);
		spool_tell(s);
	}
	if (log->released == log->dir.position)
		return INT64_MAX;
	if (s->persist_ns == 0)
		s->persist_ns = now_ns + PERSIST_NS;
	if (now_ns < s->persist_ns &&
	    !(log->n > 1 && log->segments[0].next <= log->released))
		return s->persist_ns;
	s->persist_ns = 0;
	persist(s);
	return now_ns + PERSIST_NS;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Nobody waits longer without a look. */
#define LOOK_NS INT64_C(1000000000)

int64_t
spool_turn(struct spool *s)
{
	struct event_list list = { 0 };
	int64_t now_ns = timer_now_ns();
	int64_t due_ns = now_ns + LOOK_NS;

	pthread_mutex_lock(&s->lock);
	s->is_poked = false;
	event_list_append(&list, &s->queue);
	pthread_mutex_unlock(&s->lock);
	spool_keep(s, &list, now_ns);
	due_ns = earlier(due_ns, spool_drain(s, now_ns));
	return earlier(due_ns, settle(s, timer_now_ns()));
}

/* False when it is to stop. */
static bool
wait_for_work(struct spool *s, int64_t due_ns)
{
	bool is_in_time = true;
	bool goes_on;

	pthread_mutex_lock(&s->lock);
	while (!s->is_poked && is_in_time)
		is_in_time = condition_wait(&s->wake, &s->lock, due_ns);
	goes_on = !s->is_stopping || s->queue.head;
	pthread_mutex_unlock(&s->lock);
	return goes_on;
}

static void *
spool_run(void *arg)
{
	struct spool *s = arg;
	int64_t due_ns = timer_now_ns();

	while (wait_for_work(s, due_ns))
		due_ns = spool_turn(s);
	return NULL;
}

/* ---- Life --------------------------------------------------------------- */

static void
log_found(const struct spool *s, uint64_t n)
{
	struct log_facts facts = { .pipeline = s->pipeline->name };

	if (n > 0)
		log_write(EVH_INFO, &facts,
			  "the spool %s has %" PRIu64 " events of before",
			  s->config->spool_dir, n);
}

int
spool_open(struct spool *s)
{
	int rc = spool_log_open(&s->log, s->config->spool_dir,
				s->config->spool_max_size);
	uint64_t n;

	if (rc < 0)
		return rc;
	n = spool_log_count(&s->log);
	s->base = s->log.released;
	s->n_records = n;
	s->since_ns = timer_wall_ns();
	atomic_store(&s->size, s->log.size);
	atomic_store(&s->accepts, !*s->log.damage);
	atomic_store(&s->is_stuck, *s->log.damage != '\0');
	atomic_store(&s->is_holding, n > 0 || s->is_always || *s->log.damage);
	snprintf(s->why_closed, sizeof(s->why_closed), "%s", s->log.damage);
	log_found(s, n);
	return 0;
}

int
spool_start(struct spool *s)
{
	int rc = spool_open(s);

	if (rc < 0)
		return rc;
	rc = pthread_create(&s->thread, NULL, spool_run, s);
	if (rc != 0) {
		log_write(EVH_ERROR, NULL, "a thread for the spool: %s",
			  strerror(rc));
		return -rc;
	}
	s->is_started = true;
	pthread_setname_np(s->thread, "evh-spool");
	return 0;
}

void
spool_stop(struct spool *s)
{
	if (!s->is_started)
		return;
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	wake(s);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	s->is_started = false;
	spool_close(s);
}

void
spool_close(struct spool *s)
{
	if (s->ahead)
		event_free(s->ahead);
	s->ahead = NULL;
	spool_log_release(&s->log, s->base);
	spool_log_close(&s->log);
}
