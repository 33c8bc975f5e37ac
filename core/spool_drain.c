/*
 * spool_drain.c - records of a spool on their way into the chain, and what
 * becomes of them.
 */
#include "spool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_tables.h"
#include "lane.h"
#include "log.h"
#include "metrics.h"
#include "pass.h"
#include "pipeline.h"
#include "route.h"
#include "timer.h"
#include "uuid_text.h"

/* So many at a time, then what has come is written. */
#define TURN_MAX	 512
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS	 10000

static unsigned char *
slot_of(const struct spool *s, uint64_t number)
{
	return &s->slots[number % s->n_slots];
}

/* ---- Out ---------------------------------------------------------------- */

/* Reading has failed: what is there stays there. */
static void
dry_up(struct spool *s, int rc)
{
	atomic_store(&s->is_dry, true);
	atomic_store(&s->accepts, false);
	pthread_mutex_lock(&s->lock);
	if (*s->log.damage)
		snprintf(s->why_closed, sizeof(s->why_closed), "%s",
			 s->log.damage);
	else
		snprintf(s->why_closed, sizeof(s->why_closed),
			 "spool %s cannot be read: %s; start again when it can",
			 s->log.dir.path, strerror(-rc));
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->is_stuck, true);
	if (!*s->log.damage)
		log_write(EVH_ERROR, NULL, "%s", s->why_closed);
	spool_tell(s);
}

/* Later, from the first that is not released. */
static void
begin_again(struct spool *s)
{
	pthread_mutex_lock(&s->lock);
	if (!s->is_due_again)
		s->n_backoffs++;
	s->is_due_again = true;
	s->again_ns = timer_now_ns() + timer_backoff_ns(s->n_backoffs + 1,
							BACKOFF_FIRST_MS,
							BACKOFF_MAX_MS);
	pthread_mutex_unlock(&s->lock);
}

static struct event *
event_make(struct spool *s, const struct evh_spec *spec)
{
	struct event *ev = event_new(s->source, spec, NULL);

	if (!ev)
		return NULL;
	ev->is_drained = true;
	ev->is_patient = true;
	event_settle(ev);
	lane_find(ev);
	return ev;
}

static bool
has_slot(struct spool *s, uint64_t number)
{
	bool has;

	pthread_mutex_lock(&s->lock);
	has = number < s->base + s->n_slots;
	pthread_mutex_unlock(&s->lock);
	return has;
}

/* False: none now. */
static bool
read_ahead(struct spool *s)
{
	struct evh_header *headers = NULL;
	struct evh_spec spec;
	uint64_t number;
	bool is_done;
	int rc;

	do {
		if (!has_slot(s, s->log.read_next))
			return false;
		rc = spool_log_read(&s->log, &number, &spec, &headers);
		if (rc == -ENOMEM)
			begin_again(s);
		else if (rc < 0)
			dry_up(s, rc);
		if (rc <= 0)
			return false;
		pthread_mutex_lock(&s->lock);
		is_done = number < s->base ||
			  *slot_of(s, number) == SPOOL_SLOT_DONE;
		pthread_mutex_unlock(&s->lock);
		if (!is_done) {
			spec.cookie = (uintptr_t)(number % s->n_slots);
			s->ahead = event_make(s, &spec);
			s->ahead_number = number;
			if (!s->ahead)
				begin_again(s);
		}
		free(headers);
	} while (is_done);
	return s->ahead != NULL;
}

/* Three quarters of the window. */
static bool
may_have_more(const struct spool *s, const struct event *ev)
{
	const struct window *w = &s->pipeline->window;
	unsigned n = atomic_load(&s->n_draining);

	if (n == 0)
		return true;
	return n < s->n_slots && atomic_load(&s->size_draining) + ev->size <=
					 w->limit_size - w->limit_size / 4;
}

/* Room for the one ahead.  Stopping is looked at behind it, so that who stops
 * sees either the room taken or nothing more to come. */
static bool
take_room(struct spool *s)
{
	struct pipeline *p = s->pipeline;
	const struct event *ev = s->ahead;

	if (!may_have_more(s, ev) || !window_take(&p->window, ev->size))
		return false;
	if (!atomic_load(&p->gives_up))
		return true;
	window_give(&p->window, 1, ev->size);
	return false;
}

static bool
send_one(struct spool *s, struct pass *pass, int64_t now_ns)
{
	struct event *ev;

	if (!s->ahead && !read_ahead(s))
		return false;
	if (!take_room(s)) {
		/* Somebody may have left before he could see that. */
		atomic_store(&s->is_waiting, true);
		if (!take_room(s))
			return false;
	}
	ev = s->ahead;
	s->ahead = NULL;
	atomic_fetch_add(&s->n_draining, 1);
	atomic_fetch_add(&s->size_draining, ev->size);
	pthread_mutex_lock(&s->lock);
	*slot_of(s, s->ahead_number) = SPOOL_SLOT_OUT;
	pthread_mutex_unlock(&s->lock);
	route_enter(pass, s->pipeline, ev, now_ns);
	return true;
}

/* ---- When --------------------------------------------------------------- */

/* All that is out is back, and some of it has to go again. */
static void
rewind_all(struct spool *s)
{
	if (s->ahead)
		event_free(s->ahead);
	s->ahead = NULL;
	pthread_mutex_lock(&s->lock);
	s->is_due_again = false;
	spool_log_release(&s->log, s->base);
	pthread_mutex_unlock(&s->lock);
	spool_log_rewind(&s->log);
}

static bool
chain_is_free(struct spool *s)
{
	const struct pipeline *p = s->pipeline;

	if (atomic_load(&s->is_dry) || atomic_load(&p->gives_up) ||
	    atomic_load(&p->n_not_ready) > 0)
		return false;
	if (atomic_load(&s->n_passing) == 0)
		return true;
	atomic_store(&s->is_waiting, true);
	return atomic_load(&s->n_passing) == 0;
}

/* Whether records may go on; if not, when to look again. */
static bool
may_drain(struct spool *s, int64_t now_ns, int64_t *ret_due_ns)
{
	bool is_due_again;
	int64_t again_ns;

	*ret_due_ns = INT64_MAX;
	if (!chain_is_free(s))
		return false;
	pthread_mutex_lock(&s->lock);
	is_due_again = s->is_due_again;
	again_ns = s->again_ns;
	pthread_mutex_unlock(&s->lock);
	if (!is_due_again)
		return true;
	if (atomic_load(&s->n_draining) > 0)
		return false; /* the last of them wakes us */
	if (now_ns < again_ns) {
		*ret_due_ns = again_ns;
		return false;
	}
	rewind_all(s);
	return true;
}

int64_t
spool_drain(struct spool *s, int64_t now_ns)
{
	struct pass own;
	struct pass *pass;
	int64_t due_ns;
	int n = 0;

	if (!may_drain(s, now_ns, &due_ns))
		return due_ns;
	/* No emit(), so that handlers are their workers' business. */
	pass = pass_begin(&own, NULL, NULL, false);
	while (n < TURN_MAX && send_one(s, pass, now_ns))
		n++;
	pass_end(&own);
	if (n == TURN_MAX)
		return now_ns;
	pthread_mutex_lock(&s->lock);
	due_ns = s->is_due_again ? s->again_ns : INT64_MAX;
	pthread_mutex_unlock(&s->lock);
	return due_ns;
}

/* ---- Back --------------------------------------------------------------- */

/* Under lock. */
static void
note_stuck(struct spool *s, const struct evh_event *ev, uint64_t number)
{
	char id[UUID_TEXT_LEN + 1] = { 0 };

	uuid_write(ev->id, id);
	s->stuck_at = number;
	snprintf(s->why_stuck, sizeof(s->why_stuck),
		 "the spooled event %s failed, and no on_fail keeps it: it is "
		 "tried again, and those behind it wait",
		 id);
	if (!atomic_exchange(&s->is_stuck, true))
		log_write(EVH_ERROR, NULL, "pipeline %s: %s", s->pipeline->name,
			  s->why_stuck);
}

/* Its number, from its slot.  Under lock. */
static uint64_t
number_of(const struct spool *s, const struct evh_event *ev)
{
	uint64_t first = s->base % s->n_slots;

	return s->base + (ev->cookie + s->n_slots - first) % s->n_slots;
}

/* All that are done from the first on are released.  Under lock. */
static void
release(struct spool *s)
{
	while (*slot_of(s, s->base) == SPOOL_SLOT_DONE) {
		*slot_of(s, s->base) = SPOOL_SLOT_FREE;
		s->base++;
		s->n_backoffs = 0;
	}
	if (s->stuck_at > 0 && s->base > s->stuck_at) {
		s->stuck_at = 0;
		s->why_stuck[0] = '\0';
		atomic_store(&s->is_stuck, atomic_load(&s->is_dry));
	}
}

void
spool_drain_done(void *self, struct evh_event *const *evs, int n,
		 enum evh_result result)
{
	struct spool *s = self;
	bool is_done = result == EVH_OK || result == EVH_DROP;
	bool was_stuck = atomic_load(&s->is_stuck);

	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < n; i++) {
		unsigned char *slot = &s->slots[evs[i]->cookie];

		*slot = is_done ? SPOOL_SLOT_DONE : SPOOL_SLOT_FREE;
		if (result == EVH_FAIL)
			note_stuck(s, evs[i], number_of(s, evs[i]));
	}
	release(s);
	pthread_mutex_unlock(&s->lock);
	if (is_done)
		metric_record(s->drained, n);
	else
		begin_again(s);
	if (atomic_load(&s->is_stuck) != was_stuck)
		spool_tell(s);
}
